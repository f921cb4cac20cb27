"""Clusters, seen from the app: the places where solutions run, and what is known of the runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cluster.profile import load_profiles
from tlcourse.errors import TlcourseError
from tlcourse.tui.runs import Failure

if TYPE_CHECKING:
    from tlcourse.grading.remote_grading import JobRow


class Backends(Struct, frozen=True):
    """`local` and the profiles of the configuration; `problem` where that cannot be read."""

    names: list[str]
    problem: TlcourseError | None = None

    def after(self, name: str) -> str:
        """The next one; after the last, and after one that is gone, the first."""
        return self.names[(self.names.index(name) + 1) % len(self.names)] if name in self.names else self.names[0]


def backends() -> Backends:
    """Where solutions can run."""
    try:
        return Backends(["local", *load_profiles()])
    except TlcourseError as error:
        return Backends(["local"], error)


def on(backend: str) -> str:
    """A backend in words."""
    return "on this machine" if backend == "local" else f"on {backend}"


class Clusters:
    """What the app knows of runs on clusters; it stays while no screen shows it."""

    def __init__(self) -> None:
        self.rows: dict[str, JobRow] = {}
        """By number: what `tlcourse jobs list` said last."""
        self.seen: dict[str, float] = {}
        """By number: when a cluster said it, in seconds since 1970."""
        self.problem: Failure | None = None
        self.heard = False
        """Whether the clusters were asked at all, and the answer is there."""

    def take(self, document: dict[str, Any], now: float, *, asked: bool) -> None:
        """Take in an answer. Of a cluster that was not reached, the last known state stays.

        Args:
            document: What `tlcourse jobs list --json` printed.
            now: Seconds since 1970.
            asked: Whether the clusters were asked, or only what is kept here was read.
        """
        from tlcourse.grading.remote_grading import JobRow

        self.heard = self.heard or asked
        if "error" in document:
            self.problem = Failure(*(str(document["error"].get(key, "")) for key in ("what", "cause", "remedy")))
            return
        rows = msgspec.convert(document["jobs"], list[JobRow])
        if asked:
            self.problem = None
        if lost := [row for row in rows if not row.reached]:
            names = sorted({row.on for row in lost})
            others = f" Nor is {', '.join(names[1:])} reached." if len(names) > 1 else ""
            cause = "no network, or a login that needs a second factor. What was sent continues there."
            self.problem = Failure(lost[0].said + others, cause, f"tlcourse config check {lost[0].on}")
        seen = {}
        for number, row in enumerate(rows):
            known = self.rows.get(row.run)
            if row.state == "open" and not (asked and row.reached):
                said, status = (known.said, known.status) if known else ("", None)
                rows[number] = replace(row, said=said, status=status)
                if row.run in self.seen:
                    seen[row.run] = self.seen[row.run]
            elif asked:
                seen[row.run] = now
        self.rows, self.seen = {row.run: row for row in rows}, seen
