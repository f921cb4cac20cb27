"""The events of a run: JSON lines, versioned, bounded, and checked on arrival, because a hostile worker writes them."""

from __future__ import annotations

import json
import math
from typing import Any

VERSION = 1
MAX_LINE = 64 * 1024
MAX_TOTAL = 8 * 1024 * 1024
KINDS = frozenset({"started", "log", "metric", "phase", "problem", "evidence", "finished"})


def encode(event: str, /, **fields: Any) -> bytes:
    """One event as a line."""
    return json.dumps({"v": VERSION, "type": event, **fields}, ensure_ascii=True).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any] | None:
    """The event of a line, or None where the line is not one of ours."""
    if len(line) > MAX_LINE:
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("v") != VERSION or value.get("type") not in KINDS:
        return None
    return value if _fields_hold(value) else None


def _fields_hold(event: dict[str, Any]) -> bool:
    kind = event["type"]
    if kind == "metric":
        values = event.get("values")
        return (
            isinstance(event.get("step"), int)
            and isinstance(values, dict)
            and len(values) <= 16
            and all(_is_metric(name, value) for name, value in values.items())
        )
    if kind == "phase":
        return event.get("name") in {"load", "fit", "fitted", "predict"}
    if kind == "problem":
        return all(isinstance(event.get(key), str) for key in ("kind", "message", "trace"))
    if kind == "evidence":
        values = event.get("values")
        return isinstance(values, dict) and all(_is_number(v) for v in values.values()) and len(values) <= 64
    if kind == "started":
        return all(isinstance(event.get(key), str) and len(event[key]) < 100 for key in ("device", "torch"))
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_metric(name: Any, value: Any) -> bool:
    """A loss that became NaN is worth showing; it arrives as the string that JSON allows."""
    return isinstance(name, str) and len(name) <= 40 and (_is_number(value) or value in ("nan", "inf", "-inf"))


class Lines:
    """Cuts a stream of bytes into events, within MAX_LINE a line and MAX_TOTAL in all."""

    def __init__(self) -> None:
        self._rest = b""
        self._total = 0
        self.dropped = 0

    @property
    def overflowed(self) -> bool:
        """Whether more bytes arrived than any honest worker sends."""
        return self._total > MAX_TOTAL

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The events that are whole now; lines that are none of ours are counted in `dropped`."""
        self._total += len(data)
        if self.overflowed:
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            self._rest = b""
            self.dropped += 1
        found = []
        for line in lines:
            event = decode(line)
            if event is None:
                self.dropped += 1
            else:
                found.append(event)
        return found
