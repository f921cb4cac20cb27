"""Gradings that the app starts: each is a process of its own that writes its events into a file.

A thread that trains could not be stopped, and a pipe would end with the app. A file lets a run continue when the app is
closed, and lets the next visit find it again.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from tlcourse.grading.result import Result
from tlcourse.paths import runs_folder
from tlcourse.presenting.words import PHASES
from tlcourse.tui.child_process import ChildProcess

_LOG_LINES = 200


class Sent(Struct, tag="sent", tag_field="type", frozen=True):
    """It was sent to a cluster, as the run of this number."""

    run: str


class Started(Struct, tag="started", tag_field="type", frozen=True):
    """The worker is there."""

    device: str = ""


class Phase(Struct, tag="phase", tag_field="type", frozen=True):
    """What the worker does from now on."""

    name: str


class Metric(Struct, tag="metric", tag_field="type", frozen=True):
    """Values that the solution logged; those that are not finite are words."""

    step: int
    values: dict[str, float | str]


class Log(Struct, tag="log", tag_field="type", frozen=True):
    """Text that the solution printed, or the cluster said."""

    text: str


class Verdict(Struct, tag="verdict", tag_field="type", frozen=True):
    """The end: the result document."""

    result: Result


class Failure(Struct, tag="error", tag_field="type", frozen=True):
    """The end: why there is no verdict."""

    what: str
    cause: str = ""
    remedy: str = ""


Event = Sent | Started | Phase | Metric | Log | Verdict | Failure


class RunState(Struct):
    """What is known of a run so far; `version` changes whenever something else does."""

    phase: str = "starting"
    device: str = ""
    metrics: dict[str, list[tuple[float, float]]] = {}
    log: list[str] = []
    result: Result | None = None
    error: Failure | None = None
    noise: list[str] = []
    number: str = ""
    """Of a run on a cluster: what `tlcourse jobs list` calls it."""
    waits: str = ""
    """Of a run on a cluster that has not begun: what is said of its job."""
    version: int = 0

    @property
    def ended(self) -> bool:
        """Whether it has said how it ended."""
        return self.result is not None or self.error is not None


class _Kept(Struct, frozen=True):
    """What the next visit is told of a run: a file beside its events."""

    path: str
    scored: bool
    pid: int
    started: float
    created: float
    on: str = "local"


class Run:
    """One `tlcourse grade` or `tlcourse run` in a process of its own."""

    def __init__(
        self, exercise: str, path: str, scored: bool, file: Path, started: float, child: ChildProcess, on: str = "local"
    ) -> None:
        self.exercise, self.path, self.scored, self.file, self.on = exercise, path, scored, file, on
        self.started, self.child = started, child
        self.state = RunState()
        self.stopped = False

    @classmethod
    def start(
        cls,
        exercise: str,
        path: Path,
        *,
        scored: bool,
        course: Path | None,
        prewarmed: ChildProcess | None = None,
        on: str = "local",
    ) -> Run:
        """Start it, in the prewarmed process if there is one. Raises OSError when no process or no file can be made.

        Args:
            on: `local`, or a profile of the configuration: then the process sends it there and follows it.
        """
        file = made_folder() / f"{exercise}.jsonl"
        arguments = ["grade" if scored else "run", exercise, str(path), "--events"]
        arguments += ["--course", str(course)] if course else []
        arguments += ["--on", on] if on != "local" else []
        child = start_child(arguments, file, prewarmed)
        run = cls(exercise, str(path), scored, file, time.time(), child, on)
        kept = _Kept(run.path, scored, child.pid, run.started, child.created_at, on)
        file.with_suffix(".json").write_bytes(msgspec.json.encode(kept))
        return run

    @classmethod
    def find(cls, exercise: str) -> Run | None:
        """A run that an earlier visit left running, or None."""
        file = runs_folder() / f"{exercise}.jsonl"
        try:
            kept = msgspec.json.decode(file.with_suffix(".json").read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError, ValueError):
            return None
        child = ChildProcess.found(kept.pid, kept.created, file)
        return cls(exercise, kept.path, kept.scored, file, kept.started, child, kept.on) if child else None

    @classmethod
    def follow(cls, number: str, exercise: str, path: str, *, scored: bool, on: str) -> Run:
        """Follow a run on a cluster from its beginning, whoever sent it. Raises OSError."""
        file = made_folder() / f"job-{number}.jsonl"
        child = ChildProcess.start("jobs", "tail", number, "--events", out=file)
        run = cls(exercise, path, scored, file, time.time(), child, on)
        run.state.number = number
        return run

    @property
    def remote(self) -> bool:
        """Whether it runs on a cluster, where it continues without this machine."""
        return self.on != "local"

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self.child.alive

    @property
    def going(self) -> bool:
        """Whether it has still something to do: its process is there, and has not yet said how it ended."""
        return not self.state.ended and self.alive

    def poll(self) -> bool:
        """Take in what was written since; True when something changed."""
        before = self.state.version
        for line in self.child.new_lines():
            self._take(line)
        if self.child.drained and not self.state.ended:
            self._missing_end()
        return self.state.version != before

    def ask_to_stop(self) -> None:
        """It ends all that it started, and then itself; nothing is waited for."""
        self.stopped = True
        self.child.ask_to_end()

    async def stop(self, grace_s: float) -> None:
        """End it and all that it started; after `grace_s` by force.

        A process that follows a run on a cluster is asked only: cancelling a job needs the time that an answer takes.
        """
        if not self.stopped:
            self.ask_to_stop()
        if not self.remote:
            await self.child.end(grace_s)

    def _take(self, line: bytes) -> None:
        state = self.state
        try:
            event = _DECODER.decode(line)
        except (msgspec.DecodeError, RecursionError):
            state.noise = [*state.noise, line.decode(errors="replace")][-20:]
            return
        state.version += 1
        match event:
            case Sent():
                state.number = event.run
            case Started():
                state.waits, state.device = "", event.device
            case Phase():
                state.phase = PHASES.get(event.name, "running")
            case Metric():
                self._take_metrics([event])
            case Log():
                printed = event.text.splitlines()
                state.log = [*state.log, *printed][-_LOG_LINES:]
                if state.phase == "starting" and not state.device:  # so far nothing but the cluster can have spoken
                    state.waits = printed[-1].strip("[]") if printed else state.waits
            case Verdict():
                state.result = event.result
                if self.remote:
                    self._take_kept(event.result)
            case Failure():
                state.error = event

    def _take_kept(self, result: Result) -> None:
        """What it printed may not have come while it ran; its verdict has kept it."""
        state = self.state
        printed = [line for run in result.runs for line in run.log.splitlines()]
        if not set(printed) & set(state.log):
            state.log = [*state.log, *printed][-_LOG_LINES:]
        if not state.metrics:
            self._take_metrics(msgspec.convert(result.metrics, list[Metric]))

    def _take_metrics(self, events: list[Metric]) -> None:
        for event in events:
            for name, value in event.values.items():
                self.state.metrics.setdefault(name, []).append((float(event.step), float(value)))

    def _missing_end(self) -> None:
        lines = [line for line in reversed(self.state.noise) if line.strip()]
        of_job = next((line for line in lines if line.startswith(f"Run {self.state.number} ")), "")
        self.state.version += 1
        self.state.error = (
            Failure(of_job or "Stopped; nothing is left running.")
            if self.stopped
            else Failure(
                "The run ended without a verdict; nothing was counted.",
                next(iter(lines), "") or "its process was ended from outside.",
                f"run it again; what it wrote is in {self.file}",
            )
        )


_DECODER = msgspec.json.Decoder(Event)


def start_child(arguments: list[str], file: Path, prewarmed: ChildProcess | None) -> ChildProcess:
    """`tlcourse ARGUMENTS` that prints into `file`, in the prewarmed process if there is one. Raises OSError."""
    if prewarmed is not None:
        file.write_bytes(b"")
        request = json.dumps({"file": str(file), "arguments": arguments}).encode()
        if prewarmed.tell(request, file):
            return prewarmed
    return ChildProcess.start(*arguments, out=file)


def made_folder() -> Path:
    """Where processes write what they print; made if there is none."""
    folder = runs_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
