"""One run of a submission on the data of one seed: data here, training in a sandbox, measuring here again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.model import LoadedExercise
from tlcourse.course.spec import TaskSpec
from tlcourse.data import variants, weights
from tlcourse.execution.arrays import BadArraysError, read_predictions
from tlcourse.execution.spec import RunReport, RunSpec, RunStatus
from tlcourse.grading.grader import Data, Grader, public_data
from tlcourse.grading.intake.submission import Submission
from tlcourse.grading.scoring.measurement import Measurement

OnEvent = Callable[[dict[str, Any]], None]
Runner = Callable[[RunSpec, OnEvent], RunReport]
"""Where a job runs: in a sandbox of this machine, in a pool, on a cluster."""


class Settings(Struct, frozen=True):
    """What is the same for all runs of a grading."""

    variant: str
    device: str
    threads: int
    wall_time_s: float | None = None
    sandbox_kind: str = "auto"


class MeasuredRun(Struct, frozen=True):
    """How one run ended, and what was measured on its predictions (nothing, unless it ended as `done`)."""

    seed: int
    data_sha256: str
    report: RunReport
    status: RunStatus
    message: str
    measured: Mapping[str, Measurement]


def run_and_measure(
    exercise: LoadedExercise,
    submission: Submission,
    grader: Grader | None,
    seed: int,
    settings: Settings,
    run: Runner,
    on_event: OnEvent,
    *,
    scored: bool,
) -> MeasuredRun:
    """Train on the data of `seed`; with `scored` also predict its test inputs, and measure the predictions."""
    data = grader.make(seed, settings.variant) if grader else public_data(exercise, seed, settings.variant)
    order = np.random.default_rng([seed, 1]).permutation(len(data.test["x"]) if data.test else 0)
    job = _job(exercise, submission, data, order, seed, settings, scored=scored)
    report = run(job, on_event)
    if report.status != "done" or grader is None or not scored:
        return MeasuredRun(seed, data.sha256, report, report.status, report.message, {})
    try:
        predictions = _in_order(read_predictions(report.results, len(order), job.task_spec.outputs), order)
    except BadArraysError as error:
        return MeasuredRun(seed, data.sha256, report, "invalid", f"{error}.", {})
    measured = grader.measure(data.test, predictions, report.probes)
    return MeasuredRun(seed, data.sha256, report, "done", report.message, measured)


def further_seed(seed: int, number: int) -> int:
    """The seed of run `number` after the first: far from the seeds that people type."""
    digest = hashlib.sha256(f"run {number} after {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def fit_seed(seed: int) -> int:
    """What `task.seed` is: told apart from the data's seed, because a submission that knew that could draw the test."""
    return int.from_bytes(hashlib.sha256(f"fit {seed}".encode()).digest()[:4], "little") % 2**31


def _in_order(shuffled: Mapping[str, np.ndarray[Any, Any]], order: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Predictions back beside their labels."""
    predictions = {}
    for name, array in shuffled.items():
        predictions[name] = np.empty_like(array)
        predictions[name][order] = array
    return predictions


def _job(
    exercise: LoadedExercise,
    submission: Submission,
    data: Data,
    order: np.ndarray[Any, Any],
    seed: int,
    settings: Settings,
    *,
    scored: bool,
) -> RunSpec:
    about = exercise.about
    limits = replace(about.limits, wall_time_s=settings.wall_time_s) if settings.wall_time_s else about.limits
    task_spec = TaskSpec(
        exercise=about.id,
        variant=settings.variant,
        targets=about.targets,
        outputs=about.outputs,
        seed=fit_seed(seed),
        seconds=about.seconds,
        device=settings.device,
        threads=settings.threads,
        predict=scored,
    )
    return RunSpec(
        task_spec=task_spec,
        submission=submission.folder,
        train=data.train,
        val=data.val,
        test_inputs=data.test_inputs(order) if scored else None,
        limits=limits,
        sandbox_kind=settings.sandbox_kind,
        files=weights.for_submission(submission.folder) if settings.variant == variants.FULL else {},
    )
