"""On the compute node: `python -m tlcourse.cluster.worker_node FOLDER` runs this job's tasks, in a sandbox each.

It is our own process, outside the sandbox: it holds the test inputs, hands them over after `fit`, watches the limits,
and writes events and results. It knows no labels, and nothing that it writes counts before it was checked here.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tlcourse.cluster.plan import LEAVE_S, SUBMISSIONS, Plan, Task, TaskResult, read_arrays
from tlcourse.errors import TlcourseError
from tlcourse.execution.events import MAX_TOTAL
from tlcourse.execution.spec import RunReport, RunSpec, Usage
from tlcourse.storage import scratch_folder, write_atomically

FULL_EXIT = 28
_TRIES, _PAUSE_S = 5, 3.0
_PIECE = 8192
_TOO_MUCH = "used more memory than its job has, faster than it could be stopped; the system killed it"
# What Slurm says about the cards that are this job's own; a solution on a GPU must see it.
_CARDS = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL")
Run = Callable[[RunSpec, Callable[[dict[str, Any]], None]], tuple[RunReport, str]]


def main(argv: list[str]) -> int:
    """Run the tasks of this element of the array that have no result yet; 0 when all that there was time for ran."""
    begin = time.monotonic()
    folder = Path(argv[0])
    plan = msgspec.json.decode((folder / "plan.json").read_bytes(), type=Plan)
    mine = plan.chunks[int(os.environ.get("SLURM_ARRAY_TASK_ID", "0"))]
    seconds = float(os.environ.get("TLCOURSE_JOB_SECONDS", "inf"))
    passed = {name: os.environ[name] for name in (*_CARDS, *plan.pass_on) if name in os.environ}
    try:
        with place(plan.tasks[mine[0]].sandbox_kind, len(mine)) as run:
            for position, number in enumerate(mine):
                if (folder / "results" / f"{number}.json").exists():
                    continue
                task = plan.tasks[number]
                left = seconds - (time.monotonic() - begin) - LEAVE_S
                if position and left < task.limits.wall_time_s:
                    return 0  # no time for a fair run: it is sent again, in a job of its own
                limits = msgspec.structs.replace(task.limits, wall_time_s=max(min(task.limits.wall_time_s, left), 1.0))
                task = msgspec.structs.replace(task, limits=limits, env={**passed, **task.env})
                if not _carry_out(folder, number, task, run):
                    return FULL_EXIT
    except TlcourseError as error:  # this node builds no such sandbox
        for number in mine:
            _write(folder, number, plan.tasks[number], _our_fault(error), "")
    return 0


@contextlib.contextmanager
def place(sandbox_kind: str, tasks: int) -> Iterator[Run]:
    """Where tasks run: `strong` is one fork server for all of them, else bubblewrap for each, and never no sandbox.

    A parent costs more than one start of bubblewrap, which is what a single task gets.
    """
    from tlcourse.execution.supervise import run as supervise
    from tlcourse.sandbox.choose import choose

    if sandbox_kind == "strong":
        sandbox_kind = "fork-server" if tasks > 1 and _can_fork_server() else "bubblewrap"
    if sandbox_kind == "fork-server":
        from tlcourse.execution.pool import Pool
        from tlcourse.sandbox.fork_server import shared

        with Pool(workers=1, sandbox=shared()) as pool:  # the parent on which the sandbox was tried serves on
            yield lambda job, tell: (pool.run(job, tell), "")
        return
    sandbox, missing = choose(sandbox_kind)
    yield lambda job, tell: (supervise(job, sandbox, tell), missing)


def _can_fork_server() -> bool:
    from tlcourse.sandbox.fork_server import probe

    return probe().available


def _carry_out(folder: Path, number: int, task: Task, run: Run) -> bool:
    """Run one task and write its result; False where nothing can be written any more."""
    with EventFile(folder / "events" / f"{number}.jsonl") as events:
        try:
            with scratch_folder("submission") as submission:
                job, killed = _job(folder, task, submission), memory_kills()
                report, notice = run(job, events.write)
                if report.status == "crash" and memory_kills() > killed:
                    report = msgspec.structs.replace(report, status="memory", message=_TOO_MUCH)
        except (TlcourseError, OSError) as error:  # this node's fault: said, and decided on the trusted side
            report, notice = _our_fault(error), ""
    return _write(folder, number, task, report, notice)


def _our_fault(error: Exception) -> RunReport:
    said = (str(error).splitlines() or [type(error).__name__])[0][:300]
    return RunReport("infra", f"on the compute node: {said}", "", Usage())


def _write(folder: Path, number: int, task: Task, report: RunReport, notice: str) -> bool:
    result = TaskResult(
        key=task.key,
        report=report,
        node=os.environ.get("SLURMD_NODENAME") or socket.gethostname(),
        job=_job_id(),
        notice=notice,
    )
    return write_result(folder / "results" / f"{number}.json", msgspec.json.encode(result))


def _job(folder: Path, task: Task, submission: Path) -> RunSpec:
    """The job again, its data from the blobs. What was cut short is found by its hash."""
    blobs = folder.parent.parent / "blobs"
    packed = folder / SUBMISSIONS  # not in a folder that `tlcourse pack` wrote
    _unpack(_packed(packed, task.submission) if packed.exists() else _blob(blobs, task.submission), submission)
    return RunSpec(
        task_spec=task.task_spec,
        submission=submission,
        train=read_arrays(_blob(blobs, task.train)),
        val=read_arrays(_blob(blobs, task.val)),
        test_inputs=read_arrays(_blob(blobs, task.test)) if task.test else None,
        order_seed=task.order_seed,
        limits=task.limits,
        sandbox_kind=task.sandbox_kind,
        env=task.env,
        files={name: _whole(blobs, digest) for name, digest in task.files.items()},
        wall_time_given=True,  # its job ends by the clock
    )


def memory_kills() -> int:
    """How many processes of this job the kernel has killed for memory, where Slurm bounds jobs by control groups."""
    found = 0
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            _, controllers, path = line.split(":", 2)
            for file in (f"/sys/fs/cgroup/memory{path}/memory.oom_control", f"/sys/fs/cgroup{path}/memory.events"):
                if controllers in ("", "memory") and Path(file).exists():
                    words = dict(entry.split() for entry in Path(file).read_text(encoding="ascii").splitlines())
                    found += int(words.get("oom_kill", 0))
    return found


def _unpack(data: bytes, into: Path) -> None:
    """Regular files alone, each below `into`: the names are a student's."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            path = (into / member.name).resolve()
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None or not path.is_relative_to(into.resolve()):
                raise OSError(f"the submission holds {member.name!r}, which is not a file inside it")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stream.read())


def _packed(path: Path, digest: str) -> bytes:
    try:
        with tarfile.open(path) as archive:
            stream = archive.extractfile(digest)
            data = stream.read() if stream is not None else b""
    except (tarfile.TarError, KeyError):
        data = b""
    if not _is(data, digest):
        raise OSError(f"the hand-in {digest[:12]} in {path} is damaged")
    return data


def _is(data: bytes, digest: str) -> bool:
    import hashlib

    return hashlib.sha256(data).hexdigest() == digest


def _blob(blobs: Path, digest: str) -> bytes:
    data = (blobs / digest).read_bytes()
    if not _is(data, digest):
        (blobs / digest).unlink(missing_ok=True)
        raise OSError(f"the file {digest[:12]} in the work folder is damaged; it was removed")
    return data


def _whole(blobs: Path, digest: str) -> Path:
    _blob(blobs, digest)
    return blobs / digest


class EventFile:
    """Events as lines, for the trusted side to tail. A full disk costs the live curves, not the run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = 2 * MAX_TOTAL
        self._stream: Any = None

    def __enter__(self) -> EventFile:
        with contextlib.suppress(OSError):
            self._stream = self._path.open("ab", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def write(self, event: dict[str, Any]) -> None:
        """Append one event; long text in pieces, as the reader takes lines of a bounded length."""
        text = event.get("text")
        if isinstance(text, str) and len(text) > _PIECE:
            for start in range(0, len(text), _PIECE):
                self.write({**event, "text": text[start : start + _PIECE]})
            return
        line = msgspec.json.encode(event) + b"\n"
        self._left -= len(line)
        if self._stream is not None and self._left > 0:
            with contextlib.suppress(OSError):
                self._stream.write(line)


def write_result(path: Path, data: bytes) -> bool:
    """Write it whole or not at all; on a full disk try again for a while."""
    for attempt in range(_TRIES):
        try:
            write_atomically(path, data)
            return True
        except OSError as error:
            sys.stderr.write(f"tlcourse: the result cannot be written: {error.strerror}\n")
            if attempt < _TRIES - 1:
                time.sleep(_PAUSE_S)
    return False


def _job_id() -> str:
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    if array:
        return f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}"
    return os.environ.get("SLURM_JOB_ID", "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
