"""What it takes to mark one part of a hand-in, and what comes of it; each kind has a file beside this one.

`model.mark`, `functions.mark` and `predictions.mark` take a `Marking` and give a `Marked` for each part that they
marked. What is marked by hand (`manual.py`) is no matter of a run: its points stand in the gradebook.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.model import Exercise, LoadedExercise
from tlcourse.course.spec import Limits
from tlcourse.data.synthetic import derived_seed
from tlcourse.execution.spec import Outcome, RunReport, RunSpec
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.submission import Submission
from tlcourse.grading.options import Options
from tlcourse.grading.result import CheckResult, RunRecord, ValidationResult
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis
from tlcourse.grading.scoring.measurement import Measurement

OnEvent = Callable[[dict[str, Any]], None]
Runner = Callable[[RunSpec, OnEvent], RunReport]
"""Where a run takes place: in a sandbox of this machine, in a pool, on a cluster."""


class Marking(Struct, frozen=True):
    """A hand-in whose parts are to be marked."""

    exercise: LoadedExercise
    submission: Submission
    grader: Grader | None
    """None where nothing is to be scored, in a copy of the course without graders."""
    options: Options
    """With the seed of the first run, and a variant that is chosen."""
    run: Runner
    on_event: OnEvent
    scored: bool
    """False for `tlcourse run`: the code is run and tried, and nothing measured."""
    whose: str = ""
    """Tells hand-ins of one class apart: each is given its inputs in another order, copies as well."""

    @property
    def order(self) -> str:
        """The purpose of the number that decides on that order (`told`)."""
        return f"order of {self.submission.sha256} of {self.whose} in"


class Marked(Struct, frozen=True):
    """What came of one part."""

    part: str
    outcome: Outcome
    """`pass` or `fail` where checks were decided on, `ran` where nothing was scored, else how its run ended."""
    checks: list[CheckResult] = []
    """All checks of the part, or none where nothing could be measured."""
    message: str = ""
    """Why nothing could be measured; empty where it was."""
    messages: list[str] = []
    """What else is to be said, for the student to read."""
    runs: list[RunRecord] = []
    data_sha256: str = ""
    torch: str = ""
    problem: str = ""
    """The student's own traceback, or syntax error."""
    metrics: list[dict[str, Any]] = []
    error_analysis: ErrorAnalysis | None = None
    validation: ValidationResult | None = None

    @property
    def said(self) -> list[str]:
        """All that is to be read about it beside its checks."""
        return [self.message] if self.message else self.messages


def verdict_on(checks: list[CheckResult]) -> Outcome:
    """`pass` where everything passed that is needed."""
    return "pass" if all(check.passed for check in checks if not check.bonus) else "fail"


def further_seed(seed: int, number: int) -> int:
    """The seed of run `number` after the first: far from the seeds that people type."""
    return derived_seed(seed, f"run {number} after the first")


def task_seed(options: Options) -> int:
    """What `task.seed` is, 31 bits: no guess at the data's seed can be tested against it, without the run key."""
    return told(options, "task.seed") % 2**31


def told(options: Options, purpose: str) -> int:
    """A number for a run, 63 bits of HMAC-SHA256 with the run key."""
    digest = hmac.new(options.run_key.encode(), f"{purpose} {options.seed}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def record_of(
    report: RunReport, seed: int, options: Options, about: Exercise, measured: Mapping[str, Measurement], part: str
) -> RunRecord:
    """A run as a result keeps it; `part` is whose it was."""
    return RunRecord(
        seed=seed,
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
        values={name: found.value for name, found in measured.items()},
        reference_s=round(report.usage.reference_s, 3),
        fit_reference_s=round(report.usage.fit_reference_s, 3),
        speed=round(report.usage.speed, 4),
        seconds=about.seconds,
        limit_s=about.limits.cpu_s,
        part=part if len(about.parts) > 1 else "",
    )


def limits_of(about: Exercise, options: Options) -> Limits:
    """What a run may use: as the exercise says, unless somebody gave it another time by the clock."""
    return replace(about.limits, wall_time_s=options.wall_time_s) if options.wall_time_s else about.limits
