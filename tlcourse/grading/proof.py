"""The author's proof of an exercise: the starter fails, the reference passes, a wrong solution fails as it should."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.model import LoadedExercise
from tlcourse.grading.attempt import further_seed
from tlcourse.grading.grade import Options, grade
from tlcourse.grading.result import Result

_MUST_FAIL = re.compile(r"^Must fail: ([a-z0-9_, -]+)\.")
_MUST_END = re.compile(r"^Must end: ([a-z]+)\.")


class Proof(Struct, frozen=True):
    """One solution, graded: what it must do, what it did."""

    exercise: str
    solution: str
    seed: int
    expected: str
    found: str
    holds: bool
    seconds: float
    values: dict[str, float] = {}


def solutions(exercise: LoadedExercise, seeds: int) -> Iterator[tuple[Path, str, int]]:
    """Each solution that lies beside the grader, what it must do, and with how many seeds it is tried."""
    yield exercise.folder / "starter.py", "fail", 1
    if exercise.reference is not None:
        yield exercise.reference, "pass", seeds
    if exercise.grader is not None:
        for path in sorted((exercise.grader.parent / "wrong" / exercise.folder.name).glob("*.py")):
            yield path, _demand(path), 1


def prove(exercise: LoadedExercise, options: Options, seeds: int = 5) -> Iterator[Proof]:
    """Grade every solution of an exercise; lazily, because each takes as long as a student's would."""
    for path, expected, times in solutions(exercise, seeds):
        for number in range(times):
            seed = further_seed(options.seed, number) if number else options.seed
            result = grade(exercise, path, replace(options, seed=seed))
            found = _in_words(result)
            yield Proof(
                exercise=exercise.about.id,
                solution=path.name if expected != "pass" else f"reference {path.name}",
                seed=seed,
                expected=expected,
                found=found,
                holds=_holds(expected, result, found),
                seconds=round(sum(run.wall_s for run in result.runs), 1),
                values={check.id: check.value for check in result.checks},
            )


def _demand(path: Path) -> str:
    """The first words of a wrong solution's docstring: `Must fail: CHECK, CHECK.` or `Must end: OUTCOME.`"""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
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
