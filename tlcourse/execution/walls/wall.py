"""What a wall is: a way to start the worker apart from everything that it must not see."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tlcourse.execution.job import Caps


class Start(Struct, frozen=True):
    """What is to be started, and what it may see."""

    arguments: Sequence[str]
    """Arguments after INPUTS and SUBMISSION, which the wall fills in: they lie elsewhere on each side."""
    inputs: Path
    submission: Path
    caps: Caps
    env: Mapping[str, str]
    pass_fds: tuple[int, ...]
    stdin: int
    output: int
    gpu: bool = False


class Finding(Struct, frozen=True):
    """Whether this machine can build a wall, and what would mend it where it cannot."""

    name: str
    available: bool
    detail: str
    remedy: str = ""


class Wall(Protocol):
    """One way to keep student code apart."""

    name: str

    def start(self, start: Start) -> subprocess.Popen[bytes]:
        """Start the worker; killing the returned process ends everything that it started."""
        ...
