"""Which wall: the strongest that this machine can build, or the one that was asked for."""

from __future__ import annotations

import sys

from tlcourse.errors import UnableError, UsageError
from tlcourse.execution.walls.plain import PlainWall
from tlcourse.execution.walls.wall import Finding, Wall

NAMES = ("auto", "cold", "warm", "weak", "none")


def findings() -> list[Finding]:
    """Every wall, strongest first, and whether this machine can build it."""
    return [
        _cold(),
        _warm(),
        _weak(),
        Finding(PlainWall.name, True, "a separate process without labels; for your own code only"),
    ]


def _cold() -> Finding:
    if not sys.platform.startswith("linux"):
        return Finding("cold", False, f"bubblewrap runs on Linux, this is {sys.platform}", "use a Linux machine or WSL")
    from tlcourse.execution.walls import bubblewrap  # Linux only

    return bubblewrap.probe()


def _warm() -> Finding:
    if not sys.platform.startswith("linux"):
        return Finding("warm", False, f"bubblewrap runs on Linux, this is {sys.platform}", "use a Linux machine or WSL")
    from tlcourse.execution.walls import warm  # Linux only

    return warm.probe()


def _weak() -> Finding:
    if not sys.platform.startswith("linux"):
        return Finding("weak", False, f"Landlock is Linux's, this is {sys.platform}", "use a Linux machine or WSL")
    from tlcourse.execution.walls import weak  # Linux only

    return weak.probe()


def choose(isolation: str, device: str = "cpu") -> tuple[Wall, str]:
    """The wall, and a line that says what was missing (empty for the strongest): cold, else weak, else none.

    A warm parent must not touch a GPU: a run that would use one gets a cold wall, and the line says so.

    Raises UsageError for an unknown name, and UnableError where the wall that was asked for cannot be built.
    """
    if isolation not in NAMES:
        raise UsageError(f"There is no isolation {isolation!r}.", remedy=f"use one of: {', '.join(NAMES)}.")
    if isolation == "none":
        return PlainWall(), ""
    if isolation == "warm" and not uses_gpu(device):
        return _warm_wall(), ""
    if isolation == "weak":
        return _weak_wall()
    cold = _cold()
    if cold.available:
        from tlcourse.execution.walls.bubblewrap import ColdWall

        return ColdWall(), "A run on a GPU starts cold." if isolation == "warm" else ""
    if isolation in ("cold", "warm"):
        raise UnableError(
            f"This machine cannot isolate a run: {cold.detail}.",
            cause="the sandbox needs bubblewrap and user namespaces.",
            remedy=cold.remedy or "tlcourse doctor",
        )
    if not uses_gpu(device) and _weak().available:
        wall, notice = _weak_wall()
        return wall, f"{notice} The cold wall would be stronger, but {cold.detail}. {cold.remedy}".strip()
    return (
        PlainWall(),
        f"Runs without a sandbox, for your own code only: {cold.detail}. {cold.remedy}".strip(),
    )


def uses_gpu(device: str) -> bool:
    """Whether a run on `device` would be shown a card of this machine."""
    if device.startswith("cpu") or not sys.platform.startswith("linux"):
        return False
    from tlcourse.execution.walls import warm  # Linux only

    return device != "auto" or warm.has_gpu()


def _warm_wall() -> Wall:
    finding = _warm()
    if not finding.available:
        raise UnableError(
            f"This machine cannot isolate a run: {finding.detail}.",
            cause="the warm wall needs bubblewrap and nested user namespaces.",
            remedy=finding.remedy or "tlcourse doctor",
        )
    from tlcourse.execution.walls.warm import shared

    return shared()


def _weak_wall() -> tuple[Wall, str]:
    finding = _weak()
    if not finding.available:
        raise UnableError(
            f"This machine cannot isolate a run: {finding.detail}.",
            cause="the weak wall needs Landlock.",
            remedy=finding.remedy or "tlcourse doctor",
        )
    from tlcourse.execution.walls.weak import NOTICE, WeakWall

    return WeakWall(), NOTICE
