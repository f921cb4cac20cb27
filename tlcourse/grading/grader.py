"""A grader file of the staff: `make` draws the data, `measure` looks at the predictions. NumPy, on the trusted side."""

from __future__ import annotations

import functools
import hashlib
import inspect
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from tlcourse.course import programs
from tlcourse.course.check_rule import CheckRule
from tlcourse.course.loader import load_course
from tlcourse.course.model import LoadedExercise
from tlcourse.course.spec import Output
from tlcourse.data import MINI
from tlcourse.data.files import DataFileError, read_files
from tlcourse.errors import InfraError, UnableError
from tlcourse.execution import items
from tlcourse.execution.answers import Raised
from tlcourse.execution.arrays import DTYPES
from tlcourse.grading.reference import PRACTICE, NoReferenceError, Reference
from tlcourse.grading.result import ValidationResult
from tlcourse.grading.run_data import Arrays, Data, as_handed_over, data_received, grader_failed, hashed
from tlcourse.grading.scoring import error_analysis, metrics
from tlcourse.grading.scoring.calls import Call, Case, share, wrong_with
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis
from tlcourse.grading.scoring.measurement import Measurement, MeasurementError, received


class Grader:
    """The grader of one exercise."""

    def __init__(self, exercise: LoadedExercise) -> None:
        if not exercise.is_measured:
            raise UnableError(
                f"There is no grader for {exercise.about.id} here.",
                cause="graders are kept by the course's staff, and this copy of the course was made without them.",
                remedy=f"tlcourse run {exercise.about.id} trains the solution; your course grades it.",
            )
        self.about = exercise.about
        self.folders = exercise.data
        self._module = _load(exercise.grader, exercise.folder) if exercise.grader else None
        self._reference = Reference(exercise)
        rules = msgspec.json.encode([rule for rule in self.about.checks if rule.metric])
        known = self._reference.sha256 if self.about.functions else ""
        own = programs.sha256_of(self._module) if self._module else hashlib.sha256(rules).hexdigest()
        self.sha256 = hashlib.sha256((own + known).encode()).hexdigest() if known else own

    @property
    def on_validation(self) -> bool:
        """Whether its hidden data are not here, and what it measures is no mark."""
        return self.about.hidden_data and self.folders.hidden is None

    @functools.cached_property
    def files_sha256(self) -> tuple[str, str]:
        """The hashes of its public and of its hidden data files; "" where there are none."""
        return programs.sha256_of_files(self.folders.public), programs.sha256_of_files(self.folders.hidden)

    def make(self, seed: int, variant: str) -> Data:
        """The data of `seed`; the same seed gives the same bytes. Raises InfraError as `draw` does."""
        return as_handed_over(self.about, self.draw(self.about.sizes, seed, variant))

    def draw(self, sizes: Mapping[str, int], seed: int, variant: str) -> Data:
        """Data of other sizes; raises InfraError where the grader fails, or gives what no worker could be given."""
        made = self._drawn_by_grader(sizes, seed, variant)
        return data_received(self.about, made, on_validation=self.on_validation)

    def _drawn_by_grader(self, sizes: Mapping[str, int], seed: int, variant: str) -> Any:
        """What its `make` gives; of one without, what lies in files."""
        if hasattr(self._module, "make"):
            return self._called("make", dict(sizes), seed, variant, self.folders)
        try:
            return read_files(self.about, sizes, self.folders)
        except DataFileError as error:
            raise grader_failed(self.about, f"there is no `make`, and {error}") from None

    def truth(self, seed: int, variant: str) -> tuple[Arrays, str]:
        """What a file of predictions is measured on, the test set of `make`, with its hash; raises InfraError."""
        made = self._drawn_by_grader(self.about.sizes, seed, variant)
        try:
            _, val, test = made
            truth = dict(val if test is None and self.on_validation else test)
        except (TypeError, ValueError):
            raise grader_failed(
                self.about, "`make` gave no three tables of arrays, expected train, val and test"
            ) from None
        try:
            return truth, hashed({}, {}, truth).sha256
        except items.FormError as error:
            raise grader_failed(self.about, str(error)) from None

    def kinds(self, variant: str) -> dict[str, Measurement]:
        """What each check of a model rests on (kind and n), from measuring predictions that are all zero."""
        if self.about.model is None:
            return {}
        test = self.make(0, variant).test
        return self.measure(test, {one.name: filled(one, test, 0) for one in self.about.outputs}, {})

    def measure(
        self, test: Arrays, predictions: Mapping[str, np.ndarray[Any, Any]], probes: Mapping[str, float]
    ) -> dict[str, Measurement]:
        """One measurement for every check of the part `model`; raises InfraError as `measured_by`."""
        part = self.about.model
        return self.measured_by("measure", self.about.checks_of(part) if part else [], test, predictions, probes)

    def measured_by(self, function: str, rules: Sequence[CheckRule], *arguments: Any) -> dict[str, Measurement]:
        """What a function of the grader measures: one measurement for each of `rules`, each checked on receipt.

        Raises InfraError where the grader fails, measures other checks, or gives what is not a measurement: that is a
        fault of ours, and never a mark.
        """
        declared = {rule.id: self._by_metric(rule, *arguments[:2]) for rule in rules if rule.metric}
        if rules and len(declared) == len(rules):
            return declared
        found = self._called(function, *arguments)
        expected = [check.id for check in rules if not check.metric]
        if not isinstance(found, Mapping) or set(found) != set(expected):
            measured = sorted(map(str, found)) if isinstance(found, Mapping) else f"a {type(found).__name__}"
            raise InfraError(
                f"The grader of {self.about.id} measured {measured}, expected {sorted(expected)}.",
                cause="graders/ and exercise.yaml do not belong together.",
                remedy="tlcourse author check",
            )
        measurements = {}
        for name in expected:
            try:
                measurements[name] = received(found[name])
            except MeasurementError as error:
                raise grader_failed(self.about, f"`{name}` {error}") from None
        return measurements | declared

    def _by_metric(self, rule: CheckRule, test: Arrays, predictions: Mapping[str, np.ndarray[Any, Any]]) -> Measurement:
        """What exercise.yaml says is measured; items of files are the same for every seed."""
        try:
            fresh = hasattr(self._module, "make")
            with np.errstate(all="ignore"):  # as of a grader's own
                return received(metrics.measured(self.about, rule, test, predictions, fresh=fresh))
        except (metrics.MetricError, MeasurementError) as error:
            raise grader_failed(self.about, f"`{rule.id}` {error}") from None

    def cases(self, seed: int, data: Data | None) -> list[Case]:
        """What a part `functions` is asked, drawn from `seed`; where a case does not say what is right, the reference
        does. Raises InfraError for what is no list of cases, and UnableError where the reference is not here."""
        given = self._called("cases", seed, data)
        made = [Case((one,)) if isinstance(one, Call) else one for one in given] if isinstance(given, Iterable) else []
        if not made or not all(isinstance(one, Case) for one in made):
            raise grader_failed(self.about, "`cases` gave no list of `call(…)`, `case(…)` and `sequence(…)`")
        known = {rule.id for rule in self.about.checks_of(self.about.functions)} if self.about.functions else set()
        found = made if hasattr(self._module, "measure_calls") else [_of_a_check(one, known) for one in made]
        for one in found:
            if one.check and one.check not in known:
                raise grader_failed(
                    self.about, f"a case is of the check {one.check!r:.80}, expected one of {sorted(known)}"
                )
            if not one.calls or not all(isinstance(step, Call) for step in one.calls):
                raise grader_failed(self.about, "a case holds no `call(…)`")
        if hasattr(self._module, "measure_calls"):
            return found
        if lost := next((one for one in found if not one.check), None):
            raise grader_failed(
                self.about, f"a case of `{lost.calls[0].name}` says no check, expected one of {sorted(known)}"
            )
        try:
            return self._reference.completed(found, seed)
        except NoReferenceError as error:
            raise grader_failed(self.about, str(error)) from error

    def practice(self, seed: int) -> bytes | None:
        """What the reference answers with one seed, for a copy that has no reference; None where all else says it."""
        if self.about.functions is None or not self._reference.is_here:
            return None
        self.cases(seed, self.make(seed, MINI) if self.about.model else None)
        return self._reference.document()

    def measure_calls(
        self, rules: Sequence[CheckRule], cases: Sequence[Case], answers: Sequence[Any]
    ) -> dict[str, Measurement]:
        """One measurement for each check of a part `functions`; raises InfraError as `measured_by`.

        Without a `measure_calls` of the grader's, the share of each check's cases that are right.
        """
        if hasattr(self._module, "measure_calls"):
            return self.measured_by("measure_calls", rules, cases, answers)
        found = {}
        for rule in rules:
            own = [(one, answer) for one, answer in zip(cases, answers, strict=True) if one.check == rule.id]
            if not own:
                raise grader_failed(self.about, f"`cases` has none of the check `{rule.id}`")
            right = [not self.wrong_with(one, answer) for one, answer in own]
            found[rule.id] = share(right, f"{sum(right)} of {len(right)} cases are right.")
        return found

    def wrong_with(self, one: Case, answer: Any, *, values: bool = True) -> str:
        """What is wrong with an answer, as the case says it; "" where that is left to the grader. Raises InfraError."""
        if hasattr(self._module, "measure_calls") and not isinstance(answer, Raised) and one.judges_nothing:
            return ""
        try:
            return wrong_with(one, answer, values=values)
        except Exception as error:
            raise grader_failed(self.about, f"judging an answer raised {type(error).__name__}: {error}") from error

    @property
    def analyses_errors(self) -> bool:
        """Whether it declares `analyse_errors`."""
        return hasattr(self._module, "analyse_errors")

    def analyse_errors(self, val: Arrays, predictions: Mapping[str, np.ndarray[Any, Any]]) -> ErrorAnalysis:
        """What went most wrong on validation items, checked on receipt; raises InfraError as `measure` does.

        `val` is what a submission was given too, x and the targets: no test item comes near it.
        """
        found = self._called("analyse_errors", val, predictions)
        try:
            return error_analysis.received(found, items.count(val["x"]))
        except MeasurementError as error:
            raise grader_failed(self.about, f"`analyse_errors` {error}") from None

    def measure_for_board(self, val: Arrays, predictions: Mapping[str, np.ndarray[Any, Any]]) -> ValidationResult:
        """What the check of the board measures on validation items, x and the targets; raises InfraError as `measure`.

        Without probes: a check that rests on them has no place on a board, as student code could forge it.
        """
        found = self.measure(val, predictions, {})[self.about.board]
        if found.self_reported:
            raise grader_failed(
                self.about, f"`{self.about.board}` rests on probes, expected a board by predictions alone"
            )
        return ValidationResult(self.about.board, found.value, found.interval, found.n)

    def _called(self, function: str, *arguments: Any) -> Any:
        """What a function of the grader gives; raises InfraError, whatever it raises."""
        try:
            with np.errstate(all="ignore"):  # what predictions overflow to is looked at when it is received
                found = programs.call(getattr(self._module, function), *arguments)
                return list(found) if inspect.isgenerator(found) else found
        except InfraError:
            raise
        except UnableError:  # its real data are not on this machine
            raise
        except (Exception, SystemExit) as error:
            said = f"`{function}` raised {type(error).__name__}: {str(error)[:300]}{self.line_of(error)}"
            raise grader_failed(self.about, said) from error

    def line_of(self, error: BaseException) -> str:
        """Which line of the grader's own an exception comes from, in words; "" where it comes from none."""
        own = {str(path): path.name for path in programs.sources(self._module)} if self._module else {}
        frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename in own]
        return f" (line {frames[-1].lineno} of {own[frames[-1].filename]})" if frames else ""


def _of_a_check(one: Case, known: set[str]) -> Case:
    """A case that says no check is of the one called like the first of what it calls that has one."""
    names = (step.name.partition(".")[0].lower() for step in one.calls if isinstance(step, Call))
    return one if one.check else replace(one, check=next((name for name in names if name in known), ""))


def filled(output: Output, test: Arrays, value: float, rows: Sequence[int] | None = None) -> Any:
    """Predictions of an output that are all `value`; `rows`: of each item, where its length is free (else 1)."""
    n, dtype = items.count(test["x"]), DTYPES[output.dtype]
    if not output.rows:
        return np.full((n, *output.shape), value).astype(dtype)
    lengths = rows or [1] * n
    if output.rows_of:
        lengths = [len(one) for one in items.field(test["x"], output.rows_of)]
    made = [np.full((length, *output.shape), value).astype(dtype) for length in lengths]
    return [one.tobytes() for one in made] if output.dtype == "bytes" else made


def write_practice(folder: Path, into: Path, seed: int) -> list[str]:
    """Write beside the exercises of a copy what references answer with that seed; the files, by their path there.

    Raises InfraError where a grader fails.
    """
    written = []
    for exercise in load_course(folder).exercises.values():
        if exercise.is_measured and (answers := Grader(exercise).practice(seed)):
            name = f"exercises/{exercise.folder.name}/{PRACTICE}"
            (into / name).write_bytes(answers)
            written.append(name)
    return written


def _load(path: Path, folder: Path) -> ModuleType:
    try:
        return programs.load(path, folder)
    except Exception as error:
        raise InfraError(
            f"The grader {path.name} cannot be loaded: {type(error).__name__}: {error}.",
            cause="a mistake in the grader file.",
            remedy="tlcourse author check",
        ) from error
