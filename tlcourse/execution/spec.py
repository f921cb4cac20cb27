"""One execution of a submission: what to run, with what, under which limits – and how it ended. Types only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from tlcourse.course.spec import Limits, TaskSpec

Outcome = Literal["pass", "fail", "ran", "crash", "timeout", "memory", "output", "invalid", "infra"]
"""How a grading ended; `ran`: `fit` returned and nothing was scored."""
RunStatus = Literal["done", "crash", "timeout", "memory", "output", "invalid", "infra"]
"""How a run ended: `done` gave predictions, which may still be wrong. `infra` is ours, the others the submission's."""


class RunSpec(Struct, frozen=True):
    """A submission folder that holds `solution.py`, its data, and its limits."""

    task_spec: TaskSpec
    submission: Path
    train: Mapping[str, Any]
    val: Mapping[str, Any]
    test_inputs: Mapping[str, Any] | None
    """Handed over only after `fit` has returned; None where nothing is to be predicted."""
    limits: Limits
    order_seed: int | None = None
    """Of the order in which this run alone is given its test inputs, and gives predictions (`arrays.order_of`)."""
    sandbox_kind: str = "auto"
    env: Mapping[str, str] = {}
    files: Mapping[str, Path] = {}
    """Further files that the worker may read: path below its inputs → file here. Pretrained weights come so, and the
    files of `exercises/NAME/data`."""
    wall_time_given: bool = False
    """Somebody said how long it may last by the clock: that holds as it is, on a slow machine too."""


class Problem(Struct, frozen=True):
    """What the worker says went wrong: for the student to read, never to be scored on."""

    kind: Literal["syntax", "no_fit", "exception", "contract", "no_device"]
    message: str
    trace: str = ""


class Usage(Struct, frozen=True):
    """What a run used, as seen from outside."""

    wall_time_s: float = 0.0
    cpu_s: float = 0.0
    peak_rss_mb: float = 0.0
    fit_s: float = 0.0
    reference_s: float = 0.0
    """CPU seconds per thread of the reference machine; on a GPU seconds of the clock."""
    fit_reference_s: float = 0.0
    """Of these, what `fit` used."""
    speed: float = 0.0
    """How fast the machine was with these threads, in reference machines; 0 where the clock was used."""


class Checked(Struct, frozen=True):
    """What the worker says of one check of a method that was written: for the student to read, and never a mark."""

    id: str
    status: Literal["pass", "fail", "error", "todo", "slow"]
    """`error`: the student's code raised something; `todo`: it is not written yet; `slow`: it took too long."""
    message: str = ""
    trace: str = ""


class RunReport(Struct, frozen=True):
    """How a run ended. `results` are the raw bytes that came out of the sandbox: not yet checked, not to be trusted."""

    status: RunStatus
    message: str
    sandbox: str
    usage: Usage
    log: str = ""
    results: bytes = b""
    """Of calls also where it did not end well: those that were answered before."""
    graph: bytes = b""
    """The returned module as data, where it was asked for; as little checked as `results`."""
    val_predictions: bytes = b""
    """Predictions of validation items, where they were asked for, made before the test inputs came; as little checked,
    and worth nothing."""
    probes: Mapping[str, float] = {}
    problem: Problem | None = None
    device: str = ""
    torch: str = ""
    metrics: list[dict[str, Any]] = []
    checks: list[Checked] = []
    """Where checks were run, what each said."""
    where: str = ""
    """Where it ran, if not on this machine: profile, node and job."""
