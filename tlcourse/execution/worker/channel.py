"""The worker's way out: events to one descriptor, predictions to another, test inputs from standard input."""

from __future__ import annotations

import math
import os
import struct
import sys
from typing import Any

from tlcourse.execution import events


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
