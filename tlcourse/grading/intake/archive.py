"""Unpacking a ZIP that is hostile until shown otherwise: everything about it is checked before a byte is written.

What the archive says of itself – how many entries, how large, where they lie – is bounded first, then compared with
what comes out. There is one set of checks, and two policies on top. A hand-in (`unpack`) is refused as a whole for one
odd entry. In the download of a class (`unpack_each`) an odd entry costs one person the hand-in, and nobody else.
"""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tlcourse.errors import SubmissionError, UsageError
from tlcourse.grading.intake.copy import CLASS, IntakeLimits, StagedCopy, write
from tlcourse.grading.intake.names import is_junk, is_left_behind, refused, shown, split, why_not

_CHUNK = 1 << 18
_LOCAL_HEADER = 30
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
_UNIX_EXTRA = 0x000D
_RATIO_FROM = 1 << 20  # a small file may well be all zeros
_MAGIC = ((b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"), (b"\x1f\x8b", "packed by gzip"))
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
# What zipfile raises for archives that are none, or damaged: it was written for honest ones.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError, ValueError, OverflowError)


_HANDIN = Path("The hand-in")  # as whose a message speaks: a platform's name for it would be of no use to its owner


class _Entry(Struct, frozen=True):
    """One entry: its name, with `/` between folders, behind the folder that a platform gave to the hand-in, if any."""

    info: zipfile.ZipInfo
    name: str
    is_folder: bool
    given: str = ""

    @property
    def whole(self) -> str:
        return f"{self.given}/{self.name}" if self.given and self.name else self.given or self.name

    @property
    def parts(self) -> tuple[str, ...]:
        return split(self.whole)


# -- one hand-in ---------------------------------------------------------------------------------------------------


def unpack(data: Iterable[bytes], copy: StagedCopy) -> None:
    """Unpack the bytes of a ZIP into `copy`; raises SubmissionError. A ZIP inside it stays one file."""
    with tempfile.TemporaryFile() as stream:
        for chunk in bounded(data, copy.origin, copy.limits):
            write(stream, chunk)
        try:
            archive = zipfile.ZipFile(stream)
        except UnicodeDecodeError as error:
            raise refused(
                copy.origin, error.object.decode("utf-8", "surrogateescape"), "the name is not UTF-8"
            ) from None
        except _DAMAGE as error:
            raise SubmissionError(
                f"{shown(copy.origin)} cannot be read as a ZIP: {_said(error)}.",
                cause=_why_no_zip(stream),
                remedy="pack it again as a ZIP, or hand in the folder or the solution's file.",
            ) from None
        with archive:
            _take_in(archive, _entries(archive, copy.origin, copy.limits), copy, _overlapping(archive))


# -- the hand-ins of a class ---------------------------------------------------------------------------------------


def unpack_each(
    stream: BinaryIO, origin: Path, into: Path, is_handin: Callable[[str], bool], limits: IntakeLimits | None = None
) -> dict[str, str]:
    """Unpack a download into `into`, which is empty, hand-in by hand-in.

    Returns, by its name at the top, why a hand-in was refused; its place is then empty. Raises UsageError where
    `origin` is not a ZIP, or an entry that belongs to nobody's hand-in would leave the folder, and InfraError where
    the disk is full.
    """
    limits = limits or CLASS
    try:
        archive = zipfile.ZipFile(stream)
    except _DAMAGE as error:
        raise UsageError(
            f"{origin} is not a ZIP that can be read ({_said(error)}).",
            cause="the download was cut off, or it is another file.",
            remedy="download it again from the platform.",
        ) from None
    with archive:
        try:
            entries = _entries(archive, origin, limits)
        except SubmissionError as error:
            raise UsageError(error.what, cause="a ZIP bomb.", remedy="download it again from the platform.") from None
        entries = [one for one in entries if one.parts and (".." in one.parts or not _is_left_behind(one))]
        depth = _wrappers(entries, is_handin)
        handins: dict[str, list[_Entry]] = defaultdict(list)
        for one in entries:
            parts = one.parts
            rooted = one.name.startswith("/") or parts[0].endswith(":")
            if rooted or ".." in parts[: depth + 1] or is_left_behind(parts[0]):  # before any hand-in: nobody's entry
                raise UsageError(
                    f"{origin}: the entry {shown(one.name)} would be written outside of the folder.",
                    cause="no platform makes such a download: someone changed the ZIP.",
                    remedy="download it again from the platform.",
                )
            if len(parts) > depth:
                name = "/".join(parts[depth + 1 :])
                handins[parts[depth]].append(_Entry(one.info, name, one.is_folder, given=parts[depth]))
        overlapping = _overlapping(archive)
        refused_ = {
            name: _take_in_one(archive, name, own, StagedCopy(_HANDIN, into, limits), overlapping)
            for name, own in handins.items()
        }
        return {name: why for name, why in refused_.items() if why}


def _wrappers(entries: list[_Entry], is_handin: Callable[[str], bool]) -> int:
    """How many folders lie around all hand-ins, as when a download was packed again."""
    depth = 0
    every = [one.parts for one in entries]
    while True:
        tops = {parts[depth] for parts in every if len(parts) > depth} - {"index.html"}
        inside = any(len(parts) > depth + 1 for parts in every)
        if len(tops) != 1 or not inside or is_handin(next(iter(tops))):
            return depth
        if any(parts[depth + 1 :] in (("solution.py",), ("solution.ipynb",)) for parts in every):
            return depth  # the only hand-in: it is called as this folder
        depth += 1


def _is_left_behind(entry: _Entry) -> bool:
    return any(map(is_left_behind, entry.parts))


def _take_in_one(
    archive: zipfile.ZipFile, name: str, own: list[_Entry], copy: StagedCopy, overlapping: frozenset[int]
) -> str:
    """Write one hand-in; returns why it was refused, and then leaves it empty."""
    is_folder = any(one.is_folder or one.name for one in own)
    try:
        _take_in(archive, own, copy, overlapping)
    except SubmissionError as error:
        _empty(copy.into / name, is_folder=is_folder)
        return error.what
    for folder in ((name,), *(one.parts for one in own if one.is_folder and not _is_passed_over(one))):
        if is_folder:
            copy.into.joinpath(*folder).mkdir(parents=True, exist_ok=True)
    return ""


def _empty(top: Path, *, is_folder: bool) -> None:
    """Nothing of a refused hand-in stays, but its place does: it is a hand-in, and ends as invalid."""
    try:
        shutil.rmtree(top, ignore_errors=True)
        if is_folder:
            top.mkdir(parents=True, exist_ok=True)
        else:
            top.write_bytes(b"")
    except (OSError, ValueError):
        if os.path.lexists(top.parent):
            return  # a name that no file system takes: what is returned says that it was there
        raise


# -- what both check -----------------------------------------------------------------------------------------------


def _why_no_zip(stream: BinaryIO) -> str:
    stream.seek(0)
    begin = stream.read(8)
    kind = next((kind for magic, kind in _MAGIC if begin.startswith(magic)), "")
    return f"it is {kind}, whatever it is called." if kind else "the file is damaged, or was not uploaded whole."


def bounded(data: Iterable[bytes], origin: Path, limits: IntakeLimits) -> Iterator[bytes]:
    """The bytes of a ZIP, up to where it is too large, or has a directory that alone would fill the memory.

    Raises SubmissionError. Each entry has a signature in the directory, so the count of those bounds their number.
    """
    size = entries = 0
    end = b""
    for chunk in data:
        size += len(chunk)
        if limits.packed is not None and size > limits.packed:
            raise SubmissionError(
                f"{shown(origin)} is larger than {limits.packed >> 20} MB.",
                remedy="pack only what the solution needs.",
            )
        seam = end + chunk
        entries += seam.count(_ENTRY)
        if entries > limits.entries:
            raise _too_many(origin, limits)
        end = seam[-len(_ENTRY) + 1 :]
        yield chunk


def _entries(archive: zipfile.ZipFile, origin: Path, limits: IntakeLimits) -> list[_Entry]:
    infos = archive.infolist()
    if len(infos) > limits.entries:
        raise _too_many(origin, limits)
    names = [_name(info) for info in infos]
    return [_Entry(info, name, name.endswith("/")) for info, name in zip(infos, names, strict=True)]


def _name(info: zipfile.ZipInfo) -> str:
    """The whole name as stored (zipfile ends it at a NUL byte); UTF-8 whether or not the archive says so.

    Else it is in the code page of somebody's Windows, which the archive does not name: read as the one of Western
    Europe. A name may come out with other letters, and no two names as one.
    """
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        raw = name.encode("cp437")  # which is what zipfile took it for
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            name = raw.decode("cp850")
    return name.replace("\\", "/")  # some programs on Windows pack so


def _take_in(
    archive: zipfile.ZipFile, entries: Sequence[_Entry], copy: StagedCopy, overlapping: frozenset[int]
) -> None:
    """Check all entries, then write their files; raises SubmissionError at the first that is odd."""
    files = []
    for one in entries:
        if why := why_not(one.name, one.given) or _why_not(one, copy.limits):
            raise refused(copy.origin, one.whole, why)
        if _is_passed_over(one):
            continue
        copy.announce(one.parts, folder=one.is_folder)
        if not one.is_folder:
            files.append(one)
    for one in entries:
        if id(one.info) in overlapping:
            raise refused(copy.origin, one.whole, "it overlaps another entry")
    _refuse_bomb(files, copy)
    for one in files:
        copy.add(one.parts, _contents(archive, one, copy))


def _is_passed_over(entry: _Entry) -> bool:
    """Whether it is junk. What a platform named is not, whatever it is called."""
    own = split(entry.name)
    return bool(own) and is_junk(own)


def _why_not(entry: _Entry, limits: IntakeLimits) -> str:
    info = entry.info
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"it is {_KINDS.get(kind, 'a special file')}"
    if _has_link_data(info.extra):
        return "it is a link or a device"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in _METHODS:  # of others zipfile unpacks without any bound on its memory
        return f"it is packed by method {info.compress_type}; only stored and deflated entries are read"
    if not entry.is_folder and info.file_size > _RATIO_FROM and info.file_size > limits.ratio * info.compress_size:
        return f"it unpacks to more than {limits.ratio} times its size"
    return ""


def _has_link_data(extra: bytes) -> bool:
    """Whether the extra field for Unix names the target of a (hard) link, or a device's numbers."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _UNIX_EXTRA and length > 12:  # two times, uid, gid; then what we look for
            return True
        extra = extra[4 + length :]
    return False


def _overlapping(archive: zipfile.ZipFile) -> frozenset[int]:
    """Entries that share bytes with another one, by their `id`: such archives unpack to far more than their size."""
    ordered = sorted(archive.infolist(), key=lambda info: info.header_offset)
    begins = [*(info.header_offset for info in ordered), archive.start_dir]
    found = set()
    for info, (begin, following) in zip(ordered, itertools.pairwise(begins), strict=True):
        if begin < 0 or begin + _packed(info) > following:
            found.add(id(info))
    return frozenset(found)


def _packed(info: zipfile.ZipInfo) -> int:
    """The fewest bytes that an entry takes in its archive."""
    name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
    return _LOCAL_HEADER + len(name) + info.compress_size


def _refuse_bomb(files: list[_Entry], copy: StagedCopy) -> None:
    limits = copy.limits
    unpacked = sum(one.info.file_size for one in files)
    if unpacked > limits.bytes:
        largest = max(files, key=lambda one: one.info.file_size)
        raise refused(
            copy.origin,
            largest.whole,
            f"all entries unpack to {unpacked >> 20} MB; {limits.bytes >> 20} MB are allowed",
        )
    if unpacked > _RATIO_FROM and unpacked > limits.ratio * sum(_packed(one.info) for one in files):
        raise SubmissionError(
            f"{shown(copy.origin)} unpacks to more than {limits.ratio} times its size.",
            cause="an archive that is made to do harm.",
            remedy="hand in the code alone.",
        )


def _contents(archive: zipfile.ZipFile, entry: _Entry, copy: StagedCopy) -> Iterator[bytes]:
    """The bytes of an entry: exactly as many as promised, and of the promised checksum (zipfile looks at that)."""
    left = entry.info.file_size
    try:
        with archive.open(entry.info) as stream:
            while chunk := stream.read(_CHUNK):
                left -= len(chunk)
                yield chunk
    except UnicodeDecodeError:
        raise refused(copy.origin, entry.whole, "its two names differ") from None
    except _DAMAGE as error:
        raise refused(copy.origin, entry.whole, f"it is damaged ({_said(error)})") from None
    if left:
        raise refused(copy.origin, entry.whole, "it is not as long as the archive says")


def _said(error: Exception) -> str:
    return shown(str(error)) or type(error).__name__


def _too_many(origin: Path, limits: IntakeLimits) -> SubmissionError:
    return SubmissionError(
        f"{shown(origin)} has more than {limits.entries} entries.",
        cause="a virtual environment or data were packed with the solution.",
        remedy="pack only the files that are handed in.",
    )
