"""Unpacking a ZIP that is hostile until shown otherwise: everything about it is checked before a byte is written.

What the archive says of itself – how many entries, how large, where they lie – is bounded first, then compared with
what comes out. What does not agree is refused, and the message names the entry.
"""

from __future__ import annotations

import itertools
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from msgspec import Struct

from tlcourse.errors import SubmissionError
from tlcourse.grading.intake.copy import StagedCopy, write
from tlcourse.grading.intake.names import is_junk, parts_of, refused, shown

_CHUNK = 1 << 18
_LOCAL_HEADER = 30
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
_UNIX_EXTRA = 0x000D
_RATIO_FROM = 1 << 20  # a small file may well be all zeros
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


class _Member(Struct, frozen=True):
    parts: tuple[str, ...]
    info: zipfile.ZipInfo


def unpack(data: Iterable[bytes], copy: StagedCopy) -> None:
    """Unpack the bytes of a ZIP into `copy`; raises SubmissionError. A ZIP inside it stays packed."""
    with tempfile.TemporaryFile() as stream:
        _keep(data, stream, copy)
        try:
            archive = zipfile.ZipFile(stream)
        except UnicodeDecodeError as error:
            raise refused(
                copy.origin, error.object.decode("utf-8", "surrogateescape"), "the name is not UTF-8"
            ) from None
        except _DAMAGE as error:
            raise _damaged(copy, error) from None
        with archive:
            for member in _checked(archive, copy):
                copy.add(member.parts, _contents(archive, member, copy))


def _keep(data: Iterable[bytes], stream: BinaryIO, copy: StagedCopy) -> None:
    """Write the archive to a file of our own, and refuse one whose directory alone would fill the memory."""
    size = entries = 0
    end = b""
    for chunk in data:
        size += len(chunk)
        if size > copy.limits.bytes:
            raise SubmissionError(
                f"{shown(copy.origin)} is larger than {copy.limits.bytes >> 20} MB.",
                remedy="pack only what the solution needs.",
            )
        seam = end + chunk
        entries += seam.count(_ENTRY)
        end = seam[-len(_ENTRY) + 1 :]
        write(stream, chunk)
    if entries > copy.limits.entries:
        raise _too_many(copy)


def _checked(archive: zipfile.ZipFile, copy: StagedCopy) -> list[_Member]:
    """The files to be taken out, all of them acceptable; raises SubmissionError."""
    infos = archive.infolist()
    if len(infos) > copy.limits.entries:
        raise _too_many(copy)
    members = []
    for info in infos:
        name = _name(info, copy)
        parts = parts_of(name, copy.origin)
        folder = name.endswith("/")
        if why := _why_not(info, copy, folder=folder):
            raise refused(copy.origin, name, why)
        if is_junk(parts):
            continue
        copy.announce(parts, folder=folder)
        if not folder:
            members.append(_Member(parts, info))
    _refuse_overlaps(archive, infos, copy)
    _refuse_bomb(infos, archive, copy)
    return members


def _name(info: zipfile.ZipInfo, copy: StagedCopy) -> str:
    """The whole name as stored (zipfile ends it at a NUL byte); UTF-8 whether or not the archive says so."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        raw = name.encode("cp437")  # which is what zipfile took it for
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise refused(copy.origin, name, "the name is not UTF-8") from None
    return name.replace("\\", "/")  # some programs on Windows pack so


def _why_not(info: zipfile.ZipInfo, copy: StagedCopy, *, folder: bool) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"it is {_KINDS.get(kind, 'a special file')}"
    if _has_link_data(info.extra):
        return "it is a link or a device"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in _METHODS:
        return f"it is packed by method {info.compress_type}; only stored and deflated entries are read"
    if not folder and info.file_size > _RATIO_FROM and info.file_size > copy.limits.ratio * info.compress_size:
        return f"it unpacks to more than {copy.limits.ratio} times its size"
    return ""


def _has_link_data(extra: bytes) -> bool:
    """Whether the extra field for Unix names the target of a (hard) link, or a device's numbers."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _UNIX_EXTRA and length > 12:  # two times, uid, gid; then what we look for
            return True
        extra = extra[4 + length :]
    return False


def _refuse_overlaps(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], copy: StagedCopy) -> None:
    """Entries that share bytes unpack to far more than the archive's size."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    begins = [*(info.header_offset for info in ordered), archive.start_dir]
    for info, (begin, following) in zip(ordered, itertools.pairwise(begins), strict=True):
        name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
        if begin < 0 or begin + _LOCAL_HEADER + len(name) + info.compress_size > following:
            raise refused(copy.origin, info.orig_filename, "it overlaps another entry")


def _refuse_bomb(infos: list[zipfile.ZipInfo], archive: zipfile.ZipFile, copy: StagedCopy) -> None:
    unpacked = sum(info.file_size for info in infos)
    if unpacked > copy.limits.bytes:
        largest = max(infos, key=lambda info: info.file_size)
        raise refused(
            copy.origin,
            largest.orig_filename,
            f"all entries unpack to {unpacked >> 20} MB; {copy.limits.bytes >> 20} MB are allowed",
        )
    if unpacked > _RATIO_FROM and unpacked > copy.limits.ratio * max(archive.start_dir, 1):
        raise SubmissionError(
            f"{shown(copy.origin)} unpacks to more than {copy.limits.ratio} times its size.",
            cause="an archive that is made to do harm.",
            remedy="hand in the code alone.",
        )


def _contents(archive: zipfile.ZipFile, member: _Member, copy: StagedCopy) -> Iterator[bytes]:
    """The bytes of a member: exactly as many as promised, and of the promised checksum (zipfile looks at that)."""
    left = member.info.file_size
    name = "/".join(member.parts)
    try:
        with archive.open(member.info) as stream:
            while chunk := stream.read(_CHUNK):
                left -= len(chunk)
                yield chunk
    except UnicodeDecodeError:
        raise refused(copy.origin, name, "its two names differ") from None
    except _DAMAGE as error:
        raise refused(copy.origin, name, f"it is damaged ({shown(str(error)) or type(error).__name__})") from None
    if left:
        raise refused(copy.origin, name, "it is not as long as the archive says")


def _too_many(copy: StagedCopy) -> SubmissionError:
    return SubmissionError(
        f"{shown(copy.origin)} has more than {copy.limits.entries} entries.",
        cause="a virtual environment or data were packed with the solution.",
        remedy="pack only the files that are handed in.",
    )


def _damaged(copy: StagedCopy, error: Exception) -> SubmissionError:
    return SubmissionError(
        f"{shown(copy.origin)} cannot be read as a ZIP: {shown(str(error)) or type(error).__name__}.",
        cause="the file is damaged, was not uploaded whole, or is an archive of another kind.",
        remedy="pack it again as a ZIP, or hand in the folder or the solution's file.",
    )
