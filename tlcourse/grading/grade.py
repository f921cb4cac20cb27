"""Grading one submission: collected, run in a sandbox – after a near miss with further seeds – and decided."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse import __version__
from tlcourse.course.exercise import packages, require_packages
from tlcourse.course.model import Exercise, LoadedExercise
from tlcourse.course.spec import TaskSpec
from tlcourse.data import FULL, choose_variant
from tlcourse.data.real import weights
from tlcourse.data.synthetic import derived_seed
from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.arrays import BadArraysError, order_of, read_predictions
from tlcourse.execution.gpu import uses_gpu
from tlcourse.execution.spec import Outcome, RunReport, RunSpec, RunStatus
from tlcourse.execution.supervise import run as run_job
from tlcourse.execution.worker.stand_ins import TOP_LEVEL as STAND_INS
from tlcourse.grading.grader import Data, Grader, public_data
from tlcourse.grading.graph import OfGraph, measured_on_graph
from tlcourse.grading.intake.beside import imported
from tlcourse.grading.intake.names import shown
from tlcourse.grading.intake.submission import Submission, collect
from tlcourse.grading.result import CheckResult, Provenance, Result, RunRecord, SubmissionRecord, part_results
from tlcourse.grading.scoring.decide import decide, few_items, is_near_miss
from tlcourse.grading.scoring.error_analysis import ITEMS, ErrorAnalysis
from tlcourse.grading.scoring.measurement import Measurement
from tlcourse.sandbox.choose import choose
from tlcourse.sandbox.view import refuse_what_is_private
from tlcourse.storage import scratch_folder
from tlcourse.text import sentence

_log = logging.getLogger(__name__)
OnEvent = Callable[[dict[str, Any]], None]
Runner = Callable[[RunSpec, OnEvent], RunReport]
"""Where a run takes place: in a sandbox of this machine, in a pool, on a cluster."""


PUBLIC_SEED = 20260


class Options(Struct, frozen=True):
    """How to run a submission."""

    variant: str = "auto"
    sandbox_kind: str = "auto"
    device: str = "auto"
    threads: int = 2
    seed: int = PUBLIC_SEED
    seed_source: str = "public"
    run_key: str = ""
    """What runs are told is derived from it (`secret.run_key`); empty where the seed is public, and hides nothing."""
    wall_time_s: float | None = None
    where: str = "local"


def grade(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent = lambda _: None) -> Result:
    """Run a submission and score it; raises SubmissionError, UnableError, and InfraError for a broken grader."""
    return _carry_out(exercise, path, options, on_event, scored=True)


def run(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent = lambda _: None) -> Result:
    """Run a submission's `fit` and try its outputs; nothing is scored, and the checks stay empty."""
    return _carry_out(exercise, path, options, on_event, scored=False)


def _carry_out(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent, *, scored: bool) -> Result:
    started = _now()
    sandbox, missing = choose(options.sandbox_kind, gpu=uses_gpu(options.device))
    if exercise.grader and sandbox.name != "none":
        refuse_what_is_private(private_of(exercise))
    with scratch_folder("submission") as folder:
        require_packages(exercise.about)
        starter = exercise.folder / "starter.py"
        submission = collect(path, folder, starter=starter, own=True, private=private_of(exercise))
        grading = Grading(exercise, options, lambda spec, tell: run_job(spec, sandbox, tell))
        result = grading.result(submission, on_event, started=started, scored=scored)
        outside = _outside(submission.folder, exercise)
    return _with_notice(_with_notice(result, missing), outside)


def private_of(exercise: LoadedExercise) -> list[tuple[str, Path]]:
    """What of an exercise no submission may read: its name in a message, and its path."""
    return [("The course's folder of graders", exercise.grader.parent)] if exercise.grader else []


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
        self._options = options
        self._run = run
        self._grader = grader or (Grader(exercise) if exercise.grader else None)
        self._variant = choose_variant(exercise.about, options.variant)

    def result(
        self, submission: Submission, on_event: OnEvent, *, started: str, scored: bool = True, whose: str = ""
    ) -> Result:
        """The verdict of a submission, or with `scored` false how its `fit` ended.

        `whose` tells hand-ins of one class apart: each is given its test inputs in another order, copies as well.
        """
        grader = self._grader
        if scored and grader is None:
            grader = Grader(self._exercise)  # which says what is missing
        attempts = self._attempts(submission, grader, on_event, scored=scored, whose=whose)
        for one in attempts:
            _raise_for_missing_device(one.report, self._options.device)
        outcome, messages, checks = self._decide(attempts, scored=scored)
        last = attempts[-1].report
        return Result(
            exercise=self._exercise.about.id,
            variant=self._variant,
            submission=SubmissionRecord(_text(submission.origin), submission.sha256),
            outcome=outcome,
            points=sum(check.points for check in checks),
            max_points=self._exercise.about.checked_points,
            checks=checks,
            parts=part_results(self._exercise.about, checks, outcome=outcome),
            runs=[_record(one, self._options, self._exercise.about) for one in attempts],
            messages=[*submission.notices, *messages],
            provenance=self._provenance(attempts[0], grader),
            started_at=started,
            finished_at=_now(),
            problem=last.problem.trace if last.problem else "",
            metrics=attempts[0].report.metrics,
            error_analysis=attempts[0].error_analysis,
        )

    def _attempts(
        self, submission: Submission, grader: Grader | None, on_event: OnEvent, *, scored: bool, whose: str
    ) -> list[MeasuredRun]:
        """One run; after a near miss as many as the exercise allows."""

        def one(seed: int) -> MeasuredRun:
            return run_and_measure(
                self._exercise,
                submission,
                grader,
                replace(self._options, seed=seed, variant=self._variant),
                self._run,
                on_event,
                scored=scored,
                whose=whose,
            )

        first = one(self._options.seed)
        rules, policy = self._exercise.about.checks, self._exercise.about.policy
        if first.status != "done" or not first.measured or not is_near_miss(rules, first.measured, policy):
            return [first]
        seeds = [further_seed(self._options.seed, i) for i in range(1, policy.seeds)]
        return [first, *map(one, seeds)]

    def _decide(self, attempts: list[MeasuredRun], *, scored: bool) -> tuple[Outcome, list[str], list[CheckResult]]:
        """The outcome, messages, and the checks: from all runs that gave predictions."""
        failed = next((one for one in attempts if one.status == "infra"), None)
        if attempts[0].status != "done":
            failed = attempts[0]
        if failed is not None and failed.status != "done":
            return failed.status, [sentence(failed.message)], []
        if not scored:
            return "ran", ["fit returned a module whose outputs have the right shapes; nothing was scored."], []
        about, done = self._exercise.about, [one for one in attempts if one.status == "done"]
        messages = []
        if len(attempts) > 1:
            messages.append(
                f"The first run missed a bar by so little that chance may explain it; "
                f"{len(done)} runs with different seeds were decided on together."
            )
        messages += [f"A further run ended as {one.status}: {one.message}" for one in attempts if one not in done]
        messages += few_items(about.checks, done[0].measured)
        messages += dict.fromkeys(one.of_graph.in_words() for one in done if one.of_graph)
        checks = decide(about.checks, [one.measured for one in done], about.policy)
        messages += [
            f"{check.id} misses its bar by no more than chance explains with n = {check.n}: the doubt is yours."
            for check in checks
            if check.status == "in doubt"
        ]
        return ("pass" if all(check.passed for check in checks) else "fail"), messages, checks

    def _provenance(self, first: MeasuredRun, grader: Grader | None) -> Provenance:
        return Provenance(
            tlcourse=__version__,
            torch=first.report.torch,
            grader_sha256=grader.sha256 if grader else "",
            data_sha256=first.data_sha256,
            python=platform.python_version(),
            machine=platform.machine(),
            seed_source=self._options.seed_source,
        )


def _record(one: MeasuredRun, options: Options, about: Exercise) -> RunRecord:
    report = one.report
    return RunRecord(
        seed=one.seed,
        where=report.where or options.where,
        sandbox=report.sandbox,
        device=report.device,
        threads=options.threads,
        wall_time_s=round(report.usage.wall_time_s, 3),
        cpu_s=round(report.usage.cpu_s, 3),
        peak_rss_mb=round(report.usage.peak_rss_mb, 1),
        fit_s=math.ceil(report.usage.fit_s * 1000) / 1000,  # up: above 0 says that fit returned, however quickly
        log=report.log,
        probes=dict(report.probes),
        values={name: found.value for name, found in one.measured.items()},
        reference_s=round(report.usage.reference_s, 3),
        fit_reference_s=round(report.usage.fit_reference_s, 3),
        speed=round(report.usage.speed, 4),
        seconds=about.seconds,
        limit_s=about.limits.cpu_s,
    )


def _raise_for_missing_device(report: RunReport, device: str) -> None:
    if report.problem and report.problem.kind == "no_device" and not report.device:
        raise UnableError(
            f"{device} cannot be used here: {report.problem.message}.",
            cause="there is no such device, its driver is missing, or this torch was built without it.",
            remedy="leave --device away, or say --device cpu; tlcourse doctor shows what torch sees.",
        )


def _text(path: Path) -> str:
    """A path as text that can be encoded: bytes that are not UTF-8 become escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _with_notice(result: Result, notice: str) -> Result:
    return replace(result, messages=[*result.messages, notice]) if notice else result


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class MeasuredRun(Struct, frozen=True):
    """How one run ended, and what was measured on its predictions (nothing, unless it ended as `done`)."""

    seed: int
    data_sha256: str
    report: RunReport
    status: RunStatus
    message: str
    measured: Mapping[str, Measurement]
    of_graph: OfGraph | None = None
    """What was measured on the module's graph; None where none was asked for."""
    error_analysis: ErrorAnalysis | None = None


def run_and_measure(
    exercise: LoadedExercise,
    submission: Submission,
    grader: Grader | None,
    options: Options,
    run: Runner,
    on_event: OnEvent,
    *,
    scored: bool,
    whose: str = "",
) -> MeasuredRun:
    """Train on the data of `options.seed`; with `scored` also predict its test inputs, and measure the predictions."""
    seed = options.seed
    data = grader.make(seed, options.variant) if grader else public_data(exercise, seed, options.variant)
    analysed = min(len(data.val["x"]), ITEMS) if scored and grader and grader.analyses_errors else 0
    spec = _spec(exercise, submission, data, options, scored=scored, whose=whose, analysed=analysed)
    report = run(spec, on_event)
    if report.status != "done" or grader is None or not scored:
        return MeasuredRun(seed, data.sha256, report, report.status, report.message, {})
    try:
        order = order_of(spec.order_seed, len(data.test["x"]))
        predictions = _in_order(read_predictions(report.results, len(order), spec.task_spec.outputs), order)
    except BadArraysError as error:
        return MeasuredRun(seed, data.sha256, report, "invalid", f"{error}.", {})
    of_graph = None
    if spec.task_spec.graph and report.probes.get("shared_share") != 0:  # nobody forges that they share nothing
        of_graph = measured_on_graph(spec, report, run)
    probes = report.probes
    if of_graph and of_graph.probes:
        probes, predictions = of_graph.probes, _in_order(of_graph.predictions, order)
    try:
        measured = grader.measure(data.test, predictions, probes)
    except InfraError as error:  # this hand-in's alone: whatever it predicted, it is no reason to stop the others
        return MeasuredRun(seed, data.sha256, report, "infra", error.what, {})
    if of_graph and of_graph.probes:
        measured = {name: replace(one, self_reported=False) for name, one in measured.items()}
    errors = _errors_on_validation(grader, data, spec, report)
    return MeasuredRun(seed, data.sha256, report, "done", report.message, measured, of_graph, errors)


def _errors_on_validation(grader: Grader, data: Data, spec: RunSpec, report: RunReport) -> ErrorAnalysis | None:
    """What went most wrong on validation items; None where that cannot be said, whatever the reason.

    The predictions were made before the run was given its test inputs, so that nothing of those can be in them. They
    count for nothing: what is wrong with them, or with the grader's view of them, ends no grading.
    """
    n = spec.task_spec.val_predictions
    if not n or not report.val_predictions:
        return None
    try:
        predictions = read_predictions(report.val_predictions, n, spec.task_spec.outputs)
        return grader.analyse_errors({name: array[:n] for name, array in data.val.items()}, predictions)
    except (BadArraysError, InfraError) as error:
        _log.warning("no error analysis: %s", error)
        return None


def further_seed(seed: int, number: int) -> int:
    """The seed of run `number` after the first: far from the seeds that people type."""
    return derived_seed(seed, f"run {number} after the first")


def task_seed(options: Options) -> int:
    """What `task.seed` is, 31 bits: no guess at the data's seed can be tested against it, without the run key."""
    return _told(options, "task.seed") % 2**31


def _told(options: Options, purpose: str) -> int:
    """A number for a run, 63 bits of HMAC-SHA256 with the run key."""
    digest = hmac.new(options.run_key.encode(), f"{purpose} {options.seed}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _in_order(shuffled: Mapping[str, np.ndarray[Any, Any]], order: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Predictions back beside their labels."""
    predictions = {}
    for name, array in shuffled.items():
        predictions[name] = np.empty_like(array)
        predictions[name][order] = array
    return predictions


def _spec(
    exercise: LoadedExercise,
    submission: Submission,
    data: Data,
    options: Options,
    *,
    scored: bool,
    whose: str,
    analysed: int,
) -> RunSpec:
    about = exercise.about
    limits = replace(about.limits, wall_time_s=options.wall_time_s) if options.wall_time_s else about.limits
    task_spec = TaskSpec(
        exercise=about.id,
        variant=options.variant,
        targets=about.targets,
        outputs=about.outputs,
        seed=task_seed(options),
        seconds=about.seconds,
        device=options.device,
        threads=options.threads,
        predict=scored,
        graph=about.graph,
        val_predictions=analysed,
    )
    return RunSpec(
        task_spec=task_spec,
        submission=submission.folder,
        train=data.train,
        val=data.val,
        test_inputs=data.test_inputs if scored else None,
        order_seed=_told(options, f"order of {submission.sha256} of {whose} in"),
        limits=limits,
        sandbox_kind=options.sandbox_kind,
        wall_time_given=options.wall_time_s is not None,
        files=weights.for_submission(submission.folder) if options.variant == FULL else {},
    )
