"""How fast this machine is: what a run may use is counted in seconds of a *reference machine*, whatever else runs here.

A reference second is what one second of two threads got done on the machine on which the course's figures were taken.
CPU seconds do not pass while a run waits for a core, and a machine's speed turns them into reference seconds:

    reference seconds = CPU seconds / threads × speed

The speed is that of the same number of threads, so that a class with one thread each has the time that a student with
two had at home. It is measured by the staff side, in a process that no submission comes near, and kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse import paths
from tlcourse.course.spec import Limits, TaskSpec
from tlcourse.errors import UsageError
from tlcourse.execution.gpu import uses_gpu
from tlcourse.execution.spec import RunSpec
from tlcourse.own_process import own_command
from tlcourse.sandbox.interpreter import thread_environment
from tlcourse.storage import write_atomically

GIVEN = "TLCOURSE_SPEED"
"""A variable that says the speed, where measuring is of no use: a container that is new for every hand-in."""
REFERENCE_PIECE_S, REFERENCE_THREADS = 0.21, 2
"""CPU seconds per thread of `worker/calibration.py` on the reference machine, a virtual AMD EPYC, with two threads."""
_EDITION = 1
_SLOWEST, _FASTEST = 0.001, 1000.0
"""What a machine's speed can be: anything else is a slip of the keyboard or a damaged file, and no limit for a run."""
_BUSY, _BUSY_LASTS_S = 0.15, 600.0
_AGREE = 0.1
_TIMEOUT_S = 300.0
MEASURING = {"v": 1, "type": "log", "text": "[measuring how fast this machine is, once]\n"}
Tell = Callable[[dict[str, Any]], None]
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_known: dict[tuple[Path, int], float] = {}


class Speed(Struct, frozen=True):
    """A measurement, as it is kept. 1 is the reference machine; with half as many threads about half of it."""

    speed: float
    busy: bool
    """Other work ran beside it: it counts for some minutes, and is then made again, until two agree."""
    at: float
    """Seconds since 1970."""


def at_own_speed(job: RunSpec, tell: Tell = lambda _: None) -> RunSpec:
    """The run, told how fast this machine is with its threads, unless it was told before.

    Nothing is measured for a GPU, where the clock is used. Raises UsageError as `speed_here`.
    """
    if job.task_spec.speed:
        return job
    if uses_gpu(job.task_spec.device):
        return replace(job, task_spec=replace(job.task_spec, speed=usual_speed(job.task_spec.threads)))
    return replace(job, task_spec=replace(job.task_spec, speed=speed_here(job.task_spec.threads, tell)))


def speed_here(threads: int, tell: Tell = lambda _: None) -> float:
    """This machine's speed with so many threads; measured where it is not known, in some seconds, which `tell` says.

    The same for as long as this process lives. Raises UsageError where TLCOURSE_SPEED is no speed.
    """
    if given := os.environ.get(GIVEN):
        return _read(given)
    with _lock:
        file = file_of(threads)
        if (file, threads) not in _known:
            found = kept(threads)
            if found is None or (found.busy and abs(time.time() - found.at) > _BUSY_LASTS_S):
                tell(MEASURING)
                found = measure(threads)
            _known[(file, threads)] = found.speed
        return _known[(file, threads)]


def known_speed(threads: int) -> float:
    """This machine's speed as far as it is known without measuring it now. Raises UsageError as `speed_here`."""
    if given := os.environ.get(GIVEN):
        return _read(given)
    found = kept(threads)
    return found.speed if found else usual_speed(threads)


def kept(threads: int) -> Speed | None:
    """What was measured here before with so many threads; None where nothing was."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        found = msgspec.json.decode(file_of(threads).read_bytes(), type=Speed)
        return found if _SLOWEST <= found.speed <= _FASTEST else None
    return None


def measure(threads: int) -> Speed:
    """Measure and keep it; where that fails (no torch), a thread counts as one of the reference machine's."""
    command = own_command("tlcourse.execution.worker.calibration", str(threads))
    environment = {**os.environ, **thread_environment(threads)}
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=True, env=environment)
        said = msgspec.json.decode(done.stdout, type=dict[str, float])
        found = settled(Speed(REFERENCE_PIECE_S / said["piece_s"], said["waited"] > _BUSY, time.time()), kept(threads))
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError, KeyError, ZeroDivisionError) as error:
        _log.info("the speed of this machine could not be measured: %s", error)
        return Speed(usual_speed(threads), True, 0.0)
    _log.info("speed with %d threads: %.3f × the reference; busy: %s", threads, found.speed, found.busy)
    with contextlib.suppress(OSError):
        file_of(threads).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(file_of(threads), as_kept(found))
    return found


def settled(found: Speed, before: Speed | None) -> Speed:
    """A measurement beside other work that says what the last one said is as good as one on an idle machine."""
    agree = before is not None and abs(found.speed / before.speed - 1) < _AGREE
    return replace(found, busy=found.busy and not agree)


def as_kept(found: Speed) -> bytes:
    """What its file holds."""
    return msgspec.json.encode(found)


def forget() -> None:
    """What this process knows: the next run looks at what is kept."""
    with _lock:
        _known.clear()


def usual_speed(threads: int) -> float:
    """Where nothing was measured: each thread does what one of the reference machine's does."""
    return threads / REFERENCE_THREADS


def limits_here(job: RunSpec, *, gpu: bool) -> Limits:
    """The limits of a run in CPU seconds of its tree on this machine, and in seconds of the clock.

    A slow machine's clock goes on as much longer, unless somebody has said how long a run may last. On a GPU, the clock
    counts what the CPU counts elsewhere.
    """
    limits, task_spec = job.limits, job.task_spec
    if gpu:
        cores = os.cpu_count() or 1
        return replace(
            limits,
            wall_time_s=min(limits.wall_time_s, limits.cpu_s),
            cpu_s=limits.cpu_s * max(cores, task_spec.threads),
        )
    wall_time_s = limits.wall_time_s if job.wall_time_given else limits.wall_time_s / min(task_spec.speed, 1.0)
    return replace(limits, wall_time_s=wall_time_s, cpu_s=limits.cpu_s * task_spec.threads / task_spec.speed)


def reference_s(cpu_s: float, task_spec: TaskSpec) -> float:
    """CPU seconds of all threads here as seconds of the reference machine."""
    return cpu_s / task_spec.threads * task_spec.speed


def _read(given: str) -> float:
    with contextlib.suppress(ValueError):
        if _SLOWEST <= (speed := float(given)) <= _FASTEST:
            return speed
    raise UsageError(
        f"{GIVEN} is {given!r}, which is not a speed: a number from {_SLOWEST:g} to {_FASTEST:g}.",
        remedy=f"export {GIVEN}=1 (as fast as the reference machine), or unset it, and it is measured.",
    )


def file_of(threads: int) -> Path:
    """One for each machine, number of cores and threads, and torch: a home folder may be that of a whole cluster."""
    torch = ""
    with contextlib.suppress(PackageNotFoundError):
        torch = version("torch")
    parts = [_EDITION, platform.node(), platform.machine(), _processor(), os.cpu_count(), torch, threads]
    name = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]
    return paths.cache_folder() / "speed" / f"{name}.json"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line
    return platform.processor()
