"""What lies in a download: one entry for each folder or file that someone may have handed in."""

from __future__ import annotations

import datetime
import os
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tlcourse.grading.intake.names import is_left_behind
from tlcourse.grading.lms import brightspace, moodle
from tlcourse.grading.lms.dates import is_ambiguous
from tlcourse.grading.lms.names import visible

SOLUTIONS = (".py", ".ipynb", ".zip")
_CANVAS = re.compile(r"(?P<who>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_(?P<file>.+)", re.S)
_OUR_OWN = frozenset({"index.html"})


class Entry(Struct, frozen=True):
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


class Listing(Struct, frozen=True):
    """All entries, the platform that named them, and what was left aside."""

    platform: str
    entries: list[Entry]
    notices: list[str]


def is_named_by_a_platform(name: str) -> bool:
    """Whether Brightspace or Moodle gives such names to hand-ins."""
    return brightspace.parse_attempt(name) is not None or moodle.parse_attempt(name) is not None


def listing(root: Path, ours: Path) -> Listing:
    """The entries of a folder, by the platform whose names they have; whatever holds `ours` was put there by us."""
    holders = {ours.resolve(), *ours.resolve().parents}
    paths = sorted(path for path in root.iterdir() if not is_left_behind(path.name) and path.name not in _OUR_OWN)
    paths = [path for path in paths if path.resolve() not in holders]
    names = [path.name for path in paths]
    if any(brightspace.parse_attempt(name) for name in names):
        return _brightspace(paths)
    if any(moodle.parse_attempt(name) for name in names):
        return _moodle(paths)
    files = [path for path in paths if path.is_file()]
    if files and len(files) == len(paths) and all(_CANVAS.fullmatch(name) for name in names):
        return _canvas(paths)
    return _plain(paths)


def _brightspace(paths: list[Path]) -> Listing:
    dates = [attempt.date for path in paths if (attempt := _attempt(path, day_first=True))]
    ambiguous = [date for date in dates if is_ambiguous(date)]
    # where the month is a number, one date of the class that can only be read one way settles it for all
    day_first = not any(_only_month_first(date) for date in dates)
    notices = []
    if ambiguous and not any(_only_day_first(date) for date in dates) and day_first:
        notices.append(f"{visible(ambiguous[0])} was read with the day before the month.")
    grouped: dict[str, list[tuple[Path, brightspace.Attempt]]] = defaultdict(list)
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
        entries.append(Entry(one.who, name, own, files, one.when, one.date, one.ids))
    return Listing("brightspace", entries, notices)


def _attempt(path: Path, *, day_first: bool) -> brightspace.Attempt | None:
    flat = brightspace.parse_file(path.name, day_first=day_first) if path.is_file() else None
    return flat or brightspace.parse_attempt(path.name, day_first=day_first)


def _moodle(paths: list[Path]) -> Listing:
    grouped: dict[tuple[str, str], list[tuple[Path, moodle.Attempt]]] = defaultdict(list)
    notices = []
    for path in paths:
        attempt = moodle.parse_attempt(path.name)
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
        entries.append(Entry(first.who, first.folder, own, files, number=participant, dash="-"))
    return Listing("moodle", entries, notices)


def _canvas(paths: list[Path]) -> Listing:
    grouped: dict[tuple[str, str], list[tuple[Path, str]]] = defaultdict(list)
    for path in paths:
        match = _CANVAS.fullmatch(path.name)
        assert match is not None
        grouped[match["who"], match["number"]].append((path, match["file"]))
    entries = []
    for (who, number), found in grouped.items():
        own, files = tuple(path for path, _ in found), tuple(file for _, file in found)
        entries.append(Entry(who, f"{who}_{number}", own, files, number=number))
    return Listing("canvas", entries, [])


def _plain(paths: list[Path]) -> Listing:
    """Folders and files that people named; other files, such as a class list, are no hand-in."""
    entries, notices = [], []
    kinds = set()
    for path in paths:
        if path.is_dir():
            kinds.add("folders")
            entries.append(Entry(path.name, path.name, (path,), ("",), loosely=True))
        elif path.suffix.lower() in SOLUTIONS:
            kinds.add("files")
            entries.append(Entry(path.stem, path.stem, (path,), ("",), loosely=True))
        else:
            notices.append(f"{visible(path.name)} was left aside: it is neither a folder nor a .py, .ipynb or .zip.")
    return Listing("files" if kinds == {"files"} else "folders", entries, notices)


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


def content(path: Path) -> Path:
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


def root(folder: Path, is_handin: Callable[[str], bool]) -> Path:
    """The folder that holds the entries: below those that lie around all of them."""
    while True:
        inside = [child for child in folder.iterdir() if not is_left_behind(child.name) and child.name not in _OUR_OWN]
        if len(inside) != 1 or inside[0].is_symlink() or not inside[0].is_dir() or is_handin(inside[0].name):
            return folder
        folder = inside[0]
