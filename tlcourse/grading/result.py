"""The result document: what `--json` prints, and what a record of the gradebook holds. Types only."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from tlcourse.execution.spec import Outcome


class CheckResult(Struct, frozen=True):
    """One scored requirement."""

    id: str
    title: str
    passed: bool
    value: float
    interval: tuple[float, float]
    threshold: float
    accepted: float
    """The value that suffices: the threshold, moved by what chance explains at 99 %."""
    n: int
    points: float
    max_points: float
    direction: str = "at_least"
    unit: str = ""
    message: str = ""
    status: Literal["met", "in doubt", "missed"] = "met"
    """`in doubt`: it lies below the bar by no more than chance explains, and passes for that reason."""


class RunRecord(Struct, frozen=True):
    """One run of the submission, as measured from outside."""

    seed: int
    """Of its data; in what a batch with a secret keeps, the number of the run instead."""
    where: str
    sandbox: str
    device: str
    threads: int
    wall_time_s: float
    cpu_s: float
    peak_rss_mb: float
    fit_s: float
    log: str = ""
    probes: dict[str, float] = {}
    values: dict[str, float] = {}
    """What each check measured in this run alone."""


class SubmissionRecord(Struct, frozen=True):
    """What was graded."""

    path: str
    sha256: str


class Provenance(Struct, frozen=True):
    """What is needed to repeat the verdict."""

    tlcourse: str
    torch: str
    grader_sha256: str
    data_sha256: str
    python: str = ""
    machine: str = ""
    seed_source: str = "public"


class Result(Struct, frozen=True, kw_only=True):
    """A verdict."""

    schema: int = 1
    exercise: str
    variant: str
    submission: SubmissionRecord
    outcome: Outcome
    points: float
    max_points: float
    checks: list[CheckResult]
    runs: list[RunRecord]
    messages: list[str]
    provenance: Provenance
    started_at: str
    finished_at: str
    problem: str = ""
    """The student's own traceback or syntax error; empty where there is none."""
    metrics: list[dict[str, Any]] = []
