"""Jobs on their way to a cluster and back: what was sent where, who waits for it, and when it is sent again.

What was sent is kept on this side, one JSON file an array, written before anything is submitted: a closed laptop, a
killed process or a lost connection costs nothing. A submission's outcome comes from its own result file. Only where
there is none does the job's state speak – and then nearly always of the cluster, not of the submission.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cluster.plan import Task
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.sbatch_errors import explain
from tlcourse.cluster.slurm import JobState
from tlcourse.errors import InfraError
from tlcourse.execution.events import Lines
from tlcourse.execution.spec import RunReport, RunStatus
from tlcourse.storage import write_atomically


class ArrayJob(Struct):
    """Jobs that were sent together. `job` is empty until Slurm has given a number."""

    name: str
    profile: str
    settings: Profile
    keys: list[str]
    chunks: list[list[int]]
    created: float
    folder: str = ""
    job: str = ""
    over: bool = False
    """All of it is here, or was given up."""
    cluster: str = ""
    """Of several that share a login, the one that took the job."""

    def element(self, chunk: int) -> str:
        """What Slurm calls the job of a chunk."""
        return f"{self.job}_{chunk}" if len(self.chunks) > 1 else self.job


def new_name() -> str:
    """A name that no other array has, on any machine: it is how Slurm is asked whether a job was submitted."""
    return f"tlcourse-{secrets.token_hex(6)}"


class Journal:
    """The arrays of one request or batch, in a folder; without one they are kept in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._arrays: dict[str, ArrayJob] = {}
        if folder is None:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(folder.glob("tlcourse-*.json")):
            with contextlib.suppress(
                msgspec.MsgspecError, ValueError, OSError
            ):  # half-written by a crash: it was not submitted yet
                kept = msgspec.json.decode(path.read_bytes(), type=ArrayJob)
                self._arrays[kept.name] = kept

    @property
    def open(self) -> list[ArrayJob]:
        """Rounds that may still bring something."""
        return [one for one in self._arrays.values() if not one.over]

    def keep(self, one: ArrayJob) -> None:
        """Write an array down, durably; raises InfraError where the disk is full."""
        self._arrays[one.name] = one
        if self._folder is None:
            return
        try:
            write_atomically(self._folder / f"{one.name}.json", msgspec.json.encode(one))
        except OSError as error:
            raise InfraError(
                f"What was sent to the cluster cannot be written down: {error.strerror}.",
                remedy=f"make room in {self._folder}.",
            ) from error


RETRIES = 2
"""How often a submission is sent again after a fault of the cluster."""
SENDS = 8
"""How often it is sent in all, times counted in which it never got its turn."""


class RetryState(Struct):
    """What a submission has been through."""

    sends: int = 0
    faults: int = 0
    memory_kills: int = 0
    alone: bool = False
    """To be sent in a job of its own: what it does to its job shall not happen to others."""
    before: list[tuple[str, int]] = []
    """Where it was sent before: folder and number. A result that was seen too late still lies there."""


class RetryDecision(Struct, frozen=True):
    """`again`, or an ending with its message."""

    again: bool
    status: RunStatus = "infra"
    message: str = ""


def retry_decision(
    state: JobState, retry: RetryState, *, was_running: bool, alone: bool, retry_cancelled: bool
) -> RetryDecision:
    """What becomes of a submission without a result; counts the fault in `retry`.

    `was_running`: it had its turn when the job ended. `alone`: its job had nothing else to do.
    """
    what = explain(state.state, state.reason).text if state.state else "Slurm knows nothing of it any more."
    where = f" ({state.node})" if state.node else ""
    if state.state == "CANCELLED" and not retry_cancelled:
        return RetryDecision(False, message="The job was cancelled on the cluster, not by this command.")
    if retry.sends >= SENDS:
        never = "never came to its end" if state.state == "PREEMPTED" else "never got its turn"
        return RetryDecision(False, message=f"It was sent {retry.sends} times and {never}. At last: {what}{where}")
    if state.state == "PREEMPTED":
        return RetryDecision(True)  # the site's way of lending nodes, and no fault
    if not was_running and not alone:
        return RetryDecision(True)  # a bystander: another submission was running, or time was up
    retry.faults += 1
    retry.alone = True
    if state.state == "OUT_OF_MEMORY" and was_running and alone:
        # the job has the exercise's limit and more, and held this submission alone: the memory was its own
        retry.memory_kills += 1
        if retry.memory_kills >= 2:
            return RetryDecision(
                False,
                "memory",
                "used more memory than its job had, faster than it could be stopped; Slurm killed it twice",
            )
    if retry.faults > RETRIES:
        return RetryDecision(False, message=f"The cluster failed {retry.faults} times. At last: {what}{where}")
    return RetryDecision(True)


OnEvent = Callable[[dict[str, Any]], None]


class Pace(Struct, frozen=True):
    """Seconds. Files are looked for quickly while something happens, and rarely while nothing does."""

    first: float = 1.0
    slowest: float = 30.0
    slowest_followed: float = 5.0
    poll: float = 30.0
    """At least so long between two questions to Slurm."""
    gather: float = 1.0
    """How long after one job others are waited for, to be sent with it."""
    patience: float = 900.0
    """How long a lost connection, or a silent Slurm, is tried again."""
    grace: float = 300.0
    """How long after a job's end its results may take to be seen through a network file system."""

    def grace_of(self, state: JobState, *, began: bool) -> float:
        """Seconds that a missing result is waited for: long where there must be one, briefly where nothing began."""
        if state.state in ("COMPLETED", ""):
            return self.grace
        return self.grace / 5 if began else self.grace / 20


_USUAL = Pace()


def pace_of(profile: Profile, pace: Pace = _USUAL) -> Pace:
    """The pace that a profile sets; the rest of it as in `pace`."""
    return replace(pace, slowest=min(pace.slowest, profile.poll_s), poll=profile.poll_s, grace=profile.grace_s)


class PendingJob(Struct, eq=False):
    """One job, and who waits for it."""

    task: Task
    items: int
    """Test inputs, which bound the size of a result."""
    future: Future[RunReport]
    on_event: OnEvent | None
    retry: RetryState
    lines: Lines
    offset: int = 0
    said: str = ""

    def tell(self, text: str) -> None:
        """Say something of ours among what the run prints."""
        if self.on_event is not None:
            self.on_event({"v": 1, "type": "log", "text": f"[{text}]\n"})

    def tell_once(self, text: str) -> None:
        """The same, unless it was the last thing that was said so."""
        if self.said != text:
            self.said = text
            self.tell(text)

    def fail(self, error: Exception) -> None:
        """It cannot be run."""
        if not self.future.done():
            self.future.set_exception(error)

    def done(self, report: RunReport) -> None:
        """It ended."""
        if not self.future.done():
            self.future.set_result(report)


class ActiveArray(Struct, eq=False):
    """An array on the cluster. Several items share a number where their jobs are identical."""

    array: ArrayJob
    items: dict[int, list[PendingJob]]
    states: dict[int, JobState] = {}
    ended: dict[int, float] = {}
    """When an element of the array was first seen to have ended."""
    asked: bool = False
    """Whether Slurm was asked about it."""
    started: set[int] = set()
    """Tasks that have begun, by their files."""
    sent_again: bool = False
    """Something of it was sent again; a late result of it may still be wanted."""
    adopted: bool = False
    """Sent by an earlier process: more of it may be asked for."""
    taken: set[int] = set()

    @property
    def on_cluster(self) -> int:
        """How many of its jobs wait or run there, as far as is known."""
        if not self.array.job:
            return 0
        wanted = set(self.items)
        return sum(
            index not in self.ended and bool(wanted & set(chunk)) for index, chunk in enumerate(self.array.chunks)
        )

    @property
    def unstarted(self) -> int:
        """How many of its jobs have not begun with any of their tasks, by their files."""
        wanted = set(self.items)
        chunks = [set(chunk) for index, chunk in enumerate(self.array.chunks) if index not in self.ended]
        return sum(bool(wanted & chunk) and not self.started & chunk for chunk in chunks) if self.array.job else 0

    @property
    def awaited(self) -> list[int]:
        """Tasks whose job has ended, and whose results are missing."""
        return [number for index in self.ended for number in self.array.chunks[index] if number in self.items]

    @property
    def over(self) -> bool:
        """Whether nothing of it can be asked for any more."""
        if self.items or not self.adopted:
            return not self.items
        return all(number in self.taken or not key for number, key in enumerate(self.array.keys))

    def take(self, number: int) -> list[PendingJob]:
        """Those who wait for a task, which then no longer belongs to this array."""
        self.taken.add(number)
        return self.items.pop(number)

    def all_items(self) -> list[PendingJob]:
        """Everything that waits for this array."""
        return [item for items in self.items.values() for item in items]

    def fail(self, error: Exception) -> None:
        """Nothing of it comes any more."""
        for number in list(self.items):
            for item in self.take(number):
                item.fail(error)


def hand_on(items: Iterable[PendingJob], data: bytes) -> None:
    """New events of a task, checked as those of a local run are, to all that follow it."""
    for item in items:
        item.offset += len(data)
        for event in item.lines.feed(data):
            if item.on_event is not None:
                item.on_event(event)
