"""The process inside the sandbox: load the data, load the solution, fit, predict, hand the arrays out.

It runs beside student code, which can change anything here: nothing that it says about a score counts. Its way out:
events to one descriptor, predictions to another; test inputs come from standard input.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import load_file

from tlcourse.course.spec import TaskSpec
from tlcourse.execution import events
from tlcourse.execution.arrays import pack
from tlcourse.execution.worker import predict, probes
from tlcourse.execution.worker.pretrained import find_in
from tlcourse.execution.worker.solution import SolutionError, load_fit, student_trace
from tlcourse.execution.worker.task import Arrays, Task, missing_device, pick_device


class Channel:
    """The worker's end. What it carries is untrusted on the other side, whoever wrote it."""

    def __init__(self, events_fd: int, results_fd: int) -> None:
        self._events_fd = events_fd
        self._results_fd = results_fd

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

    def results(self, data: bytes) -> None:
        """Send the predictions, once."""
        _write_all(self._results_fd, data)
        os.close(self._results_fd)


def receive_test_inputs() -> bytes:
    """Block until the test inputs arrive: 8 bytes of length, then a safetensors document."""
    stream = sys.__stdin__
    assert stream is not None, "the supervisor always gives the worker a standard input"
    (length,) = struct.unpack("<Q", _read_exactly(stream.buffer, 8))
    return _read_exactly(stream.buffer, length)


def _read_exactly(stream: Any, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise EOFError("the supervisor closed the channel before the test inputs were whole")
    return bytes(data)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> int:
    """`worker INPUTS SUBMISSION EVENTS_FD RESULTS_FD`; 0 when predictions were handed out, 1 otherwise."""
    _end_with_parent()
    inputs, submission = Path(argv[0]), Path(argv[1])
    channel = Channel(int(argv[2]), int(argv[3]))
    task_spec = msgspec.json.decode((inputs / "task_spec.json").read_bytes(), type=TaskSpec)
    torch.set_num_threads(task_spec.threads)
    seed_everything(task_spec.seed)
    device = pick_device(task_spec.device)
    if missing := missing_device(device):
        channel.emit("problem", kind="no_device", message=missing, trace="")
        return 1
    channel.emit("started", device=device_name(device), torch=torch.__version__)
    try:
        _run(task_spec, inputs, submission, device, channel)
    except SolutionError as error:
        channel.emit("problem", kind=error.kind, message=error.message, trace=error.trace)
        return 1
    channel.emit("finished")
    return 0


def leave(argv: list[str]) -> NoReturn:
    """`main`, then the end of the process at once.

    Python's own way out would run what a submission registered, join its threads and free torch's objects one by one,
    all after the last thing that counts.
    """
    _hear_signals()
    code = 1
    try:
        code = main(argv)
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _run(task_spec: TaskSpec, inputs: Path, submission: Path, device: torch.device, channel: Channel) -> None:
    channel.emit("phase", name="load")
    task = Task(
        _dataset(load_file(inputs / "train.safetensors"), task_spec),
        _dataset(load_file(inputs / "val.safetensors"), task_spec),
        device=device,
        seed=task_spec.seed,
        seconds=task_spec.seconds,
        folder=submission,
        log=channel.metric,
        find_weights=find_in(inputs / "pretrained"),
    )
    fit = _guarded(lambda: load_fit(submission), "while solution.py was imported")
    channel.emit("phase", name="fit")
    started = time.monotonic()
    model = predict.check_model(_guarded(lambda: fit(task), "in fit"))
    channel.emit("phase", name="fitted", seconds=time.monotonic() - started)
    _guarded(lambda: _try_outputs(model, task, task_spec, channel), "while the returned module was called")
    if not task_spec.predict:
        return
    x = load_tensors(receive_test_inputs())["x"]
    channel.emit("phase", name="predict")
    arrays = _guarded(
        lambda: predict.predict(model, x, task_spec.outputs, device), "while the returned module was called"
    )
    channel.results(pack(arrays))


def _try_outputs(model: torch.nn.Module, task: Task, task_spec: TaskSpec, channel: Channel) -> None:
    """A batch of training inputs first: a wrong shape is said before test inputs are asked for."""
    x = task.train.tensors[0][:64]
    predict.predict(model, x, task_spec.outputs, task.device)
    values = probes.measure(model, x.to(task.device), task_spec.outputs)
    channel.emit("probe", values=values | task.kept(model))


def _guarded(act: Callable[[], Any], where: str) -> Any:
    """Student code: whatever it raises, ending the process included, is theirs to read."""
    try:
        return act()
    except SolutionError:
        raise
    except SystemExit as error:
        raise SolutionError("exception", f"the solution called sys.exit({error.code!r}) {where}") from None
    except BaseException as error:
        summary = f"{type(error).__name__} {where}: {_first_line(error)}"
        raise SolutionError("exception", summary, student_trace(error)) from None


def _first_line(error: BaseException) -> str:
    try:
        return str(error).splitlines()[0][:300]
    except Exception:  # an empty message, or a hostile __str__
        return "(no message)"


def _dataset(tensors: Mapping[str, torch.Tensor], task_spec: TaskSpec) -> Arrays:
    return Arrays(tensors["x"], [tensors[name] for name in task_spec.targets])


def seed_everything(seed: int) -> None:
    """Python's, NumPy's and torch's generators: a forked child inherits NumPy's from its parent otherwise."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


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


def device_name(device: torch.device) -> str:
    """`cpu`, or the device with its model."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"[:99]
    return str(device)


if __name__ == "__main__":
    leave(sys.argv[1:])
