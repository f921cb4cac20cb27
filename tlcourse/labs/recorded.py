"""Recorded runs: one of each lab comes with its course, small enough to be kept beside it, and is played without torch.

Of a run over several seeds it has the curves and pictures of the first seed, and the result of all. It is the same
document as a run that is kept (`result.py`), one event a line, after a first line that says what was run, when and with
what. `benchmarks/record_labs.py` writes them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.labs.result import LabResult

MOST_POINTS = 150
"""Points of a picture of features."""
MOST_STEPS = 24
"""Points of a curve."""


class About(Struct, tag="recorded", tag_field="type", frozen=True):
    """The first line: what else there is to say of a run."""

    lab: str
    date: str
    tlcourse: str
    torch: str
    seconds: float
    """Of one seed, on the machine that recorded it."""
    fingerprint: str = ""
    """Of the settings and the code that the numbers came from; `benchmarks/record_labs.py` computes it."""
    v: int = 1


class RecordedRun(Struct, frozen=True):
    """A run to be played: what is known of it, and its events in their order, the result last."""

    about: About | None
    events: list[dict[str, Any]]
    result: LabResult | None


def recorded(content: Path, lab: str) -> RecordedRun | None:
    """The run that comes with the course; None where there is none, or none that this version can read."""
    try:
        text = (content / "labs" / "recorded" / f"{lab}.jsonl").read_text(encoding="utf-8")
    except OSError:
        return None
    return read_run(text.splitlines())


def recorded_in_s(content: Path, lab: str) -> float | None:
    """How long one seed of its recorded run took, of which only the first line is read; None where there is none."""
    with contextlib.suppress(OSError, ValueError), (content / "labs" / "recorded" / f"{lab}.jsonl").open("rb") as file:
        return msgspec.json.decode(file.readline(), type=About).seconds
    return None


def recorded_labs(content: Path) -> list[str]:
    """The labs of which a run comes with the course."""
    return sorted(path.stem for path in (content / "labs" / "recorded").glob("*.jsonl"))


def read_run(lines: Iterable[str]) -> RecordedRun:
    """A run of these lines, recorded or kept; what is no event is left out."""
    about, result = None, None
    events: list[dict[str, Any]] = []
    for line in lines:
        with contextlib.suppress(ValueError):  # msgspec's errors are among them
            event = json.loads(line)
            if event.get("type") == "recorded":
                about = msgspec.convert(event, About)
                continue
            if event.get("type") == "result":
                result = msgspec.convert(event["result"], LabResult)
            events.append(event)
    return RecordedRun(about, events, result)


def written(about: About, events: Sequence[dict[str, Any]], result: LabResult) -> str:
    """The document of a run: the first seed's curves and pictures, thinned and rounded, and the result of all."""
    lines = [msgspec.to_builtins(about)]
    end = next((n for n, event in enumerate(events) if event["type"] == "seed"), len(events))
    metrics = [event for event in events[:end] if event["type"] == "metric"]
    kept = _thinned(metrics)
    for event in events[:end]:
        if event["type"] == "metric" and id(event) in kept:
            values = {name: _rounded(value) for name, value in event["values"].items()}
            lines.append({"type": "metric", "step": event["step"], "values": values})
        elif event["type"] == "embedding" and event.get("method", "pca") == "pca":
            every = -(-len(event["points"]) // MOST_POINTS)
            picture = {name: event[name][::every] for name in ("domain", "label")}
            points = [[_rounded(x), _rounded(y)] for x, y in event["points"][::every]]
            lines.append({"type": "embedding", "title": event["title"], "method": "pca", "points": points, **picture})
    lines.append({"type": "result", "result": msgspec.to_builtins(result)})
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def _thinned(metrics: Sequence[dict[str, Any]]) -> set[int]:
    """Of each arm's points as many as a curve may have, its first and last among them."""
    by_arm: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for event in metrics:
        by_arm.setdefault(tuple(event["values"]), []).append(event)
    kept = set()
    for points in by_arm.values():
        most = min(MOST_STEPS, len(points))
        kept |= {id(points[round(n * (len(points) - 1) / max(most - 1, 1))]) for n in range(most)}
    return kept


def _rounded(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(f"{value:.4g}")
