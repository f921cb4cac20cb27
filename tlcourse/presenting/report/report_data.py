"""What a report is about: read from the gradebook in a few queries, however large the class."""

from __future__ import annotations

import contextlib
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.course.deadline import Deadline, read_due
from tlcourse.course.model import LoadedExercise
from tlcourse.grading.batch.state import BatchState, state_of
from tlcourse.grading.gradebook.attempts import Attempt, attempts
from tlcourse.grading.gradebook.by_hand import HandMark, Request, hand_marks, requests
from tlcourse.grading.gradebook.changes import all_given_over, decisions
from tlcourse.grading.gradebook.deadlines import Extension, Kept, extensions, kept_deadline
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import Look, Membership, PersonStatus
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus, Override, Regrade
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.parts.manual import changed
from tlcourse.presenting.report.late_words import late_note
from tlcourse.presenting.report.similar_handins import Similar, similar_of
from tlcourse.text import line

SIMILAR_UP_TO = 1000
"""Hand-ins up to which a report looks for similar ones; `ta similar` always does."""

_NAMED = 5


class CheckRate(Struct, frozen=True):
    """One check over the class."""

    name: str
    title: str
    passed: int
    of: int
    values: list[float]
    threshold: float
    unit: str
    direction: str
    note: str = ""
    """What staff should know of it; begins with a space."""


class Report(Struct, frozen=True):
    """One batch of an exercise."""

    batch: BatchRecord
    title: str
    state: BatchState
    statuses: list[GradeStatus]
    checks: list[CheckRate]
    overrides: list[Override]
    regrades: list[Regrade]
    similar: Similar | None
    """None: not looked for."""
    people: list[PersonStatus] = []
    """Everybody of the class."""
    memberships: list[Membership] = []
    attempts: list[Attempt] = []
    """What came in after the attempts with which the batch was begun."""
    look: Look = Look([], [])
    given_over: list[tuple[str, str, str, str]] = []
    """Hand-ins that are somebody else's since, as the staff said: folder, owner, who, when."""
    max_points: float = 0.0
    """The most that checks and assistants give."""
    hand_marks: list[HandMark] = []
    changed: list[tuple[str, list[str]]] = []
    """Hand-ins of which something was marked by hand, and is another now: the owner, the items."""
    """Every row, the oldest first."""
    requests: list[Request] = []
    replaced: list[Override] = []
    """Decisions that hold no more, and what withdrew them; the oldest first."""
    deadline: Deadline | None = None
    extensions: list[Extension] = []
    """Every row, the oldest first."""
    course_due: str = ""
    """What exercise.yaml says, where the batch is judged by something else, which no command gave."""

    @property
    def points(self) -> list[float]:
        """Points of all hand-ins that have some."""
        return [points for status in self.statuses if (points := status.points) is not None]


def gather(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise) -> Report:
    """All that a report shows, in one reading transaction's worth of queries."""
    rules = {rule.id: rule for rule in exercise.about.checks}
    statuses = book.statuses(batch)
    forgeable = _self_reported(book, statuses)
    shown = {status.handin.key for status in statuses}
    people = book.person_statuses(batch, statuses)
    kept = kept_deadline(book, batch.id)
    shown |= {f"person:{one.person.id}" for one in people}
    in_force = [override for target, override in book.overrides(batch.exercise).items() if target in shown]
    return Report(
        batch=batch,
        title=exercise.about.title,
        state=state_of(book, batch),
        statuses=statuses,
        checks=[
            CheckRate(
                *(name, title, passed, of, values, rules[name].threshold, rules[name].unit, rules[name].direction),
                note=_note(forgeable[name], of) if name in forgeable else "",
            )
            for name, title, passed, of, values in book.pass_rates(batch.id)
            if name in rules
        ],
        overrides=in_force,
        replaced=[o for o in decisions(book, batch.exercise) if o.target in shown and o not in in_force],
        regrades=book.regrades(batch.id),
        similar=similar_of(book, statuses, exercise) if len(statuses) <= SIMILAR_UP_TO else None,
        people=people,
        memberships=book.memberships(batch.id),
        attempts=attempts(book, batch.id),
        look=book.look(batch),
        deadline=kept.deadline if kept else None,
        extensions=extensions(book, batch.exercise),
        course_due=other_due(exercise, kept),
        given_over=all_given_over(book, batch.id),
        max_points=max_points(batch, exercise),
        hand_marks=[one for one in hand_marks(book, batch.exercise) if one.target in shown],
        changed=changed_since_marked(book, exercise, statuses),
        requests=[one for one in requests(book, batch.exercise) if one.target in shown],
    )


def changed_since_marked(
    book: Gradebook, exercise: LoadedExercise, statuses: Sequence[GradeStatus]
) -> list[tuple[str, list[str]]]:
    """By owner, the items that were marked on something else than what is graded now."""
    store = SubmissionStore(book.path)
    found = ((one.handin.owner, changed(exercise.about, store, one)) for one in statuses)
    return [(owner, items) for owner, items in found if items]


def max_points(batch: BatchRecord, exercise: LoadedExercise) -> float:
    """The most that the checks gave in the batch, and assistants give today."""
    return batch.max_points + sum(item.max_points for item in exercise.about.manual if not item.bonus)


def other_due(exercise: LoadedExercise, kept: Kept | None) -> str:
    """When exercise.yaml says it is due, where that is not what is kept with a batch, nor was replaced by a command."""
    said = exercise.about.due
    if kept is not None and (kept.given or (kept.deadline is None and not said)):
        return ""
    if kept is None or kept.deadline is None:
        return said
    today = read_due(said, kept.deadline.zone, kept.deadline.late).due if said else ""
    return "" if today == kept.deadline.due else said or "at no time"


class _Check(Struct, frozen=True):
    id: str
    self_reported: bool = False


class _Checks(Struct, frozen=True):
    """What is read here of a result document."""

    checks: tuple[_Check, ...] = ()


def _self_reported(book: Gradebook, statuses: Sequence[GradeStatus]) -> dict[str, list[str]]:
    """Of each check that rests on somebody's own word, whose: others may have been measured."""
    found: dict[str, list[str]] = {}
    for status in statuses:
        if status.verdict is None or not status.verdict.readable or status.verdict.outcome not in ("pass", "fail"):
            continue
        with contextlib.suppress(msgspec.MsgspecError):  # a document of the first edition knows no such checks
            for check in msgspec.json.decode(book.raw_document(status.verdict.id), type=_Checks).checks:
                if check.self_reported:
                    found.setdefault(check.id, []).append(status.handin.owner)
    return found


def _note(owners: Sequence[str], of: int) -> str:
    """That student code could forge a check, and where it is not so of all, whose."""
    if len(owners) >= of:
        return " (self-reported: student code could forge it)"
    named = ", ".join(line(owner, 60) for owner in owners[:_NAMED])
    more = f" and {len(owners) - _NAMED} more" if len(owners) > _NAMED else ""
    return f" (self-reported by {named}{more}, measured of all others: student code could forge it)"


def five_numbers(values: list[float]) -> str:
    """`least 0, quartiles 4, 7.5 and 9, most 10; mean 6.8`."""
    if not values:
        return "none"
    if len(values) == 1:
        return f"{values[0]:.4g}"
    q1, q2, q3 = statistics.quantiles(values, n=4, method="inclusive")
    mean = statistics.fmean(values)
    return (
        f"least {min(values):.4g}, quartiles {q1:.4g}, {q2:.4g} and {q3:.4g}, most {max(values):.4g}; mean {mean:.4g}"
    )


def histogram(points: list[float], most: float) -> list[tuple[str, int]]:
    """Hand-ins by points: one bar a value where there are few values, else ten."""
    counts = Counter(round(value, 4) for value in points)
    if len(counts) <= 11:
        return [(f"{value:g}", counts[value]) for value in sorted(counts)]
    step = max(most, *counts) / 10
    bins = Counter(min(int(value / step), 9) for value in points)
    return [(f"{place * step:.3g}–{(place + 1) * step:.3g}", bins[place]) for place in range(10)]


def document(report: Report) -> dict[str, Any]:
    """For `--json`."""
    return {
        "schema": 1,
        "batch": report.batch.id,
        "exercise": report.batch.exercise,
        "counts": report.state.counts,
        "total": report.state.total,
        "checks": [
            {
                "id": check.name,
                "title": check.title,
                "passed": check.passed,
                "of": check.of,
                "self_reported": bool(check.note),
            }
            for check in report.checks
        ],
        "handins": [
            {
                "owner": status.handin.owner,
                "members": status.handin.members,
                "outcome": status.outcome,
                "points": status.points,
                "graded_points": status.verdict.points if status.verdict else None,
                "cause": status.verdict.cause if status.verdict else "",
                "override": status.override,
                "overrides_of_members": status.overrides_of_members,
                "regrade": status.regrade,
                "attempt": status.handin.attempt,
                "submitted_at": status.handin.submitted_at,
                "by_hand": {item.id: status.hand.points_of(item.id) for item in status.hand.items},
                "late": status.late,
                "late_for": status.lates_of_members,
                "points_before": status.points_before(),
                "late_words": late_note(status),
                "points_of_members": {person: status.points_of(person) for person in status.handin.members},
            }
            for status in report.statuses
        ],
        "failures": report.state.failures,
        "overrides": report.overrides,
        "replaced": report.replaced,
        "regrades": report.regrades,
        "hand_marks": report.hand_marks,
        "changed_since_marked": dict(report.changed),
        "requests": report.requests,
        "deadline": report.deadline,
        "extensions": report.extensions,
        "similar": report.similar and report.similar.pairs,
        "not_compared": report.similar and report.similar.not_compared,
        "people": [
            {
                "id": one.person.id,
                "name": one.person.name,
                "group": one.group,
                "handin": one.owner,
                "state": one.state,
                "points": one.points,
                "why": one.why,
            }
            for one in report.people
        ],
        "memberships": report.memberships,
        "attempts": report.attempts,
        "notices": {
            "notices": report.look.notices,
            "unmatched": [f"{folder}: {reason}" for folder, reason in report.look.unmatched],
            "missing": [one.person.id for one in report.people if one.state == "nothing"],
        },
    }
