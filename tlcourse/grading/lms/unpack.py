"""Unpacking the download of a whole class, once: what one person put into it can cost that person alone the hand-in."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from tlcourse.errors import InfraError, SubmissionError, UnableError, UsageError
from tlcourse.grading.intake.archive import bounded, unpack_each
from tlcourse.grading.intake.copy import CLASS

_CHUNK = 2**20
_DONE = "unpacked.json"


class Unpacked(Struct, frozen=True):
    """An archive in a folder of ours; `refused` says for a hand-in, by its name at the top, why it was left empty."""

    folder: str
    refused: dict[str, str] = {}


def unpack(archive: Path, into: Path, is_handin: Callable[[str], bool]) -> Unpacked:
    """Unpack into a folder below `into`, once: the same archive is found again by its hash.

    Raises:
        UsageError: it is not a ZIP, or an entry that belongs to nobody's hand-in would leave the folder.
        UnableError: the disk is full, or the folder cannot be written.
    """
    try:
        with archive.open("rb") as stream:
            name = _hash(stream, archive)
            folder = into / name
            mark = folder / _DONE
            if mark.is_file():
                return msgspec.json.decode(mark.read_bytes(), type=Unpacked)
            shutil.rmtree(folder, ignore_errors=True)  # an unpacking that was interrupted
            content = folder / "content"
            content.mkdir(parents=True)
            done = Unpacked(f"{name}/content", unpack_each(stream, archive, content, is_handin))
        partial = folder / f"{_DONE}.part"
        partial.write_bytes(msgspec.json.encode(done))
        partial.replace(mark)
    except (OSError, InfraError) as error:
        cause = error.__cause__ if isinstance(error, InfraError) else error
        said = cause.strerror if isinstance(cause, OSError) else None
        raise UnableError(
            f"{archive} could not be unpacked into {into}: {said or error}.",
            cause="the disk is full, or the folder is not yours to write.",
            remedy="make room, or choose another folder with --out",
        ) from None
    return done


def _hash(stream: BinaryIO, archive: Path) -> str:
    """A name for the archive by its bytes; raises UsageError where it has too many entries to be opened."""
    digest = hashlib.sha256()
    try:
        for chunk in bounded(_chunks(stream), archive, CLASS):
            digest.update(chunk)
    except SubmissionError as error:
        raise UsageError(
            error.what,
            cause="a ZIP bomb, or hand-ins with many files in ZIPs of their own.",
            remedy="look at it, unpack it yourself, and name the folder.",
        ) from None
    return digest.hexdigest()[:16]


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
