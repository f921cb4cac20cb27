"""A job of the trusted side on its way to a cluster and back. Types, and telling whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.execution.cluster.journal import Round
from tlcourse.execution.cluster.missing import Tried
from tlcourse.execution.cluster.profile import Profile
from tlcourse.execution.cluster.slurm import JobState
from tlcourse.execution.cluster.task import Task
from tlcourse.execution.events import Lines
from tlcourse.execution.spec import RunReport

OnEvent = Callable[[dict[str, Any]], None]


class Pace(Struct, frozen=True):
    """Seconds. Questions come quickly while something happens, and rarely while nothing does."""

    first: float = 0.5
    slowest: float = 30.0
    slowest_followed: float = 5.0
    gather: float = 1.0
    """How long after one job others are waited for, to be sent with it."""
    patience: float = 900.0
    """How long a lost connection, or a silent Slurm, is tried again."""
    grace: float = 10.0
    """How long after a job's end its results may take to be seen through a network file system."""


_USUAL = Pace()


def pace_of(profile: Profile, pace: Pace = _USUAL) -> Pace:
    """The pace that a profile sets; the rest of it as in `pace`."""
    followed = min(pace.slowest_followed, profile.poll_s)
    return replace(pace, slowest=profile.poll_s, slowest_followed=followed, grace=profile.grace_s)


class Item(Struct, eq=False):
    """One job, and who waits for it."""

    task: Task
    items: int
    """Test inputs, which bound the size of a result."""
    future: Future[RunReport]
    on_event: OnEvent | None
    tried: Tried
    lines: Lines
    offset: int = 0
    said: str = ""

    def tell(self, text: str) -> None:
        """Say something of ours among what the run prints."""
        if self.on_event is not None:
            self.on_event({"v": 1, "type": "log", "text": f"[{text}]\n"})

    def fail(self, error: Exception) -> None:
        """It cannot be run."""
        if not self.future.done():
            self.future.set_exception(error)

    def done(self, report: RunReport) -> None:
        """It ended."""
        if not self.future.done():
            self.future.set_result(report)


class Live(Struct, eq=False):
    """A round on the cluster. Several items share a number where their jobs are identical."""

    round: Round
    items: dict[int, list[Item]]
    states: dict[int, JobState] = {}
    ended: dict[int, float] = {}
    """When an element of the array was first seen to have ended."""
    adopted: bool = False
    """Sent by an earlier process: more of it may be asked for."""
    taken: set[int] = set()

    @property
    def over(self) -> bool:
        """Whether nothing of it can be asked for any more."""
        if self.items or not self.adopted:
            return not self.items
        return all(number in self.taken or not key for number, key in enumerate(self.round.keys))

    def take(self, number: int) -> list[Item]:
        """Those who wait for a task, which is then none of this round any more."""
        self.taken.add(number)
        return self.items.pop(number)

    def all_items(self) -> list[Item]:
        """Everything that waits for this round."""
        return [item for items in self.items.values() for item in items]

    def fail(self, error: Exception) -> None:
        """Nothing of it comes any more."""
        for number in list(self.items):
            for item in self.take(number):
                item.fail(error)


def hand_on(items: Iterable[Item], data: bytes) -> None:
    """New events of a task, checked as those of a local run are, to all that follow it."""
    for item in items:
        item.offset += len(data)
        for event in item.lines.feed(data):
            if item.on_event is not None:
                item.on_event(event)
