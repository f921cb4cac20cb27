"""Grading one submission: collected, run in a sandbox – after a near miss with further seeds – and decided."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from tlcourse import __version__
from tlcourse.course.exercise import packages, require_packages
from tlcourse.course.model import LoadedExercise
from tlcourse.course.parts import FunctionsPart, ModelPart, PredictionsPart
from tlcourse.data import choose_variant
from tlcourse.execution.gpu import uses_gpu
from tlcourse.execution.spec import Outcome
from tlcourse.execution.supervise import run as run_job
from tlcourse.execution.worker.stand_ins import TOP_LEVEL as STAND_INS
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.beside import imported
from tlcourse.grading.intake.names import shown
from tlcourse.grading.intake.submission import SOLUTION, Submission, collect
from tlcourse.grading.options import PUBLIC_SEED, Options
from tlcourse.grading.parts import functions, model, predictions
from tlcourse.grading.parts.marking import (
    Marked,
    Marking,
    OnEvent,
    Runner,
    further_seed,
    task_seed,
)
from tlcourse.grading.result import Provenance, Result, SubmissionRecord, ValidationResult, on_validation, part_results
from tlcourse.grading.rules import rules_of
from tlcourse.sandbox.choose import choose
from tlcourse.sandbox.view import refuse_what_is_private
from tlcourse.storage import scratch_folder

__all__ = [
    "PUBLIC_SEED",
    "Grading",
    "OnEvent",
    "Options",
    "Runner",
    "further_seed",
    "grade",
    "private_of",
    "run",
    "task_seed",
]


def grade(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent = lambda _: None) -> Result:
    """Run a submission and score it; raises SubmissionError, UnableError, and InfraError for a broken grader."""
    return _carry_out(exercise, path, options, on_event, scored=True)


def run(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent = lambda _: None) -> Result:
    """Run a submission's `fit` and try its outputs; nothing is scored, and the checks stay empty."""
    return _carry_out(exercise, path, options, on_event, scored=False)


def _carry_out(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent, *, scored: bool) -> Result:
    started = _now()
    require_packages(exercise.about)
    sandbox, missing = choose(options.sandbox_kind, gpu=uses_gpu(options.device))
    if sandbox.name != "none":
        refuse_what_is_private(private_of(exercise))
    with scratch_folder("submission") as folder:
        starter = exercise.folder / "starter.py"
        private = private_of(exercise)
        about = exercise.about if scored or not exercise.about.is_run else None  # a report alone cannot be run
        submission = collect(path, folder, starter=starter, own=True, private=private, about=about)
        grading = Grading(exercise, options, lambda spec, tell: run_job(spec, sandbox, tell))
        result = grading.result(submission, on_event, started=started, scored=scored)
        outside = _outside(submission.folder, exercise)
    return _with_notice(_with_notice(result, missing), outside)


def private_of(exercise: LoadedExercise) -> list[tuple[str, Path]]:
    """What of an exercise no submission may read: its name in a message, and its path."""
    return [("The course's folder of graders", exercise.staff)] if exercise.staff.is_dir() else []


def _outside(folder: Path, exercise: LoadedExercise) -> str:
    """That a solution imports what another machine may not have; "" where it does not."""
    known = {*packages(exercise.about), *STAND_INS, *sys.stdlib_module_names, "tlcourse"}
    if not (names := sorted(imported(folder) - known)):
        return ""
    return (
        f"Notice: it imports {shown(', '.join(names))}, which the machine that grades may not have: `tlcourse exercise "
        f"show {exercise.about.id}` lists the packages that every grading has."
    )


class Grading:
    """Grades collected submissions of one exercise, one after another or from several threads at once."""

    def __init__(self, exercise: LoadedExercise, options: Options, run: Runner, grader: Grader | None = None) -> None:
        """`grader`: one that keeps what it drew, for a batch; else the exercise's own."""
        self._exercise = exercise
        self._run = run
        self._grader = grader or (Grader(exercise) if exercise.is_measured else None)
        self._options = replace(options, variant=choose_variant(exercise, options.variant))

    def result(
        self, submission: Submission, on_event: OnEvent, *, started: str, scored: bool = True, whose: str = ""
    ) -> Result:
        """The verdict of a submission, or with `scored` false how its code ran.

        `whose` tells hand-ins of one class apart: each is given its test inputs in another order, copies as well.
        """
        grader, about = self._grader, self._exercise.about
        if scored and grader is None and not about.all_by_hand:
            grader = Grader(self._exercise)  # which says what is missing
        marking = Marking(self._exercise, submission, grader, self._options, self._run, on_event, scored, whose)
        marked = list(_marked(marking))
        outcome = _outcome(marked)
        checks = [check for one in marked for check in one.checks] if outcome != "infra" else []
        order = {rule.id: number for number, rule in enumerate(about.checks)}
        checks.sort(key=lambda check: order[check.id])
        if checks and grader and grader.on_validation and about.model:
            checks = [replace(check, title=on_validation(check.title)) for check in checks]
        failed = {one.part: (one.outcome, one.message) for one in marked if one.message}
        said = [f"{one.part}: {text}" if len(marked) > 1 else text for one in marked for text in one.said]
        if checks and grader and grader.on_validation:
            said.append(ON_VALIDATION if about.model else WITHOUT_HIDDEN)
        validation = next((one.validation for one in marked if one.validation), None) if checks else None
        return Result(
            exercise=about.id,
            variant=self._options.variant,
            submission=SubmissionRecord(_text(submission.origin), submission.sha256),
            outcome=outcome,
            points=sum((check.points for check in checks), 0.0),
            max_points=about.checked_points,
            checks=checks,
            parts=part_results(about, checks, outcome=outcome, failed=failed),
            runs=[record for one in marked for record in one.runs],
            messages=[*submission.notices, *([_for_the_board(validation)] if validation else []), *said],
            provenance=self._provenance(marked, grader),
            started_at=started,
            finished_at=_now(),
            problem=next((one.problem for one in marked if one.problem), ""),
            metrics=next((one.metrics for one in marked if one.metrics), []),
            error_analysis=next((one.error_analysis for one in marked if one.error_analysis), None),
            validation=validation,
        )

    def _provenance(self, marked: Sequence[Marked], grader: Grader | None) -> Provenance:
        return Provenance(
            tlcourse=__version__,
            torch=next((one.torch for one in marked if one.torch), ""),
            grader_sha256=grader.sha256 if grader else "",
            data_sha256=next((one.data_sha256 for one in marked if one.data_sha256), ""),
            python=platform.python_version(),
            machine=platform.machine(),
            seed_source=self._options.seed_source,
            public_files_sha256=grader.files_sha256[0] if grader else "",
            hidden_files_sha256=grader.files_sha256[1] if grader else "",
            on_validation=bool(grader and grader.on_validation),
            rules=rules_of(self._exercise),
        )


ON_VALIDATION = (
    "Measured on validation data: the hidden data of this exercise stay with the staff of your course, and marks are "
    "measured on those."
)
WITHOUT_HIDDEN = (
    "Measured without the hidden tests of this exercise: those stay with the staff of your course, and marks are "
    "measured with them."
)


def _for_the_board(found: ValidationResult) -> str:
    low, high = found.interval
    measured = f"{found.check} on {found.n} validation items: {found.value:.3g} (95 %: {low:.3g} to {high:.3g})"
    return f"{measured}. A board goes by that, and no mark."


def _marked(marking: Marking) -> Iterator[Marked]:
    """What came of each part that people do not mark."""
    has_code = (marking.submission.folder / SOLUTION).is_file()
    for part in marking.exercise.about.parts:
        if isinstance(part, ModelPart | FunctionsPart) and not has_code:
            yield Marked(part.id, "fail", message=f"No {SOLUTION} was handed in.")
        elif isinstance(part, ModelPart):
            yield from model.mark(marking, part)
        elif isinstance(part, FunctionsPart) and not part.after:
            yield functions.mark(marking, part)
        elif isinstance(part, PredictionsPart):
            yield predictions.mark(marking, part)


def _outcome(marked: Sequence[Marked]) -> Outcome:
    """The worst of the parts: ours first, then how a run ended, then what was missed."""
    ended = [one.outcome for one in marked]
    for worst in ("infra", *(outcome for outcome in ended if outcome not in ("pass", "fail", "ran")), "fail", "pass"):
        if worst in ended:
            return worst
    return "ran"


def _text(path: Path) -> str:
    """A path as text that can be encoded: bytes that are not UTF-8 become escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _with_notice(result: Result, notice: str) -> Result:
    return replace(result, messages=[*result.messages, notice]) if notice else result


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
