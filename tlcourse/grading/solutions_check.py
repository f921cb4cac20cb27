"""What `author check --exercises` finds by training: references that fail, wrong solutions that do not end as said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.exercise import require_packages, solutions, staff_files, staff_text
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UnableError
from tlcourse.execution.pool import Pool
from tlcourse.execution.supervise import run as run_job
from tlcourse.grading.grade import Grading, Options, Runner, further_seed
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.submission import SOLUTION, collect
from tlcourse.grading.result import Result
from tlcourse.grading.shared_data import SharedGrader
from tlcourse.sandbox.choose import choose
from tlcourse.storage import scratch_folder

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
    exercises = [one for one in exercises if one.is_measured or not one.about.all_by_hand]
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
