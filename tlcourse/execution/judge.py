"""How a run is judged: what it told, as far as that counts, and how it ended.

Everything that is told was written beside student code. It is bounded and checked; what decides is what is seen from
outside, wherever that is possible.
"""

from __future__ import annotations

import contextlib
import signal
from typing import Any, Literal

import msgspec

from tlcourse.execution.spec import Checked, Problem, RunSpec, RunStatus
from tlcourse.execution.speed import reference_s
from tlcourse.sandbox.base import Process
from tlcourse.sandbox.limits import limit_behind, out_of_memory
from tlcourse.sandbox.process_tree import ProcessTree

Phase = Literal["", "load", "fit", "export", "fitted"]
_MOST_CHECKS = 100


class Told:
    """What a run has told, as far as it counts.

    Once `fit` has returned, test inputs are inside: what could carry them out, a curve or the place of a line, is no
    longer taken.
    """

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}
        """The event in which the worker says what it runs on; empty before."""
        self.phase: Phase = ""
        self.asked = False
        """Whether it was asked where it is."""
        self.where = ""
        self.problem: Problem | None = None
        self.metrics: list[dict[str, Any]] = []
        self.checks: dict[str, Checked] = {}
        """By id; each is said once."""
        self._probes: dict[str, float] = {}
        self._contradicted: set[str] = set()

    @property
    def fitted(self) -> bool:
        """Whether `fit` has returned."""
        return self.phase == "fitted"

    @property
    def probes(self) -> dict[str, float]:
        """The worker says each once, after `fit`: what came before is forged, and of two that differ one is."""
        return {name: value for name, value in self._probes.items() if name not in self._contradicted}

    def take(self, event: dict[str, Any]) -> bool:
        """Take in one event; returns whether whoever watches the run is to see it."""
        kind = event["type"]
        if kind == "started":
            self.started = self.started or event
        elif kind == "metric":
            if self.fitted:
                return False
            self.metrics.append({"step": event["step"], "values": event["values"]})
        elif kind == "where":
            if self.asked and not self.fitted and not self.where:
                self.where = event["place"][:200]
                self.problem = self.problem or Problem("exception", "", event["trace"])
            return False
        elif kind == "phase":
            self._enter(event["name"])
        elif kind == "probe" and self.fitted:
            for name, value in event["values"].items():
                if self._probes.setdefault(name, value) != value:
                    self._contradicted.add(name)
        elif kind == "check":
            if not self.fitted and len(self.checks) < _MOST_CHECKS:
                with contextlib.suppress(msgspec.ValidationError):
                    fields = {key: event[key] for key in ("id", "status", "message", "trace")}
                    self.checks.setdefault(event["id"], msgspec.convert(fields, Checked))
            return False
        elif kind == "problem" and self.problem is None:
            with contextlib.suppress(msgspec.ValidationError):
                fields = {key: event[key] for key in ("kind", "message", "trace")}
                self.problem = msgspec.convert(fields, Problem)
        return bool(kind != "log")

    def _enter(self, name: str) -> None:
        """Phases are told once, in their order; some may be left out."""
        if name == "fitted":
            self.phase = "fitted"
        elif name == "export" and not self.fitted:
            self.phase = "export"
        elif name == "fit" and self.phase in ("", "load"):
            self.phase = "fit"
        elif name == "load" and not self.phase:
            self.phase = "load"

    def phase_in_words(self, *, calls: bool = False) -> str:
        """What a run was doing when its time was over; `calls`: it had no `fit`, and functions to call."""
        at = f" ({self.where})" if self.where else ""
        if calls and self.phase:
            return "Functions were being called" if self.fitted else f"Code at the top level was still running{at}"
        if self.fitted or self.phase == "export":
            return "fit had returned, and the returned module was being called"
        if self.phase == "fit":
            return f"fit had not returned{at}"
        if self.phase == "load":
            return f"fit had not begun: code at the top level was still running{at}"
        return "The solution was not loaded yet"


def only_calls(job: RunSpec) -> bool:
    """Whether it has no `fit`, and functions to call."""
    return job.task_spec.calls is not None and not job.task_spec.calls.after


def ending(
    job: RunSpec, told: Told, process: Process, tree: ProcessTree, *, log: str, predicted: bool
) -> tuple[RunStatus, str]:
    """How a run ended that no limit stopped, and what is said of it.

    Args:
        job: What was to be run.
        told: What it told.
        process: The worker, which has ended.
        tree: Its processes, none of which is left.
        log: What it printed.
        predicted: Whether anything came out for predictions.
    """
    code, problem = process.returncode, told.problem
    if process.fell:
        return "infra", process.fell
    if tree.killed_for_memory:
        return out_of_memory(tree.peak_mb, job.limits)
    if not told.started and problem is not None and problem.kind == "no_device":
        return "infra", problem.message
    if not told.started:
        said = log.strip().splitlines()
        return "infra", "the worker did not start" + (f": {said[-1][:300]}" if said else f" (exit status {code})")
    if problem is not None:
        status: RunStatus = "crash" if problem.kind == "exception" else "invalid"
        limit = limit_behind(problem.message, job.limits) if status == "crash" else ""
        return status, f"{problem.message} ({limit})" if limit else problem.message
    if job.test_inputs is None and code == 0 and told.fitted:
        return "done", "fit returned"
    if predicted and code == 0:
        return "done", "predictions came out"
    if only_calls(job):
        where = "before all calls had been made" if told.fitted else "while it was loaded"
    else:
        where = "before all predictions were out" if told.fitted else "before fit returned"
    return "crash", f"the process ended {where} ({_exit_in_words(code)})"


def _exit_in_words(code: int | None) -> str:
    if code is None:
        return "no exit status"
    with contextlib.suppress(ValueError):  # a number that is no signal's
        return f"killed by {signal.Signals(-code if code < 0 else code - 128).name}"
    return f"exit status {code}; does the solution call os._exit or quit?"


def out_of_time(message: str, job: RunSpec, cpu_s: float, cpu_limit_s: float, *, by_the_clock: bool) -> str:
    """What a run whose time is over used of what, and how fast this machine is.

    Args:
        message: What is said of the limit that was passed.
        job: What was run; its limit of CPU is in seconds of the reference machine.
        cpu_s: What it used, and `cpu_limit_s` what it might use, in seconds of this machine.
        cpu_limit_s: See `cpu_s`.
        by_the_clock: Whether it also ran longer than it may by the clock.
    """
    allowed, used = job.limits.cpu_s, reference_s(cpu_s, job.task_spec)
    if by_the_clock:
        return f"{message}, and it used {used:.0f} of {allowed:.0f} reference seconds of CPU"
    if cpu_s <= cpu_limit_s:
        return message
    return (
        f"used {used:.0f} reference seconds of CPU; {allowed:.0f} are allowed "
        f"(the machine runs at {job.task_spec.speed:.2g} × the reference)"
    )
