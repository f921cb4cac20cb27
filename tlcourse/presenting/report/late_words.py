"""Who is late, in words: before a batch, in the report, beside a mark, and in feedback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tlcourse.course.deadline import Deadline
from tlcourse.grading.gradebook.deadlines import Extension, Lates
from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.lateness import Late, judged
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.marks import Mark
from tlcourse.presenting.words import due, late_rule, lateness, taken_off
from tlcourse.text import counted, line

_LISTED = 20


def found_late(
    handins: HandIns, deadline: Deadline | None, late: Mapping[str, Lates], nobodys: Sequence[str]
) -> Iterator[str]:
    """Before a batch: the deadline, who is late, what is not known, and extensions that are nobody's."""
    if deadline is not None:
        yield f"Due {due(deadline)}; when late: {late_rule(deadline.late)}"
        for handin in handins.found:
            for said in _rows(handin.owner, late[handin.key], handin.submitted_at):
                yield f"  late: {said}"
            if _older_in_time(handin.older_at, late[handin.key].late):
                yield f"  note: an older attempt of {line(handin.owner)} was in time; the newest counts."
        yield from (f"  note: {said}" for said in _unknown([late[handin.key].late for handin in handins.found]))
        if deadline.late.costs and deadline.late.free_days:
            yield "  note: free days are counted when the batch is graded."
    for word in nobodys:
        yield f"  note: the extension for {line(word)} is nobody's in this class; tlcourse ta extend has who it is for."


def _older_in_time(older_at: Sequence[str], late: Late | None) -> bool:
    """Whether the newest attempt is late, and an older one was not."""
    if late is None or not late.days:
        return False
    deadline = Deadline(late.due, late.zone, late.rule)
    return any(not judged(one, deadline).days for one in older_at)


def called_late(handins: HandIns, late: Mapping[str, Lates]) -> Iterator[str]:
    """Where what a platform calls late is not what the deadline says."""
    unknown, in_time, unsaid = [], [], []
    for handin in handins.found:
        own = late[handin.key].late if handin.key in late else None
        if handin.called_late and (own is None or not own.known):
            unknown.append(line(handin.owner))
        elif own is not None and own.known and handin.called_late is not None:
            if handin.called_late and not own.days:
                in_time.append(line(handin.owner))
            elif own.days and not handin.called_late:
                unsaid.append(line(handin.owner))
    platform = handins.platform.capitalize()
    if unknown:
        yield f"called late by {platform}, which says no time, so that nothing is taken off: {_some(unknown)}"
    if in_time:
        yield f"called late by {platform}, and in time by the deadline here: {_some(in_time)}"
    if unsaid:
        yield f"late by the deadline here, and not called so by {platform}: {_some(unsaid)}"


def report_late(
    deadline: Deadline | None, statuses: Sequence[GradeStatus], extensions: Sequence[Extension], course_due: str
) -> Iterator[tuple[str, str]]:
    """In the report: the deadline, extensions with who, when and why, and what is not known or in doubt.

    `course_due`: what exercise.yaml says today, where the batch was judged by something else.
    """
    if deadline is not None:
        yield "due", f"{due(deadline)}; when late: {late_rule(deadline.late)}"
        for status in statuses:
            own = Lates(status.late, status.lates_of_members)
            for said in _rows(status.handin.owner, own, status.handin.submitted_at):
                yield "late", said
        yield from (("note", said) for said in _unknown([status.late for status in statuses]))
    yield from (("extension", extension_words(one)) for one in extensions)
    if course_due:
        yield "note", f"exercise.yaml says due {course_due}; the batch takes that over with: tlcourse batch … --resume"


def extension_words(one: Extension) -> str:
    """`Jane Doe: 3 days more, by sofie, 2026-…: ill`."""
    more = f"{counted(one.days, 'day')} more" if one.days else f"until {one.until}"
    said = "withdrawn" if one.withdrawn else more
    return f"{line(one.named)}: {said}, by {line(one.who)}, {one.at}: {line(one.why)}"


def _rows(owner: str, late: Lates, submitted_at: str) -> Iterator[str]:
    at = f" (handed in {submitted_at.replace('T', ' ')})" if submitted_at else ""
    if late.late is not None and (said := _said(late.late)):
        yield f"{line(owner)}: {said}{at}"
    for person, own in late.members.items():
        yield f"{line(owner)}, {line(person)}: {_said(own) or _in_time(own)}{at}"


def _said(late: Late) -> str:
    if late.doubt and not late.days:
        return "in time at the earlier of two hours that its time may mean"
    return lateness(late)


def _in_time(late: Late) -> str:
    return "in time" + (f", extended to {due(late)}" if late.whose != "class" else "")


def _unknown(late: Sequence[Late | None]) -> Iterator[str]:
    if unknown := sum(1 for one in late if one is not None and not one.known):
        yield f"nothing says when {unknown} of {counted(len(late), 'hand-in')} came: what has no time is not late"


def _some(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return between.join(names[:_LISTED]) + more


def late_note(status: GradeStatus, person: str = "") -> str:
    """Of one member, or of the hand-in: `8 → 6.4: 2 days late, 10 % a day`; "" where nothing is to be said.

    Of a mark that staff set nothing is, as being late does not lower it.
    """
    late = status.late_of(person)
    if late is None or status.overrides_of_members.get(person) or status.override:
        return ""
    before, after = status.points_before(person), status.points_of(person)
    if before is None or after is None or not status.lowered(person):
        return _said(late)
    return taken_off(before, after, late)


def lowered_marks(marks: Sequence[Mark]) -> Iterator[str]:
    """What an export says of marks that being late lowered: platforms take the points alone."""
    lowered = [f"{line(mark.person_id)} {mark.late}" for mark in marks if mark.before is not None]
    if lowered:
        yield f"{counted(len(lowered), 'mark is', 'marks are')} lower for being late: {_some(lowered, '; ')}"


def points_with_late(status: GradeStatus) -> str:
    """Behind the points of a hand-in, in the staff's report: what was taken off, and of whom it is another."""
    said = late_note(status)
    parts = [f" ({said})"] if said else []
    for person, late in status.lates_of_members.items():
        if person not in status.overrides_of_members and status.override is None:
            points = status.points_of(person)
            own = late_note(status, person) or _in_time(late)
            parts.append(f"; {line(person)}: {'no' if points is None else f'{points:g}'} ({own})")
    if status.override is not None and status.late is not None and status.late.days:
        parts.append(f" ({lateness(status.late)}, and not lowered again)")
    return "".join(parts)
