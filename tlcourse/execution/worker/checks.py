"""A method that a student wrote, checked beside it: `checks.py` of a write-it exercise, one function a check.

    def check_start(written):
        layer = written.LoRALinear(linear, 2, 4.0)
        assert close(layer(x), linear(x)), "B is not zero at the start: training would begin at another network"

Each check is called alone, with a seed and a time of its own, whatever became of those before; what it asserts is said
in words that mean something to who wrote the method. Nothing of it is a mark: a forged result deceives its author.
"""

from __future__ import annotations

import time
import types
from pathlib import Path
from typing import Any

import torch

from tlcourse.course.spec import TaskSpec
from tlcourse.execution.worker import advice, pipe_locks
from tlcourse.execution.worker.calls import TooLong, guarded, limited, seed_everything
from tlcourse.execution.worker.process import Channel
from tlcourse.execution.worker.solution import Source, load_names, place_of, student_trace

FILE = "checks.py"


def close(got: Any, wanted: torch.Tensor, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Whether `got` is `wanted` up to rounding; raises AssertionError where it is no tensor of that shape."""
    shape = tuple(wanted.shape)
    assert isinstance(got, torch.Tensor), f"a tensor of shape {shape} was expected, and {_kind(got)} came"
    assert tuple(got.shape) == shape, f"shape {shape} was expected, and {tuple(got.shape)} came"
    return torch.allclose(got.detach().to(wanted.dtype), wanted.detach(), rtol=rtol, atol=atol)


def _kind(value: Any) -> str:
    return "None (is a `return` missing?)" if value is None else f"an object of type {type(value).__name__}"


def run(task_spec: TaskSpec, inputs: Path, folder: Path, source: Source, channel: Channel) -> None:
    """Load what was written, and say of each check how it ended; raises SolutionError where it cannot be loaded."""
    channel.emit("phase", name="load")
    pipe_locks.install_where_needed()
    where = f"while {source.name} was imported"
    written = guarded(lambda: load_names(folder, source, task_spec.defines), where, folder)
    known = types.ModuleType("checks")
    text = (inputs / FILE).read_text(encoding="utf-8")
    exec(compile(text, FILE, "exec"), known.__dict__)  # noqa: S102 - the course's own, in the sandbox
    channel.emit("phase", name="fit")
    started = time.monotonic()
    for name in task_spec.checks:
        seed_everything(task_spec.seed)
        status, message, trace = _outcome(
            known.__dict__[f"check_{name.replace('-', '_')}"], written, folder, task_spec.seconds
        )
        channel.emit("check", id=name, status=status, message=message, trace=trace)
    channel.emit("phase", name="fitted", seconds=time.monotonic() - started)


def _outcome(check: Any, written: types.ModuleType, folder: Path, cpu_s: float) -> tuple[str, str, str]:
    """Status, what is said, and the student's lines that led there."""
    try:
        with limited(cpu_s):
            check(written)
    except TooLong as error:
        at = place_of(error, folder)
        return (
            "slow",
            f"it took more than {cpu_s:g} seconds of CPU{f' ({at})' if at else ''}",
            student_trace(error, folder),
        )
    except BaseException as error:
        at = place_of(error, folder)
        if isinstance(error, AssertionError) and not at:
            return "fail", str(error), ""
        if isinstance(error, NotImplementedError) and at:
            return "todo", f"not written yet ({at})", ""
        fix = advice.of_error(error, folder)
        said = f"{type(error).__name__}: {advice.first_line(error)}" + (f" ({at})" if at else "")
        return "error", f"{said}. {fix}" if fix else said, student_trace(error, folder)
    return "pass", "", ""
