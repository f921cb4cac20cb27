"""What platforms call the folders, or the files, of a submission download."""

from __future__ import annotations

import datetime
import re

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.grading.lms.dates import parse_date

_BRIGHTSPACE = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s+-\s+(.*\S)", re.DOTALL)
_DASH = re.compile(r"(?<!\s)\s++-\s+")


class BrightspaceName(Struct, frozen=True):
    """`39786-640693 - Jane Doe - Oct 10, 2025 1022 AM`: who stands between the ids and the date."""

    ids: tuple[int, int]
    who: str
    date: str
    when: datetime.datetime | None
    folder: str = ""
    file: str = ""
    """In a download without folders, the name that the file had; `folder` is what comes before it."""


def parse_brightspace_file(name: str, *, day_first: bool = True) -> BrightspaceName | None:
    """The parts of `39786-640693 - Jane Doe - Oct 10, 2025 1022 AM - solution.py`; None for another name."""
    for dash in _DASH.finditer(name):
        attempt = parse_brightspace(name[: dash.start()], day_first=day_first)
        if attempt is not None and attempt.when is not None:
            return replace(attempt, folder=name[: dash.start()], file=name[dash.end() :])
    return None


def parse_brightspace(name: str, *, day_first: bool = True) -> BrightspaceName | None:
    """The parts of a folder's name, read from both ends, since names have ` - ` in them too; None for another name.

    A date that is not understood leaves `when` empty and stays in `date`.
    """
    match = _BRIGHTSPACE.fullmatch(name.strip())
    if match is None:
        return None
    ids = int(match[1][-18:]), int(match[2][-18:])
    rest = match[3]
    dashes = list(_DASH.finditer(rest))
    for dash in (*dashes[-1:], *dashes[-2:-1]):  # some sites put a dash between date and time as well
        date = rest[dash.end() :]
        when = parse_date(date, day_first=day_first)
        if when is not None:
            return BrightspaceName(ids, rest[: dash.start()], date, when)
    if not dashes:
        return BrightspaceName(ids, rest, "", None)
    return BrightspaceName(ids, rest[: dashes[-1].start()], rest[dashes[-1].end() :], None)


# with a trailing underscore before Moodle 4.1, without since; a file's own name follows where there are no folders.
# Moodle has no underscores in names; some tools that unpack put them for spaces
_MOODLE = re.compile(
    r"(?P<who>.+?)_(?P<number>\d+)_assignsubmission_(?P<plugin>file|onlinetext)(?:_(?P<file>.*))?", re.S
)


class MoodleName(Struct, frozen=True):
    """`First Last_12345_assignsubmission_file_`; in a group `Group-First Last_…`, once for each member."""

    who: str
    participant: str
    plugin: str
    folder: str
    """The name of the folder, also where the download has files alone."""
    file: str = ""


def parse_moodle(name: str) -> MoodleName | None:
    """The parts of a folder's or file's name; None for another name."""
    match = _MOODLE.fullmatch(name.strip())
    if match is None:
        return None
    file = match["file"] or ""
    folder = name.strip().removesuffix(file) if file else name
    return MoodleName(match["who"].replace("_", " ").strip(), match["number"], match["plugin"], folder, file)
