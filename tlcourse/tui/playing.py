"""How far a run is shown: its events paced over some seconds, whether they are all there or come while it trains.

Nothing here waits or draws: a screen says how much time has passed, and asks what is to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

SECONDS = 8.0
"""A run that is played takes so long."""
SLOW_S = 10.0
"""One that trains is shown over so long, where it is to be watched; if it takes longer, as it comes."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
_LEAST = 1e-9
_CLOUDS = 0.3
"""The share of a play in which clouds of features move."""


def in_step(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of a whole run in the order of a play: all arms advance together, then the pictures, then the rest.

    Labs train one arm after the other; side by side they can be compared.
    """
    metrics: list[tuple[float, dict[str, Any]]] = []
    rest: dict[str, list[dict[str, Any]]] = {"embedding": [], "": []}
    ends: dict[str, float] = {}
    events = [event for event in events if event.get("seed_group", 0) == 0]
    for event in events:
        if event["type"] == "seed":
            break  # the curves are those of the first seed
        if event["type"] == "metric":
            for name in event["values"]:
                ends[name] = max(ends.get(name, 0.0), float(event["step"]))
            metrics.append((0.0, event))
        elif event["type"] == "embedding":
            rest["embedding"].append(event)
    rest[""] = [event for event in events if event["type"] in ("result", "error")]
    placed = [(_share(event, ends), event) for _, event in metrics]
    return [event for _, event in sorted(placed, key=lambda pair: pair[0])] + rest["embedding"] + rest[""]


def _share(event: dict[str, Any], ends: dict[str, float]) -> float:
    return max((float(event["step"]) / (ends[name] or 1.0) for name in event["values"]), default=0.0)


class Timeline:
    """Events, and how many of them are shown.

    Args:
        events: Those that are there.
        seconds: Over how long they are shown; None: at once, as they come.
        expected: About how many there will be; 0: those that are there are all.
    """

    def __init__(
        self, events: Sequence[dict[str, Any]] = (), *, seconds: float | None = SECONDS, expected: int = 0
    ) -> None:
        self.events: list[dict[str, Any]] = list(events)
        self.seconds, self._expected = seconds, expected
        self.complete = not expected
        """Whether no more will come."""
        self.paused, self._speed = False, SPEEDS.index(1.0)
        self._at = 0.0

    @property
    def speed(self) -> float:
        """How many times as fast as by itself."""
        return SPEEDS[self._speed]

    def faster(self, by: int) -> None:
        """The next speed up or down."""
        self._speed = min(max(self._speed + by, 0), len(SPEEDS) - 1)

    def add(self, event: dict[str, Any]) -> None:
        """One more has come."""
        self.events.append(event)

    def advance(self, elapsed_s: float) -> None:
        """So much time has passed."""
        if self.seconds is not None and not self.paused:
            self._at = min(self._at + elapsed_s * self.speed * self._total / self.seconds, self._length)

    def seek(self, share: float) -> None:
        """Go to a share of the whole, from 0 to 1, as far as there is something."""
        self._at = min(max(share, 0.0) * self._total, self._length)

    @property
    def share(self) -> float:
        """How far it is shown, from 0 to 1."""
        return min(self._at / self._total, 1.0) if self._total else 1.0

    @property
    def over(self) -> bool:
        """Whether all is shown, and nothing more will come."""
        return self.complete and (self.seconds is None or self._at >= self._length)

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The events that are to be seen now; a picture is seen from when it begins to move."""
        if self.seconds is None or self._at >= self._length:
            return self.events
        begin, kept = 0.0, []
        for event, weight in zip(self.events, self._weights, strict=True):
            if begin + (0.0 if event["type"] == "embedding" else weight) > self._at + _LEAST:
                break
            kept.append(event)
            begin += weight
        return kept

    @property
    def cloud(self) -> float:
        """How far the last picture that is shown has come from the one before it, from 0 to 1."""
        if self.seconds is not None:
            begin = 0.0
            for event, weight in zip(self.events, self._weights, strict=True):
                if event["type"] == "embedding" and begin <= self._at < begin + weight:
                    return (self._at - begin) / weight
                begin += weight
        return 1.0

    @property
    def _weights(self) -> list[float]:
        """How much of the time each event takes: points of curves alike, the second picture as long as clouds move."""
        metrics = sum(event["type"] == "metric" for event in self.events)
        pictures = sum(event["type"] == "embedding" for event in self.events)
        moving = max(metrics, 1) * _CLOUDS / (1 - _CLOUDS) / max(pictures - 1, 1)
        weights, seen = [], 0
        for event in self.events:
            seen += event["type"] == "embedding"
            second = event["type"] == "embedding" and seen > 1
            weights.append(1.0 if event["type"] == "metric" else moving if second else 0.0)
        return weights

    @property
    def _length(self) -> float:
        return sum(self._weights)

    @property
    def _total(self) -> float:
        return self._length if self.complete else max(self._length, float(self._expected))
