"""Which wall: the strongest that this machine can build, or the one that was asked for."""

from __future__ import annotations

import sys

from tlcourse.errors import UnableError, UsageError
from tlcourse.execution.walls.plain import PlainWall
from tlcourse.execution.walls.wall import Finding, Wall

NAMES = ("auto", "cold", "none")


def findings() -> list[Finding]:
    """Every wall, strongest first, and whether this machine can build it."""
    return [
        _cold(),
        Finding(PlainWall.name, True, "a separate process without labels; for your own code only"),
    ]


def _cold() -> Finding:
    if not sys.platform.startswith("linux"):
        return Finding("cold", False, f"bubblewrap runs on Linux, this is {sys.platform}", "use a Linux machine or WSL")
    from tlcourse.execution.walls import bubblewrap  # Linux only

    return bubblewrap.probe()


def choose(isolation: str) -> tuple[Wall, str]:
    """The wall, and a line that says what was missing (empty for the strongest).

    Raises UsageError for an unknown name, and UnableError where the wall that was asked for cannot be built.
    """
    if isolation not in NAMES:
        raise UsageError(f"There is no isolation {isolation!r}.", remedy=f"use one of: {', '.join(NAMES)}.")
    if isolation == "none":
        return PlainWall(), ""
    cold = _cold()
    if cold.available:
        from tlcourse.execution.walls.bubblewrap import ColdWall

        return ColdWall(), ""
    if isolation == "cold":
        raise UnableError(
            f"This machine cannot isolate a run: {cold.detail}.",
            cause="the sandbox needs bubblewrap and user namespaces.",
            remedy=cold.remedy or "tlcourse doctor",
        )
    return (
        PlainWall(),
        f"Runs without a sandbox, for your own code only: {cold.detail}. {cold.remedy}".strip(),
    )
