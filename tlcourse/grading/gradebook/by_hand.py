"""What assistants add to a verdict by hand: points of a rubric's items, comments, and requests for a regrade.

With these a mark is made of two kinds of parts: the points of each check, and those of each item marked by hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.model import Exercise
from tlcourse.course.parts import ManualItem
from tlcourse.errors import UsageError
from tlcourse.storage import now
from tlcourse.text import harmless, misspelt, typed

if TYPE_CHECKING:
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import GradeStatus

LONGEST = 4000
"""Characters of a comment, a request or an answer: a page."""


class HandMark(Struct, frozen=True):
    """What was set of one item, for a hand-in or one person; with `item` empty, a comment on the whole."""

    id: int
    exercise: str
    target: str
    """The key of a hand-in, or `person:` and the identifier of one member."""
    item: str
    points: float | None
    """None: not set, or withdrawn."""
    comment: str
    """For whom it concerns; the newest row holds all that is in force."""
    why: str
    """For the record of the staff."""
    who: str
    at: str
    seen: str = ""
    """The hashes of the hand-in and of what of it was marked, with a blank between; empty where none was there."""


Marks = Mapping[str, Mapping[str, HandMark]]
"""What is in force, by target and item."""


class ByHand(Struct, frozen=True):
    """A rubric, and what is in force of it for somebody."""

    items: Sequence[ManualItem]
    marks: Mapping[str, HandMark]

    @property
    def unset(self) -> list[str]:
        """The items without points."""
        return [one.id for one in self.items if self.points_of(one.id) is None]

    @property
    def points(self) -> float | None:
        """The sum; None until all items are set."""
        return None if self.unset else sum(self.points_of(one.id) or 0.0 for one in self.items)

    def points_of(self, item: str) -> float | None:
        """The points of one item."""
        return self.marks[item].points if item in self.marks else None

    def comment_on(self, item: str = "") -> str:
        """The comment on an item, or on the whole."""
        return self.marks[item].comment if item in self.marks else ""

    @property
    def anything(self) -> bool:
        """Whether anything is in force."""
        return any(one.points is not None or one.comment for one in self.marks.values())


def by_hand(items: Sequence[ManualItem], marks: Marks, *targets: str) -> ByHand:
    """What is in force for the first of `targets`, and of what it lacks for the others: a member, then the hand-in."""
    found: dict[str, HandMark] = {}
    for target in reversed(targets):
        for item, mark in marks.get(target, {}).items():
            before = found.get(item)
            found[item] = mark if before is None or mark.points is not None else _joined(before, mark)
    return ByHand(items, found)


def _joined(before: HandMark, own: HandMark) -> HandMark:
    """A comment of one's own on points that all of a group have."""
    return replace(own, points=before.points, seen=before.seen)


def meant(book: Gradebook, batch: int, word: str) -> list[str]:
    """The targets that a word of the staff means in a batch; raises UsageError."""
    from tlcourse.grading.gradebook.people import targets_of

    return targets_of(book.handins(batch), book.people(batch), book.groups(batch), word)


def set_mark(
    book: Gradebook,
    exercise: str,
    target: str,
    item: str,
    points: float | None,
    comment: str,
    *,
    who: str,
    why: str,
    seen: str = "",
) -> None:
    """Append what is in force from now on; None and no comment withdraw what was."""
    with book.appending() as db:
        db.execute(
            "INSERT INTO hand_marks (exercise, target, item, points, comment, why, who, at, seen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (exercise, target, item, points, comment, why, who, now(), seen),
        )


def hand_marks(book: Gradebook, exercise: str) -> list[HandMark]:
    """All that was ever set, the oldest first."""
    return [
        HandMark(*row)
        for row in book.rows(
            "SELECT id, exercise, target, item, points, comment, why, who, at, seen FROM hand_marks WHERE exercise = ?"
            " ORDER BY id",
            (exercise,),
        )
    ]


def in_force(rows: Iterable[HandMark]) -> dict[str, dict[str, HandMark]]:
    """The newest of each item, by target; withdrawn ones are absent."""
    latest: dict[str, dict[str, HandMark]] = {}
    for row in rows:
        own = latest.setdefault(row.target, {})
        if row.points is None and not row.comment:
            own.pop(row.item, None)
        else:
            own[row.item] = row
    return {target: own for target, own in latest.items() if own}


class Given(Struct, frozen=True):
    """What somebody of the staff gives for an item, or with `item` None says of the whole."""

    item: ManualItem | None
    points: float | None = None
    """None: those that are in force stay."""
    comment: str | None = None
    """None: the one that is in force stays."""
    withdraw: bool = False


def give(
    book: Gradebook,
    exercise: str,
    targets: Sequence[str],
    given: Given,
    *,
    whom: str,
    who: str,
    why: str,
    seen: Mapping[str, str] = {},
) -> None:
    """Append what is given, for each of `targets`, whom the staff call `whom`; raises UsageError.

    `seen`: by target, what was looked at.
    """
    item = given.item.id if given.item else ""
    if given.item is not None and given.points is not None and not 0 <= given.points <= given.item.max_points:
        raise UsageError(  # nor what is no number
            f"{given.points:g} points are more than the {given.item.max_points:g} of {item}."
            if not given.points < 0
            else f"{given.points:g} points are less than none: {item} gives from 0 to {given.item.max_points:g}.",
            remedy=f"tlcourse ta mark {exercise} {typed(whom)} {item} {given.item.max_points:g}",
        )
    comment = None if given.comment is None else bounded(given.comment, "The comment")
    marks = in_force(hand_marks(book, exercise))
    before = [marks.get(target, {}).get(item) for target in targets]
    if given.withdraw and not any(before):
        raise UsageError(
            f"Nothing of {item or 'the comment'} is set for {whom}.", remedy=f"tlcourse ta report {exercise}"
        )
    changed = [one for one in before if one and one.points is not None and one.points != given.points]
    if changed and (given.withdraw or given.points is not None) and not why.strip():
        raise UsageError(
            "A mark that changes needs its reason.",
            cause="marks that were changed are asked about later.",
            remedy='--why "…"',
        )
    for target, own in zip(targets, before, strict=True):
        kept = None if given.withdraw or own is None else own
        set_mark(
            *(book, exercise, target, item),
            given.points if given.points is not None else kept.points if kept else None,
            comment if comment is not None else kept.comment if kept else "",
            who=who,
            why=why.strip(),
            seen=seen.get(target, "") if given.points is not None else kept.seen if kept else "",
        )


def changed_since(marks: Iterable[HandMark], now_seen: Mapping[str, str]) -> list[str]:
    """The items that were marked on something else than what there is now; `now_seen`: by item, as in a mark."""
    return [
        one.item
        for one in marks
        if one.points is not None
        and one.seen
        and (there := now_seen.get(one.item, ""))
        and there.split()[1:] != one.seen.split()[1:]
    ]


def item_called(about: Exercise, name: str) -> ManualItem:
    """The item that `PART/ITEM`, its id, or the id of a part with one item means; raises UsageError."""
    parts = about.manual_parts
    for item in about.manual:
        if item.id == name:
            return item
    for part in parts:
        inside = {f"{part.id}/{item.id}": item for item in part.rubric}
        if name in inside:
            return inside[name]
        if name == part.id and len(inside) == 1:
            return part.rubric[0]
        if name == part.id:
            listed = ", ".join(f"{key} (at most {item.max_points:g})" for key, item in inside.items())
            raise UsageError(f"The part {name} has {len(inside)} items, each with its points.", remedy=f"use: {listed}")
    known = {f"{part.id}/{item.id}": item for part in parts for item in part.rubric}
    listed = ", ".join(f"{key} (at most {item.max_points:g})" for key, item in known.items())
    raise UsageError(
        f"{about.id} has no part {name!r} that is marked by hand.",
        cause=misspelt(name, [*known, *(item.id for item in about.manual)])
        if known
        else "its exercise.yaml has no part of kind `manual`.",
        remedy=f"use one of: {listed}." if known else "add them to exercise.yaml, or use: tlcourse ta override",
    )


def bounded(text: str, what: str) -> str:
    """A comment, a request or an answer as it is kept: harmless, with its lines; raises UsageError above a page."""
    clean = "\n".join(line.rstrip() for line in harmless(text).strip().splitlines())
    if len(clean) > LONGEST:
        raise UsageError(
            f"{what} has {len(clean)} characters, more than the {LONGEST} of a page.", remedy="shorten it."
        )
    return clean


class Request(Struct, frozen=True):
    """Somebody asked for another look; `answer` is empty while it is open."""

    id: int
    exercise: str
    target: str
    text: str
    who: str
    at: str
    answer: str = ""
    regrade: int | None = None
    """The regrade that was made of it."""
    override: int | None = None
    """The override that was made of it."""
    answered_by: str = ""
    answered_at: str = ""

    @property
    def open(self) -> bool:
        """Whether nobody answered."""
        return not self.answered_at


def add_request(book: Gradebook, exercise: str, target: str, text: str, *, who: str) -> int:
    """Append a request, and return its number."""
    with book.appending() as db:
        cursor = db.execute(
            "INSERT INTO requests (exercise, target, text, who, at) VALUES (?, ?, ?, ?, ?)",
            (exercise, target, text, who, now()),
        )
        return int(cursor.lastrowid or 0)


def answer_request(
    book: Gradebook, number: int, text: str, *, who: str, regrade: int | None = None, override: int | None = None
) -> None:
    """Append the answer that closes a request; a later one replaces it."""
    with book.appending() as db:
        db.execute(
            "INSERT INTO answers (request, text, regrade, override, who, at) VALUES (?, ?, ?, ?, ?, ?)",
            (number, text, regrade, override, who, now()),
        )


def requests(book: Gradebook, exercise: str) -> list[Request]:
    """All of an exercise: the open ones first, each with its newest answer."""
    rows = book.rows(
        "SELECT r.id, r.exercise, r.target, r.text, r.who, r.at, COALESCE(a.text, ''), a.regrade, a.override,"
        " COALESCE(a.who, ''), COALESCE(a.at, '') FROM requests r LEFT JOIN answers a ON a.id ="
        " (SELECT MAX(id) FROM answers WHERE request = r.id) WHERE r.exercise = ? ORDER BY r.id",
        (exercise,),
    )
    return sorted((Request(*row) for row in rows), key=lambda one: not one.open)


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

    A run that crashed has no checks of its part: each gave 0. What staff decided of the sum changes no part.
    """
    found: dict[str, float] = {}
    if status.verdict is not None and status.graded:
        nothing = {rule.id: 0.0 for rule in about.checks}
        gave = checks.get(status.verdict.id, nothing)
        ran = {rule.part for rule in about.checks if rule.id in gave}
        nothing = {rule.id: 0.0 for rule in about.checks if rule.id in gave or rule.part not in ran}
        found = {name: gave.get(name, 0.0) for name in nothing}  # exercise.yaml may have changed since
    hand = status.hand_of(person)
    return found | {item.id: got for item in about.manual if (got := hand.points_of(item.id)) is not None}
