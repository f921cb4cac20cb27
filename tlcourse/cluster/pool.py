"""Slots on a cluster, as a local `Pool` offers workers: `run` from many threads, and one array serves them."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future
from pathlib import Path

import msgspec

from tlcourse.cluster.jobs import Journal, OnEvent, Pace
from tlcourse.cluster.own_queue import OwnQueueShell
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.shell import HereShell, Shell, SshShell
from tlcourse.cluster.watcher import JobWatcher
from tlcourse.execution.spec import RunReport, RunSpec

_WAIT_S = 3600.0


def shell_for(profile: Profile, name: str) -> Shell:
    """SSH to the profile's host, or this machine where it names none. Errors advise commands for the profile `name`."""
    shell = SshShell(name, profile.host, profile.ssh_config) if profile.host else HereShell(name)
    return shell if profile.scheduler == "slurm" else OwnQueueShell(shell, profile)


class SlurmPool:
    """`with SlurmPool("lumi", profile) as pool: report = pool.run(job, on_event)`, from as many threads as one likes.

    The same interface as `execution.pool.Pool`. What arrives together is sent as one array; each of its jobs serves a
    chunk from one fork server, in the same sandboxes as locally. A submission that the cluster lost is sent again.
    """

    def __init__(
        self,
        name: str,
        profile: Profile,
        *,
        folder: Path | None = None,
        sandbox_kind: str = "strong",
        chunk: int | None = None,
        follow: bool = False,
        pace: Pace | None = None,
        expected: int = 0,
    ) -> None:
        """`expected`: how many jobs come at first, where that is known; when they are there, they are sent at once.

        `folder`: where what was sent is written down, so that another process can take over.

        `follow`: fetch events during the runs. In a batch nobody looks at them, and they need not travel.

        `sandbox_kind`: `strong` is the fork server where the node can, else bubblewrap; a node that can neither runs
        nothing. `none` is for submissions that are trusted.
        """
        self._sandbox_kind = sandbox_kind
        self._follow = follow
        self.watcher = JobWatcher(
            name,
            profile,
            shell_for(profile, name),
            journal=Journal(folder),
            chunk=chunk or profile.chunk,
            retry_cancelled=True,
            pace=pace,
        )
        self.watcher.expected = expected
        self.workers = profile.at_once * (chunk or profile.chunk)
        """As many threads keep every job of the array busy."""

    @property
    def notes(self) -> list[str]:
        """What was noticed on the way, such as a cluster without accounting."""
        return self.watcher.notes

    def queue_status(self) -> str:
        """What the array is at, in words."""
        return self.watcher.queue_status()

    def prewarm(self) -> None:
        """Nothing to do beforehand: a job starts its parent itself."""

    def run(self, job: RunSpec, on_event: OnEvent | None = None) -> RunReport:
        """Run a job on the cluster, to its end; raises UsageError, UnableError and InfraError."""
        tell = on_event if self._follow else None
        return _wait(self.watcher.add(msgspec.structs.replace(job, sandbox_kind=self._sandbox_kind), tell))

    def close(self) -> None:
        """Cancel what is under way; it ends as an internal error, which counts against nobody."""
        if not self.watcher.idle:
            self.watcher.cancel()
        self.watcher.close()

    def leave(self) -> None:
        """Stop watching and let the jobs continue: another process with the same folder finds them."""
        self.watcher.close()

    def __enter__(self) -> SlurmPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _wait(future: Future[RunReport]) -> RunReport:
    while True:  # in slices, so that ctrl-c is heard on every system
        with contextlib.suppress(TimeoutError):
            return future.result(timeout=_WAIT_S)
