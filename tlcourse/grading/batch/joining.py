"""One class, many downloads: which batch a download belongs to, and what of it the batch does not have yet."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import SubmissionError
from tlcourse.grading.gradebook.attempts import folders, hashes
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.intake.submission import collect
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.newest_attempt import HandIn, holds_a_solution, in_an_hour_that_came_twice
from tlcourse.grading.lms.platforms import parse_brightspace
from tlcourse.grading.lms.roster import visible
from tlcourse.grading.result import storable
from tlcourse.text import counted

Kind = Literal["new", "newer", "same", "older", "unclear"]
_NAMED = 5
_ONE_TERM = 180
"""Days: longer after its beginning nothing comes into a batch unasked."""


class Compared(Struct, frozen=True):
    """The hand-ins of a download beside those of a batch."""

    new: list[HandIn] = []
    newer: list[HandIn] = []
    same: list[HandIn] = []
    older: list[HandIn] = []
    """The batch has a later attempt of them."""
    unclear: list[HandIn] = []
    """Other files than those that were graded, and nothing says which came later."""
    absent: list[HandInRecord] = []
    """Those of the batch that the download lacks: they stay as they are."""
    attempts: dict[str, int] = {}
    """How many attempts the batch has of each, by key."""
    empty: frozenset[str] = frozenset()
    """The keys of newer attempts without anything to grade: seen now, as a dry run leaves no files to look at later."""

    @property
    def counts(self) -> str:
        """`2 new, 1 newer, 37 the same, and 3 that it lacks, which stay`."""
        parts = [f"{len(self.new)} new", f"{len(self.newer)} newer", f"{len(self.same)} the same"]
        if self.older:
            parts.append(f"{len(self.older)} older than what the batch has, left aside")
        if self.unclear:
            parts.append(f"{len(self.unclear)} that differ, and nothing says which came later")
        return ", ".join(parts) + f", and {len(self.absent)} that it lacks, which stay"


class Place(Struct, frozen=True):
    """What a download is to the batches of its exercise."""

    batch: BatchRecord | None = None
    """The one to which it belongs, or may belong."""
    fit: Literal["none", "download", "class", "unclear", "other"] = "none"
    """`download`: it was graded from there; `class`: its people are those of the batch; `other`: they are not."""
    why: str = ""
    """Of what is unclear: the reason."""
    compared: Compared = Compared()
    to_grade: int = 0
    """How many hand-ins would be graded if it came into the batch: new, newer, and those without a verdict."""
    rows: list[HandInRecord] = []
    """What the batch has already."""

    @property
    def members(self) -> frozenset[str]:
        """Who has handed in with the batch already."""
        rows = self.rows if self.fit != "other" else []
        return frozenset(member for row in rows for member in row.members)


def source_text(source: Path) -> str:
    """A download's place, as it is kept."""
    return str(storable(str(source.resolve())))


def earlier(book: Gradebook, exercise: str, source: Path) -> BatchRecord | None:
    """The newest batch that has hand-ins of this download."""
    text = source_text(source)
    looked = {number for (number,) in book.rows("SELECT batch FROM looks WHERE source = ?", (text,))}
    same = [batch for batch in book.batches(exercise) if batch.source == text or batch.id in looked]
    return same[-1] if same else None


def candidate(
    book: Gradebook, exercise: str, source: Path, *, join: bool = False, number: int | None = None
) -> BatchRecord | None:
    """The batch to which a download may belong: the one that was named, that has it, or else the newest.

    Raises UsageError where there is no batch of that number, or it is of another exercise.
    """
    if number is not None:
        return book.batch_of(exercise, number)
    newest = next(iter(book.batches(exercise)[::-1]), None)
    return newest if join else earlier(book, exercise, source) or newest


def place(
    book: Gradebook, batch: BatchRecord, handins: HandIns, source: Path, exercise: LoadedExercise, variant: str
) -> Place:
    """What a download is to a batch. `variant`: the one that was asked for, "" where none was."""
    same = earlier(book, batch.exercise, source)
    found = compare(book, batch, handins, exercise)
    rows = book.handins(batch.id)
    left = {row.key for row in book.open_handins(batch.id)} | {one.key for one in (*found.new, *found.newer)}
    if same is not None and same.id == batch.id:
        return Place(batch, "download", "", found, len(left), rows)
    other, why = _doubt(book, batch, handins, variant)
    if other:
        return Place(batch, "other", why, found, len(left), rows)
    if found.unclear and not why:
        why = f"{differ(found)}."
    return Place(batch, "unclear" if why else "class", why, found, len(left), rows)


def differ(found: Compared) -> str:
    """Whose hand-ins differ from those that were graded."""
    return (
        f"{counted(len(found.unclear), 'of its hand-ins differs', 'of its hand-ins differ')} from what was graded "
        f"({named(found.unclear)}), "
        "and nothing in the download says which came later"
    )


def named(handins: Sequence[HandIn | HandInRecord]) -> str:
    """The first owners, and how many more there are."""
    more = f" and {len(handins) - _NAMED} more" if len(handins) > _NAMED else ""
    return ", ".join(visible(handin.owner) for handin in handins[:_NAMED]) + more


def _doubt(book: Gradebook, batch: BatchRecord, handins: HandIns, variant: str) -> tuple[bool, str]:
    """Whether it is another class for sure; and why it is not plain that it is the same, "" where it is."""
    rows = book.handins(batch.id)
    people = {person.id for person in book.people(batch.id)}
    if people and handins.people:
        members = {member for handin in handins.found for member in handin.members}
        known = people | {member for row in rows for member in row.members}
        if not members & known:
            return True, ""
        if strange := sorted(members - known):
            names = {person.id: person.name for person in handins.people}
            who = visible(names.get(strange[0], strange[0]))
            return False, f"{len(strange)} of its people are not in the class of that batch, such as {who}."
        if len(handins.unmatched) > len(handins.found):
            return False, "most of it is matched with nobody of that batch's class."
    elif people or handins.people:
        which = "that batch has a class list or groups, and this download none" if people else ""
        return False, f"{which or 'that batch was begun without a class list and groups'}."
    else:
        keys, own = {row.key for row in rows}, {handin.key for handin in handins.found}
        if 2 * len(keys & own) < min(len(keys), len(own)) or not keys & own:
            return False, "without --roster or --groups nothing says that its people are of the same class."
    if (datetime.datetime.now(datetime.UTC) - _begun(batch)).days > _ONE_TERM:
        return (
            False,
            f"that batch was begun in {_begun(batch):%B %Y}: the class of an earlier year may be called alike.",
        )
    if handins.platform != batch.platform:
        return False, f"that batch is of {batch.platform}, and this download of {handins.platform}."
    if variant and variant != batch.variant:
        return False, f"that batch is of the variant {batch.variant}, and --variant {variant} was asked for."
    return False, ""


def _begun(batch: BatchRecord) -> datetime.datetime:
    return datetime.datetime.fromisoformat(batch.at)


def compare(
    book: Gradebook, batch: BatchRecord, handins: HandIns, exercise: LoadedExercise, *, take_unclear: bool = False
) -> Compared:
    """Each hand-in of a download beside that of its owner in the batch, by dates; where there are none, by content.

    `take_unclear`: what differs, and nothing says which came later, is newer, since the staff said so.
    """
    rows = {row.key: row for row in book.handins(batch.id)}
    had, graded = folders(book, batch.id), hashes(book, batch.id)
    found: dict[Kind, list[HandIn]] = {"new": [], "newer": [], "same": [], "older": [], "unclear": []}
    for handin in handins.found:
        row = rows.get(handin.key)
        kind: Kind = "new"
        if row is not None:
            kind = _beside(handin, row, had[row.id], graded.get(row.id, []), exercise)
        found["newer" if kind == "unclear" and take_unclear else kind].append(handin)
    own = {handin.key for handin in handins.found}
    absent = [row for key, row in rows.items() if key not in own]
    empty = frozenset(one.key for one in found["newer"] if not one.problem and not holds_a_solution(one.path))
    return Compared(**found, absent=absent, attempts={key: row.attempt for key, row in rows.items()}, empty=empty)


def _beside(
    handin: HandIn,
    row: HandInRecord,
    had: list[tuple[str, str]],
    graded: list[tuple[int, str]],
    exercise: LoadedExercise,
) -> Kind:
    """What a hand-in is beside the attempts that a batch has of it."""
    names = {storable(name) for name in (handin.folder_name, *handin.twins)}
    if handin.submitted_at and row.submitted_at:
        # Moodle's folders are called the same each time: its worksheet has the times
        if names & {row.folder_name, *row.twins} and handin.submitted_at == row.submitted_at:
            return "same"
        if (storable(handin.folder_name), handin.submitted_at) in had[:-1]:
            return "older"
        order = _order(handin, row)
        if order:
            return "newer" if order > 0 else "older"
    current = {sha256 for number, sha256 in graded if number >= row.round}
    content = _hash(handin, exercise)
    if content in current or (not current and row.folder_name in names):  # not graded yet: there it lies again
        return "same"
    if content and content in {sha256 for _, sha256 in graded}:
        return "older"
    return "unclear"


def _order(handin: HandIn, row: HandInRecord) -> int:
    """Above 0 where a hand-in came later than the attempt of the batch, below 0 where earlier; 0: nothing says it."""
    one, other = (datetime.datetime.fromisoformat(text) for text in (handin.submitted_at, row.submitted_at))
    if (one.tzinfo is None) != (other.tzinfo is None):
        return 0
    if one != other and not in_an_hour_that_came_twice(one, other):
        return 1 if one > other else -1
    names = parse_brightspace(handin.folder_name), parse_brightspace(row.folder_name)
    if names[0] is None or names[1] is None or names[0].ids == names[1].ids:
        return 0
    return 1 if names[0].ids > names[1].ids else -1


def _hash(handin: HandIn, exercise: LoadedExercise) -> str:
    """What the hand-in would be kept under; "" where it cannot be read, as in a verdict."""
    if handin.problem:
        return ""
    with tempfile.TemporaryDirectory(prefix="tlcourse-compared-") as folder:
        try:
            starter = exercise.folder / "starter.py"
            return collect(handin.path, Path(folder), starter=starter, about=exercise.about).sha256
        except (SubmissionError, OSError):
            return ""


def said_of(found: Compared, rows: Sequence[HandInRecord]) -> Iterator[str]:
    """Lines about a download that comes into a batch: who is new, who has a newer attempt, what is left aside."""
    if found.new:
        yield f"{counted(len(found.new), 'hand-in is', 'hand-ins are')} new in it."
    if found.newer:
        before = {row.key: row for row in rows}
        told = ", ".join(_with_dates(handin, before[handin.key]) for handin in found.newer[:_NAMED])
        more = f" and {len(found.newer) - _NAMED} more" if len(found.newer) > _NAMED else ""
        counts = "which counts" if len(found.newer) == 1 else "which count"
        yield f"{counted(len(found.newer), 'newer attempt')}, {counts}: {told}{more}."
        for handin in found.newer:
            if handin.key in found.empty:
                yield (
                    f"{visible(handin.owner)}: the newer attempt, {visible(handin.folder_name)}, counts and holds no "
                    f".py, .ipynb or ZIP; the one before it is {visible(before[handin.key].folder_name)}."
                )
    if found.older:
        older = counted(len(found.older), "hand-in is", "hand-ins are")
        yield f"{older} older than what the batch has, and left aside: {named(found.older)}."
    if found.unclear:
        yield f"{differ(found)}: they stay as they were graded; --join takes them from this download."


def _with_dates(handin: HandIn, row: HandInRecord) -> str:
    if not handin.submitted_at or not row.submitted_at:
        return visible(handin.owner)
    one, other = (text[:16].replace("T", " ") for text in (handin.submitted_at, row.submitted_at))
    return f"{visible(handin.owner)} ({one}, graded so far: {other})"
