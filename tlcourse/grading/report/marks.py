"""Everybody's mark: a group's to each of its members, unless a member's own was set by hand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tlcourse.course.model import LoadedExercise
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.lms.marks import Mark
from tlcourse.grading.report.facts import WORDS, Ended, next_thing, points_of
from tlcourse.grading.result import SCHEMA, Result, read_result
from tlcourse.text import line


def marks_of(book: Gradebook, statuses: Sequence[GradeStatus], exercise: LoadedExercise) -> list[Mark]:
    """One mark for each member; a hand-in without known members is marked under its owner's name."""
    marks = []
    for status in statuses:
        ended: Ended | Result | None = None
        if status.verdict is not None:
            raw = book.raw_document(status.verdict.id)
            brief = msgspec.json.decode(raw, type=Ended)
            ended = brief if brief.schema == SCHEMA else read_result(raw)
        next_ = next_thing(exercise, status, ended)
        words = f"{WORDS[status.outcome]}, {points_of(exercise, status)} points. {next_}"
        for person in status.handin.members or [status.handin.owner]:
            marks.append(
                Mark(
                    person_id=person,
                    points=status.points_of(person),
                    feedback=line(words, 900),
                    outcome=status.outcome,
                    owner=status.handin.owner,
                )
            )
    return marks


def without_verdict(statuses: Sequence[GradeStatus]) -> list[str]:
    """Owners whose hand-ins have no points, neither graded nor set by hand."""
    return [line(status.handin.owner) for status in statuses if status.points is None]
