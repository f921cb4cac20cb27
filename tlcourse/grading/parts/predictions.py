"""A part `predictions`: a file of answers to inputs that students have, read as a hostile one. Nothing is run.

The rows are those of the arrays that the grader's `make` gives as its test set. Where that holds the first of the
declared columns of a `.csv`, such as `id`, rows are told apart by it and may come in any order.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.parts import PredictionsPart
from tlcourse.errors import InfraError
from tlcourse.execution import items
from tlcourse.execution.arrays import BadArraysError, read_arrays
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.names import shown
from tlcourse.grading.parts.marking import Marked, Marking, verdict_on
from tlcourse.grading.scoring.decide import decide
from tlcourse.grading.scoring.measurement import Measurement

Array = np.ndarray[Any, Any]
ALONE = "predictions"
"""What the array of a `.npy` is called, and that of a `.safetensors` whose columns nobody named."""
_CELL = 200
_SPARE = 65536
_NAMED = 5


class FileError(ValueError):
    """What is wrong with a file of predictions: a sentence for whoever handed it in, without its full stop."""


def mark(marking: Marking, part: PredictionsPart) -> Marked:
    """Read the file, and decide on what the grader measures on it."""
    path = marking.submission.folder / part.file
    if not path.is_file():
        return Marked(part.id, "invalid", message=f"{part.file} was not handed in.")
    grader, about = marking.grader, marking.exercise.about
    if grader is None or not marking.scored:
        return Marked(part.id, "ran", messages=[f"{part.file} is there; nothing was scored."])
    truth, data_sha256 = grader.truth(marking.options.seed, marking.options.variant)
    if grader.on_validation and not rows_of(truth):
        said = f"{part.file} is there; the hidden data stay with the staff of your course, and nothing was scored."
        return Marked(part.id, "ran", messages=[said], data_sha256=data_sha256)
    try:
        most = cap(part, truth)
        if path.stat().st_size > most:
            raise FileError(f"it takes {path.stat().st_size} bytes, at most {most} were expected")
        found = read(path.read_bytes(), part, truth)
    except FileError as error:
        return Marked(part.id, "invalid", message=f"{part.file}: {error}.", data_sha256=data_sha256)
    rules = about.checks_of(part)
    try:
        measured = measured_by(grader, rules, truth, found)
    except InfraError as error:  # this hand-in's alone
        return Marked(part.id, "infra", message=error.what, data_sha256=data_sha256)
    checks = decide(rules, [measured], about.policy)
    return Marked(part.id, verdict_on(checks), checks=checks, data_sha256=data_sha256)


def measured_by(
    grader: Grader, rules: Sequence[CheckRule], truth: Mapping[str, Any], found: Mapping[str, Array]
) -> dict[str, Measurement]:
    """What the grader measures: where the exercise has a model, too, `measure` is about that. Raises InfraError."""
    if grader.about.model:
        return grader.measured_by("measure_predictions", rules, truth, found)
    return grader.measured_by("measure", rules, truth, found, {})


def rows_of(truth: Mapping[str, Any]) -> int:
    """How many predictions are expected."""
    return max((items.count(one) for one in truth.values() if not isinstance(one, np.ndarray) or one.ndim), default=0)


def cap(part: PredictionsPart, truth: Mapping[str, Any]) -> int:
    """The bytes that an honest file has at most."""
    n = rows_of(truth)
    if part.file.endswith(".csv"):
        return _SPARE + (n + 1) * max(len(part.columns), 1) * _CELL
    return _SPARE + n * math.prod(part.shape) * max(len(part.columns), 1) * 8


def read(data: bytes, part: PredictionsPart, truth: Mapping[str, Any]) -> dict[str, Array]:
    """Finite predictions by name, in the order of `truth`, each of shape (n, …); raises FileError."""
    n = rows_of(truth)
    if part.file.endswith(".csv"):
        return _of_csv(data, part, {name: one for name, one in truth.items() if isinstance(one, np.ndarray)}, n)
    if part.file.endswith(".npy"):
        return {ALONE: _checked(ALONE, _of_npy(data, (n, *part.shape)), (n, *part.shape))}
    names = part.columns or (ALONE,)
    try:
        arrays = read_arrays(data, len(names))
    except BadArraysError as error:
        raise FileError(f"it is not a safetensors file as expected: {error}") from None
    if set(arrays) != set(names):
        raise FileError(f"it holds {sorted(map(shown, arrays))}, expected exactly {sorted(names)}")
    return {name: _checked(name, arrays[name], (n, *part.shape)) for name in names}


def _of_npy(data: bytes, shape: tuple[int, ...]) -> Array:
    """The array of a `.npy`, its header looked at first: no pickle is opened, and no more is allocated than came."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        found, _, dtype = header(stream)
        if dtype.kind not in "biuf":
            raise FileError(f"it holds {str(dtype)[:40]}, expected numbers")
        if found != shape:
            raise FileError(f"it has shape {str(found)[:60]}, expected {shape}")
        return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
    except FileError:
        raise
    except Exception as error:  # a header may be any text
        raise FileError(f"it is not a .npy file of numbers ({type(error).__name__})") from None


def _checked(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    if array.dtype.kind not in "biuf":
        raise FileError(f"`{name}` holds {str(array.dtype)[:40]}, expected numbers")
    if array.shape != shape:
        raise FileError(f"`{name}` has shape {array.shape}, expected {shape}")
    plain = array.astype(np.float64)
    if bad := int(plain.size - np.isfinite(plain).sum()):
        raise FileError(f"`{name}` holds {bad} values that are NaN or infinite, expected finite numbers")
    return plain


def _of_csv(data: bytes, part: PredictionsPart, truth: Mapping[str, Array], n: int) -> dict[str, Array]:
    (header, *rows), commas = _table(data)
    if long := next((i for i, row in enumerate(rows, 2) for cell in row if len(cell) > _CELL), None):
        raise FileError(f"line {long} has a field of more than {_CELL} characters")  # an array has room for the longest
    if sorted(header) != sorted(part.columns):
        raise FileError(f"its first line names {shown(', '.join(header))}, expected {', '.join(part.columns)}")
    if wrong := next((i for i, row in enumerate(rows, 2) if len(row) != len(header)), None):
        raise FileError(f"line {wrong} has {len(rows[wrong - 2])} fields, expected {len(header)}")
    cells = {name: [row[header.index(name)].strip() for row in rows] for name in part.columns}
    key = part.columns[0]
    if key in truth:
        order = _order(cells.pop(key), [str(one) for one in truth[key].tolist()], key)
        cells = {name: [column[i] for i in order] for name, column in cells.items()}
    elif len(rows) != n:
        raise FileError(f"it has {len(rows)} rows below the first line, expected {n}")
    return {name: _column(name, column, truth.get(name), commas=commas) for name, column in cells.items()}


def _table(data: bytes) -> tuple[list[list[str]], bool]:
    """The lines that are not empty, and whether commas are decimal: where semicolons separate, as in many countries."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError("it is not text in UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = ";" if ";" in first and "," not in first else ","
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise FileError(f"it is not a CSV file ({error})") from None
    if not rows:
        raise FileError("it is empty")
    return rows, delimiter == ";"


def _order(given: Sequence[str], wanted: Sequence[str], key: str) -> list[int]:
    """Where the row of each wanted key is; raises FileError naming rows that are missing, unknown, or there twice."""
    twice = [one for one, count in Counter(given).items() if count > 1]
    known = set(wanted)
    unknown = [one for one in given if one not in known]
    there = set(given)
    missing = [one for one in wanted if one not in there]
    for said, rows in (("lacks the rows", missing), ("has more than once", twice), ("has unknown rows", unknown)):
        if rows:
            more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
            raise FileError(f"it {said} with {key} {shown(', '.join(rows[:_NAMED]))}{more}")
    place = {one: i for i, one in enumerate(given)}
    return [place[one] for one in wanted]


def _column(name: str, cells: Sequence[str], truth: Array | None, *, commas: bool) -> Array:
    """Numbers, unless what is known of that name is text."""
    if truth is not None and truth.dtype.kind == "U":
        return np.array(cells)
    numbers = np.empty(len(cells))
    for i, cell in enumerate(cells):
        try:
            numbers[i] = float(cell.replace(",", ".") if commas else cell)
        except ValueError:
            numbers[i] = math.nan
        if not math.isfinite(numbers[i]):
            raise FileError(f"`{name}` of row {i + 1} is {shown(cell[:40]) or 'empty'}, expected a finite number")
    return numbers
