"""What a mark is made of: the points of each check, and of each item that is marked by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tlcourse.course.model import Exercise
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import GradeStatus


def part_maxima(about: Exercise) -> dict[str, float]:
    """The most that each check and each item gives, in the order of exercise.yaml."""
    return {rule.id: rule.points for rule in about.checks} | {item.id: item.max_points for item in about.manual}


def points_by_check(book: Gradebook, batch: int) -> dict[int, dict[str, float]]:
    """The points of each check, by the number of the result."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for result, name, points in book.rows(
        "SELECT c.result, c.name, c.points FROM handins h JOIN results r ON r.handin = h.id"
        " JOIN checks c ON c.result = r.id WHERE h.batch = ?",
        (batch,),
    ):
        found[result][name] = points
    return dict(found)


def part_points(
    about: Exercise, status: GradeStatus, person: str, checks: Mapping[int, Mapping[str, float]]
) -> dict[str, float]:
    """What each part gave somebody; parts without a verdict, or not marked yet, are absent.

    A run that crashed has no checks, and each of them gave 0. What staff decided of the sum changes no part.
    """
    found: dict[str, float] = {}
    if status.verdict is not None and status.graded:
        nothing = {rule.id: 0.0 for rule in about.checks}
        gave = checks.get(status.verdict.id, nothing)
        found = {name: gave[name] for name in nothing if name in gave}  # exercise.yaml may have changed since
    hand = status.hand_of(person)
    return found | {item.id: got for item in about.manual if (got := hand.points_of(item.id)) is not None}
