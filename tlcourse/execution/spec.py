"""One execution of a submission: what to run, with what, under which limits – and how it ended. Types only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

Outcome = Literal["pass", "fail", "crash", "timeout", "memory", "output", "invalid", "infra"]
RunStatus = Literal["done", "crash", "timeout", "memory", "output", "invalid", "infra"]
"""How a run ended: `done` gave predictions, which may still be wrong. `infra` is ours, the others the submission's."""


class OutputSpec(Struct, frozen=True):
    """One prediction array: its name, and its shape without the batch dimension."""

    name: str
    shape: tuple[int, ...] = ()
    by_task: bool = False
    """Whether the first dimension of `shape` counts tasks, each of which is a head of its own."""

    @property
    def heads(self) -> int:
        """How many heads of the network it holds."""
        return self.shape[0] if self.by_task else 1


class Limits(Struct, frozen=True):
    """What the whole process tree may use. Seconds, megabytes (2**20) and kilobytes (2**10)."""

    wall_time_s: float = 300.0
    cpu_s: float = 1200.0
    memory_mb: int = 4096
    processes: int = 512
    scratch_mb: int = 256
    output_kb: int = 1024


class TaskSpec(Struct, frozen=True):
    """What the worker is told. It lies beside the training data inside the sandbox, so nothing in it is secret."""

    exercise: str
    variant: str
    targets: tuple[str, ...]
    outputs: tuple[OutputSpec, ...]
    seed: int
    seconds: float
    device: str
    threads: int
    predict: bool = True
    """False for `tlcourse run`: fit only."""


class RunSpec(Struct, frozen=True):
    """A submission folder that holds `solution.py`, its data, and its limits."""

    task_spec: TaskSpec
    submission: Path
    train: Mapping[str, Any]
    val: Mapping[str, Any]
    test_inputs: Mapping[str, Any] | None
    """Handed over only after `fit` has returned; None where nothing is to be predicted."""
    limits: Limits
    sandbox_kind: str = "auto"
    env: Mapping[str, str] = {}
    files: Mapping[str, Path] = {}
    """Further files that the worker may read: path below its inputs → file here. Pretrained weights come so."""


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


class RunReport(Struct, frozen=True):
    """How a run ended. `results` are the raw bytes that came out of the sandbox: not yet checked, not to be trusted."""

    status: RunStatus
    message: str
    sandbox: str
    usage: Usage
    log: str = ""
    results: bytes = b""
    probes: Mapping[str, float] = {}
    problem: Problem | None = None
    device: str = ""
    torch: str = ""
    metrics: list[dict[str, Any]] = []
    where: str = ""
    """Where it ran, if not on this machine: profile, node and job."""
