"""A board that students see: the places of a class, without names, by what was measured on validation items.

It is a small JSON file, which staff hand out or put beside the course as `exercises/NAME/board.json`, and a page. No
hidden item is in it, so that nothing is learnt of those by handing in again; and nothing says whose a row is: values
are rounded, and who share a place stand in no order.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from tlcourse import paths
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.result import ValidationResult, on_validation
from tlcourse.presenting.words import number, ordinal
from tlcourse.storage import write_atomically
from tlcourse.text import counted, line, typed

if TYPE_CHECKING:
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord

FEWEST = 5
"""Hand-ins below which a board would show whose is whose."""
NAME = "board.json"
"""The file beside exercise.yaml."""
_MOST_ROWS, _MOST_BYTES = 10_000, 1 << 21


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One hand-in: the places that it may have, and what was measured, rounded to three digits."""

    first: int
    """One more than how many are surely better."""
    last: int
    """How many there are, less those that are surely worse."""
    value: float
    interval: tuple[float, float]
    """95 %."""


class Board(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The places of a class; all that is known of it."""

    schema: int = 1
    exercise: str
    """Its id."""
    name: str
    """The title of the exercise."""
    variant: str
    check: str
    title: str
    """What was measured."""
    unit: str
    direction: str
    unmeasured: int
    """Hand-ins without a measurement on validation items: they ended early, or were graded before there was a board."""
    rows: list[Row]


def board_of(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise) -> Board:
    """The board of a batch, from the verdicts that count.

    Raises UsageError where the exercise has none, or too few hand-ins have a measurement on validation items.
    """
    about = exercise.about
    rule = next((one for one in about.checks if one.id == about.board), None)
    if rule is None:
        raise UsageError(
            f"{about.id} has no board.",
            cause=why_none(exercise),
            remedy=f"`board: CHECK` in {exercise.folder / 'exercise.yaml'}, then: tlcourse ta regrade {about.id} "
            "--only all --why board",
        )
    statuses = [status for status in book.statuses(batch) if not status.handin.left_behind]
    documents = [book.document(status.verdict.id) for status in statuses if status.verdict and status.graded]
    found = [one.validation for one in documents if one.validation and one.validation.check == rule.id]
    if len(found) < FEWEST:
        others = counted(len(statuses) - len(found), "other")
        raise UsageError(
            f"A board needs {FEWEST} hand-ins that were measured on validation items, and {about.id} has {len(found)}.",
            cause=f"from fewer everybody knows whose is whose; {others} gave no predictions of validation items, or "
            "came before there was `board:`.",
            remedy=f"tlcourse ta regrade {about.id} --only all --why board, if they came before.",
        )
    return Board(
        exercise=about.id,
        name=about.title,
        variant=batch.variant,
        check=rule.id,
        title=on_validation(rule.title),
        unit=rule.unit,
        direction=rule.direction,
        unmeasured=len(statuses) - len(found),
        rows=in_order([(_rounded(one.value), _interval(one)) for one in found], rule.direction),
    )


def why_none(exercise: LoadedExercise) -> str:
    """Why an exercise has no board, in a sentence."""
    if exercise.about.model is None:
        return "a board goes by validation items, which only an exercise with a model has."
    return "a class is shown in order only where exercise.yaml says by which check."


def in_order(measured: Sequence[tuple[float, tuple[float, float]]], direction: str) -> list[Row]:
    """Rows of values with their intervals: by place, and those who share one in no order."""
    intervals = [interval for _, interval in measured]
    lows, highs = sorted(low for low, _ in intervals), sorted(high for _, high in intervals)
    rows = [Row(*_places(interval, lows, highs, direction), value, interval) for value, interval in measured]
    random.SystemRandom().shuffle(rows)
    return sorted(rows, key=lambda row: (row.first, row.last))


def _places(own: tuple[float, float], lows: Sequence[float], highs: Sequence[float], direction: str) -> tuple[int, int]:
    """The first and the last place that an interval may have: who is better or worse lies wholly apart.

    `lows` and `highs`: the ends of all intervals, each in order.
    """
    above, below = len(lows) - bisect_right(lows, own[1]), bisect_left(highs, own[0])
    better, worse = (below, above) if direction == "at_most" else (above, below)
    return 1 + better, max(1 + better, len(lows) - worse)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _interval(found: ValidationResult) -> tuple[float, float]:
    low, high = found.interval
    return _rounded(low), _rounded(high)


# -- the student's side ------------------------------------------------------------------------------------------------


class Own(Struct, frozen=True):
    """Where a grading of one's own would stand."""

    first: int
    last: int
    value: float
    interval: tuple[float, float]
    n: int


def read_board(path: Path, exercise: str) -> Board:
    """A board of that exercise; raises UsageError for any other file."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", remedy="name the file that you were given."
        ) from None
    try:
        found = msgspec.json.decode(data, type=Board) if len(data) <= _MOST_BYTES else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None or found.schema != 1 or not _is_sound(found):
        raise UsageError(
            f"{path} is not a board.",
            cause="it is another file, or was changed, or comes from a newer tlcourse.",
            remedy=f"ask for the file that `tlcourse ta rank {exercise} --board {NAME}` wrote.",
        )
    if found.exercise != exercise:
        raise UsageError(
            f"{path} is the board of {line(found.exercise, 60)}, not of {exercise}.",
            remedy=f"tlcourse exercise board {typed(line(found.exercise, 60))} {typed(str(path))}",
        )
    return found


def _is_sound(board: Board) -> bool:
    numbers = [value for row in board.rows for value in (row.value, *row.interval)]
    n = len(board.rows)
    return (
        0 < n <= _MOST_ROWS
        and board.unmeasured >= 0
        and board.direction in ("at_least", "at_most")
        and all(map(math.isfinite, numbers))
        and all(0 < row.first <= row.last <= n and row.interval[0] <= row.interval[1] for row in board.rows)
    )


def kept_board(course: str, exercise: LoadedExercise) -> tuple[Board, Path] | None:
    """The board that the student was given, else the one beside the course, and its file; None where there is none.

    Raises UsageError where that file cannot be read as one.
    """
    name = exercise.about.id
    places = (paths.boards_folder() / course / f"{name}.json", exercise.folder / NAME)
    path = next((one for one in places if one.is_file()), None)
    return (read_board(path, name), path) if path else None


def keep_board(board: Board, course: str) -> Path | None:
    """Keep a board, so that the app shows it too; None where nothing can be written here."""
    path = paths.boards_folder() / course / f"{board.exercise}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, as_file(board))
    except OSError:
        return None
    return path


def as_file(board: Board) -> bytes:
    """A row a line, so that whoever publishes it can read what it says."""
    head = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(board, rows=[])), indent=1)
    rows = b",\n".join(b"  " + msgspec.json.encode(row) for row in board.rows)
    return head.replace(b'"rows": []', b'"rows": [\n' + rows + b"\n ]") + b"\n"


def own_place(board: Board, attempts: Sequence[Mapping[str, Any]]) -> Own | None:
    """Where the last of these result documents that was measured in the same way would stand; None where none was."""
    for document in reversed(attempts):
        if document.get("variant") != board.variant:
            continue
        try:
            found = msgspec.convert(document.get("validation"), ValidationResult)
        except msgspec.ValidationError:
            continue
        if found.check == board.check and all(map(math.isfinite, (found.value, *found.interval))):
            interval = _interval(found)
            lows, highs = (sorted(row.interval[end] for row in board.rows) for end in (0, 1))
            first, last = _places(interval, lows, highs, board.direction)
            return Own(first, last, _rounded(found.value), interval, found.n)
    return None


def places_in_words(first: int, last: int, of: int) -> str:
    """`3rd`, `3rd–5th of 38`, `behind all 38`."""
    if first > of:
        return f"behind all {of}"
    return f"{ordinal(first)}{f'–{ordinal(last)}' if last > first else ''} of {of}"


def own_in_words(board: Board, own: Own | None) -> list[str]:
    """Where one's own last grading would stand, and what that is worth."""
    n = len(board.rows)
    if own is None:
        said = f"tlcourse grade {board.exercise} says where you would stand among the {n} of the board"
        return [f"{said}; no grading of yours here was measured on validation items yet."]
    unit = f" {line(board.unit, 20)}" if board.unit else ""
    low, high = map(number, own.interval)
    return [
        f"{places_in_words(own.first, own.last, n)} by: {line(board.title, 200)}",
        f"That is your last grading here, {number(own.value)}{unit} (95 %: {low} to {high}, n = {own.n}), measured by "
        "yourself; the board's were measured where the class is graded. Neither is a mark.",
    ]


def board_lines(board: Board, own: Own | None = None) -> list[str]:
    """A line a hand-in, and `you` where one's own last grading would stand."""
    unit = f" {line(board.unit, 20)}" if board.unit else ""
    rows = [(row.first, row.last, row.value, row.interval, "") for row in board.rows]
    if own is not None:
        rows.append((own.first, own.last, own.value, own.interval, "you"))
        rows.sort(key=lambda row: row[:2])
    lines = []
    for first, last, value, interval, who in rows:
        low, high = map(number, interval)
        told = f"{first}–{last}" if last > first else str(first)
        said = f"{told:>7}  {f'{number(value)}{unit}':<14}95 %: {low} to {high}{unit}"
        lines.append(f"{said:<48}← {who}" if who else said)
    return lines


def what_it_is(board: Board) -> list[str]:
    """How to read it, in sentences."""
    better = "less" if board.direction == "at_most" else "more"
    said = [
        f"{line(board.title, 200)}: {better} is better. From the first place that a hand-in may have to the last: who "
        "differ by less than chance explains are not told apart, and stand in no order.",
        "It goes by validation items, which every solution is given with their labels and could learn by heart. It is "
        "no mark, and says nothing of the hidden items.",
    ]
    if board.unmeasured:
        one = board.unmeasured == 1
        said.append(
            f"{counted(board.unmeasured, 'hand-in')} {'is' if one else 'are'} not on it: nothing was measured on "
            "validation items there."
        )
    return said
