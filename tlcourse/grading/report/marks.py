"""Everybody's mark: a group's to each of its members, unless a member's own was set by hand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tlcourse.course.model import LoadedExercise
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import Standing
from tlcourse.grading.lms.exports import Mark
from tlcourse.grading.report.clean import line
from tlcourse.grading.report.facts import WORDS, Ended, next_thing, points_of


def marks_of(book: Gradebook, standings: Sequence[Standing], exercise: LoadedExercise) -> list[Mark]:
    """One mark for each member; a hand-in without known members is marked under its owner's name."""
    marks = []
    for standing in standings:
        ended = None
        if standing.verdict is not None:
            ended = msgspec.json.decode(book.raw_document(standing.verdict.id), type=Ended)
        next_ = next_thing(exercise, standing, ended)
        words = f"{WORDS[standing.outcome]}, {points_of(exercise, standing)} points. {next_}"
        for person in standing.handin.members or [standing.handin.owner]:
            marks.append(
                Mark(
                    person_id=person,
                    points=standing.points_of(person),
                    feedback=line(words, 900),
                    outcome=standing.outcome,
                    owner=standing.handin.owner,
                )
            )
    return marks


def without_verdict(standings: Sequence[Standing]) -> list[str]:
    """Owners whose hand-ins have no points, neither graded nor set by hand."""
    return [line(standing.handin.owner) for standing in standings if standing.points is None]
