"""What a set of real data is to the command `tlcourse data` and to whoever lists it.

Reading one as arrays is `load` (or `make`) of its module: no two sets have the same parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tlcourse.data.real.download import Tell


class Here(Struct, frozen=True):
    """Where a set lies on this machine, and what of it, where that may be a part."""

    where: str
    detail: str = ""


class Verified(Struct, frozen=True):
    """What reading a set of files whole has shown; no problems: it is as it should be."""

    name: str
    where: str
    problems: list[str]


class DataSet(Protocol):
    """Files that may be on this machine, and can be verified and brought here."""

    @property
    def name(self) -> str:
        """As commands call it."""

    @property
    def title(self) -> str:
        """What it is."""

    @property
    def source(self) -> str:
        """Who made it, and the terms of its use, as far as they are known."""

    @property
    def used_by(self) -> tuple[str, ...]:
        """Arguments of `tlcourse` that read it."""

    @property
    def remedy(self) -> str:
        """What brings it here."""

    def here(self) -> Here | None:
        """Where it lies, without opening anything; None where it is not on this machine."""

    def verify(self) -> list[Verified]:
        """Read what is here, and compare it with what it should be."""

    def fetch(self, which: str | None, source: Path | None, tell: Tell) -> Path:
        """Bring it here from the network, or from a copy at `source`; `which` chooses, where there is a choice.

        Returns where it lies now. Raises UsageError and UnableError; then what was there stays as it was.
        """
