"""What a sandbox is: a way to start the worker apart from everything that it must not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tlcourse.course.spec import Limits
from tlcourse.sandbox.cgroup import Group


class Start(Struct, frozen=True):
    """What is to be started, and what it may see."""

    arguments: Sequence[str]
    """Arguments after INPUTS and SUBMISSION, which the sandbox fills in: they lie elsewhere on each side."""
    inputs: Path
    submission: Path
    limits: Limits
    env: Mapping[str, str]
    pass_fds: tuple[int, ...]
    stdin: int
    output: int
    gpu: bool = False
    devices: tuple[str, ...] = ()
    """The nodes of the one card that the run may use."""
    group: Group | None = None
    """The control group that the worker must be in before it runs anything of the submission."""

    def entering(self, env: Mapping[str, str]) -> list[str]:
        """A command prefix that enters that group; empty where there is none. The command then has `env` alone."""
        return [] if self.group is None else self.group.entering(env)


class Finding(Struct, frozen=True):
    """Whether this machine can build a sandbox, and what would mend it where it cannot."""

    name: str
    available: bool
    detail: str
    remedy: str = ""


class Process(Protocol):
    """A worker that was started, as seen from outside: what a `subprocess.Popen` is, as far as a run needs it.

    One whose sandbox can end without the run's doing also has `fell`, a sentence, and one that was forked from a server
    has `forked`: it shares memory with that parent, so that resident memory says too much.
    """

    @property
    def pid(self) -> int:
        """The top process, as this side numbers it."""
        ...

    @property
    def returncode(self) -> int | None:
        """Its exit status as `subprocess` gives it; None while it runs."""
        ...

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        ...

    def wait(self) -> int:
        """Block until it has ended."""
        ...

    def kill(self) -> None:
        """SIGKILL; everything that it started ends with it."""
        ...


class Sandbox(Protocol):
    """One way to keep student code apart."""

    name: str

    def start(self, start: Start) -> Process:
        """Start the worker; killing the returned process ends everything that it started."""
        ...
