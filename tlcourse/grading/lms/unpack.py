"""Unpacking the download of a whole class: what one person put into it can cost that person alone the hand-in."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from tlcourse.errors import UnableError, UsageError
from tlcourse.grading.lms.names import visible

MAX_ENTRIES = 250_000
# of one hand-in; the limits of a submission are tighter, but do not count what it ignores, such as a .git folder
MAX_BYTES = 150 * 2**20
MAX_FILES = 2000
_MAX_NAME_BYTES = 255
_MAX_DEPTH = 12
_JUNK = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})
_CHUNK = 2**20
_DONE = "unpacked.json"
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class Unpacked(Struct, frozen=True):
    """An archive in a folder of ours; `refused` says for a hand-in, by its name at the top, why it was left empty."""

    folder: str
    refused: dict[str, str] = {}


class _Member(Struct, frozen=True):
    info: zipfile.ZipInfo
    parts: tuple[str, ...]


def is_junk(name: str) -> bool:
    """Whether a file or folder is one that an operating system leaves behind."""
    return name in _JUNK or name.startswith("._")


def unpack(archive: Path, into: Path, is_handin: Callable[[str], bool]) -> Unpacked:
    """Unpack into a folder below `into`, once: the same archive is found again by its hash.

    Raises:
        UsageError: it is no ZIP, or an entry that belongs to nobody's hand-in would leave the folder.
        UnableError: the disk is full, or the folder cannot be written.
    """
    try:
        name = _hash(archive)[:16]
        folder = into / name
        mark = folder / _DONE
        if mark.is_file():
            return msgspec.json.decode(mark.read_bytes(), type=Unpacked)
        shutil.rmtree(folder, ignore_errors=True)  # an unpacking that was interrupted
        content = folder / "content"
        content.mkdir(parents=True)
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, archive)
            refused = _extract(opened, members, content, archive, is_handin)
        done = Unpacked(f"{name}/content", refused)
        partial = folder / f"{_DONE}.part"
        partial.write_bytes(msgspec.json.encode(done))
        partial.replace(mark)
    except zipfile.BadZipFile as error:
        raise UsageError(
            f"{archive} is no ZIP that can be read ({error}).",
            cause="the download was cut off, or it is another file.",
            remedy="download it again from the platform.",
        ) from None
    except OSError as error:
        raise UnableError(
            f"{archive} could not be unpacked into {into}: {error.strerror or error}.",
            cause="the disk is full, or the folder is not yours to write.",
            remedy="make room, or choose another folder with --out",
        ) from None
    return done


def _members(opened: zipfile.ZipFile, archive: Path) -> list[_Member]:
    """The entries but for junk; one that would leave the folder, and is in nobody's hand-in, refuses the archive."""
    infos = opened.infolist()
    if len(infos) > MAX_ENTRIES:
        raise UsageError(f"{archive} has {len(infos)} entries; at most {MAX_ENTRIES} are read.", cause="a ZIP bomb.")
    members = []
    for info in infos:
        name = _name(info)
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
        if not parts or any(map(is_junk, parts)):
            continue
        if name.startswith(("/", "\\")) or parts[0].endswith(":"):
            raise _leaves(archive, name)
        members.append(_Member(info, parts))
    return members


def _leaves(archive: Path, name: str) -> UsageError:
    return UsageError(
        f"{archive}: the entry {visible(name)!r} would be written outside of the folder.",
        cause="no platform makes such a download: someone changed the ZIP.",
        remedy="download it again from the platform.",
    )


def _name(info: zipfile.ZipInfo) -> str:
    """An entry's name. Without the flag for UTF-8 it is often UTF-8 all the same; zipfile reads it as code page 437."""
    raw = info.orig_filename
    if info.flag_bits & 0x800:
        return raw
    try:
        return raw.encode("cp437").decode("utf-8")
    except UnicodeError:
        return raw


def _extract(
    opened: zipfile.ZipFile, members: list[_Member], content: Path, archive: Path, is_handin: Callable[[str], bool]
) -> dict[str, str]:
    depth = _wrappers(members, is_handin)
    of: dict[str, list[_Member]] = defaultdict(list)
    for member in members:
        if ".." in member.parts[: depth + 1]:  # before any hand-in: nobody's entry
            raise _leaves(archive, "/".join(member.parts))
        if len(member.parts) > depth:
            of[member.parts[depth]].append(_Member(member.info, member.parts[depth:]))
    refused = {}
    for name, own in of.items():
        if reason := _extract_one(opened, own, content):
            refused[name] = reason
    return refused


def _wrappers(members: list[_Member], is_handin: Callable[[str], bool]) -> int:
    """How many folders lie around all hand-ins, as when a download was packed again."""
    depth = 0
    while True:
        tops = {member.parts[depth] for member in members if len(member.parts) > depth} - {"index.html"}
        inside = any(len(member.parts) > depth + 1 for member in members)
        if len(tops) != 1 or not inside or is_handin(next(iter(tops))):
            return depth
        depth += 1


def _extract_one(opened: zipfile.ZipFile, members: list[_Member], content: Path) -> str:
    """Write one hand-in; returns why it was refused, and then leaves it empty."""
    top = content / members[0].parts[0]
    if reason := _refusal(members):
        _empty(top, is_folder=_is_folder(members))
        return reason
    room = MAX_BYTES
    for member in members:
        path = content.joinpath(*member.parts)
        if member.info.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            room = _write(opened, member.info, path, room)
        except _DAMAGE as error:
            said = visible(str(error)) or type(error).__name__
            reason = f"the entry {visible('/'.join(member.parts))} cannot be read: {said}"
        if reason or room < 0:
            _empty(top, is_folder=_is_folder(members))
            return reason or f"it holds more than {MAX_BYTES >> 20} MB: {visible('/'.join(member.parts))} is too large"
    return ""


def _refusal(members: list[_Member]) -> str:
    """Why these entries cannot be written as they are; "" if they can."""
    files = [member for member in members if not member.info.is_dir()]
    if len(files) > MAX_FILES:
        return f"it holds {len(files)} files; {MAX_FILES} are allowed"
    seen: dict[str, str] = {}
    for member in members:
        name = "/".join(member.parts)
        shown = visible(name)
        kind = stat.S_IFMT(member.info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            return f"the entry {shown} is a link or a special file"
        if member.info.flag_bits & 1:
            return f"the entry {shown} is encrypted"
        if ".." in member.parts:
            return f"the entry {shown} would be written outside of the folder"
        if "\0" in name or any(unicodedata.category(c) == "Cc" or c in _BIDI for c in name):
            return f"the entry {shown} has control characters in its name"
        if len(member.parts) > _MAX_DEPTH:
            return f"the entry {shown} lies more than {_MAX_DEPTH} folders deep"
        if any(len(part.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES for part in member.parts):
            return f"the name of the entry {shown} is too long"
        if not member.info.is_dir():
            key = unicodedata.normalize("NFC", name).casefold()
            if key in seen:
                return f"two entries have one name: {visible(seen[key])} and {shown}"
            seen[key] = name
    folders = {key.rsplit("/", i)[0] for key in seen for i in range(1, key.count("/") + 1)}
    if both := folders & set(seen):
        return f"the entry {visible(both.pop())} is a file and a folder"
    return ""


_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, room: int) -> int:
    """Write an entry; returns the room that is left, negative once it is exceeded. Its declared size may lie."""
    if info.file_size > room:
        return -1
    with opened.open(info) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                break
            target.write(chunk)
    return room


def _is_folder(members: list[_Member]) -> bool:
    return len(members[0].parts) > 1 or members[0].info.is_dir()


def _empty(top: Path, *, is_folder: bool) -> None:
    """Nothing of a refused hand-in stays, but its place does: it is a hand-in, and ends as invalid."""
    shutil.rmtree(top, ignore_errors=True)
    try:
        if is_folder:
            top.mkdir(parents=True, exist_ok=True)
        else:
            top.write_bytes(b"")
    except (OSError, ValueError):
        if os.path.lexists(top.parent):
            return  # a name that no file system takes: `refused` alone says that it was there
        raise


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
