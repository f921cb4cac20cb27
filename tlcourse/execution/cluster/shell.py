"""Giving commands to a cluster: on this machine, where it is the login node, or over SSH (`ssh.py`)."""

from __future__ import annotations

import shlex
import subprocess
from typing import Protocol

from msgspec import Struct

from tlcourse.errors import InfraError

TIMEOUT_S = 60.0


class Done(Struct, frozen=True):
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What it printed, as text."""
        return self.out.decode("utf-8", errors="replace")


class ConnectionLostError(Exception):
    """The command may or may not have run: the way to the cluster broke. Worth another try."""


class Shell(Protocol):
    """A place that takes POSIX shell commands."""

    name: str

    def run(self, command: str, stdin: bytes = b"", timeout: float = TIMEOUT_S) -> Done:
        """Run a command to its end; raises ConnectionLostError. An exit status other than 0 is not an error here."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class HereShell:
    """This machine is the login node."""

    name = "this machine"

    def run(self, command: str, stdin: bytes = b"", timeout: float = TIMEOUT_S) -> Done:
        """Run it with /bin/sh."""
        return run_process(["/bin/sh", "-c", command], stdin, timeout)

    def close(self) -> None:
        """Nothing to let go of."""


def run_process(command: list[str], stdin: bytes, timeout: float) -> Done:
    """A sub-process to its end, in a session of its own, so that a ctrl-c meant for us does not cut it short.

    Raises ConnectionLostError where it takes longer than `timeout`.
    """
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=timeout, check=False, start_new_session=True
        )
    except subprocess.TimeoutExpired:
        raise ConnectionLostError(f"no answer within {timeout:.0f} s") from None
    except OSError as error:
        raise InfraError(f"{command[0]} cannot be started: {error.strerror}.") from error
    return Done(done.returncode, done.stdout, done.stderr.decode("utf-8", errors="replace"))


def quoted(*words: str) -> str:
    """Words of a command, each as one word whatever is in it."""
    return " ".join(shlex.quote(word) for word in words)
