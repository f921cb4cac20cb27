"""Clusters, seen from the app: the places where solutions run, and questions to them in processes of their own.

A question is a command, such as `tlcourse jobs list --json`, whose answer is written into a file: no screen waits for a
network, and one that is left in the middle of fetching a verdict still records it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from typing import Any, Protocol

from msgspec import Struct

from tlcourse.errors import TlcourseError
from tlcourse.execution.cluster.profile import load_config


class Places(Struct, frozen=True):
    """`local` and the profiles of the configuration; `problem` where that cannot be read."""

    names: list[str]
    problem: TlcourseError | None = None


def places() -> Places:
    """Where solutions can run."""
    try:
        return Places(["local", *load_config().profiles])
    except TlcourseError as error:
        return Places(["local"], error)


def on(place: str) -> str:
    """A place in words."""
    return "on this machine" if place == "local" else f"on {place}"


class Left(Protocol):
    """A process that is not waited for, except by those who must know that it is gone."""

    @property
    def open(self) -> bool:
        """Whether it is there."""
        ...

    def wait(self, seconds: float) -> None:
        """Until it is gone, but no longer than this."""
        ...


class Question:
    """One command that is answered with a document, some time."""

    def __init__(self, *arguments: str) -> None:
        """Raises OSError when no process can be made."""
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when the answer was read
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tlcourse", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def open(self) -> bool:
        """Whether it is not answered yet."""
        return self._process.poll() is None

    def answer(self) -> dict[str, Any]:
        """The document, once it is there; in place of one that cannot be read an error of the same form."""
        self._out.seek(0)
        data = self._out.read()
        self._out.close()
        with contextlib.suppress(ValueError, RecursionError):
            document = json.loads(data)
            if isinstance(document, dict):
                return document
        return {"error": {"what": "tlcourse gave no answer.", "cause": "its process was ended.", "remedy": "ask again"}}

    def wait(self, seconds: float) -> None:
        """Until it is answered, but no longer than this."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        if not self.open:
            self._out.close()


class Clusters:
    """What the app knows of runs on clusters; it stays while no screen shows it."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        """By number: what `tlcourse jobs list` said last; `seen` is when a cluster said it."""
        self.problem: dict[str, str] | None = None
        self.heard = False
        """Whether the clusters were asked at all, and the answer is there."""
        self._left: list[Left] = []

    def take(self, document: dict[str, Any], now: float, *, asked: bool) -> None:
        """Take in an answer. Of a cluster that was not reached, the last known state stays.

        Args:
            document: What `tlcourse jobs list --json` printed.
            now: Seconds since 1970.
            asked: Whether the clusters were asked, or only what is kept here was read.
        """
        self.heard = self.heard or asked
        if "error" in document:
            self.problem = {key: str(document["error"].get(key, "")) for key in ("what", "cause", "remedy")}
            return
        lost = [row for row in document["jobs"] if row.get("reached") is False]
        if asked:
            self.problem = None
        if lost:
            said, names = str(lost[0]["said"]), sorted({str(row["on"]) for row in lost})
            others = f" Nor is {', '.join(names[1:])} reached." if len(names) > 1 else ""
            cause = "no network, or a login that needs a second factor. What was sent goes on there."
            check = f"tlcourse config check {lost[0]['on']}"
            self.problem = {"what": said + others, "cause": cause, "remedy": check}
        rows = {}
        for row in document["jobs"]:
            known = self.rows.get(row["run"], {})
            if row["state"] == "open" and (not asked or row.get("reached") is False):
                kept = {
                    key: known[key]
                    for key in ("said", "slurm", "crowd", "position", "node", "job", "seen")
                    if key in known
                }
                row = {**row, "said": "", **kept}
            elif asked:
                row = {**row, "seen": now}
            rows[row["run"]] = row
        self.rows = rows

    def leave(self, left: Left) -> None:
        """A screen was left before the answer came; what it had asked still does its work."""
        self._left = [one for one in self._left if one.open]
        self._left.append(left)

    def wait(self, seconds: float) -> None:
        """Until nothing is asked any more, but no longer than this each."""
        for question in self._left:
            question.wait(seconds)
