"""What a sandbox is: a way to start the worker apart from everything that it must not see."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tlcourse.course.spec import Limits
from tlcourse.sandbox.cgroup import Group
from tlcourse.sandbox.interpreter import worker_command


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
    """A worker that was started, as seen from outside: what a `subprocess.Popen` is, as far as a run needs it."""

    forked: bool
    """It was forked from a server and shares memory with it, so that resident memory says too much."""
    scratch: Path | None
    """The folder that it may write to, where it has no /tmp of its own."""
    fell: str
    """Why its sandbox ended without the run's doing; empty where it did not."""

    def end_all(self) -> None:
        """End the run where killing this process alone would set others free."""
        ...

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


class SandboxedProcess(subprocess.Popen[bytes]):
    """A process whose end ends all that it started."""

    forked = False
    scratch: Path | None = None
    fell = ""

    def end_all(self) -> None:
        """Nothing: killing it is enough."""


class Sandbox(Protocol):
    """One way to keep student code apart."""

    name: str

    def start(self, start: Start) -> Process:
        """Start the worker; killing the returned process ends everything that it started."""
        ...


class NoSandbox:
    """A separate process, for one's own code: it can read this user's files and use the network."""

    name = "none"

    def start(self, start: Start) -> SandboxedProcess:
        """Start the worker in its own session, so that it can be killed as a group."""
        scratch = start.inputs.parent / "scratch"
        scratch.mkdir()
        home = str(scratch)
        env = {**start.env, "HOME": home, "TMPDIR": home}
        return SandboxedProcess(
            [*start.entering(env), *worker_command([str(start.inputs), str(start.submission), *start.arguments])],
            stdin=start.stdin,
            stdout=start.output,
            stderr=start.output,
            cwd=home,
            env=env,
            pass_fds=start.pass_fds,
            start_new_session=True,
        )
