"""The one copy of a hand-in: what is taken into it, within which limits. Afterwards only the copy is used."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tlcourse.errors import InfraError, SubmissionError
from tlcourse.grading.intake.names import folded, is_junk, parts_of, refused, shown

_CHUNK = 1 << 20


class IntakeLimits(Struct, frozen=True):
    """What a hand-in may hold, and the ZIP that it lies in."""

    files: int = 200
    bytes: int = 100 * 2**20
    depth: int = 6
    ratio: float = 200
    """Size unpacked over size packed, of a ZIP; source code has about 4."""
    entries: int = 2000
    """Entries of a ZIP, the ignored ones too."""
    packed: int | None = 100 * 2**20
    """Bytes of a ZIP; None where it may be of any size."""


SUBMISSION = IntakeLimits()
CLASS = IntakeLimits(files=2000, bytes=150 * 2**20, depth=12, ratio=math.inf, entries=250_000, packed=None)
"""Of one hand-in in the download of a class. It is held to the limits of a submission when it is graded.

The platform packed it, so a file of zeros is nobody's trick.
"""


class _Taken(Struct):
    """What came so far, in a copy and in those below it."""

    files: int = 0
    bytes: int = 0


class StagedCopy:
    """A folder of our own that a hand-in is copied into. `into` must be empty."""

    def __init__(self, origin: Path, into: Path, limits: IntakeLimits = SUBMISSION) -> None:
        self.origin = origin
        self.into = into
        self.limits = limits
        self.notices: list[str] = []
        self._names: dict[str, tuple[str, ...]] = {}
        self._taken = _Taken()

    @property
    def room(self) -> int:
        """Bytes that may still come."""
        return self.limits.bytes - self._taken.bytes

    def within(self, into: Path) -> StagedCopy:
        """A copy below `into`, a new folder, whose files and bytes count as this one's."""
        inner = StagedCopy(self.origin, into, self.limits)
        inner.notices = self.notices
        inner._taken = self._taken
        return inner

    def announce(self, parts: tuple[str, ...], *, folder: bool = False) -> None:
        """Say that an entry will come; raises SubmissionError for one too many, too deep, or whose name is taken."""
        if len(parts) - (not folder) > self.limits.depth:
            raise refused(self.origin, "/".join(parts), f"it lies more than {self.limits.depth} folders deep")
        for length in range(1, len(parts)):
            self._take_name(parts[:length], folder=True)
        self._take_name(parts, folder=folder)
        self._taken.files += not folder
        if self._taken.files > self.limits.files:
            raise self._too_much(f"more than {self.limits.files} files")

    def _take_name(self, parts: tuple[str, ...], *, folder: bool) -> None:
        mine = (*parts, "") if folder else parts
        other = self._names.setdefault(folded(parts), mine)
        if other == mine and folder:
            return
        if other is not mine:
            how = "twice" if other == mine else f"also as {shown('/'.join(other))}, and many systems take them for one"
            raise refused(self.origin, "/".join(mine), f"the name is there {how}")

    def add(self, parts: tuple[str, ...], chunks: Iterable[bytes]) -> None:
        """Write an announced file; raises SubmissionError when all that came is too much."""
        with self._create(parts) as stream:
            try:
                for chunk in chunks:
                    self._taken.bytes += len(chunk)
                    if self._taken.bytes > self.limits.bytes:
                        raise self._too_much(f"more than {self.limits.bytes >> 20} MB")
                    write(stream, chunk)
            except SubmissionError:
                self.into.joinpath(*parts).unlink()
                raise

    def put(self, parts: tuple[str, ...], chunks: Iterable[bytes]) -> None:
        """Announce and write a file, in place of one of just this name; raises SubmissionError.

        What was refused is not there afterwards.
        """
        if self._names.get(folded(parts)) == parts:
            self.into.joinpath(*parts).unlink()
            self._forget(parts)
        self.announce(parts)
        try:
            self.add(parts, chunks)
        except SubmissionError:
            self._forget(parts)
            raise

    def rename(self, parts: tuple[str, ...], new: tuple[str, ...]) -> None:
        """Give a file another name in its folder; raises SubmissionError where that is taken."""
        self._forget(parts)
        self.announce(new)
        self.into.joinpath(*parts).rename(self.into.joinpath(*new))

    def _forget(self, parts: tuple[str, ...]) -> None:
        del self._names[folded(parts)]
        self._taken.files -= 1

    def _create(self, parts: tuple[str, ...]) -> BinaryIO:
        target = self.into.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            return target.open("xb")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise refused(self.origin, "/".join(parts), "a file or folder of that name is there already") from None
        except OSError as error:
            raise _not_written(error) from error

    def _too_much(self, what: str) -> SubmissionError:
        return SubmissionError(
            f"{shown(self.origin)} holds {what}.",
            cause="data, a virtual environment or checkpoints lie in it.",
            remedy="name the solution's file, or hand in only what the solution needs.",
        )


def copy_folder(copy: StagedCopy) -> None:
    """Regular files alone: links lead elsewhere, and devices and pipes are no hand-in; what is left out is told.

    Every file is opened below a folder that is held open, and never through a link: a folder that is changed
    meanwhile cannot lead out of itself.
    """
    top = os.path.realpath(copy.origin)
    owner = os.stat(top).st_uid  # noqa: PTH116
    for current, folders, names, descriptor in os.fwalk(top, onerror=_raise_unreadable, follow_symlinks=False):
        above = Path(current).relative_to(top).parts
        folders[:] = sorted(name for name in folders if not is_junk((*above, name)))
        for name in folders:
            checked_parts(copy, (*above, name))
            if len(above) >= copy.limits.depth:
                raise refused(copy.origin, "/".join((*above, name)), f"folders lie more than {copy.limits.depth} deep")
        for name in sorted(names):
            if not is_junk((*above, name)):
                _copy_file(copy, (*above, name), descriptor, owner)


def _copy_file(copy: StagedCopy, raw: tuple[str, ...], folder: int, owner: int) -> None:
    parts = checked_parts(copy, raw)
    info = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
    if what := not_taken(info, owner):
        copy.notices.append(f"{shown('/'.join(parts))} was left out: it is {what}.")
        return
    copy.announce(parts)
    copy.add(parts, read_file(copy.origin.joinpath(*parts), parts[-1], folder))


def not_taken(info: os.stat_result, owner: int) -> str:
    """What a file is that is never copied, in a folder of the user `owner`; "" where it is one that can be."""
    if not stat.S_ISREG(info.st_mode):
        return "a link or a special file"
    return "a hard link to another user's file" if info.st_nlink > 1 and info.st_uid != owner else ""


@contextlib.contextmanager
def folder_below(top: Path, parts: Sequence[str]) -> Iterator[int]:
    """A descriptor of the folder `parts` below `top`, which is never reached through a link; raises OSError."""
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def checked_parts(copy: StagedCopy, raw: tuple[str, ...]) -> tuple[str, ...]:
    """A name of the file system is checked like one of an archive; a part of it may not hold a separator of others."""
    if any("\\" in part for part in raw):
        raise refused(copy.origin, "/".join(raw), "a backslash separates folders on other systems")
    return parts_of("/".join(raw), copy.origin)


def read_file(path: Path, name: str | None = None, folder: int | None = None) -> Iterator[bytes]:
    """The bytes of a regular file: `name` below the open `folder` and no link, or `path`. Never waits on a pipe."""
    flags = os.O_RDONLY | os.O_NONBLOCK | (os.O_NOFOLLOW if name else 0)
    try:
        descriptor = os.open(name or path, flags, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SubmissionError(f"{shown(path)} is not a regular file.", remedy="hand in a regular file.")
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> SubmissionError:
    """A file or folder that the system does not let us read."""
    name = shown(path)
    return SubmissionError(
        f"{name} cannot be read: {error.strerror}.",
        cause="missing permissions, or it was moved meanwhile.",
        remedy=f"chmod -R u+rX {shlex.quote(name)}",
    )


def _raise_unreadable(error: OSError) -> None:
    raise unreadable(Path(os.fsdecode(error.filename or "")), error) from None


def write(stream: BinaryIO, data: bytes) -> None:
    """Write to a file of our own; raises InfraError where that fails."""
    try:
        stream.write(data)
    except OSError as error:
        raise _not_written(error) from error


def _not_written(error: OSError) -> InfraError:
    return InfraError(
        f"The hand-in could not be copied: {error.strerror}.",
        cause="the folder for temporary files is full.",
        remedy="free some space, or set TMPDIR to a folder that has more.",
    )
