"""Running a lab in child processes, one a core, and keeping what they tell."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import msgspec

from tlcourse.course.lab import Lab
from tlcourse.errors import ExitCode, TlcourseError, UnableError, UsageError
from tlcourse.labs.result import LabResult, conclude
from tlcourse.own_process import give_way, own_command
from tlcourse.torch_install import is_here, require_torch

OnEvent = Callable[[dict[str, Any]], None]
_OUR_THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


_LOOK_S = 0.02
_ready = False
"""Whether this process has imported what labs need."""


class LabError(TlcourseError):
    """The experiment ended without a result; its events are kept all the same."""

    exit_code = ExitCode.NOT_PASSED


def settings_of(lab: Lab, given: Mapping[str, str]) -> dict[str, float]:
    """The lab's settings, changed as `given`; raises UsageError for an unknown name, no number, or one out of range."""
    settings = {setting.id: setting.default for setting in lab.settings}
    about = {setting.id: setting for setting in lab.settings}
    for name, text in given.items():
        if name not in about:
            known = ", ".join(about) or "none"
            raise UsageError(f"{lab.id} has no setting {name!r}.", remedy=f"its settings are: {known}.")
        one = about[name]
        try:
            value = float(text)
        except ValueError:
            remedy = f"--set {name}={one.default:g} is the default."
            raise UsageError(f"{name} is {text!r}, which is not a number.", remedy=remedy) from None
        if not one.low <= value <= one.high or (one.whole and value != int(value)):
            kind = "a whole number" if one.whole else "a number"
            raise UsageError(
                f"{name} is {text}, expected {kind} from {one.low:g} to {one.high:g}.",
                remedy=f"--set {name}={one.default:g} is the default.",
            )
        settings[name] = value
    return settings


def run_lab(
    lab: Lab, settings: Mapping[str, float], seeds: list[int], on_event: OnEvent, *, data: str = "mini", jobs: int = 0
) -> LabResult:
    """Run every seed, side by side on all cores; events arrive in `on_event`, each with its `seed_group`.

    Raises:
        UnableError: data that the lab needs are missing, or torch is.
        LabError: it diverged or failed; the message says what to try.
    """
    _check_data(lab, data)
    require_torch(f"The lab {lab.id}")
    begin = time.monotonic()
    values: dict[int, dict[str, float]] = {}
    problems: list[str] = []
    for event in _events(lab, settings, seeds, data, jobs or os.cpu_count() or 1):
        on_event(event)
        if event["type"] == "seed":
            values[event["seed"]] = event["values"]
        elif event["type"] == "unable":
            raise UnableError(event["what"], cause=event["cause"], remedy=event["remedy"])
        elif event["type"] == "problem":
            problems.append(event["message"])
    missing = [seed for seed in seeds if seed not in values]
    if problems or missing:
        raise LabError(
            problems[0] if problems else f"{lab.id} ended without a result for seed {missing[0]}.",
            cause="a setting that is too bold." if settings else "",
            remedy=f"tlcourse lab show {lab.id} lists the settings and their defaults.",
        )
    return conclude(lab, settings, values, time.monotonic() - begin, data)


def _check_data(lab: Lab, data: str) -> None:
    if data != "mini" and data not in lab.data:
        known = ", ".join(["mini", *lab.data])
        raise UsageError(f"The lab {lab.id} has no data {data!r}.", remedy=f"--data takes one of: {known}.")


def get_ready() -> None:
    """Import in this process what labs need; from then on each child is forked from it, and trains at once.

    Takes seconds, and some 600 MB. Where processes cannot be forked, or there is no torch, nothing happens.
    """
    global _ready
    if hasattr(os, "fork") and is_here("torch"):
        os.environ.update(_OUR_THREADS)
        from tlcourse.labs import worker

        worker.warm_up()
        _ready = True


def _events(
    lab: Lab, settings: Mapping[str, float], seeds: list[int], data: str, jobs: int
) -> Iterator[dict[str, Any]]:
    """The events of all children as they come; leaving the loop ends the children."""
    groups = [group for group in (seeds[i::jobs] for i in range(jobs)) if group]
    arrived: queue.Queue[dict[str, Any] | None] = queue.Queue()
    # Synthetic data: one thread, so that a seed gives the same numbers however many run side by side. Real data take
    # minutes, and a machine's cores should not idle: there the last digits depend on the number of threads.
    threads = 1 if data == "mini" else max(1, (os.cpu_count() or 1) // len(groups))
    # of the first group alone pictures of features are shown
    requests = [_request(lab, settings, group, data, threads, tsne=not n) for n, group in enumerate(groups)]
    children = [_Forked(request) if _ready else _start(request) for request in requests]
    readers = [
        threading.Thread(target=_read, args=(child, number, arrived), daemon=True)
        for number, child in enumerate(children)
    ]
    try:
        for reader in readers:
            reader.start()
        open_readers = len(readers)
        while open_readers:
            event = arrived.get()
            if event is None:
                open_readers -= 1
            else:
                yield event
    finally:
        for child in children:
            child.kill()
        for child, reader in zip(children, readers, strict=True):
            child.wait()
            if reader.ident is not None:  # it may not have been started
                reader.join()
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()


def _request(lab: Lab, settings: Mapping[str, float], seeds: list[int], data: str, threads: int, *, tsne: bool) -> str:
    request = {
        "module": lab.module,
        "function": lab.function(data),
        "settings": dict(settings),
        "seeds": seeds,
        "threads": threads,
        "tsne": tsne,
        "tied": True,
    }
    return msgspec.json.encode(request).decode()


def _start(request: str) -> subprocess.Popen[bytes]:
    command = own_command("tlcourse.labs.worker", request)
    env = {**os.environ, **_OUR_THREADS}
    pipe = subprocess.PIPE  # stdin carries nothing: it closes when we end, however we do, and the child with it
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env)
    give_way(child.pid)  # from here, not from within: importing torch takes seconds of all cores
    return child


class _Forked:
    """A child forked from this process, which is ready: as much of `Popen` as is used here."""

    def __init__(self, request: str) -> None:
        (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err) = (os.pipe() for _ in range(3))
        self._pid, self._status, self._waits = os.fork(), -1, threading.Lock()
        if self._pid == 0:
            self._serve(request, (theirs_in, theirs_out, theirs_err), (ours_in, ours_out, ours_err))
        for descriptor in (theirs_in, theirs_out, theirs_err):
            os.close(descriptor)
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(ours_in, "wb"),
            os.fdopen(ours_out, "rb"),
            os.fdopen(ours_err, "rb"),
        )

    def _serve(self, request: str, theirs: tuple[int, ...], ours: tuple[int, ...]) -> NoReturn:
        status = 2
        try:
            for name in ("SIGTERM", "SIGHUP", "SIGINT"):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            for number, descriptor in enumerate(theirs):
                os.dup2(descriptor, number)
            for descriptor in (*theirs, *ours):
                os.close(descriptor)
            from tlcourse.labs.worker import main

            status = main([request])
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)

    def kill(self) -> None:
        """End it by force."""
        with self._waits, contextlib.suppress(ProcessLookupError):
            if self._status < 0:
                os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Until it has ended; its exit status."""
        while self._status < 0:
            with self._waits:
                if self._status < 0:
                    pid, status = os.waitpid(self._pid, os.WNOHANG)
                    if pid:
                        self._status = abs(os.waitstatus_to_exitcode(status))
            time.sleep(_LOOK_S)
        return self._status


def _read(child: subprocess.Popen[bytes] | _Forked, number: int, arrived: queue.Queue[dict[str, Any] | None]) -> None:
    assert child.stdout is not None
    assert child.stderr is not None
    said: list[bytes] = []
    errors = threading.Thread(target=lambda: said.append(child.stderr.read()[-4000:]), daemon=True)  # type: ignore[union-attr]
    errors.start()
    with contextlib.suppress(ValueError):
        for line in child.stdout:
            with contextlib.suppress(ValueError):
                arrived.put({**json.loads(line), "seed_group": number})
    status = child.wait()
    errors.join(2)
    if status > 1:
        last = b"".join(said).decode(errors="replace").strip().splitlines()
        arrived.put({"v": 1, "type": "problem", "message": last[-1] if last else f"it ended with status {status}"})
    arrived.put(None)
