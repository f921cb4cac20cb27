"""Calling what a student wrote, by name, each call alone: with a seed, a time and a memory of its own.

A call that raises, never ends or fills the memory costs its own case. Its answer goes out at once, so that what a later
call does to the process takes none of them away. It runs beside student code, which can change anything here: nothing
that it says about a score counts. No torch here: what is called needs none.
"""

from __future__ import annotations

import ast
import contextlib
import io
import random
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import load

from tlcourse.course.spec import CELL, CallSpec, TaskSpec
from tlcourse.execution.answers import AnswerError, Raised, Ref, frame, from_bytes, to_bytes
from tlcourse.execution.arrays import CALLS
from tlcourse.execution.worker import advice
from tlcourse.execution.worker.process import Channel
from tlcourse.execution.worker.solution import (
    SolutionError,
    Source,
    load_names,
    not_defined,
    place_of,
    student_trace,
)

_SAID = 5
"""Cells that ended early, of which is said how."""


def main(task_spec: TaskSpec, calls: CallSpec, folder: Path, source: Source, channel: Channel) -> int:
    """A run without `fit`: load the solution, and make the calls; 0 when all was tried, 1 otherwise."""
    seed_everything(task_spec.seed)
    channel.emit("started", device="cpu", torch="")
    try:
        channel.emit("phase", name="load")
        guarded(lambda: _load(folder, source, calls), f"while {source.name} was imported", folder)
        channel.emit("phase", name="fitted", seconds=0.0)
        if task_spec.predict:
            given = bytes(load(channel.receive_test_inputs())[CALLS])
            channel.emit("phase", name="predict")
            answer_all(task_spec, given, {}, folder, channel)
            channel.results(b"")
    except SolutionError as error:
        channel.emit("problem", kind=error.kind, message=error.message, trace=error.trace)
        return 1
    channel.emit("finished")
    return 0


def _load(folder: Path, source: Source, calls: CallSpec) -> None:
    """The solution, as the module `solution`; where its code ends early, what was defined before that is called.

    Raises SolutionError where nothing of what is asked for is there.
    """
    stopped: list[Exception] = []
    load_names(folder, source, (), on_error=stopped.append)
    defined = sys.modules["solution"].__dict__
    missing = [name for name in calls.defines if name not in defined]
    if len(missing) == len(calls.defines):
        raise stopped[0] if stopped else not_defined(missing[0], source)
    for error in stopped[:_SAID]:
        place = "" if isinstance(error, SyntaxError) else place_of(error, folder)  # which says its own
        said = f"{type(error).__name__}: {advice.first_line(error)}" + (f" ({place})" if place else "")
        what = "a cell ended early" if len(source.codes) > 1 else f"{source.name} ended early"
        sys.stderr.write(f"Notice: {what}, and what it had not defined by then is missing: {said}\n")
    for name in missing:
        sys.stderr.write(f"Notice: {not_defined(name, source).message}\n")


def answer_all(task_spec: TaskSpec, given: bytes, known: Mapping[str, Any], folder: Path, channel: Channel) -> None:
    """Make all calls of the document `given`, hand out what each case gave. `known`: the trained module, by name."""
    calls = task_spec.calls
    assert calls is not None
    cpu_s = calls.call_s * task_spec.threads / (task_spec.speed or task_spec.threads)
    for case, steps in from_bytes(given, refs=True):
        seed_everything(task_spec.seed)
        channel.first(_answer(case, steps, dict(known), calls, cpu_s, folder))


def _answer(case: int, steps: list[Any], known: dict[str, Any], calls: CallSpec, cpu_s: float, folder: Path) -> bytes:
    """The frame of one case: the value of its only call, or a list of those of all calls that are not kept."""
    values: list[Any] = []
    packed, number = b"", 0
    try:
        for number, (name, args, kwargs, keep, take) in enumerate(steps):
            with limited(cpu_s, calls.call_mb):
                called = _test_cell if name.startswith(CELL) else _named(name, known)
                value = called(*_given(args, known), **_given(kwargs, known))
                if keep:
                    known[keep] = value
                else:
                    values.append(list(islice(value, take)) if take else value)
                if number == len(steps) - 1:  # within the limits, too: an iterator runs the student's code
                    packed = to_bytes(values[0] if len(steps) == 1 and values else values, calls.answer_kb * 1024)
        return frame(case, packed)
    except BaseException as error:
        return frame(case, b"", _raised(error, number, folder))


def _named(name: str, known: Mapping[str, Any]) -> Any:
    """What a dotted name means: of what was kept, the trained module, or else of the solution."""
    first, *rest = name.split(".")
    module = sys.modules["solution"].__dict__
    if first not in known and first not in module:
        raise _MissingError(first)
    value = known[first] if first in known else module[first]
    for attribute in rest:
        try:
            value = getattr(value, attribute)
        except AttributeError:
            raise _MissingError(name) from None
    return value


def _given(value: Any, known: Mapping[str, Any]) -> Any:
    """An argument, with what it refers to in its place."""
    if isinstance(value, Ref):
        return _named(value.name, known)
    if isinstance(value, list | tuple):
        return type(value)(_given(one, known) for one in value)
    if isinstance(value, dict):
        return {name: _given(one, known) for name, one in value.items()}
    return value


def _test_cell(text: str) -> list[Any]:
    """Run the text of a test among the solution's names: what it printed and gave, and a number that it gave.

    A test may replace a function to see who calls it; afterwards every name is what it was.
    """
    tree = ast.parse(text, "test")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    names = sys.modules["solution"].__dict__
    before, said, value = dict(names), io.StringIO(), None
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(tree, "test", "exec"), names)  # noqa: S102 - the course's own, in the sandbox
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), "test", "eval"), names)  # noqa: S307 - as above
            if value is not None:
                sys.stdout.write(f"{value!r}\n")
    finally:
        names.clear()
        names.update(before)
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return [said.getvalue(), float(value)]
    return [said.getvalue(), None]


class _MissingError(Exception):
    """Nothing has that name."""


def _raised(error: BaseException, call: int, folder: Path) -> Raised:
    """Why a case has no answer, for its author. It may be the words of a hostile exception."""
    place, name = place_of(error, folder), type(error).__name__[:80]
    if isinstance(error, _MissingError):
        return Raised("missing", said=f"there is no `{str(error)[:80]}`", call=call)
    if isinstance(error, TooLong):
        return Raised("slow", place=place, call=call)
    if isinstance(error, MemoryError):
        return Raised("memory", place=place, call=call)
    if isinstance(error, AnswerError):
        return Raised("answer", said=str(error), call=call)
    kind: Literal["todo", "exception"] = "todo" if isinstance(error, NotImplementedError) and place else "exception"
    return Raised(kind, name, advice.first_line(error), place[:200], call)


# -- what every call of student code needs -----------------------------------------------------------------------------


class TooLong(BaseException):
    """A call took more than its time; no `except Exception` of a student's keeps it."""


@contextlib.contextmanager
def limited(cpu_s: float, memory_mb: int = 0) -> Iterator[None]:
    """Within so many seconds of CPU, four times as many by the clock, and 2**20 bytes beside what there is already.

    Where the system has such clocks and limits; without, what sleeps or grows meets the run's own end.
    """
    with _within_memory(memory_mb), _within_time(cpu_s):
        yield


@contextlib.contextmanager
def _within_time(cpu_s: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer"):
        yield
        return

    def end(_: int, frame: Any) -> None:
        raise TooLong

    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, cpu_s), (signal.SIGALRM, signal.ITIMER_REAL, 4 * cpu_s))
    before = [signal.signal(number, end) for number, _, _ in clocks]
    for _, clock, seconds in clocks:
        signal.setitimer(clock, seconds, 1.0)  # again and again: whoever catches the first is asked anew
    try:
        yield
    finally:
        for _, clock, _ in clocks:
            signal.setitimer(clock, 0.0)
        for (number, _, _), handler in zip(clocks, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _within_memory(memory_mb: int) -> Iterator[None]:
    """The soft limit alone is moved: whoever moves it back meets that of the run."""
    if not memory_mb or sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        most = pages * resource.getpagesize() + memory_mb * 2**20
        if before[1] != resource.RLIM_INFINITY:
            most = min(most, before[1])
        resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    except (OSError, ValueError, IndexError):
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, before)


def guarded(act: Callable[[], Any], where: str, folder: Path) -> Any:
    """Student code: whatever it raises, ending the process included, is theirs to read."""
    try:
        return act()
    except SolutionError:
        raise
    except SystemExit as error:
        raise SolutionError(
            "exception", advice.of_exit(error, where, place_of(error, folder)), student_trace(error, folder)
        ) from None
    except BaseException as error:
        summary = f"{type(error).__name__} {where}: {advice.first_line(error)}"
        if fix := advice.of_error(error, folder):
            summary = f"{summary.rstrip(' .:')}. {fix}"
        raise SolutionError("exception", summary, student_trace(error, folder)) from None


def seed_everything(seed: int) -> None:
    """Generators of Python, NumPy and, where it is loaded, torch: a forked child inherits its parent's otherwise."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
