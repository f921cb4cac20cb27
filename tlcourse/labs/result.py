"""What a lab came to: each arm's mean over seeds, what that says about the claim, and the runs that were recorded."""

from __future__ import annotations

import contextlib
import json
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.course.lab import Lab
from tlcourse.errors import UsageError
from tlcourse.paths import labs_folder
from tlcourse.text import counted

# Two-sided 95 % quantiles of Student's t by degrees of freedom; between two of them the larger, to be wide enough
_T = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 12: 2.179,
    15: 2.131, 20: 2.086, 30: 2.042, 60: 2.000, 120: 1.980,
}  # fmt: skip


class Interval(Struct, frozen=True):
    """A mean over seeds; without a second seed its ends are infinite."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half(self) -> float:
        """Half its width."""
        return (self.high - self.low) / 2


class ArmResult(Struct, frozen=True):
    """One arm over all seeds; `paper` has the figure of each paper that gives one."""

    id: str
    title: str
    role: str
    values: list[float]
    mean: float
    interval: tuple[float | None, float | None]
    """95 %; None with a single seed."""
    paper: dict[str, float]


class LabResult(Struct, frozen=True):
    """The document of `tlcourse lab run --json`."""

    schema: int
    lab: str
    data: str
    settings: dict[str, float]
    seeds: list[int]
    arms: list[ArmResult]
    gain: float
    """Method against control, seed by seed, the way round that larger is better."""
    gain_interval: tuple[float | None, float | None]
    holds: bool | None
    """Whether the claim's sign is right with 95 % confidence; None with a single seed, which cannot tell."""
    verdict: str
    seconds: float


def conclude(
    lab: Lab, settings: Mapping[str, float], values: Mapping[int, Mapping[str, float]], seconds: float, data: str
) -> LabResult:
    """Put the seeds' values together; `values` maps each seed to one number an arm, the compared ones at least."""
    seeds = sorted(values)
    ran = [arm for arm in lab.arms if all(arm.id in values[seed] for seed in seeds)]  # real data may lack an arm
    by_arm = {arm.id: [values[seed][arm.id] for seed in seeds] for arm in ran}
    gain = difference(by_arm[lab.compare.method], by_arm[lab.compare.control])
    if lab.measure.better == "lower":
        gain = Interval(-gain.mean, -gain.high, -gain.low, gain.n)
    holds = _holds(lab, gain)
    return LabResult(
        schema=1,
        lab=lab.id,
        data=data,
        settings=dict(settings),
        seeds=seeds,
        arms=[
            ArmResult(
                id=arm.id,
                title=arm.title,
                role=arm.role,
                values=by_arm[arm.id],
                mean=interval(by_arm[arm.id]).mean,
                interval=_ends(interval(by_arm[arm.id])),
                paper={paper.title: paper.values[arm.id] for paper in lab.paper if arm.id in paper.values},
            )
            for arm in ran
        ],
        gain=gain.mean,
        gain_interval=_ends(gain),
        holds=holds,
        verdict=_in_words(lab, gain, holds),
        seconds=round(seconds, 1),
    )


def _holds(lab: Lab, gain: Interval) -> bool | None:
    if gain.n < 2:
        return None
    return gain.low > 0 if lab.compare.effect == "better" else gain.low <= 0 <= gain.high


def _in_words(lab: Lab, gain: Interval, holds: bool | None) -> str:
    titles = {arm.id: arm.title for arm in lab.arms}
    pair = f"{titles[lab.compare.method]} against {titles[lab.compare.control]}"
    if holds is None:
        return f"{pair}: {gain.mean:+.3f} with one seed, which cannot tell chance from effect; eight seeds can."
    said = f"{pair}: {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f} at 95 %, {gain.n} seeds)"
    if lab.compare.effect == "null":
        return f"{said}. " + (
            "No effect can be told from chance here, as this lab says." if holds else "There is an effect."
        )
    if holds:
        return f"{said}. The claim holds here."
    return f"{said}. The claim does not hold here" + (": the sign is the other one." if gain.high < 0 else " for sure.")


def _ends(one: Interval) -> tuple[float | None, float | None]:
    return (one.low, one.high) if math.isfinite(one.low) else (None, None)


def interval(values: Sequence[float]) -> Interval:
    """The mean of independent values and its 95 % interval by Student's t."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, -math.inf, math.inf, n)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    quantile = _T[max(df for df in _T if df <= n - 1)]
    half = quantile * math.sqrt(variance / n)
    return Interval(mean, mean - half, mean + half, n)


def difference(method: Sequence[float], control: Sequence[float]) -> Interval:
    """method − control, seed by seed: what both share – the data, the start – does not blur it."""
    return interval([a - b for a, b in zip(method, control, strict=True)])


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
