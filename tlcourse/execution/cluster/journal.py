"""What was sent where, kept on this side: a closed laptop, a killed process or a lost connection costs nothing.

One JSON file a round. It is written before anything is submitted, so that what may run there is known here.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import msgspec
from msgspec import Struct

from tlcourse.errors import InfraError
from tlcourse.execution.cluster.profile import Profile


class Round(Struct):
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

    def element(self, chunk: int) -> str:
        """What Slurm calls the job of a chunk."""
        return f"{self.job}_{chunk}" if len(self.chunks) > 1 else self.job


def new_name() -> str:
    """A name that no other round has, on any machine: it is how Slurm is asked whether a job was submitted."""
    return f"tlcourse-{secrets.token_hex(6)}"


class Journal:
    """The rounds of one request or batch, in a folder; without one they are kept in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._rounds: dict[str, Round] = {}
        if folder is None:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(folder.glob("tlcourse-*.json")):
            with contextlib.suppress(
                msgspec.MsgspecError, OSError
            ):  # half-written by a crash: it was not submitted yet
                kept = msgspec.json.decode(path.read_bytes(), type=Round)
                self._rounds[kept.name] = kept

    @property
    def open(self) -> list[Round]:
        """Rounds that may still bring something."""
        return [one for one in self._rounds.values() if not one.over]

    def keep(self, one: Round) -> None:
        """Write a round down, durably; raises InfraError where the disk is full."""
        self._rounds[one.name] = one
        if self._folder is None:
            return
        path = self._folder / f"{one.name}.json"
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as stream:
                stream.write(msgspec.json.encode(one))
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        except OSError as error:
            raise InfraError(
                f"What was sent to the cluster cannot be written down: {error.strerror}.",
                remedy=f"make room in {self._folder}.",
            ) from error
