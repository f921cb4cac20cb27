"""Everybody's mark with its words, as a platform is given them; read from the gradebook in a few queries."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tlcourse.course.model import LoadedExercise
from tlcourse.grading.gradebook.by_hand import part_points, points_by_check
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import PersonStatus
from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.lms.marks import Mark
from tlcourse.grading.result import SCHEMA, Result, read_result
from tlcourse.presenting.report.feedback_content import Ended, mark_words, next_thing, words_without_handin
from tlcourse.presenting.report.late_words import late_note
from tlcourse.text import line


def marks_of(book: Gradebook, statuses: Sequence[GradeStatus], exercise: LoadedExercise) -> list[Mark]:
    """One mark for each member; a hand-in without known members is marked under its owner's name."""
    marks = []
    number = statuses[0].handin.batch if statuses else 0
    listed, checks = bool(book.people(number)), points_by_check(book, number)
    for status in statuses:
        ended: Ended | Result | None = None
        if status.verdict is not None and status.verdict.readable:
            raw = book.raw_document(status.verdict.id)
            brief = msgspec.json.decode(raw, type=Ended)
            ended = brief if brief.schema == SCHEMA else read_result(raw)
        next_ = next_thing(exercise, status, ended)
        for person in status.handin.marked(class_known=listed):
            words = mark_words(exercise, status, person, next_)
            marks.append(
                Mark(
                    person_id=person,
                    points=status.points_of(person),
                    feedback=words,
                    outcome=status.outcome,
                    owner=status.handin.owner,
                    parts=part_points(exercise.about, status, person, checks),
                    submitted_at=status.handin.submitted_at,
                    days_late=late.days if (late := status.late_of(person)) and late.known else None,
                    before=status.points_before(person) if status.lowered(person) else None,
                    late=late_note(status, person),
                )
            )
    return marks


def marks_of_class(
    marks: Sequence[Mark], people: Sequence[PersonStatus], exercise: LoadedExercise, missing: float | None
) -> list[Mark]:
    """The marks of hand-ins, and one for everybody else: as decided, None for the excused, else `missing`.

    Who left the class has none.
    """
    left = {one.person.id for one in people if one.state == "left"}
    found = [mark for mark in marks if mark.person_id not in left]
    for one in people:
        if one.owner or one.state == "left":
            continue
        if one.state == "by hand":
            words = words_without_handin(exercise, one)
            got = {item.id: one.hand.points_of(item.id) for item in exercise.about.manual} if one.hand else {}
            parts = {name: points for name, points in got.items() if points is not None}
            found.append(Mark(one.person.id, one.points, words, "", "", parts=parts))
        elif one.state == "nothing":
            words = "" if missing is None else "Nothing was handed in."
            found.append(Mark(one.person.id, missing, words, "nothing", "", given=False))
        else:  # excused, or not matched: whoever may have handed in gets no mark that says they did not
            found.append(Mark(one.person.id, None, "", one.state, "", given=False))
    return found


def without_verdict(statuses: Sequence[GradeStatus]) -> list[str]:
    """Owners whose hand-ins have no verdict, and no points in its place, and somebody waits for them."""
    return [line(s.handin.owner) for s in statuses if not s.graded and s.override is None and not _settled(s)]


def _settled(status: GradeStatus) -> bool:
    """Whether nobody waits for the verdict: the staff decided about the hand-in or each of its members, or all left."""
    members = status.handin.members
    each = bool(members) and all(one in status.overrides_of_members for one in members)
    return each or status.handin.left_behind or bool(status.override and status.override.excused)
