"""What lies in a download: unpacked once, then one entry for each folder or file that someone may have handed in."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from tlcourse.errors import InfraError, SubmissionError, UnableError, UsageError
from tlcourse.grading.intake.archive import bounded, unpack_each
from tlcourse.grading.intake.copy import CLASS
from tlcourse.grading.intake.names import is_left_behind
from tlcourse.grading.lms.dates import is_ambiguous
from tlcourse.grading.lms.platforms import (
    BrightspaceName,
    MoodleName,
    parse_brightspace,
    parse_brightspace_file,
    parse_moodle,
)
from tlcourse.grading.lms.roster import visible
from tlcourse.storage import write_atomically

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


SOLUTIONS = (".py", ".ipynb", ".zip")
_CANVAS = re.compile(r"(?P<who>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_(?P<file>.+)", re.S)
_OUR_OWN = frozenset({"index.html"})


class DownloadEntry(Struct, frozen=True):
    """A folder, or some files, with what its name says. `dash` separates a group's name from the submitter's."""

    who: str
    folder_name: str
    paths: tuple[Path, ...]
    files: tuple[str, ...]
    """What each path is called within the hand-in, where there are several."""
    when: datetime.datetime | None = None
    date: str = ""
    ids: tuple[int, int] = (0, 0)
    number: str = ""
    dash: str = " - "
    loosely: bool = False


class DownloadListing(Struct, frozen=True):
    """All entries, the platform that named them, and what was left aside."""

    platform: str
    entries: list[DownloadEntry]
    notices: list[str]


def is_named_by_a_platform(name: str) -> bool:
    """Whether Brightspace or Moodle gives such names to hand-ins."""
    return parse_brightspace(name) is not None or parse_moodle(name) is not None


def download_listing(root: Path, ours: Path) -> DownloadListing:
    """The entries of a folder, by the platform whose names they have; whatever holds `ours` was put there by us."""
    holders = {ours.resolve(), *ours.resolve().parents}
    paths = sorted(path for path in root.iterdir() if not is_left_behind(path.name) and path.name not in _OUR_OWN)
    paths = [path for path in paths if path.resolve() not in holders]
    names = [path.name for path in paths]
    if any(parse_brightspace(name) for name in names):
        return _brightspace(paths)
    if any(parse_moodle(name) for name in names):
        return _moodle(paths)
    files = [path for path in paths if path.is_file()]
    if files and len(files) == len(paths) and all(_CANVAS.fullmatch(name) for name in names):
        return _canvas(paths)
    return _plain(paths)


def _brightspace(paths: list[Path]) -> DownloadListing:
    dates = [attempt.date for path in paths if (attempt := _attempt(path, day_first=True))]
    ambiguous = [date for date in dates if is_ambiguous(date)]
    # where the month is a number, one date of the class that can only be read one way settles it for all
    day_first = not any(_only_month_first(date) for date in dates)
    notices = []
    if ambiguous and not any(_only_day_first(date) for date in dates) and day_first:
        notices.append(f"{visible(ambiguous[0])} was read with the day before the month.")
    grouped: dict[str, list[tuple[Path, BrightspaceName]]] = defaultdict(list)
    for path in paths:
        attempt = _attempt(path, day_first=day_first)
        if attempt is None:
            notices.append(f"{visible(path.name)} was left aside: Brightspace gives no such name.")
        else:
            grouped[attempt.folder or path.name].append((path, attempt))
    entries = []
    for name, found in grouped.items():
        one, own = found[0][1], tuple(path for path, _ in found)
        files = tuple(attempt.file for _, attempt in found)
        entries.append(DownloadEntry(one.who, name, own, files, one.when, one.date, one.ids))
    return DownloadListing("brightspace", entries, notices)


def _attempt(path: Path, *, day_first: bool) -> BrightspaceName | None:
    flat = parse_brightspace_file(path.name, day_first=day_first) if path.is_file() else None
    return flat or parse_brightspace(path.name, day_first=day_first)


def _moodle(paths: list[Path]) -> DownloadListing:
    grouped: dict[tuple[str, str], list[tuple[Path, MoodleName]]] = defaultdict(list)
    notices = []
    for path in paths:
        attempt = parse_moodle(path.name)
        if attempt is None:
            notices.append(f"{visible(path.name)} was left aside: Moodle gives no such name.")
        else:
            grouped[attempt.participant, attempt.plugin].append((path, attempt))
    entries = []
    for (participant, plugin), found in grouped.items():
        if plugin == "onlinetext" and (participant, "file") in grouped:
            continue  # a remark beside the files
        first, own = found[0][1], tuple(path for path, _ in found)
        files = tuple(attempt.file for _, attempt in found)
        entries.append(DownloadEntry(first.who, first.folder, own, files, number=participant, dash="-"))
    return DownloadListing("moodle", entries, notices)


def _canvas(paths: list[Path]) -> DownloadListing:
    grouped: dict[tuple[str, str], list[tuple[Path, str]]] = defaultdict(list)
    for path in paths:
        match = _CANVAS.fullmatch(path.name)
        assert match is not None
        grouped[match["who"], match["number"]].append((path, match["file"]))
    entries = []
    for (who, number), found in grouped.items():
        own, files = tuple(path for path, _ in found), tuple(file for _, file in found)
        entries.append(DownloadEntry(who, f"{who}_{number}", own, files, number=number))
    return DownloadListing("canvas", entries, [])


def _plain(paths: list[Path]) -> DownloadListing:
    """Folders and files that people named; other files, such as a class list, are no hand-in."""
    entries, notices = [], []
    kinds = set()
    for path in paths:
        if path.is_dir():
            kinds.add("folders")
            entries.append(DownloadEntry(path.name, path.name, (path,), ("",), loosely=True))
        elif path.suffix.lower() in SOLUTIONS:
            kinds.add("files")
            entries.append(DownloadEntry(path.stem, path.stem, (path,), ("",), loosely=True))
        else:
            notices.append(f"{visible(path.name)} was left aside: it is neither a folder nor a .py, .ipynb or .zip.")
    return DownloadListing("files" if kinds == {"files"} else "folders", entries, notices)


def _only_month_first(date: str) -> bool:
    """`10-23-2025`: a number that can be no month stands second."""
    figures = re.findall(r"\d+", date)
    return _numeric(date, figures) and int(figures[0]) <= 12 < int(figures[1])


def _only_day_first(date: str) -> bool:
    figures = re.findall(r"\d+", date)
    return _numeric(date, figures) and int(figures[1]) <= 12 < int(figures[0])


def _numeric(date: str, figures: list[str]) -> bool:
    letters = re.sub(r"(?i)[ap]\.?\s?m\.?", "", date)
    return len(figures) >= 3 and len(figures[0]) <= 2 and not any(c.isalpha() for c in letters)


def what_to_grade(path: Path) -> Path:
    """What to grade of a folder: its only file, its only folder's content, or its only ZIP where it holds no source."""
    while path.is_dir():
        inside = sorted(child for child in path.iterdir() if not is_left_behind(child.name))
        if len(inside) == 1 and not inside[0].is_symlink():
            path = inside[0]
            continue
        zips = [child for child in inside if child.suffix.lower() == ".zip" and not child.is_symlink()]
        if len(zips) == 1 and not _has_source(path):
            return zips[0]
        return path
    return path


def _has_source(folder: Path) -> bool:
    names = (name.lower() for _, _, files in os.walk(folder) for name in files)
    return any(name.endswith((".py", ".ipynb")) for name in names)


def root_of_handins(folder: Path, is_handin: Callable[[str], bool]) -> Path:
    """The folder that holds the entries: below those that lie around all of them."""
    while True:
        inside = [child for child in folder.iterdir() if not is_left_behind(child.name) and child.name not in _OUR_OWN]
        if len(inside) != 1 or inside[0].is_symlink() or not inside[0].is_dir() or is_handin(inside[0].name):
            return folder
        folder = inside[0]
