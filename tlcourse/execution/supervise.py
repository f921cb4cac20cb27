"""Running a job in a sandbox, from outside: clocks, limits, pipes, and the end of the whole process tree.

Everything that arrives here was written beside student code. It is bounded, checked and shown; nothing of it is
believed. What counts of what a run told, and how it ended, is judged in `judge.py`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import shutil
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tlcourse.execution import arrays, items
from tlcourse.execution.events import Lines
from tlcourse.execution.gpu import WAITING, Card, alone_on, card_of, environment, shown
from tlcourse.execution.judge import Phase, Told, ending, only_calls, out_of_time
from tlcourse.execution.spec import RunReport, RunSpec, RunStatus, Usage
from tlcourse.execution.speed import at_own_speed, limits_here, reference_s
from tlcourse.sandbox.base import Process, Sandbox, Start
from tlcourse.sandbox.cgroup import group_for
from tlcourse.sandbox.interpreter import worker_environment
from tlcourse.sandbox.limits import exceeded
from tlcourse.sandbox.process_tree import ProcessTree
from tlcourse.storage import scratch_folder
from tlcourse.text import LogTail

_WATCH_S = 0.05
_ANSWER_S = 0.5
FLOOD = 32
"""Times what is kept of a log, a run may print: more than anybody reads, and no reason yet to lose its marks."""
_log = logging.getLogger(__name__)
_CHUNK = 1 << 16
_READS = (1 << 20) // _CHUNK
"""As many empty a full pipe, of 1 MB unless root allowed more."""
OnEvent = Callable[[dict[str, Any]], None]


def run(job: RunSpec, sandbox: Sandbox, on_event: OnEvent) -> RunReport:
    """Run a job to its end; afterwards no process of it is left. KeyboardInterrupt passes through, after that."""
    job = at_own_speed(job, on_event)
    card = card_of(job.task_spec.device)
    with alone_on(card, lambda: on_event(WAITING)), scratch_folder("run") as folder:
        inputs, submission = folder / "inputs", folder / "submission"
        inputs.mkdir()
        shutil.copytree(job.submission, submission)
        (inputs / "task_spec.json").write_bytes(msgspec.json.encode(shown(job.task_spec, card)))
        (inputs / "train.safetensors").write_bytes(arrays.pack(job.train))
        (inputs / "val.safetensors").write_bytes(arrays.pack(job.val))
        for name, path in job.files.items():  # copies: nothing of this machine is bound for them, or changes owner
            (inputs / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, inputs / name)
        with _Supervision(job, sandbox, inputs, submission, card, on_event) as supervision:
            supervision.watch()
        return supervision.report()


class _Supervision:
    """One run: its process, its channels, and what has been seen of it."""

    def __init__(
        self, job: RunSpec, sandbox: Sandbox, inputs: Path, submission: Path, card: Card | None, on_event: OnEvent
    ) -> None:
        self.job = job
        self.card = card
        self.limits = limits_here(job, gpu=card is not None)
        self.sandbox = sandbox
        self.on_event = on_event
        self.lines = Lines()
        self.log = LogTail(job.limits.output_kb * 1024)
        self.results = bytearray()
        self.graph, self.val_predictions = b"", b""
        self.result_cap = arrays.first_cap(job.task_spec)
        self.pending = memoryview(b"")
        self.told = Told()
        self.fit_s = 0.0
        self.fit_cpu_s = 0.0
        self.ended: tuple[RunStatus, str] | None = None
        self.fit_begin_cpu_s = 0.0
        self._open(inputs, submission)

    def _open(self, inputs: Path, submission: Path) -> None:
        stdin_read, self.stdin = os.pipe()
        self.output, output_write = os.pipe()
        self.events, events_write = os.pipe()
        self.result, result_write = os.pipe()
        theirs = (stdin_read, output_write, events_write, result_write)
        group = group_for(self.job.limits.memory_mb)
        start = Start(
            arguments=[str(events_write), str(result_write)],
            inputs=inputs,
            submission=submission,
            limits=self.limits,
            env={
                **worker_environment(self.job.task_spec.threads),
                **environment(self.card, self.sandbox.name),
                **self.job.env,
            },
            pass_fds=(events_write, result_write),
            stdin=stdin_read,
            output=output_write,
            gpu=self.card is not None,
            devices=self.card.nodes if self.card else (),
            group=group,
        )
        try:
            self.process: Process = self.sandbox.start(start)
            # a fork server may have had to start first, which is not the submission's time
            self.begin = self.fit_begin = time.monotonic()
        except BaseException:
            for descriptor in (self.stdin, self.output, self.events, self.result):
                os.close(descriptor)
            if group is not None:
                group.remove()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        _log.debug(
            "process %s: %s of %s in %s, limits %s",
            self.process.pid,
            self.job.task_spec.exercise,
            submission,
            self.sandbox.name,
            self.limits,
        )
        self.tree = ProcessTree(
            self.process.pid,
            forked=self.process.forked,
            scratch_mb=self.job.limits.scratch_mb,
            folder=self.process.scratch,
            group=group,
        )
        self.selector = selectors.DefaultSelector()
        self.pidfd = _descriptor_of(self.process.pid)
        if self.pidfd is not None:  # the end of the process wakes the watch at once
            self.selector.register(self.pidfd, selectors.EVENT_READ, self.process.poll)
        for descriptor, read in (
            (self.output, self._read_output),
            (self.events, self._read_events),
            (self.result, self._read_result),
        ):
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ, read)
        os.set_blocking(self.stdin, False)

    def __enter__(self) -> _Supervision:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever happened: the tree dies, what it had already written is read, the descriptors are closed."""
        self.tree.kill(self.process)
        self._drain()
        self.selector.close()
        for descriptor in (self.stdin, self.output, self.events, self.result, self.pidfd):
            if descriptor is not None:
                os.close(descriptor)

    def watch(self) -> None:
        """Until the process has ended, or a limit is hit."""
        due = self.begin
        while self.ended is None:
            for key, _ in self.selector.select(_WATCH_S):
                key.data()
            if self.process.poll() is not None:
                return
            if (now := time.monotonic()) >= due:  # not with every line that is printed: looking costs a millisecond
                self._check_limits(now - self.begin)
                due = time.monotonic() + _WATCH_S

    def _check_limits(self, wall_time_s: float) -> None:
        limits = self.limits
        used = self.tree.measure(limits.memory_mb)
        if over := exceeded(used, limits, wall_time_s):
            if over[0] == "timeout":
                self._ask_where()
                if self.card is None:
                    by_the_clock = wall_time_s > limits.wall_time_s
                    message = out_of_time(over[1], self.job, used.cpu_s, limits.cpu_s, by_the_clock=by_the_clock)
                    over = over[0], message
            self._end(*over)

    def _ask_where(self) -> None:
        """Have a run whose time is over say where it is: for its author, and within half a second."""
        told = self.told
        if told.fitted or not told.started or not self.tree.ask(signal.SIGXCPU):
            return
        told.asked = True
        until = time.monotonic() + _ANSWER_S
        while not told.where and self.ended is None and (left := until - time.monotonic()) > 0:
            for key, _ in self.selector.select(min(left, _WATCH_S)):
                key.data()

    def _end(self, status: RunStatus, message: str) -> None:
        if self.ended is None:
            _log.debug("process %s: stopped as %s: %s", self.process.pid, status, message)
            self.ended = (status, message)

    def _read(self, descriptor: int) -> bytes:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            with contextlib.suppress(KeyError):
                self.selector.unregister(descriptor)
        return data

    def _read_output(self) -> int:
        data = self._read(self.output)
        text = self.log.feed(data)
        if text and not self.log.overflowed:
            self.on_event({"v": 1, "type": "log", "text": text})
        kept_kb = self.job.limits.output_kb
        if self.log.seen > FLOOD * kept_kb * 1024:
            self._end(
                "output",
                f"printed more than {FLOOD * kept_kb} kB and was stopped; of the log, the first and the last "
                f"{kept_kb // 2} kB are kept",
            )
        return len(data)

    def _read_result(self) -> int:
        data = self._read(self.result)
        self.results += data
        if len(self.results) > self.result_cap:
            self._end("invalid", "wrote predictions that were not asked for, or more than the contract allows")
            self.results.clear()
        return len(data)

    def _read_events(self) -> int:
        data = self._read(self.events)
        for event in self.lines.feed(data):
            self._take(event)
        if self.lines.overflowed:
            self._end("output", "sent more progress events than are kept (8 MB); log once an epoch, not once a batch")
        return len(data)

    def _take(self, event: dict[str, Any]) -> None:
        phase = self.told.phase
        is_shown = self.told.take(event)
        if self.told.phase != phase:
            self._enter(self.told.phase)
        if is_shown:
            self.on_event(event)

    def _enter(self, phase: Phase) -> None:
        """A phase begins: `fit` is timed by our clock, not theirs."""
        if phase == "fit":
            self.fit_begin = time.monotonic()
            self.fit_begin_cpu_s = self.tree.measure().cpu_s
        elif phase in ("export", "fitted") and not self.fit_s:
            self.fit_s = time.monotonic() - self.fit_begin
            self.fit_cpu_s = self.tree.measure().cpu_s - self.fit_begin_cpu_s
        if phase == "fitted":
            self._take_what_comes_first()
            self._hand_over_test_inputs()

    def _take_what_comes_first(self) -> None:
        """What came before the test inputs is no prediction of them, and cannot have been made of them."""
        while self.ended is None and self._read_result():
            pass
        self.graph, self.val_predictions = arrays.taken_first(bytes(self.results))
        self.result_cap = 0
        self.results.clear()

    def _hand_over_test_inputs(self) -> None:
        """Only now: nothing that ran before could look at the test inputs."""
        if self.job.test_inputs is None:
            return
        n = arrays.items_in(self.job.test_inputs)
        self.result_cap = arrays.run_cap(n, self.job.task_spec)
        order = arrays.order_of(self.job.order_seed, n)
        given = dict(self.job.test_inputs)
        calls = {name: given.pop(name) for name in (arrays.CALLS,) if name in given}
        data = arrays.pack(items.in_order(given, order) | calls)
        self.pending = memoryview(struct.pack("<Q", len(data)) + data)
        self.selector.register(self.stdin, selectors.EVENT_WRITE, self._write_inputs)

    def _write_inputs(self) -> None:
        try:
            self.pending = self.pending[os.write(self.stdin, self.pending) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.pending = memoryview(b"")
        if not self.pending:
            self.selector.unregister(self.stdin)

    def _drain(self) -> None:
        """What is still in the pipes of a dead tree, also of one that was stopped: its last words say why.

        No predictions of a run that was stopped; and of what outlived it, if anything did, no more than pipes hold.
        """
        stopped = self.ended is not None
        for read in (self._read_output, self._read_events, *(() if stopped else (self._read_result,))):
            for _ in range(_READS):
                if not read():
                    break

    def report(self) -> RunReport:
        """How it ended, decided from outside wherever that is possible."""
        log, told, used = self.log.text(), self.told, self.tree.last
        device = str(told.started.get("device", ""))
        status, message = self.ended or ending(
            self.job, told, self.process, self.tree, log=log, predicted=bool(self.results) and told.fitted
        )
        if status == "timeout":
            message = f"{message}. {told.phase_in_words(calls=only_calls(self.job))}"
        _log.debug(
            "process %s: %s (%s); exit status %s, %.1f s, %.1f s of CPU, at most %.0f MB",
            self.process.pid,
            status,
            message,
            self.process.returncode,
            time.monotonic() - self.begin,
            used.cpu_s,
            self.tree.peak_mb,
        )
        return RunReport(
            status=status,
            message=message,
            sandbox=self.sandbox.name,
            usage=self._usage(used.cpu_s, device),
            log=log,
            results=bytes(self.results) if status == "done" or self.job.task_spec.calls else b"",
            graph=self.graph if status == "done" else b"",
            val_predictions=self.val_predictions if status == "done" else b"",
            probes=told.probes,
            problem=told.problem,
            device=device,
            torch=str(told.started.get("torch", "")),
            metrics=told.metrics,
            checks=list(told.checks.values()),
        )

    def _usage(self, cpu_s: float, device: str) -> Usage:
        """What it used. A GPU's work is no process's CPU time: where there was one, it is the clock that counts."""
        wall_time_s, spec = time.monotonic() - self.begin, self.job.task_spec
        if self.card is not None or device.startswith(("cuda", "mps")):
            return Usage(wall_time_s, cpu_s, self.tree.peak_mb, self.fit_s, wall_time_s, self.fit_s)
        used = reference_s(cpu_s, spec), reference_s(self.fit_cpu_s, spec)
        return Usage(wall_time_s, cpu_s, self.tree.peak_mb, self.fit_s, *used, spec.speed)


def _descriptor_of(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends, where the system has such a thing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None
