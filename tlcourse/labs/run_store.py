"""Recorded runs of labs, to be shown again or overlaid: one file of events a run."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.labs.result import LabResult
from tlcourse.paths import labs_folder
from tlcourse.text import counted

_SETTINGS = {"rate": "learning_rate", "ground": "background"}
"""Settings of earlier runs by the names that they have now."""
KEPT = 50
"""Runs of one lab that are kept; the oldest goes first."""


class KeptRun(Struct, frozen=True):
    """One recorded run; `result` is None if it was stopped or diverged."""

    number: int
    result: LabResult | None

    @property
    def words(self) -> str:
        """What distinguishes it, in a line: seeds, gain of the method, settings."""
        if self.result is None:
            return "ended without a result"
        n = len(self.result.seeds)
        settings = "  ".join(f"{name}={value:g}" for name, value in self.result.settings.items())
        return f"{counted(n, 'seed')}, gain {self.result.gain + 0.0:+.3f}  {settings}"


class Recorder:
    """Writes the events of a run as they come; `close` with a result makes the run one that can be replayed."""

    def __init__(self, lab: str) -> None:
        folder = _folder(lab)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [_number(path) for path in folder.glob("*.jsonl")]
        self.number = max(numbers, default=0) + 1
        self._stream = (folder / f"{self.number}.jsonl").open("x", encoding="utf-8")
        for number in sorted(numbers)[: max(0, len(numbers) + 1 - KEPT)]:
            with contextlib.suppress(OSError):
                (folder / f"{number}.jsonl").unlink()

    def take(self, event: dict[str, Any]) -> None:
        """Keep one event."""
        self._stream.write(json.dumps(event) + "\n")

    def close(self, result: LabResult | None) -> None:
        """The end of the run; None where it has no result."""
        if result is not None:
            self._stream.write(json.dumps({"v": 1, "type": "result", "result": msgspec.to_builtins(result)}) + "\n")
        self._stream.close()


def kept_runs(lab: str) -> list[int]:
    """The numbers of the runs that are kept, oldest first."""
    return sorted(_number(path) for path in _folder(lab).glob("*.jsonl"))


def replay(lab: str, number: int | None = None) -> Iterator[dict[str, Any]]:
    """The events of a recorded run (default: the latest); raises UsageError if there is no such run."""
    runs = kept_runs(lab)
    if not runs or (number is not None and number not in runs):
        known = ", ".join(map(str, runs[-10:])) or "none"
        raise UsageError(
            f"There is no such run of {lab}.", cause=f"recorded runs: {known}.", remedy=f"tlcourse lab run {lab}"
        )
    path = _folder(lab) / f"{number or runs[-1]}.jsonl"
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            with contextlib.suppress(ValueError):  # the last line of a run that was killed
                yield json.loads(line)


def kept_run(lab: str, number: int) -> KeptRun:
    """A recorded run and its result; raises UsageError if there is no such run."""
    last: dict[str, Any] = next(iter(deque(replay(lab, number), maxlen=1)), {})
    if last.get("type") != "result":
        return KeptRun(number, None)
    try:
        result = msgspec.convert(last["result"], LabResult)
        settings = {_SETTINGS.get(name, name): value for name, value in result.settings.items()}
        return KeptRun(number, msgspec.structs.replace(result, settings=settings))
    except msgspec.ValidationError:  # written by another version of the course
        return KeptRun(number, None)


def _folder(lab: str) -> Path:
    return labs_folder() / lab


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdecimal() else 0
