"""What `author check` finds in graders without any training: data that cannot be graded on, measurements that break."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tlcourse.course.model import Exercise, LoadedCourse, LoadedExercise
from tlcourse.course.parts import PredictionsPart
from tlcourse.course.programs import files_in
from tlcourse.course.spec import CELL
from tlcourse.errors import InfraError
from tlcourse.execution import items
from tlcourse.execution.answers import Raised
from tlcourse.grading.grader import Grader
from tlcourse.grading.odd_answers import legal_predictions, odd_answers
from tlcourse.grading.parts.cells import CellCase
from tlcourse.grading.parts.functions import calls_document
from tlcourse.grading.parts.predictions import ALONE, measured_by, rows_of
from tlcourse.grading.reference import NoReferenceHereError
from tlcourse.grading.run_data import Arrays, Data
from tlcourse.grading.scoring.calls import NOTHING, Case
from tlcourse.grading.scoring.measurement import Measurement

SIZES = {"train": 8, "val": 8, "test": 8}
OTHER_SIZES = {"train": 12, "val": 10, "test": 16}
MARKING = "marking.md"
"""In the folder of hidden data: how people mark, on which nothing is measured."""
_SEED = 0


def problems_of_graders(course: LoadedCourse) -> list[str]:
    """What is wrong with the graders of a course, as `file:line: what, and what was expected`."""
    problems = []
    for name, exercise in course.exercises.items():
        if not exercise.is_measured and exercise.about.all_by_hand:
            continue
        if not exercise.is_measured:
            problems.append(f"{exercise.folder}:1: {name} has no grader, expected graders/{exercise.folder.name}.py")
            continue
        hidden = {name for name in files_in(exercise.data.hidden) if name != MARKING}
        if hidden and not exercise.about.hidden_data:
            said = "has hidden data and does not say so, expected `hidden_data: true`"
            problems.append(f"{exercise.folder / 'exercise.yaml'}:1: {name} {said}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of overflow, in predictions that are meant to overflow
                problems += [_at(exercise, said) for said in _problems(Grader(exercise))]
        except InfraError as error:
            problems.append(_at(exercise, error.what))
    return problems


def _at(exercise: LoadedExercise, said: str) -> str:
    """With the file, and the line of it that is named."""
    grader = exercise.grader or exercise.folder / "exercise.yaml"
    named = re.search(rf"\(line (\d+)(?: of {re.escape(grader.name)}\)|[;)])", said)
    return f"{grader}:{named[1] if named else 1}: {said}"


def _problems(grader: Grader) -> Iterator[str]:
    """Draw a few items, and measure predictions that are legal, however odd; raises InfraError where nothing comes."""
    if grader.about.functions is not None:
        yield from _problems_of_cases(grader)
    if grader.about.predictions is not None:
        yield from _problems_of_file(grader, grader.about.predictions)
    if grader.about.model is None:
        return
    data = grader.draw(SIZES, _SEED, "mini")
    if wrong := _problem_of_form(grader.about, data.test["x"]):
        yield wrong
        return
    yield from _problems_of_data(grader, data)
    broken: dict[str, list[str]] = {}
    legal = list(legal_predictions(grader, data.test))
    for words, predictions in legal:
        try:
            grader.measure(data.test, predictions, {})
        except InfraError as error:
            broken.setdefault(error.what, []).append(words)
    if not broken:
        yield from _forgeable(grader, data.test, legal[0][1])
    if grader.analyses_errors:
        yield from _problems_on_validation(grader, data.val, grader.analyse_errors, "an analysis of all finite ones")
    if grader.about.board and not broken:
        expected = "to measure validation items"
        yield from _problems_on_validation(grader, data.val, grader.measure_for_board, expected, "board, ")
    for what, odd in broken.items():
        which = "any at all" if len(odd) == len(legal) else ", ".join(odd)
        yield f"{what.removesuffix('.')} (predictions: {which}), expected a measurement of all finite ones"


def _problem_of_form(about: Exercise, x: Any) -> str:
    """What does not fit the form of the inputs; "" where all does."""
    if about.graph and not isinstance(x, np.ndarray):
        return f"x is a {type(x).__name__}, expected one array where `graph` is true"
    for output in about.outputs:
        try:
            of_items = not output.rows_of or isinstance(items.field(x, output.rows_of), list)
        except (KeyError, TypeError, IndexError):
            of_items = False
        if not of_items:
            said = f"`{output.name}` has as many rows as `{output.rows_of}`, which is no list"
            return f"{said}, expected `x`, or `x.NAME` of a table, with items of different lengths"
    return ""


def _problems_of_cases(grader: Grader) -> Iterator[str]:
    """What is wrong with the cases of a part `functions`, or with how answers of any form are judged."""
    about, part = grader.about, grader.about.functions
    assert part is not None
    seeds = (_SEED, _SEED, _SEED + 1)
    try:
        cases, again, others = (
            grader.cases(seed, grader.draw(SIZES, seed, "mini") if about.model else None) for seed in seeds
        )
    except NoReferenceHereError as error:
        if not error.is_copy:
            yield "`cases` leaves to the reference what is right, expected it in graders/references"
        return
    first, second, other = (calls_document(one, range(len(one))) for one in (cases, again, others))
    if first != second:
        yield "`cases` gives others when it is called again with the same seed, expected the same"
    if first == other and not all(isinstance(one, CellCase) for one in cases):  # tests of a notebook are written down
        yield "`cases` gives the same for every seed, expected some that are drawn from it"
    known = {*part.defines, part.after, *(step.keep for one in cases for step in one.calls)}
    called = [step.name for one in cases for step in one.calls if not step.name.startswith(CELL)]
    for name in sorted({name.partition(".")[0] for name in called} - known):
        yield f"a case calls `{name}`, expected a name of `defines`, or what was kept before"
    for one in cases:
        if one.expect is not NOTHING and (said := grader.wrong_with(one, one.expect)):
            yield f"a case of `{one.calls[-1].name}` does not accept what it expects ({said}), expected that it does"
            break
    rules = about.checks_of(part)
    yield from _problems_of_judges(grader, cases)
    for words, answer in (("none", Raised("died")), *odd_answers()):
        try:
            if all(found.value >= 1 for found in grader.measure_calls(rules, cases, [answer] * len(cases)).values()):
                yield f"each check is right where every answer is {words}, expected that some are wrong"
        except InfraError as error:
            yield f"{error.what.removesuffix('.')} (answers: {words}), expected a measurement of any"
            return


def _problems_of_judges(grader: Grader, cases: Sequence[Case]) -> Iterator[str]:
    """Judges that give neither True nor False nor words, or raise what says nothing of the form of an answer."""
    seen = set()
    for one in cases:
        if one.judge is None or (code := getattr(one.judge, "__code__", one.judge)) in seen:
            continue
        seen.add(code)
        line = getattr(code, "co_firstlineno", 1)
        for words, answer in odd_answers():
            try:
                said = one.judge(answer)
            except (TypeError, AttributeError, LookupError, ValueError):
                continue  # an answer of another form: wrong, and said to be so
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                found = f"raised {type(error).__name__}: {str(error)[:200]}"
                where = grader.line_of(error) or f" (line {line})"
                said = f"{found}{where} (answer: {words})"
                yield f"the judge of a case of `{one.calls[-1].name}` {said}, expected a verdict"
                break
            if not isinstance(said, bool | np.bool_ | str | None):
                kind = f"gave a {type(said).__name__} (line {line}; answer: {words})"
                yield f"the judge of a case of `{one.calls[-1].name}` {kind}, expected True, False or words"
                break


def _problems_of_data(grader: Grader, data: Data) -> Iterator[str]:
    """What would make marks unfair, or a word of exercise.yaml untrue."""
    if grader.draw(SIZES, _SEED, "mini").sha256 != data.sha256:
        yield "`make` gives other data when it is called again with the same seed, expected the same"
    other = grader.draw(OTHER_SIZES, _SEED, "mini")
    for part, size in OTHER_SIZES.items():
        if part not in grader.about.sizes or (part == "test" and grader.on_validation):
            continue
        here, there = (items.count(getattr(given, part)["x"]) for given in (data, other))
        if here == there or (part != "test" and there != size):
            yield f"`make` gives {there} items of {part} where {size} are asked for, expected sizes to be heeded"
    pairs = [("train", "val"), ("train", "test"), ("val", "test")]
    for one, another in pairs[: 1 if grader.on_validation else 3]:
        if any(_repeated(getattr(given, one), getattr(given, another)) for given in (data, other)):
            yield f"{one} and {another} are the same items, expected data drawn from seeds of their own (split_seeds)"
    unseen = sorted({*data.train, *data.val} - {"x", *grader.about.targets})
    if unseen:
        yield f"train holds {unseen}, which no solution is given, expected x and the targets of exercise.yaml alone"


def _problems_of_file(grader: Grader, part: PredictionsPart) -> Iterator[str]:
    """What is wrong with the data or the measurements of a part `predictions`, of files that say anything finite."""
    (truth, digest), (_, again) = grader.truth(_SEED, "mini"), grader.truth(_SEED, "mini")
    if digest != again:
        yield "`make` gives other data when it is called again with the same seed, expected the same"
    if not (n := rows_of(truth)):
        if not grader.on_validation:
            yield "`make` gives no test items, expected what a file of predictions is measured on"
        return
    names = [name for name in part.columns if name != part.columns[0] or name not in truth] or [ALONE]
    rules = grader.about.checks_of(part)
    broken: dict[str, list[str]] = {}
    for value in (0.0, 1.0, -1.0, 1e30, -1e300):
        column = {name: truth[name].dtype.kind if name in truth else "f" for name in names}
        given = {
            name: np.full(n, str(value)) if kind == "U" else np.full((n, *part.shape), value)
            for name, kind in column.items()
        }
        try:
            measured_by(grader, rules, truth, given)
        except InfraError as error:
            broken.setdefault(error.what, []).append(f"all {value:g}")
    for what, odd in broken.items():
        yield f"{what.removesuffix('.')} (predictions: {', '.join(odd)}), expected a measurement of all finite ones"


def _problems_on_validation(
    grader: Grader, val: Arrays, look: Callable[[Arrays, Mapping[str, Any]], object], expected: str, where: str = ""
) -> Iterator[str]:
    """What `look` cannot take of validation items; a grading would leave it out, and say nothing."""
    given = {name: val[name] for name in ("x", *grader.about.targets)}
    for words, predictions in legal_predictions(grader, given):
        try:
            look(given, predictions)
        except InfraError as error:
            yield f"{error.what.removesuffix('.')} ({where}predictions: {words}), expected {expected}"
            return


class _Forged(dict[str, float]):
    """Probes of whatever name, all of one value: what a hostile submission could report."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self._value = value

    def get(self, name: str, default: Any = None) -> Any:
        """The value."""
        return self._value

    def __missing__(self, name: str) -> float:
        return self._value

    def __contains__(self, name: object) -> bool:
        return True


def _forgeable(grader: Grader, test: Arrays, predictions: Mapping[str, np.ndarray[Any, Any]]) -> Iterator[str]:
    """Checks that move with what is reported, and do not say so."""
    probes: dict[str, Mapping[str, float]] = {"none": {}}
    probes |= {f"{value:g} under every name": _Forged(value) for value in (0.0, 0.5, 1.0, 1e6)}
    found: list[Mapping[str, Measurement]] = []
    for words, one in probes.items():
        try:
            found.append(grader.measure(test, predictions, one))
        except InfraError as error:
            yield f"{error.what.removesuffix('.')} (probes: {words}), expected a measurement of any"
            return
    for name, first in found[0].items():
        if not first.self_reported and len({(one[name].value, one[name].interval) for one in found}) > 1:
            yield f"`{name}` rests on probes, which student code could forge, expected self_reported=True"


def _repeated(first: Arrays, second: Arrays) -> bool:
    """Whether the one begins as the other, or holds all of its items; x of a few values does so by chance."""
    one, other = (
        [_bytes_of(items.item(part["x"], i)) for i in range(items.count(part["x"]))] for part in (first, second)
    )
    fewer, more = sorted((one, other), key=len)
    if fewer == more[: len(fewer)]:
        return len(set(fewer)) > 2
    return len(set(fewer)) == len(fewer) and len(set(more)) == len(more) and set(fewer) <= set(more)


def _bytes_of(item: Any) -> bytes:
    """An item of x, of whatever form, as bytes: equal ones give the same."""
    if isinstance(item, Mapping):
        return b"\0".join(_bytes_of(one) for one in item.values())
    return item if isinstance(item, bytes) else np.asarray(item).tobytes()
