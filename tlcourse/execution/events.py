"""The events of a run: JSON lines, versioned, bounded, and checked on arrival, because a hostile worker writes them."""

from __future__ import annotations

import json
import math
from typing import Any

from tlcourse.text import harmless

VERSION = 1
MAX_LINE = 64 * 1024
MAX_TOTAL = 8 * 1024 * 1024
FIELDS = {
    "started": ("device", "torch"),
    "log": ("text",),
    "metric": ("step", "values"),
    "phase": ("name",),
    "problem": ("kind", "message", "trace"),
    "probe": ("values",),
    "where": ("place", "trace"),
    "check": ("id", "status", "message", "trace"),
    "finished": (),
}
"""The kinds of events, and the fields that are kept of them; whatever else a line holds is dropped."""
_LARGEST = 2**53


def encode(event: str, /, **fields: Any) -> bytes:
    """One event as a line."""
    return json.dumps({"v": VERSION, "type": event, **fields}, ensure_ascii=True).encode() + b"\n"


def decode(line: bytes | bytearray) -> dict[str, Any] | None:
    """The event of a line, its text made harmless to show; None where the line is not one of ours."""
    if len(line) > MAX_LINE:
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("v") != VERSION or type(value.get("type")) is not str:
        return None
    kind = value["type"]
    if kind not in FIELDS:
        return None
    event = {name: _clean(value.get(name)) for name in FIELDS[kind]}
    return {"v": VERSION, "type": kind, **event} if _fields_hold(kind, event) else None


def _clean(value: Any) -> Any:
    """Text, and the names in a table, without what moves a cursor or reorders a line."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(name): one for name, one in value.items()}
    return value


def _fields_hold(kind: str, event: dict[str, Any]) -> bool:
    values = event.get("values")
    if kind == "metric":
        return (
            _is_number(event["step"])
            and isinstance(event["step"], int)
            and isinstance(values, dict)
            and len(values) <= 16
            and all(_is_metric(name, value) for name, value in values.items())
        )
    if kind == "phase":
        return isinstance(event["name"], str) and event["name"] in {"load", "fit", "export", "fitted", "predict"}
    if kind == "probe":
        return isinstance(values, dict) and len(values) <= 64 and all(_is_probe(*one) for one in values.items())
    if kind == "started":
        return all(isinstance(text, str) and len(text) < 100 and text.isprintable() for text in event.values())
    return all(isinstance(text, str) for text in event.values())


def _is_number(value: Any) -> bool:
    """Finite, and an integer only as large as every reader of JSON can tell from its neighbours."""
    if isinstance(value, bool):
        return False
    return abs(value) <= _LARGEST if isinstance(value, int) else isinstance(value, float) and math.isfinite(value)


def _is_probe(name: str, value: Any) -> bool:
    return _is_number(value) and abs(value) <= _LARGEST and len(name) <= 40 and name.isprintable()


def _is_metric(name: str, value: Any) -> bool:
    """A loss that became NaN is worth showing; it arrives as the string that JSON allows."""
    known = _is_number(value) or (isinstance(value, str) and value in ("nan", "inf", "-inf"))
    return known and len(name) <= 40 and name.isprintable()


class Lines:
    """Cuts a stream of bytes into events, within MAX_LINE a line and MAX_TOTAL in all."""

    def __init__(self) -> None:
        self._rest = bytearray()
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
        whole, newline, rest = data.rpartition(b"\n")  # a line may come byte by byte: what is there is not copied anew
        lines = (self._rest + whole).split(b"\n") if newline else []
        if newline:
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > MAX_LINE:
            self._rest.clear()
            self.dropped += 1
        found = []
        for line in lines:
            event = decode(line)
            if event is None:
                self.dropped += 1
            else:
                found.append(event)
        return found
