"""A download in a folder of ours: for its owner alone, unpacked once, and gone after a mere look."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from tlcourse.errors import InfraError, SubmissionError, UnableError, UsageError
from tlcourse.grading.intake.archive import bounded, unpack_each
from tlcourse.grading.intake.copy import CLASS
from tlcourse.grading.lms.roster import visible
from tlcourse.storage import write_atomically

_CHUNK = 2**20
_DONE = "unpacked.json"


@contextlib.contextmanager
def private_unpacking(gradebook: Path, *, only_look: bool) -> Iterator[Path]:
    """The folder into which a download is unpacked, for its owner alone.

    Nothing is left of it after a mere look, nor where looking failed. Raises UnableError where a file cannot be read or
    written meanwhile.
    """
    folder = gradebook.with_name(gradebook.name + ".unpacked")
    before = os.umask(0o077)
    try:
        if only_look:
            near = gradebook.parent if gradebook.parent.is_dir() else None  # there is room for a class there
            folder = Path(tempfile.mkdtemp(prefix=".looked-at-", dir=near))
        left = only_look or not folder.exists()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)  # earlier versions let others look in
            yield folder
            left = only_look
        finally:
            if left:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise _not_unpacked(error, folder) from None
    finally:
        os.umask(before)


def _not_unpacked(error: OSError, folder: Path) -> UnableError:
    """What a failed look at a download says: which file it was, and what mends that."""
    path = Path(os.fsdecode(error.filename)) if error.filename else folder
    ours = path == folder.parent or path in folder.parents or folder in (path, *path.parents)
    what = f"{visible(str(path))} cannot be {'written' if ours else 'read'}: {error.strerror or error}."
    another = "name another: --gradebook FILE" if ours else "name a copy of the download that is yours to read."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnableError(what, cause="the disk is full.", remedy="make room, and give the command again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UnableError(what, cause="it is not yours, or permissions are missing.", remedy=another)
    if error.errno == errno.ENAMETOOLONG:
        return UnableError(
            what,
            cause="a name in the download, or the path of the gradebook, is longer than this file system takes.",
            remedy="name a gradebook in a folder with a short path: --gradebook FILE",
        )
    return UnableError(what, remedy=another)


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
        write_atomically(mark, msgspec.json.encode(done))
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
