"""A class in the order of one measurement, with ties where chance could have turned the order round.

Somebody's place is one more than the number of those who are surely better: whose whole interval is better than all of
theirs. So two who differ by less than the measurement can tell share a place, and get what it earns.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.presenting.words import number
from tlcourse.text import line


class Ranked(Struct, frozen=True):
    """A hand-in and its place."""

    place: int
    handin: HandInRecord
    value: float
    interval: tuple[float, float]
    """95 %."""
    bonus: float
    """What the place earns."""


class Ranking(Struct, frozen=True):
    """All hand-ins of a batch that were measured, best first, and those that were not."""

    check: str
    title: str
    unit: str
    direction: str
    self_reported: bool
    rows: list[Ranked]
    unmeasured: list[HandInRecord]
    """Without this measurement: not graded, or its part gave none."""


def places(intervals: Sequence[tuple[float, float]], direction: str) -> list[int]:
    """The place of each interval: one more than how many lie wholly on its better side. `at_least`: more is better."""
    if direction == "at_most":
        highs = sorted(high for _, high in intervals)
        return [1 + bisect_left(highs, low) for low, _ in intervals]
    lows = sorted(low for low, _ in intervals)
    return [1 + len(lows) - bisect_right(lows, high) for _, high in intervals]


def ranked_check(exercise: LoadedExercise, check: str) -> str:
    """The id of the check to rank by, where none is named that of the only one; raises UsageError."""
    ids = [rule.id for rule in exercise.about.checks]
    if check in ids or (not check and len(ids) == 1):
        return check or ids[0]
    raise UsageError(
        f"{exercise.about.id} has no check {check!r}." if check else f"{exercise.about.id} has {len(ids)} checks.",
        cause="a ranking is by one measurement.",
        remedy=f"--check {' or '.join(ids)}",
    )


def ranking(
    book: Gradebook, batch: BatchRecord, exercise: LoadedExercise, check: str, bonus: Sequence[float] = ()
) -> Ranking:
    """The hand-ins of a batch by what `check` measured in the verdicts that count.

    Args:
        check: its id.
        bonus: what the first place earns, the second, and so on; those who share a place earn the same.
    """
    rule = next(one for one in exercise.about.checks if one.id == check)
    measured, unmeasured, self_reported = list[tuple[HandInRecord, float, tuple[float, float]]](), [], False
    for status in book.statuses(batch):
        document = book.document(status.verdict.id) if status.verdict and status.graded else None
        found = next((one for one in document.checks if one.id == check), None) if document else None
        if found is None:
            unmeasured.append(status.handin)
            continue
        self_reported |= found.self_reported
        measured.append((status.handin, found.value, found.interval))
    rows = [
        Ranked(place, handin, value, interval, bonus[place - 1] if place <= len(bonus) else 0.0)
        for place, (handin, value, interval) in zip(
            places([interval for *_, interval in measured], rule.direction), measured, strict=True
        )
    ]
    rows.sort(key=lambda one: (one.place, one.value if rule.direction == "at_most" else -one.value, one.handin.key))
    return Ranking(check, rule.title, rule.unit, rule.direction, self_reported, rows, unmeasured)


def ranking_lines(made: Ranking, owners: dict[str, str]) -> list[str]:
    """A line a hand-in: place, `=` where it is shared, value with interval, what it earns, whose. `owners` by key."""
    shared = {row.place for row in made.rows if sum(other.place == row.place for other in made.rows) > 1}
    earns = any(row.bonus for row in made.rows)
    unit = f" {made.unit}" if made.unit else ""
    lines = []
    for row in made.rows:
        low, high = map(number, row.interval)
        told = f"{row.place}{'=' if row.place in shared else ''}".rjust(5)
        told += f"  {number(row.value)}{unit}".ljust(14) + f"95 %: {low} to {high}{unit}".ljust(28)
        told += f"+{row.bonus:g}".ljust(7) if earns else ""
        lines.append(f"{told}{line(owners[row.handin.key])}")
    return [*lines, *(f"    -  not measured: {line(owners[one.key])}" for one in made.unmeasured)]
