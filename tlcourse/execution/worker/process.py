"""The worker's process as a submission finds it: like `python solution.py` in the folder that was handed in.

No torch here: what can be said of a solution without it is said before the seconds that its import takes. It runs
beside student code, which can change anything here: nothing that it says about a score counts.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import shutil
import signal
import struct
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import msgspec

from tlcourse.course.spec import DATA, TaskSpec
from tlcourse.execution import events
from tlcourse.execution.worker.solution import FILENAME, SolutionError, place_in, read_source

_COPIED = 16 * 2**20
"""Bytes of handed-in files that are copied into the working folder, which counts as scratch; what is more than that is
linked, and stays as it is."""
_PR_SET_PDEATHSIG = 1


class Channel:
    """The worker's end. What it carries is untrusted on the other side, whoever wrote it."""

    def __init__(self, events_fd: int, results_fd: int, inputs_fd: int) -> None:
        """Descriptors of events, of predictions, and of the test inputs; none of them goes on to a child's program."""
        self._events_fd = events_fd
        self._results_fd = results_fd
        self._inputs_fd = inputs_fd
        for descriptor in (events_fd, results_fd, inputs_fd):
            os.set_inheritable(descriptor, False)

    def emit(self, event: str, /, **fields: Any) -> None:
        """Send one event; over-long text is cut so that the line stays whole."""
        for name, value in fields.items():
            if isinstance(value, str):
                fields[name] = value[:8000]
        _write_all(self._events_fd, events.encode(event, **fields))

    def metric(self, step: int, values: dict[str, float]) -> None:
        """Send metrics; NaN and infinities travel as strings."""
        self.emit(
            "metric",
            step=step,
            values={name: value if math.isfinite(value) else str(value) for name, value in values.items()},
        )

    def receive_test_inputs(self) -> bytes:
        """Block until the test inputs arrive: 8 bytes of length, then a safetensors document."""
        with open(self._inputs_fd, "rb", closefd=False) as stream:
            (length,) = struct.unpack("<Q", _read_exactly(stream, 8))
            return _read_exactly(stream, length)

    def first(self, data: bytes) -> None:
        """Send what is asked for before the test inputs come, on the way that predictions take later."""
        _write_all(self._results_fd, data)

    def results(self, data: bytes) -> None:
        """Send the predictions, once."""
        _write_all(self._results_fd, data)
        os.close(self._results_fd)


def _read_exactly(stream: Any, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise EOFError("the supervisor closed the channel before the test inputs were whole")
    return bytes(data)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def leave(argv: list[str]) -> NoReturn:
    """`worker INPUTS SUBMISSION EVENTS_FD RESULTS_FD`, then the end of the process at once: 0 when all came out.

    Python's own way out would run what a submission registered, join its threads and free torch's objects one by one,
    all after the last thing that counts.
    """
    code = 1
    try:
        _hear_signals()
        _end_with_parent()
        code = _work(Path(argv[0]), Path(argv[1]), int(argv[2]), int(argv[3]))
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _work(inputs: Path, submission: Path, events_fd: int, results_fd: int) -> int:
    channel = Channel(events_fd, results_fd, _take_standard_input())
    folder = _working_folder(submission)
    _look_like_a_script()
    _say_where_on_timeout(channel, folder)
    try:
        task_spec = msgspec.json.decode((inputs / "task_spec.json").read_bytes(), type=TaskSpec)
        source = read_source(folder, _needed(task_spec))
    except SolutionError as error:
        channel.emit("started", device="", torch=_torch_version())
        channel.emit("problem", kind=error.kind, message=error.message, trace=error.trace)
        return 1
    if task_spec.calls is not None and not task_spec.calls.after:
        from tlcourse.execution.worker import calls

        _lay_beside(inputs / DATA, folder)
        return calls.main(task_spec, task_spec.calls, folder, source, channel)
    gc.disable()  # torch's import makes objects that all stay; to look through them again and again is a sixth of it
    from tlcourse.execution.worker.main import main

    gc.enable()
    return main(inputs, folder, source, channel)


def _lay_beside(data: Path, folder: Path) -> None:
    """The exercise's own files where a notebook looks for them; what was handed in under such a name stays."""
    for path in sorted(data.rglob("*")):
        target = folder / path.relative_to(data)
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)


def _needed(task_spec: TaskSpec) -> Sequence[str]:
    """What the solution must define: `fit`, or what its checks call; a missing function costs its own calls alone."""
    if task_spec.calls is not None and not task_spec.calls.after:
        return ()
    return task_spec.defines or ("fit",)


def _take_standard_input() -> int:
    """Test inputs come on a number of ours; in its place is nothing: who asks for a line is at the end at once."""
    if sys.platform == "win32":
        return 0
    import fcntl

    inputs = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 3)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0, inheritable=True)
    os.close(nothing)
    return inputs


def _working_folder(submission: Path) -> Path:
    """A copy of what was handed in, which may be written to, as at home: relative names mean the files beside it."""
    folder, left = Path(os.environ["TMPDIR"], "submission"), _COPIED
    sources = []
    for current, _, names in os.walk(submission):
        (folder / Path(current).relative_to(submission)).mkdir(parents=True, exist_ok=True)
        sources += [(path.lstat().st_size, path) for name in names if (path := Path(current, name))]
    for size, source in sorted(sources):  # small ones first, so that code is a copy
        target = folder / source.relative_to(submission)
        try:
            if size > left:
                raise OSError("large")
            shutil.copyfile(source, target)
            left -= size
        except OSError:  # or the scratch is full
            target.unlink(missing_ok=True)
            target.symlink_to(source)
    os.chdir(folder)
    os.environ["PWD"] = str(folder)
    return folder


def _look_like_a_script() -> None:
    """Arguments, lines that are shown as they are printed, and no debugger that would wait for a keyboard."""
    sys.argv[:] = [FILENAME]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    sys.breakpointhook = _no_keyboard


def _no_keyboard(*_: Any, **__: Any) -> None:
    raise EOFError("breakpoint() was called")


def _say_where_on_timeout(channel: Channel, folder: Path) -> None:
    """When its time is over, and before it is killed, a run is asked with SIGXCPU where it is."""
    if not hasattr(signal, "SIGXCPU"):
        return
    top = os.getpid()

    def answer(_: int, frame: FrameType | None) -> None:
        if os.getpid() == top:  # a forked child of the submission has this handler, too
            place, trace = place_in(frame, folder)
            channel.emit("where", place=place, trace=trace)

    signal.signal(signal.SIGXCPU, answer)


def _torch_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("torch")
    except PackageNotFoundError:
        return ""


def _hear_signals() -> None:
    """As in a process of its own: a grader started with `nohup … &` is deaf to some, and passes that on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT"):
        if hasattr(signal, name):  # not all of them on Windows
            signal.signal(getattr(signal, name), signal.SIG_DFL)


def _end_with_parent() -> None:
    """Without a sandbox nothing else would end this process when the grader is killed; behind one it does no harm."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    leave(sys.argv[1:])
