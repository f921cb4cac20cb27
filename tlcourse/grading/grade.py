"""Grading one submission: data here, training behind a wall, scoring here again."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from tlcourse import __version__
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UnableError
from tlcourse.execution.arrays import BadArraysError, read_predictions
from tlcourse.execution.job import Brief, Caps, Job, Outcome, OutputSpec, RunReport
from tlcourse.execution.scratch import scratch_folder
from tlcourse.execution.supervise import run as run_job
from tlcourse.execution.walls.choose import choose
from tlcourse.grading.decision import decide
from tlcourse.grading.grader import Data, Grader, public_data
from tlcourse.grading.result import CheckResult, Provenance, Result, RunRecord, SubmissionRecord
from tlcourse.grading.submission import Submission, collect

PUBLIC_SEED = 20260
OnEvent = Callable[[dict[str, Any]], None]


class Options(Struct, frozen=True):
    """How to run a submission."""

    variant: str = "auto"
    isolation: str = "auto"
    device: str = "auto"
    threads: int = 2
    seed: int = PUBLIC_SEED
    seed_source: str = "public"
    wall_s: float | None = None


def grade(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent = lambda _: None) -> Result:
    """Run a submission and score it; raises SubmissionError, UnableError, and InfraError for a broken grader."""
    return _carry_out(exercise, path, options, on_event, scored=True)


def run(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent = lambda _: None) -> Result:
    """Run a submission's `fit` and try its outputs; nothing is scored, and the checks stay empty."""
    return _carry_out(exercise, path, options, on_event, scored=False)


def _carry_out(exercise: LoadedExercise, path: Path, options: Options, on_event: OnEvent, *, scored: bool) -> Result:
    started = _now()
    wall, missing = choose(options.isolation)
    grader = Grader(exercise) if scored or exercise.grader else None
    variant = "mini" if options.variant == "auto" else options.variant
    with scratch_folder("submission") as folder:
        submission = collect(path, folder)
        data = grader.make(options.seed, variant) if grader else public_data(exercise, options.seed)
        order = np.random.default_rng([options.seed, 1]).permutation(len(data.test["x"]) if data.test else 0)
        job = _job(exercise, submission, data, order, variant, options, scored=scored)
        report = run_job(job, wall, on_event)
    if report.problem and report.problem.kind == "no_device" and not report.device:
        raise UnableError(
            f"{options.device} cannot be used here: {report.problem.message}.",
            cause="there is no such device, its driver is missing, or this torch was built without it.",
            remedy="leave --device away, or say --device cpu; tlcourse doctor shows what torch sees.",
        )
    outcome, message, checks = _score(exercise, grader if scored else None, data, order, report)
    return Result(
        exercise=exercise.about.id,
        variant=variant,
        submission=SubmissionRecord(str(path), submission.sha256),
        outcome=outcome,
        points=sum(check.points for check in checks),
        max_points=sum(rule.points for rule in exercise.about.checks),
        checks=checks,
        runs=[_record(report, options)],
        messages=[*submission.notices, *filter(None, [missing, message])],
        provenance=_provenance(grader, data, report, options),
        started_at=started,
        finished_at=_now(),
        problem=report.problem.trace if report.problem else "",
        metrics=report.metrics,
    )


def _job(
    exercise: LoadedExercise,
    submission: Submission,
    data: Data,
    order: np.ndarray[Any, Any],
    variant: str,
    options: Options,
    *,
    scored: bool,
) -> Job:
    about = exercise.about
    limits = about.limits
    return Job(
        brief=Brief(
            exercise=about.id,
            variant=variant,
            targets=tuple(about.targets),
            outputs=tuple(OutputSpec(output.name, tuple(output.shape)) for output in about.outputs),
            seed=_fit_seed(options.seed),
            seconds=about.seconds,
            device=options.device,
            threads=options.threads,
            predict=scored,
        ),
        submission=submission.folder,
        train=data.train,
        val=data.val,
        test_inputs=data.test_inputs(order) if scored else None,
        caps=Caps(
            wall_s=options.wall_s or limits.wall_s,
            cpu_s=limits.cpu_s,
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            scratch_mb=limits.scratch_mb,
            output_kb=limits.output_kb,
        ),
        isolation=options.isolation,
    )


def _fit_seed(seed: int) -> int:
    """What `task.seed` is: told apart from the data's seed, because a submission that knew that could draw the test."""
    return int.from_bytes(hashlib.sha256(f"fit {seed}".encode()).digest()[:4], "little") % 2**31


def _score(
    exercise: LoadedExercise,
    grader: Grader | None,
    data: Data,
    order: np.ndarray[Any, Any],
    report: RunReport,
) -> tuple[Outcome, str, list[CheckResult]]:
    """The outcome, a message, and the checks: from the arrays alone, in this process."""
    if report.ending != "done":
        return report.ending, report.message, []
    if grader is None:
        return "pass", "fit returned a module whose outputs have the right shapes; nothing was scored.", []
    specs = [OutputSpec(output.name, tuple(output.shape)) for output in exercise.about.outputs]
    try:
        shuffled = read_predictions(report.results, len(order), specs)
    except BadArraysError as error:
        return "invalid", f"{error}.", []
    predictions = {}
    for name, array in shuffled.items():
        predictions[name] = np.empty_like(array)
        predictions[name][order] = array
    checks = decide(exercise.about.checks, grader.measure(data.test, predictions, report.evidence))
    return ("pass" if all(check.passed for check in checks) else "fail"), "", checks


def _record(report: RunReport, options: Options) -> RunRecord:
    return RunRecord(
        seed=options.seed,
        where="local",
        isolation=report.wall,
        device=report.device,
        threads=options.threads,
        wall_s=round(report.usage.wall_s, 3),
        cpu_s=round(report.usage.cpu_s, 3),
        peak_rss_mb=round(report.usage.peak_rss_mb, 1),
        fit_s=round(report.usage.fit_s, 3),
        log=report.log,
        evidence=dict(report.evidence),
    )


def _provenance(grader: Grader | None, data: Data, report: RunReport, options: Options) -> Provenance:
    return Provenance(
        tlcourse=__version__,
        torch=report.torch,
        grader_sha256=grader.sha256 if grader else "",
        data_sha256=data.sha256,
        python=platform.python_version(),
        machine=platform.machine(),
        seed_source=options.seed_source,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
