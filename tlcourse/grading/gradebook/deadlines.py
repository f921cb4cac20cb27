"""By what a batch is judged late, who has more time, and how late each hand-in is for each of its members.

A member is judged by their own extension, else by that of the group, else by the class's deadline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.deadline import Deadline, LateRule, deadline_of
from tlcourse.course.model import Course, Exercise
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.people import person_of
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord, Override
from tlcourse.grading.lateness import Late, Until, Whose, judged
from tlcourse.grading.lms.newest_attempt import HandIn
from tlcourse.grading.lms.roster import People, Person, same_key
from tlcourse.storage import now

if TYPE_CHECKING:
    from tlcourse.grading.gradebook.gradebook import Gradebook

# The deadline of a batch


class Kept(Struct, frozen=True):
    """The deadline in force for a batch; None: there is none."""

    deadline: Deadline | None = None
    given: bool = False
    """Whether it was given with the command, and not by the course."""


def asked_deadline(course: Course, exercise: Exercise, due: str, before: Kept | None) -> Kept:
    """The deadline to keep: that of the command, else that which an earlier one gave, else the course's.

    The rule is the course's of today. `due` may be `none`. Raises UsageError where it is no moment, or has no zone.
    """
    if due.strip().casefold() == "none":
        return Kept(None, given=True)
    if not due and before is not None and before.given:
        rule = exercise.late or course.late or LateRule()
        return Kept(before.deadline and replace(before.deadline, late=rule), given=True)
    return Kept(deadline_of(course, exercise, due), given=bool(due))


def kept_deadline(book: Gradebook, batch: int) -> Kept | None:
    """What was kept last; None where nothing ever was, as in earlier editions."""
    rows = book.rows("SELECT deadline, given FROM deadlines WHERE batch = ? ORDER BY id DESC LIMIT 1", (batch,))
    if not rows:
        return None
    text, given = rows[0]
    return Kept(msgspec.json.decode(text, type=Deadline | None), bool(given))


def keep_deadline(book: Gradebook, batch: int, kept: Kept, *, who: str) -> None:
    """Append the deadline of a batch, where it is another than before.

    One that a command gave is replaced by another command's alone, whatever path led to the batch; its rule follows
    the course.
    """
    before = kept_deadline(book, batch)
    if before is not None and before.given and not kept.given:
        rule = kept.deadline or before.deadline
        kept = Kept(before.deadline and rule and replace(before.deadline, late=rule.late), given=True)
    if before == kept:
        return
    with book.appending() as db:
        db.execute(
            "INSERT INTO deadlines (batch, deadline, given, who, at) VALUES (?, ?, ?, ?, ?)",
            (batch, msgspec.json.encode(kept.deadline).decode(), int(kept.given), who, now()),
        )


# Extensions


class Extension(Struct, frozen=True):
    """More time for somebody; with neither `until` nor `days`, what was given before is withdrawn."""

    id: int
    exercise: str
    target: str
    """`person:ID`, `group:NAME`, or `named:WORD` where it was given before anybody was known."""
    until: str
    days: int
    why: str
    who: str
    at: str

    @property
    def withdrawn(self) -> bool:
        """Whether it takes back what was given before."""
        return not self.until and not self.days

    @property
    def named(self) -> str:
        """Whom it is for, as it was said."""
        return self.target.partition(":")[2]


def extend(book: Gradebook, exercise: str, target: str, more: Until, *, who: str, why: str) -> None:
    """Append that somebody has until then; an empty `Until` withdraws."""
    with book.appending() as db:
        db.execute(
            "INSERT INTO extensions (exercise, target, until, days, why, who, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (exercise, target, more.until, more.days, why, who, now()),
        )


def extensions(book: Gradebook, exercise: str) -> list[Extension]:
    """All that were ever given or withdrawn, the oldest first."""
    query = "SELECT id, exercise, target, until, days, why, who, at FROM extensions WHERE exercise = ? ORDER BY id"
    return [Extension(*row) for row in book.rows(query, (exercise,))]


def target_of(book: Gradebook, exercise: str, word: str) -> str:
    """Whom an extension is for: a group or a person of the newest batch; before there is one, the word itself.

    Raises UsageError where a batch knows nobody of that name, or several.
    """
    batches = book.batches(exercise)
    if not batches:
        return f"named:{word}"
    handins, groups = book.handins(batches[-1].id), book.groups(batches[-1].id)
    teams = {same_key(name): name for name in groups.values()}
    teams |= {same_key(name): h.owner for h in handins if h.kind == "group" for name in (h.folder_name, h.owner)}
    if same_key(word) in teams:
        return f"group:{teams[same_key(word)]}"
    alone = {same_key(name): one for h in handins for one in _people_of(h) for name in (h.folder_name, h.owner)}
    alone = {} if book.people(batches[-1].id) else alone
    if same_key(word) in alone:
        return f"person:{alone[same_key(word)]}"
    return f"person:{person_of(handins, book.people(batches[-1].id), word)}"


def _people_of(handin: HandInRecord | HandIn) -> Sequence[str]:
    """Those who are judged: its members; without lists, its owner's name is somebody, unless it is a group."""
    return handin.members or ([handin.owner] if handin.kind == "person" else [])


class _Given(Struct, frozen=True):
    """The extensions in force, looked up by person and by group."""

    people: dict[str, Until]
    groups: dict[str, Until]
    nobodys: list[str]
    """Words, given before anybody was known, that name nobody now, or several."""

    def for_group(self, team: str) -> tuple[Until | None, Whose]:
        until = self.groups.get(same_key(team))
        return until, "group" if until else "class"

    def for_person(self, person: str, team: str) -> tuple[Until | None, Whose]:
        own = self.people.get(person)
        return (own, "own") if own else self.for_group(team)


def _given(rows: Iterable[Extension], people: Sequence[Person], teams: Iterable[str]) -> _Given:
    index, known = People(people), {same_key(name) for name in teams}
    by_person: dict[str, Until] = {}
    by_group: dict[str, Until] = {}
    nobodys: dict[str, None] = {}
    for row in rows:
        kind, _, name = row.target.partition(":")
        place, key = (by_group, same_key(name)) if kind == "group" else (by_person, name)
        if kind == "named":
            found = index.meant(name)
            if same_key(name) in known:
                place, key = by_group, same_key(name)
            elif len(found) == 1:
                key = next(iter(found))
            else:
                nobodys |= {name: None}
                if row.withdrawn:
                    del nobodys[name]
                continue
        if row.withdrawn:
            place.pop(key, None)
        else:
            place[key] = Until(row.until, row.days)
    return _Given(by_person, by_group, list(nobodys))


# How late everybody is


class Lates(NamedTuple):
    """How late a hand-in is for most of those without an extension of their own, and for each of the others.

    None: there is no deadline.
    """

    late: Late | None = None
    members: Mapping[str, Late] = {}


def lates(
    book: Gradebook, batch: BatchRecord, handins: Sequence[HandInRecord], decided: Mapping[str, Override]
) -> dict[int, Lates]:
    """By hand-in; `decided`: what staff decided of marks, which uses no free days."""
    kept = kept_deadline(book, batch.id)
    if kept is None or kept.deadline is None:
        return {}
    used = _used_before(book, batch.exercise, kept.deadline)
    return {key: _of_handin(own) for key, own in _each(book, batch, kept.deadline, handins, decided, used).items()}


def _of_handin(own: list[tuple[str, Late]]) -> Lates:
    # what is shown of a group is by its own deadline, as long as that is anybody's
    counted = Counter([late for _, late in own if late.whose != "own"] or [late for _, late in own])
    most = max(counted, key=lambda late: (counted[late], -late.days, -late.charged))
    return Lates(most, {person: late for person, late in own if late != most})


def of_found(
    deadline: Deadline | None,
    rows: Iterable[Extension],
    handins: Sequence[HandIn],
    people: Sequence[Person],
    groups: Mapping[str, str],
) -> tuple[dict[str, Lates], list[str]]:
    """By key, the same of what was found and is not in a gradebook yet, and extensions that are nobody's.

    Free days are not counted: that takes the whole gradebook.
    """
    teams = {h.owner for h in handins if h.kind == "group"} | set(groups.values())
    known = {one.id: one for one in people}
    known |= {one: Person(one) for h in handins for one in _people_of(h) if one not in known}
    given = _given(rows, list(known.values()), teams)
    if deadline is None:
        return {}, given.nobodys
    return {
        h.key: _of_handin([(one, _judged(h, one, deadline, given, groups, 0)) for one in _people_of(h) or [""]])
        for h in handins
    }, given.nobodys


def _judged(
    handin: HandInRecord | HandIn, person: str, deadline: Deadline, given: _Given, groups: Mapping[str, str], left: int
) -> Late:
    team = handin.owner if handin.kind == "group" else groups.get(person, "")
    until, whose = given.for_person(person, team) if person else given.for_group(team)
    return judged(handin.submitted_at, deadline, until, whose=whose, free_left=left)


def _each(
    book: Gradebook,
    batch: BatchRecord,
    deadline: Deadline,
    handins: Sequence[HandInRecord],
    decided: Mapping[str, Override],
    used: Mapping[str, int],
) -> dict[int, list[tuple[str, Late]]]:
    """By hand-in its members with how late they are, free days that are left to each counted in."""
    groups = book.groups(batch.id)
    known = {one.id: one for one in book.people(batch.id)}
    known |= {one: Person(one) for h in handins for one in _people_of(h) if one not in known}
    teams = {h.owner for h in handins if h.kind == "group"} | set(groups.values())
    given = _given(extensions(book, batch.exercise), list(known.values()), teams)
    found = {}
    for handin in handins:
        own = []
        for person in _people_of(handin) or [""]:
            by_staff = handin.target in decided or f"person:{person}" in decided
            left = 0 if by_staff else max(0, deadline.late.free_days - used.get(person, 0))
            own.append((person, _judged(handin, person, deadline, given, groups, left)))
        found[handin.id] = own
    return found


def _used_before(book: Gradebook, exercise: str, deadline: Deadline) -> dict[str, int]:
    """The free days that each person used in exercises of the course that were due before this one."""
    if not deadline.late.free_days or deadline.late.free_days_for != "course":
        return {}
    used: Counter[str] = Counter()
    for _, name, own in sorted(_earlier(book, exercise, deadline)):
        latest: dict[str, int] = {}
        decided = book.overrides(name)
        for batch, its in own:
            for members in _each(book, batch, its, book.handins(batch.id), decided, used).values():
                latest |= {person: late.free for person, late in members if person}
        used.update(latest)
    return dict(used)


def _earlier(
    book: Gradebook, exercise: str, deadline: Deadline
) -> Iterable[tuple[str, str, list[tuple[BatchRecord, Deadline]]]]:
    """Exercises with free days for the course that were due before, each with its batches, the newest last."""
    found: dict[str, list[tuple[BatchRecord, Deadline]]] = {}
    for batch in book.batches():
        kept = kept_deadline(book, batch.id)
        if batch.exercise != exercise and kept and kept.deadline and kept.deadline.late.free_days_for == "course":
            found.setdefault(batch.exercise, []).append((batch, kept.deadline))
    for name, own in found.items():
        due = own[-1][1].due
        if (due, name) < (deadline.due, exercise):
            yield due, name, own


def refuse_nothing(until: str, days: int | None, *, withdraw: bool) -> None:
    """Raise UsageError where a command says not one of until when, how many days, and that it is withdrawn."""
    if bool(until) + (days is not None) + withdraw != 1:
        raise UsageError("Give one of --until, --days, --withdraw.", remedy='such as: --days 3 --why "ill"')
