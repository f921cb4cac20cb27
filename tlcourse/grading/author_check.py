"""What `author check` finds in graders: data that cannot be graded on, references that fail, wrong solutions that pass.

Without any training: data, and measurements that break. With training: each reference must pass, and each wrong
solution must fail as it says.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.exercise import require_packages, solutions, staff_files, staff_text
from tlcourse.course.model import Exercise, LoadedCourse, LoadedExercise
from tlcourse.course.parts import ManualPart, PredictionsPart
from tlcourse.course.programs import files_in
from tlcourse.course.spec import CELL
from tlcourse.errors import InfraError, UnableError
from tlcourse.execution import items
from tlcourse.execution.answers import Raised
from tlcourse.execution.pool import Pool
from tlcourse.execution.supervise import run as run_job
from tlcourse.grading.grade import Grading, Options, Runner, further_seed
from tlcourse.grading.grader import Arrays, Data, Grader, SharedGrader
from tlcourse.grading.intake.submission import SOLUTION, collect
from tlcourse.grading.odd_answers import legal_predictions, odd_answers
from tlcourse.grading.parts.cells import CellCase
from tlcourse.grading.parts.functions import calls_document
from tlcourse.grading.parts.predictions import ALONE, measured_by, rows_of
from tlcourse.grading.reference import NoReferenceHereError
from tlcourse.grading.result import Result
from tlcourse.grading.scoring.calls import NOTHING, Case
from tlcourse.grading.scoring.measurement import Measurement
from tlcourse.sandbox.choose import choose
from tlcourse.storage import scratch_folder

SIZES = {"train": 8, "val": 8, "test": 8}
OTHER_SIZES = {"train": 12, "val": 10, "test": 16}
MARKING = "marking.md"
"""In the folder of hidden data: how people mark, on which nothing is measured."""
_SEED = 0


def problems_of_graders(course: LoadedCourse) -> list[str]:
    """What is wrong with the graders of a course, as `file:line: what, and what was expected`."""
    problems = []
    for name, exercise in course.exercises.items():
        if not exercise.is_measured and _is_marked_by_hand(exercise):
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


def _is_marked_by_hand(exercise: LoadedExercise) -> bool:
    """Whether people mark all of it, and there is nothing to run."""
    return all(isinstance(part, ManualPart) for part in exercise.about.parts)


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
        yield from _problems_of_analysis(grader, data.val)
    if grader.about.board and not broken:
        yield from _problems_of_board(grader, data.val)
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


def _problems_of_analysis(grader: Grader, val: Arrays) -> Iterator[str]:
    """What `analyse_errors` cannot take; a grading would leave it out, and say nothing."""
    given = {name: val[name] for name in ("x", *grader.about.targets)}
    for words, predictions in legal_predictions(grader, given):
        try:
            grader.analyse_errors(given, predictions)
        except InfraError as error:
            yield f"{error.what.removesuffix('.')} (predictions: {words}), expected an analysis of all finite ones"
            return


def _problems_of_board(grader: Grader, val: Arrays) -> Iterator[str]:
    """What keeps hand-ins from the board; a grading would leave the measurement out, and say nothing."""
    given = {name: val[name] for name in ("x", *grader.about.targets)}
    for words, predictions in legal_predictions(grader, given):
        try:
            grader.measure_for_board(given, predictions)
        except InfraError as error:
            yield f"{error.what.removesuffix('.')} (board, predictions: {words}), expected to measure validation items"
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


_MUST_FAIL = re.compile(r"^Must fail: ([a-z0-9_, -]+)\.")
_MUST_END = re.compile(r"^Must end: ([a-z]+)\.")


class ReferenceCheck(Struct, frozen=True):
    """One solution, graded: what it must do, what it did."""

    exercise: str
    solution: str
    seed: int
    expected: str
    found: str
    holds: bool
    seconds: float
    values: dict[str, float] = {}
    messages: list[str] = []
    """What the student would have read."""


class _Trial(Struct, frozen=True):
    """A solution to be graded with a seed, and what it must do."""

    exercise: LoadedExercise
    grader: Grader
    name: str
    text: str
    expected: str
    seed: int
    file: str = SOLUTION
    """What is handed in."""
    beside: Mapping[str, str] = {}
    """Further files that are handed in, by name."""


def check_references(
    exercises: Sequence[LoadedExercise], options: Options, seeds: int = 5, workers: int = 1
) -> Iterator[ReferenceCheck]:
    """Grade every solution of the exercises, and yield what each did: in order, as soon as it is known.

    `workers` gradings run side by side in fork servers, each with `options.threads` threads, so that what is found does
    not depend on `workers`. Where there is no fork server they run one after another. Raises UnableError where torch,
    or a package that one of them promises, is not installed here.
    """
    exercises = [one for one in exercises if one.is_measured or not _is_marked_by_hand(one)]
    for exercise in exercises:
        require_packages(exercise.about)
    with ExitStack() as folders:
        trials: list[_Trial] = []
        for exercise in exercises:  # the solutions of one share its data: to draw them takes seconds
            grader = SharedGrader(exercise, folders.enter_context(scratch_folder("run")))
            trials += _trials(exercise, grader, options.seed, seeds)
        yield from _all_checked(trials, options, workers)


def _all_checked(trials: Sequence[_Trial], options: Options, workers: int) -> Iterator[ReferenceCheck]:
    pool = _pool(workers)
    if pool is None:
        sandbox, _ = choose(options.sandbox_kind)
        for trial in trials:
            yield _checked(trial, options, lambda job, tell: run_job(job, sandbox, tell))
        return
    threads = ThreadPoolExecutor(pool.workers, thread_name_prefix="tlcourse-references")
    try:
        yield from threads.map(lambda trial: _checked(trial, options, pool.run), trials)
    finally:  # also when interrupted: what has not begun never does, and closing the pool ends what runs
        threads.shutdown(wait=False, cancel_futures=True)
        pool.close()
        threads.shutdown()


def _pool(workers: int) -> Pool | None:
    """Fork servers, or None where this machine has none."""
    try:
        pool = Pool(workers)
    except UnableError:
        return None
    try:
        pool.prewarm()
    except UnableError:
        pool.close()
        return None
    return pool


def _trials(exercise: LoadedExercise, grader: Grader, first: int, seeds: int) -> Iterator[_Trial]:
    """Each solution that lies beside the grader, and what it must do; the reference with as many seeds."""
    if exercise.about.predictions and not exercise.about.is_run:
        yield from _trials_of_files(exercise, grader, first)
        return
    beside = _guesses_beside(exercise)
    starter = exercise.folder / "starter.py"
    if not starter.is_file():  # nothing of it is run
        return
    yield _Trial(exercise, grader, starter.name, starter.read_text(encoding="utf-8"), "fail", first, beside=beside)
    for solution in solutions(exercise):
        if solution.kind == "reference":
            for number in range(seeds):
                seed = further_seed(first, number) if number else first
                name = f"reference {solution.name}"
                yield _Trial(exercise, grader, name, solution.text, "pass", seed, beside=beside)
        else:
            demand = _demand(solution.text)
            yield _Trial(exercise, grader, solution.name, solution.text, demand, first, beside=beside)


def _guesses_beside(exercise: LoadedExercise) -> dict[str, str]:
    """Where a table is handed in beside code: `references/NAME.csv`, which goes with every solution."""
    part = exercise.about.predictions
    if part is None or not part.file.endswith(".csv"):
        return {}
    found = staff_files(exercise.staff, "references")
    given = next((path for path in found if path.name == f"{exercise.folder.name}.csv"), None)
    return {part.file: staff_text(given)} if given else {}


def _trials_of_files(exercise: LoadedExercise, grader: Grader, first: int) -> Iterator[_Trial]:
    """Where a table is handed in and nothing is run: `references/NAME.csv` passes, and no `wrong/NAME/*.csv` does."""
    part, folder = exercise.about.predictions, exercise.folder.name
    if part is None or not part.file.endswith(".csv"):
        return
    for path in staff_files(exercise.staff, "references"):
        if path.name == f"{folder}.csv":
            yield _Trial(exercise, grader, f"reference {path.name}", staff_text(path), "pass", first, part.file)
    for path in staff_files(exercise.staff, f"wrong/{folder}"):
        if path.suffix == ".csv":
            yield _Trial(exercise, grader, path.name, staff_text(path), "fail", first, part.file)


def _checked(trial: _Trial, options: Options, run: Runner) -> ReferenceCheck:
    with scratch_folder("submission") as handed_in, scratch_folder("submission") as folder:
        for name, text in {trial.file: trial.text, **trial.beside}.items():
            (handed_in / name).write_text(text, encoding="utf-8", newline="")
        grading = Grading(trial.exercise, replace(options, seed=trial.seed), run, trial.grader)
        result = grading.result(collect(handed_in, folder, about=trial.exercise.about), lambda _: None, started="")
    found = _in_words(result)
    return ReferenceCheck(
        exercise=trial.exercise.about.id,
        solution=trial.name,
        seed=trial.seed,
        expected=trial.expected,
        found=found,
        holds=_holds(trial.expected, result, found),
        seconds=round(sum(record.wall_time_s for record in result.runs), 1),
        values={check.id: check.value for check in result.checks},
        messages=[check.message for check in result.checks if check.message] or result.messages,
    )


def _demand(source: str) -> str:
    """The first words of a wrong solution's docstring: `Must fail: CHECK, CHECK.` or `Must end: OUTCOME.`"""
    text = ast.get_docstring(ast.parse(source)) or ""
    if match := _MUST_FAIL.match(text):
        return "fail: " + ", ".join(sorted(name.strip() for name in match[1].split(",")))
    if match := _MUST_END.match(text):
        return match[1]
    return "a docstring that begins with `Must fail: CHECK.` or `Must end: OUTCOME.`"


def _in_words(result: Result) -> str:
    if result.outcome != "fail":
        return result.outcome
    return "fail: " + ", ".join(sorted(check.id for check in result.checks if not check.passed))


def _holds(expected: str, result: Result, found: str) -> bool:
    return result.outcome == "fail" if expected == "fail" else found == expected
