"""The real data that the course can use: what is on this machine, and whether it is as it should be.

Reading a set as arrays is `load` (or `make`) of its module: no two sets have the same parts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tlcourse import paths
from tlcourse.data.real import bags_of_words, gtsrb, hymenoptera, mnist, office, weights
from tlcourse.data.real.download import Tell
from tlcourse.data.real.files import Here, Verified
from tlcourse.errors import UnableError, UsageError


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


SETS: tuple[DataSet, ...] = (
    hymenoptera.SET,
    weights.SET,
    mnist.SET,
    bags_of_words.OFFICE,
    office.SET,
    bags_of_words.REVIEWS,
    mnist.BSDS,
    gtsrb.SET,
)


class Listed(Struct, frozen=True):
    """A data set, as `tlcourse data list --json` shows it. `where` is empty if it is not on this machine."""

    name: str
    title: str
    source: str
    used_by: str
    where: str
    detail: str
    get: str
    """What would bring it here."""


def listed() -> list[Listed]:
    """Every data set, and where it lies; nothing is opened."""
    found = []
    for one in SETS:
        here = one.here() or Here("")
        used_by = ", ".join(one.used_by)
        found.append(Listed(one.name, one.title, one.source, used_by, here.where, here.detail, one.remedy))
    return found


def get(name: str, which: str | None, source: Path | None, tell: Tell) -> Path:
    """Bring a data set onto this machine, from the network or from `source`; raises UsageError and UnableError."""
    one, own = _named(name), paths.own_real_data()
    try:
        own.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=own):  # before anything is downloaded
            pass
        return one.fetch(which, source, tell)
    except OSError as error:
        raise UnableError(
            f"{one.title} could not be written to {own}: {error.strerror or error}.",
            cause="a full disk, or missing permissions.",
            remedy="make room, or name another folder for your data: export TLCOURSE_HOME=FOLDER",
        ) from None


def verify(name: str | None = None) -> list[Verified]:
    """Read the named data set, or every one that is here, and compare it with what it should be."""
    chosen = SETS if name is None else (_named(name),)
    return [found for one in chosen for found in one.verify()]


def looked_in() -> list[str]:
    """The folders in which real data are looked for."""
    return [str(folder) for folder in paths.real_data_folders()]


def _named(name: str) -> DataSet:
    for one in SETS:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in SETS)
    raise UsageError(f"There is no data set {name!r}.", cause="a spelling mistake.", remedy=f"use one of: {names}.")
