"""What changes after a batch began: who comes into the class, who leaves it, whose a hand-in is, and decisions.

Nothing is overwritten: each is a row with its date, and the newest holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.people import PersonStatus, targets_of
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord, Override
from tlcourse.grading.lms.handins import GivenOver, HandIns
from tlcourse.grading.lms.matching import NOBODY, Owner
from tlcourse.grading.lms.roster import Person, same_key
from tlcourse.storage import now
from tlcourse.text import counted, line, typed

if TYPE_CHECKING:
    from tlcourse.grading.gradebook.gradebook import Gradebook

_LISTED = 20
_NEWEST = "o.id = (SELECT MAX(id) FROM owners WHERE handin = h.id)"


# Who is in the class


def note_class(
    book: Gradebook,
    batch: int,
    people: Sequence[Person],
    groups: Mapping[str, str],
    *,
    listed: Collection[str] | None,
    who: str,
    why: str,
) -> list[str]:
    """Append whoever is new, changed or gone in the class, and every change of a group; returns who left, in words.

    Args:
        groups: by person.
        listed: the ids in the class list: whoever is not among them has left, also where the list of groups still has
            them. None without a class list: a list of groups alone says nothing of others.
    """
    known = {person.id: person for person in book.people(batch)}
    before = book.groups(batch)
    ever = {*known, *who_left(book, batch)}
    # of who is in the list of groups alone, the class list has said more before
    here = [person for person in people if listed is None or person.id in listed or person.id not in ever]
    new = [person for person in here if known.get(person.id) != person]
    gone = [person for person in known.values() if listed is not None and person.id not in listed]
    gone = [person for person in gone if person.id not in {one.id for one in new}]
    moved = [(one, group) for one, group in groups.items() if before.get(one) != group]
    moved += [(one, "") for one, group in before.items() if groups and group and one not in groups]
    with book.appending() as db:
        db.executemany(
            "INSERT INTO people (batch, person, username, first, last, email, platform_id, gone, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (batch, p.id, p.username, p.first, p.last, p.email, p.platform_id, left, now())
                for left, some in ((0, new), (1, gone))
                for p in some
            ],
        )
        db.executemany(
            "INSERT INTO memberships (batch, person, team, counts, why, who, at) VALUES (?, ?, ?, 0, ?, ?, ?)",
            [(batch, person, group, why, who, now()) for person, group in moved],
        )
    if not gone:
        return []
    names = ", ".join(PersonStatus(person, "left").named for person in gone[:_LISTED])
    more = f" and {len(gone) - _LISTED} more" if len(gone) > _LISTED else ""
    return [
        f"{counted(len(gone), 'person is', 'people are')} no longer in the class list: {names}{more}. Their marks are "
        "kept and not exported; a list that has them again brings them back."
    ]


def who_left(book: Gradebook, batch: int) -> dict[str, tuple[Person, str]]:
    """By id, everybody who was in the class and is not in the newest class list, and since when."""
    rows = book.rows(
        "SELECT person, username, first, last, email, platform_id, gone, at FROM people WHERE batch = ? ORDER BY id",
        (batch,),
    )
    latest = {row[0]: row for row in rows}
    return {key: (Person(*row[:6]), row[7]) for key, row in latest.items() if row[6]}


def refuse_other_ids(book: Gradebook, batch: BatchRecord, people: Iterable[Person]) -> None:
    """Raise UsageError where a class list has somebody under another id, whom it would make two people."""
    known = {p.id: p for p in (*book.people(batch.id), *(p for p, _ in who_left(book, batch.id).values()))}
    here = {person.id: person for person in people}
    absent = [person for person in known.values() if person.id not in here]
    names = {same_key(person.username): person for person in absent if person.username}
    numbers = {same_key(person.platform_id): person for person in absent if person.platform_id}
    changed = [
        (before, person)
        for person in here.values()
        if person.id not in known
        and (before := names.get(same_key(person.username)) or numbers.get(same_key(person.platform_id))) is not None
    ]
    if changed:
        listed = "\n".join(
            f"  {PersonStatus(before, 'left').named} is {line(now.id)} in it" for before, now in changed[:_LISTED]
        )
        raise UsageError(
            f"{counted(len(changed), 'person has', 'people have')} another id in the class list than in batch "
            f"{batch.id}, and would be two people.\n{listed}",
            cause="an id was corrected, or the list was exported in another form, such as without ids.",
            remedy="give a list with the ids that the batch knows; or begin a new batch with --again.",
        )


# Whose a hand-in is


def as_given_over(book: Gradebook, batch: int, handins: Sequence[HandInRecord]) -> list[HandInRecord]:
    """The hand-ins of a batch with the owners whom the staff named since."""
    rows = book.rows(
        "SELECT h.id, o.owner, o.kind, o.members FROM handins h"  # noqa: S608
        f" JOIN owners o ON {_NEWEST} WHERE h.batch = ?",
        (batch,),
    )
    newest = {number: (owner, kind, msgspec.json.decode(members)) for number, owner, kind, members in rows}
    found = []
    for handin in handins:
        if (now := newest.get(handin.id)) is None:
            found.append(handin)
            continue
        owner, kind, members = now
        if kind == NOBODY:
            found.append(replace(handin, members=[], left_behind=True, given_over=True))
        else:
            found.append(replace(handin, owner=owner, kind=kind, members=members, given_over=True))
    return found


def as_staff_said(found: HandIns, rows: Sequence[HandInRecord]) -> HandIns:
    """What was found beside the hand-ins `rows` of the batch it comes into, with the owners whom the staff named now.

    A hand-in that is given over keeps its key, its verdict and its history. What its former owner handed in besides is
    another hand-in. Raises UsageError where somebody would have two.
    """
    by_folder = {same_key(row.folder_name): row for row in rows}
    given: dict[str, GivenOver] = {}
    after = {row.key: row for row in rows}
    for folder, owner in found.owners.items():
        row = by_folder.get(same_key(folder))
        if row is None or _is_of(row, owner):
            continue
        given[row.key] = GivenOver(row.id, folder, row.owner, owner)
        after[row.key] = (
            replace(row, members=[], left_behind=True, given_over=True)
            if owner is None
            else replace(
                row, owner=owner.name, kind=owner.kind, members=list(owner.members), left_behind=False, given_over=True
            )
        )
    for key in given:
        for other in after.values():
            if other.key != key and (both := set(other.members) & set(after[key].members)):
                raise UsageError(
                    f"{line(after[key].owner)} has two hand-ins then: {line(given[key].folder_name)}, and "
                    f"{line(other.folder_name)} ({line(', '.join(sorted(both)))}).",
                    cause="only one can count.",
                    remedy=f"say whose the other is, or that it is nobody's, in the same command: "
                    f"--is {typed(f'{other.folder_name}={NOBODY}')}",
                )
    over = [row for row in after.values() if row.given_over]
    keys = {row.key for row in over}
    mapped = []
    for handin in found.found:
        own = Owner(handin.kind, handin.owner, handin.members)
        mine = next((row.key for row in over if not row.left_behind and _is_of(row, own)), "")
        key = mine or (f"{handin.key}-2" if handin.key in keys else handin.key)
        mapped.append(replace(handin, key=key))
    return replace(found, found=mapped, given_over=list(given.values()))


def _is_of(row: HandInRecord, owner: Owner | None) -> bool:
    """Whether a hand-in is that owner's already: a person by the id where both have one, a group by its name."""
    if owner is None or row.left_behind:
        return owner is None and row.left_behind
    if owner.kind == "person" and owner.members and row.members:
        return list(owner.members) == row.members
    return owner.kind == row.kind and same_key(owner.name) == same_key(row.owner)


def give_over(book: Gradebook, given: Sequence[GivenOver], *, who: str) -> list[str]:
    """Append whose hand-ins are from now on; returns a line for each."""
    with book.appending() as db:
        db.executemany(
            "INSERT INTO owners (handin, owner, kind, members, who, at) VALUES (?, ?, ?, ?, ?, ?)",
            [(one.handin, *_as_row(one), who, now()) for one in given],
        )
    return [_given_over_words(one.folder_name, one.before, one.owner.name if one.owner else NOBODY) for one in given]


def _as_row(given: GivenOver) -> tuple[str, str, str]:
    """Owner, kind, members."""
    if given.owner is None:
        return given.before, NOBODY, "[]"
    name = given.owner.name.encode("utf-8", "replace").decode()  # as typed, which need not be characters
    return name, given.owner.kind, msgspec.json.encode(given.owner.members).decode()


def _given_over_words(folder: str, before: str, owner: str) -> str:
    now = "nobody's, and its mark counts for nobody" if owner == NOBODY else f"{line(owner)}'s, and its mark goes along"
    return f"{line(folder)}, so far {line(before)}'s, is {now}."


def all_given_over(book: Gradebook, batch: int) -> list[tuple[str, str, str, str]]:
    """Every hand-in that staff gave over: its first folder, the new owner, who said so, and when."""
    rows = book.rows(
        "SELECT h.folder_name, o.owner, o.kind, o.who, o.at FROM owners o JOIN handins h ON h.id = o.handin"
        " WHERE h.batch = ? ORDER BY o.id",
        (batch,),
    )
    return [(folder, NOBODY if kind == NOBODY else owner, who, at) for folder, owner, kind, who, at in rows]


# Decisions of the staff


class Decided(Struct, frozen=True):
    """What a decision is about, and what else is in force for the same people."""

    targets: list[str]
    said: list[str]


def alone(book: Gradebook, exercise: str) -> dict[str, str]:
    """By the key of each hand-in that is one person's alone in every batch, the person: its decisions are theirs.

    Of a group so called only where lists say who is in it: else it is one of whom the platform named one.
    """
    rows = book.rows(
        "SELECT h.key, COALESCE(o.members, h.members), COALESCE(o.kind, h.kind) = 'person' OR EXISTS"  # noqa: S608
        " (SELECT 1 FROM people p WHERE p.batch = h.batch) FROM handins h JOIN batches b ON b.id = h.batch"
        f" LEFT JOIN owners o ON {_NEWEST} WHERE b.exercise = ?",
        (exercise,),
    )
    found: dict[str, set[tuple[str, ...]]] = {}
    for key, text, known in rows:
        found.setdefault(key, set()).add(tuple(msgspec.json.decode(text)) if known else ())
    return {key: own[0] for key, (own, *others) in found.items() if len(own) == 1 and not others}


def decisions(book: Gradebook, exercise: str) -> list[Override]:
    """Every decision that was ever made, the oldest first; those about one person in one form."""
    rows = book.rows(
        "SELECT id, exercise, target, points, why, who, at, excused, shown, team FROM overrides"
        " WHERE exercise = ? ORDER BY id",
        (exercise,),
    )
    # earlier versions kept them in two
    forms = {key: f"person:{one}" for key, one in alone(book, exercise).items()}
    return [replace(one, target=forms.get(one.target, one.target)) for one in (Override(*row) for row in rows)]


def decide(
    book: Gradebook,
    batch: BatchRecord,
    word: str,
    points: float | None,
    *,
    who: str,
    why: str,
    excused: bool = False,
    shown: bool = False,
) -> Decided:
    """Append a decision about whomever a word means, which replaces earlier ones, in whatever form they were made.

    `points` None withdraws, or excuses; `shown`: feedback says why. Raises UsageError where the word is
    nobody, or several.
    """
    handins, groups = book.handins(batch.id), book.groups(batch.id)
    targets = targets_of(handins, book.people(batch.id), groups, word)
    in_force = book.overrides(batch.exercise)
    of_group = next((h for h in handins if h.kind == "group" and h.key in targets), None)
    team = same_key(of_group.owner if of_group else word)
    together = [f"person:{one}" for one, group in groups.items() if same_key(group) == team]
    if of_group is None and targets != together:
        team = ""
    # what was decided for each of a group, before it had a hand-in
    withdrawn = [target for target, one in in_force.items() if team and one.team == team and target not in targets]
    rows = [(target, None, 0) for target in withdrawn] + [(target, points, int(excused)) for target in targets]
    with book.appending() as db:
        db.executemany(
            "INSERT INTO overrides (exercise, target, points, why, who, at, excused, shown, team)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(batch.exercise, target, own, why, who, now(), out, int(shown), team) for target, own, out in rows],
        )
    return Decided(targets, list(_still(book, batch, targets)))


def _still(book: Gradebook, batch: BatchRecord, targets: Sequence[str]) -> Iterable[str]:
    """What a decision leaves in force for the same people: one of their own, or that of their hand-in."""
    in_force = book.overrides(batch.exercise)
    for handin in book.handins(batch.id):
        members = {f"person:{one}": one for one in handin.members}
        if handin.key in targets:
            for target, one in members.items():
                if (own := in_force.get(target)) is not None:
                    withdraw = f"tlcourse ta override {batch.exercise} {typed(one)} --withdraw --why …"
                    yield f"{line(one)} keeps what was decided for them alone ({decided(own)}); if not: {withdraw}"
        elif (own := in_force.get(handin.key)) is not None:
            for target in targets:
                if target in members and target not in in_force:
                    who, owner = line(members[target]), line(handin.owner)
                    yield f"For {who} counts what was decided for {owner}: {decided(own)}."


def decided(override: Override) -> str:
    """The points, or that there are none to give."""
    return "excused" if override.excused else f"{override.points or 0:g}"
