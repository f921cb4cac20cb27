"""Gradings that the app starts: each is a process of its own that writes its events into a file.

A thread that trains could not be stopped, and a pipe would end with the app. A file lets a run go on when the app is
closed, and lets the next visit find it again.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

from tlcourse.progress import home
from tlcourse.tui.standby import StandBy

_END_S = 2.0  # a grading that was asked to end has this long to end its solution's processes
_LOG_LINES = 200
_READ = 1 << 20


class RunState(Struct):
    """What is known of a run so far; `version` changes whenever something else does."""

    phase: str = "starting"
    device: str = ""
    metrics: dict[str, list[tuple[float, float]]] = {}
    log: list[str] = []
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
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


_PHASES = {"load": "loading the solution", "fit": "training", "fitted": "trained", "predict": "predicting"}


class Run:
    """One `tlcourse grade` or `tlcourse run` in a process of its own."""

    def __init__(
        self,
        exercise: str,
        path: str,
        scored: bool,
        file: Path,
        pid: int,
        started: float,
        created: float,
        on: str = "local",
    ) -> None:
        self.exercise, self.path, self.scored, self.file, self.on = exercise, path, scored, file, on
        self.pid, self.started, self._created = pid, started, created
        self.state = RunState()
        self.stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        self._offset = 0
        self._rest = b""

    @classmethod
    def start(
        cls,
        exercise: str,
        path: Path,
        *,
        scored: bool,
        course: Path | None,
        standby: StandBy | None = None,
        on: str = "local",
    ) -> Run:
        """Start it, in the process that stands by if there is one. Raises OSError when none or no file can be made.

        Args:
            on: `local`, or a profile of the configuration: then the process sends it there and attends to it.
        """
        folder = home() / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{exercise}.jsonl"
        arguments = ["grade" if scored else "run", exercise, str(path), "--events"]
        arguments += ["--course", str(course)] if course else []
        arguments += ["--on", on] if on != "local" else []
        with file.open("wb") as stream:
            process = (standby.take(arguments, file) if standby else None) or subprocess.Popen(
                [sys.executable, "-m", "tlcourse", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        run = cls(exercise, str(path), scored, file, process.pid, time.time(), _created(process.pid) or 0.0, on)
        run._process = process
        fields = {"path": run.path, "scored": scored, "pid": run.pid, "started": run.started, "on": on}
        fields["created"] = run._created
        file.with_suffix(".json").write_text(json.dumps(fields), encoding="utf-8")
        return run

    @classmethod
    def find(cls, exercise: str) -> Run | None:
        """A run that an earlier visit left running, or None."""
        file = home() / "runs" / f"{exercise}.jsonl"
        try:
            fields = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
            run = cls(
                exercise,
                str(fields["path"]),
                bool(fields["scored"]),
                file,
                int(fields["pid"]),
                float(fields["started"]),
                float(fields["created"]),
                str(fields.get("on", "local")),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return run if run.alive else None

    @classmethod
    def follow(cls, number: str, exercise: str, path: str, *, scored: bool, on: str) -> Run:
        """Follow a run on a cluster from its beginning, whoever sent it. Raises OSError."""
        folder = home() / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"job-{number}.jsonl"
        with file.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "tlcourse", "jobs", "tail", number, "--events"],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        run = cls(exercise, path, scored, file, process.pid, time.time(), _created(process.pid) or 0.0, on)
        run._process = process
        run.state.number = number
        return run

    @property
    def remote(self) -> bool:
        """Whether it runs on a cluster, where it goes on without this machine."""
        return self.on != "local"

    @property
    def alive(self) -> bool:
        """Whether its process is there; a number that another process has got since does not count."""
        if self._process is not None:
            return self._process.poll() is None
        return self._created > 0 and _created(self.pid) == self._created

    @property
    def open(self) -> bool:
        """As `alive`."""
        return self.alive

    @property
    def going(self) -> bool:
        """Whether it has still something to do: its process is there, and has not yet said how it ended."""
        return not self.state.ended and self.alive

    def poll(self) -> bool:
        """Take in what was written since; True when something changed."""
        before = self.state.version
        alive = self.alive  # asked first: what a process wrote before its end is then read below
        with contextlib.suppress(OSError), self.file.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read(_READ)
            self._offset += len(data)
            *whole, self._rest = (self._rest + data).split(b"\n")
            for line in whole:
                self._take(line)
        if not alive and not self.state.ended and not self._more():
            self._missing_end()
        return self.state.version != before

    def ask_to_stop(self) -> None:
        """It ends all that it started, and then itself; nothing is waited for."""
        self.stopped = True
        self._signal(signal.SIGTERM)

    def stop(self, wait_s: float = _END_S) -> None:
        """End it and all that it started; after `wait_s` by force.

        A process that attends to a cluster is asked only: taking a job back needs the time that an answer takes.
        """
        if not self.stopped:
            self.ask_to_stop()
        if self.remote:
            return
        until = time.monotonic() + wait_s
        while self.alive and time.monotonic() < until:
            time.sleep(0.01)
        if self.alive:
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def wait(self, seconds: float) -> None:
        """Until its process is gone, but no longer than this."""
        until = time.monotonic() + seconds
        while self.alive and time.monotonic() < until:
            time.sleep(0.01)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.alive:
                os.kill(self.pid, number)

    def _more(self) -> bool:
        with contextlib.suppress(OSError):
            return self.file.stat().st_size > self._offset
        return False

    def _take(self, line: bytes) -> None:
        state = self.state
        try:
            event = json.loads(line)
            kind = event["type"]
        except (ValueError, KeyError, TypeError, RecursionError):
            state.noise = [*state.noise, line.decode(errors="replace")][-20:]
            return
        state.version += 1
        if kind == "sent":
            state.number = str(event.get("run", ""))
        elif kind == "started":
            state.waits = ""
            state.device = str(event.get("device", ""))
        elif kind == "phase":
            state.phase = _PHASES.get(str(event.get("name")), "running")
        elif kind == "metric":
            self._take_metrics([event])
        elif kind == "log":
            said = str(event.get("text", "")).splitlines()
            state.log = [*state.log, *said][-_LOG_LINES:]
            if state.phase == "starting" and not state.device:  # so far nothing but the cluster can have spoken
                state.waits = said[-1].strip("[]") if said else state.waits
        elif kind == "verdict":
            state.result = event["result"]
            if self.remote:  # what it printed may not have come while it ran; its verdict has kept it
                printed = [line for run in state.result["runs"] for line in run["log"].splitlines()]
                if not set(printed) & set(state.log):
                    state.log = [*state.log, *printed][-_LOG_LINES:]
                if not state.metrics:
                    self._take_metrics(state.result.get("metrics", []))
        elif kind == "error":
            state.error = {key: str(event.get(key, "")) for key in ("what", "cause", "remedy")}

    def _take_metrics(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            for name, value in event["values"].items():
                self.state.metrics.setdefault(name, []).append((float(event["step"]), float(value)))

    def _missing_end(self) -> None:
        lines = [line for line in reversed(self.state.noise) if line.strip()]
        said = next(iter(lines), "")
        of_job = next((line for line in lines if line.startswith(f"Run {self.state.number} ")), "")
        self.state.version += 1
        self.state.error = (
            {"what": of_job or "Stopped; nothing is left running.", "cause": "", "remedy": ""}
            if self.stopped
            else {
                "what": "The run ended without a verdict; nothing was counted.",
                "cause": said or "its process was ended from outside.",
                "remedy": "run it again; what it wrote is in " + str(self.file),
            }
        )


def _created(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None
