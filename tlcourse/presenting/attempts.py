"""Attempts compared: what changed in the code, with counts, and in each check since the attempt before."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from tlcourse.presenting.words import points as points_of
from tlcourse.student.record import Attempt
from tlcourse.text import counted, harmless

LINES = 3000
"""Of a solution, that are compared: the time of comparing grows with their square."""


class CheckChange(Struct, frozen=True):
    """A check in two attempts; `before` is None where the earlier one has no such check."""

    id: str
    title: str
    before: float | None
    now: float
    unit: str
    passed: bool
    passed_before: bool
    better: bool | None
    """None where nothing changed, or there is nothing to compare with."""


class Comparison(Struct, frozen=True):
    """An attempt beside the one before it."""

    since: str
    """When the earlier one was made."""
    points_before: float
    points: float
    max_points: float
    added: int | None
    removed: int | None
    """Lines of code; None where the code of one of them was not kept."""
    diff: str
    """As `diff -u` writes it; empty where nothing changed, or code was not kept."""
    checks: list[CheckChange]


def compared(attempts: Sequence[Attempt], codes: dict[int, str]) -> Comparison | None:
    """The last attempt beside the one before; None where there are not two.

    Args:
        attempts: All at one exercise, the oldest first.
        codes: The code of some of them, by their number.
    """
    graded = [attempt for attempt in attempts if attempt.outcome != "infra"]
    if len(graded) < 2:
        return None
    before, now = graded[-2:]
    earlier = {check["id"]: check for check in before.result.get("checks", [])}
    changes = [_change(earlier.get(check["id"]), check) for check in now.result.get("checks", [])]
    added = removed = None
    diff = ""
    if before.number in codes and now.number in codes:
        lines = _diff(codes[before.number], codes[now.number])
        added = sum(1 for line in lines[2:] if line.startswith("+"))
        removed = sum(1 for line in lines[2:] if line.startswith("-"))
        diff = "\n".join(lines)
    return Comparison(before.at, before.points, now.points, now.max_points, added, removed, diff, changes)


def _diff(before: str, now: str) -> list[str]:
    old, new = (harmless(text).splitlines()[:LINES] for text in (before, now))
    return list(difflib.unified_diff(old, new, "the attempt before", "the last attempt", lineterm=""))


def _change(before: dict[str, Any] | None, now: dict[str, Any]) -> CheckChange:
    old = before["value"] if before else None
    better = None
    if old is not None and old != now["value"]:
        better = (now["value"] > old) == (now.get("direction", "at_least") == "at_least")
    return CheckChange(
        id=now["id"],
        title=now["title"],
        before=old,
        now=now["value"],
        unit=now.get("unit", ""),
        passed=now["passed"],
        passed_before=bool(before and before["passed"]),
        better=better,
    )


def code_in_words(found: Comparison) -> str:
    """`12 lines added, 3 removed`"""
    if found.added is None or found.removed is None:
        return "its code was not kept"
    if not found.added and not found.removed:
        return "the same code"
    return f"{counted(found.added, 'line')} added, {found.removed:,} removed"


def change_in_words(check: CheckChange) -> str:
    """`Accuracy: 0.91 → 0.95, better, passed now`"""
    unit = f" {check.unit}" if check.unit else ""
    if check.before is None:
        return f"{check.title}: {check.now:.4g}{unit}"
    if check.better is None:
        return f"{check.title}: {check.now:.4g}{unit}, the same"
    said = "better" if check.better else "worse"
    turned = "" if check.passed == check.passed_before else ", passed now" if check.passed else ", failed now"
    return f"{check.title}: {check.before:.4g} → {check.now:.4g}{unit}, {said}{turned}"


def changes_in_words(found: Comparison) -> Iterator[str]:
    """What is not as it was, one fact a line."""
    first, *_ = sentences(found)
    yield first
    yield from (change_in_words(check) for check in found.checks if check.better is not None)


def sentences(found: Comparison) -> Iterator[str]:
    """One fact a line."""
    yield (
        f"Since the attempt before: {code_in_words(found)}; {found.points_before:g} → "
        f"{points_of(found.points, found.max_points)}"
    )
    yield from map(change_in_words, found.checks)
