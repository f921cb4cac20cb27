"""Clusters, seen from the app: the places where solutions run, and what is known of the runs there."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cluster.profile import load_profiles
from tlcourse.errors import TlcourseError
from tlcourse.tui.runs import Failure


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


class JobRow(Struct, frozen=True):
    """One run on a cluster, as `tlcourse jobs list --json` prints it."""

    run: str
    on: str
    created: float
    state: Literal["open", "ended", "cancelled", "failed"]
    command: Literal["grade", "run"] = "grade"
    exercise: str = ""
    path: str = ""
    outcome: str = ""
    points: float = 0.0
    max_points: float = 0.0
    said: str = ""
    slurm: str = ""
    """Slurm's word for its state; empty where the cluster was not asked, or knows no job of it."""
    crowd: str = ""
    position: int | None = None
    node: str = ""
    job: str = ""
    reached: bool = True
    """Whether the cluster answered."""
    seen: float | None = None
    """When the cluster said it, in seconds since 1970; None: it has not answered yet."""


class Clusters:
    """What the app knows of runs on clusters; it stays while no screen shows it."""

    def __init__(self) -> None:
        self.rows: dict[str, JobRow] = {}
        """By number: what `tlcourse jobs list` said last."""
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
        self.heard = self.heard or asked
        if "error" in document:
            self.problem = Failure(*(str(document["error"].get(key, "")) for key in ("what", "cause", "remedy")))
            return
        found = msgspec.convert(document["jobs"], list[JobRow])
        lost = [row for row in found if not row.reached]
        if asked:
            self.problem = None
        if lost:
            names = sorted({row.on for row in lost})
            others = f" Nor is {', '.join(names[1:])} reached." if len(names) > 1 else ""
            cause = "no network, or a login that needs a second factor. What was sent continues there."
            self.problem = Failure(lost[0].said + others, cause, f"tlcourse config check {lost[0].on}")
        self.rows = {row.run: self._with_known(row, now, asked=asked) for row in found}

    def _with_known(self, row: JobRow, now: float, *, asked: bool) -> JobRow:
        """A row with what its cluster said last, where it says nothing now."""
        if row.state != "open" or (asked and row.reached):
            return replace(row, seen=now) if asked else row
        if (known := self.rows.get(row.run)) is None:
            return replace(row, said="")
        return replace(
            row,
            said=known.said,
            slurm=known.slurm,
            crowd=known.crowd,
            position=known.position,
            node=known.node,
            job=known.job,
            seen=known.seen,
        )
