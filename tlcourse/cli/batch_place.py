"""What a download is to the batches of its exercise: found with their lists, asked where it is not plain, and said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cli.options import Variant
from tlcourse.errors import UsageError
from tlcourse.text import counted

if TYPE_CHECKING:
    from tlcourse.cli.batch import People, Start
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.batch.joining import Place
    from tlcourse.grading.batch.setup import ClassLists
    from tlcourse.grading.gradebook.records import BatchRecord
    from tlcourse.grading.lms.handins import HandIns


class FoundIn(Struct, frozen=True):
    """What a download holds, by which lists, and what it is to the batches of the exercise."""

    handins: HandIns
    lists: ClassLists
    place: Place
    on: str
    """The backend with which the batch that it belongs to was begun."""


def found_in(
    book: Path,
    exercise: LoadedExercise,
    submissions: Path,
    people: People,
    start: Start,
    variant: Variant,
    unpacked: Path,
) -> FoundIn:
    """Find everybody's newest attempt, with the lists of the batch to which the download belongs; raises UsageError."""
    from tlcourse.grading.batch.joining import Place
    from tlcourse.grading.batch.setup import begun_as

    batch, own = _candidate(book, exercise.about.id, submissions, start)
    if batch is None:
        lists = people.lists(None)
        return FoundIn(lists.find(submissions, unpacked), lists, Place(), "local")
    begun, on = begun_as(book, exercise.about.id, submissions, batch)
    given = people.lists(None)
    said = bool(given.roster or given.groups)
    asked = "" if variant == Variant.AUTO else variant.value

    def found(lists: ClassLists) -> FoundIn:
        handins = lists.find(submissions, unpacked)
        return FoundIn(handins, lists, _place(book, exercise, batch, handins, submissions, asked), on)

    if own or start.join or not said:  # what was not given is as it was when the batch was begun
        try:
            first = found(people.lists(begun))
        except UsageError as error:
            if own or start.join:
                raise
            why = f"with the lists of that batch: {error.what}"
            first = FoundIn(given.find(submissions, unpacked), given, Place(batch, "unclear", why), on)
    else:
        first = found(replace(given, known=begun.known, rows=begun.rows))
        if first.place.fit != "other":  # then what else the staff said of that batch holds, too
            first = found(people.lists(begun))
    if first.place.fit == "other" and not own and not start.join:
        return FoundIn(given.find(submissions, unpacked), given, Place(batch, "other"), "local")
    return first


def _candidate(book: Path, exercise: str, submissions: Path, start: Start) -> tuple[BatchRecord | None, bool]:
    """The batch to which a download may belong, and whether it has hand-ins of that very download."""
    from tlcourse.grading.batch.joining import candidate, earlier
    from tlcourse.grading.gradebook.gradebook import Gradebook

    if start.number is not None and not start.join:
        raise UsageError("--batch names no batch without --join.", remedy=f"--join --batch {start.number}")
    if start.join and start.again:
        raise UsageError("--join and --again are contrary.", remedy="give one of them.")
    if not book.is_file() and not start.join:
        return None, False
    if start.again and not start.go_on:
        return None, False
    try:
        with Gradebook.reading(book) as opened:
            batch = candidate(opened, exercise, submissions, join=start.join, number=start.number)
            own = earlier(opened, exercise, submissions)
    except UsageError:
        if start.join:
            raise
        return None, False
    if start.join and batch is None:
        raise UsageError(f"There is no batch of {exercise} yet.", remedy="leave --join away: this one begins.")
    return batch, batch is not None and own is not None and own.id == batch.id


def _place(
    book: Path, exercise: LoadedExercise, batch: BatchRecord, handins: HandIns, submissions: Path, variant: str
) -> Place:
    from tlcourse.grading.batch.joining import place
    from tlcourse.grading.gradebook.gradebook import Gradebook

    with Gradebook.reading(book) as opened:
        return place(opened, batch, handins, submissions, exercise, variant)


def joins_batch(place: Place, start: Start, exercise: str, command: list[str], *, ask: bool) -> tuple[int | None, bool]:
    """The batch into which the submissions come, and whether with what differs though nothing says which is newer.

    None: they begin one, or have one of their own, which says what to do. Raises UsageError where that is not plain,
    and there is nobody to ask, or the answer is no.
    """
    if place.batch is None or (place.fit == "other" and not start.join):
        return None, False
    number, found = place.batch.id, place.compared
    if start.join:
        return number, True
    if place.fit == "class" or (place.fit == "download" and start.go_on):
        return number, False
    if place.fit == "download" and not found.unclear:
        return (number if found.new or found.newer else None), False
    question = _in_doubt(place, exercise)
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        typer.echo(question, err=True)
        if typer.confirm(f"Does it come into batch {number}?", err=True):
            return number, True
    raise UsageError(question, remedy=_either(place, command))


def _in_doubt(place: Place, exercise: str) -> str:
    from tlcourse.grading.batch.joining import differ

    assert place.batch is not None
    if place.fit == "download":
        return f"Batch {place.batch.id} of {exercise} has these submissions, and {differ(place.compared)}."
    return f"It is not plain whether this download belongs to batch {place.batch.id} of {exercise}: {place.why}"


def _either(place: Place, command: list[str]) -> str:
    """The two commands to type."""
    assert place.batch is not None
    return (
        f"if it comes into batch {place.batch.id}: {typed_command(command, '--join')} "
        f"– for a batch of its own: {typed_command(command, '--again')}"
    )


def typed_command(command: list[str], *more: str) -> str:
    from tlcourse.text import typed

    return " ".join(map(typed, [*command, *more]))


def place_lines(place: Place, exercise: str, command: list[str], *, join: bool = False) -> Iterator[str]:
    """What becomes of a download beside the batch that it belongs to, or may belong to; else that a batch begins."""
    from tlcourse.grading.batch.joining import said_of

    found, batch = place.compared, place.batch
    if batch is None or (place.fit == "other" and not join):
        why = "" if batch is None else f"Nobody of it is in the class of batch {batch.id}. "
        yield f"{why}It is graded as a new batch."
        return
    if place.fit == "download":
        yield f"Batch {batch.id} of {exercise} has hand-ins of it: {found.counts}."
    elif place.fit == "unclear" and not join:
        yield _in_doubt(place, exercise)
        yield f"  {_either(place, command)}"
        if not place.rows:  # it could not be compared
            return
        yield f"In batch {batch.id} there would be of it: {found.counts}."
    else:
        yield f"It comes into batch {batch.id} of {exercise}, begun {batch.at}: {found.counts}."
    for line in said_of(found, place.rows):
        yield f"  {line}"
    if place.to_grade:
        left = counted(place.to_grade, "hand-in is", "hand-ins are")
        yield f"{left} to be graded. A batch of its own instead: {typed_command(command, '--again')}"
    else:
        yield f"Nothing of it is to be graded. All anew, as another batch: {typed_command(command, '--again')}"


def place_document(place: Place) -> dict[str, Any] | None:
    """The same for `--json`; None where a batch begins."""
    if place.batch is None or place.fit == "other":
        return None
    found = place.compared
    kinds = {"new": found.new, "newer": found.newer, "same": found.same, "older": found.older, "unclear": found.unclear}
    listed = {kind: [handin.owner for handin in handins] for kind, handins in kinds.items()}
    absent = [row.owner for row in found.absent]
    plain = place.fit != "unclear"
    return {"batch": place.batch.id, "plain": plain, **listed, "absent": absent, "to_grade": place.to_grade}
