"""The state of a batch: read from the gradebook alone, so that every display, in whatever process, shows the same."""

from __future__ import annotations

import time
from collections import Counter

from msgspec import Struct

from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord

SLOWEST = 3
STALE_S = 10.0
"""A batch that said nothing for so long is taken to have ended."""


class FailureGroup(Struct, frozen=True):
    """Failures of one cause."""

    outcome: str
    cause: str
    owners: list[str]


class BatchState(Struct, frozen=True):
    """Counts, speed and failures of a batch."""

    batch: int
    exercise: str
    total: int
    counts: dict[str, int]
    """Hand-ins by the outcome of the verdict that counts."""
    final: int
    infra: int
    going: bool
    running: list[tuple[str, float]]
    rate_per_minute: float | None
    seconds_left: float | None
    slowest: list[tuple[str, float]]
    failures: list[FailureGroup]
    queue: str = ""
    """The state of its jobs on a cluster, in words."""

    @property
    def waiting(self) -> int:
        """Hand-ins without any result."""
        return self.total - self.final - self.infra


def state_of(book: Gradebook, batch: BatchRecord) -> BatchState:
    """The state of a batch, as the gradebook has it now."""
    owners = {handin.id: handin.owner for handin in book.handins(batch.id)}
    verdicts = book.verdicts(batch.id)
    counts = Counter(verdict.outcome for verdict in verdicts.values())
    groups: dict[tuple[str, str], list[str]] = {}
    for number, verdict in verdicts.items():
        if verdict.outcome != "pass":
            groups.setdefault((verdict.outcome, verdict.cause), []).append(owners[number])
    slowest = sorted(verdicts.values(), key=lambda verdict: -verdict.wall_time_s)[:SLOWEST]
    live = book.live(batch.id)
    going = bool(live) and not live["over"] and abs(time.time() - live["beat"]) < STALE_S
    rate = 60 * live["graded"] / live["seconds"] if going and live["graded"] and live["seconds"] > 0 else None
    return BatchState(
        batch=batch.id,
        exercise=batch.exercise,
        total=len(owners),
        counts=dict(counts),
        final=sum(counts.values()) - counts["infra"],
        infra=counts["infra"],
        going=going,
        running=[(owner, seconds) for owner, seconds in live["running"]] if going else [],
        rate_per_minute=rate,
        seconds_left=60 * live["left"] / rate if rate else None,
        slowest=[(owners[verdict.handin], verdict.wall_time_s) for verdict in slowest if verdict.wall_time_s > 0],
        queue=live.get("queue", "") if going else "",
        failures=[
            FailureGroup(outcome, cause, names)
            for (outcome, cause), names in sorted(groups.items(), key=lambda item: -len(item[1]))
        ],
    )
