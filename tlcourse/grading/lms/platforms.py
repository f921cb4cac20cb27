"""What platforms call the folders, or the files, of a submission download."""

from __future__ import annotations

import datetime
import re
from collections import Counter

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


# no number for those who are in no group, where groups hand in;
# with a trailing underscore before Moodle 4.1, without since; a file's own name follows where there are no folders.
# Moodle has no underscores in names; some tools that unpack put them for spaces
_MOODLE = re.compile(
    r"(?P<who>.+?)(?:_(?P<number>\d+))?_assignsubmission_(?P<plugin>file|onlinetext)(?:_(?P<file>.*))?", re.S
)


class MoodleName(Struct, frozen=True):
    """`First Last_12345_assignsubmission_file_`, whose number is a participant's.

    Where groups hand in, since Moodle 4: `Group_12_assignsubmission_file`, whose number is the group's, and nothing
    tells the two apart; before, `Group-First Last_12345_…`, once for each member.
    """

    who: str
    number: str
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
    return MoodleName(match["who"].replace("_", " ").strip(), match["number"] or "", match["plugin"], folder, file)


_CANVAS = re.compile(
    r"(?:(?P<late_hidden>LATE_)?(?P<hidden>anon_[^_]+)|(?P<who>.+?)_(?P<late>LATE_)?(?P<number>\d+))_"
    r"(?:\d+_(?P<file>.+)|(?P<entry>text|link)\.html)",
    re.S,
)
_AGAIN = re.compile(r"(?P<stem>.+)-[1-9]\d*(?P<suffix>\.[^.]+)", re.S)


class CanvasName(Struct, frozen=True):
    """`doejane_LATE_5501_991_solution.py`; `anon_aB3x_991_solution.py`; `doejane_5501_text.html`, with no file."""

    who: str
    number: str
    file: str
    entry: str = ""
    """`text` or `link`, where that was handed in and no file."""
    late: bool = False
    """Whether Canvas calls it late."""


def parse_canvas(name: str) -> CanvasName | None:
    """The parts of a file's name; None for another name."""
    match = _CANVAS.fullmatch(name)
    if match is None:
        return None
    late = bool(match["late"] or match["late_hidden"])
    who, number = match["hidden"] or match["who"], match["number"] or ""
    return CanvasName(who, number, match["file"] or "", match["entry"] or "", late)


def own_names(files: list[str]) -> list[tuple[str, ...]]:
    """What files of one person on Canvas were called before it numbered them: `solution-1.py`, handed in again.

    A number is taken off where the name stays the only one; what is no code stays under its numbered name as well.
    """
    plain = [match["stem"] + match["suffix"] if (match := _AGAIN.fullmatch(file)) else file for file in files]
    times = Counter(plain)
    names: list[tuple[str, ...]] = []
    for file, own in zip(files, plain, strict=True):
        if own == file or times[own] > 1:
            names.append((file,))
        else:
            names.append((own,) if own.lower().endswith((".py", ".ipynb", ".zip")) else (own, file))
    return names


_BLACKBOARD = re.compile(r"_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)", re.S)


class BlackboardName(Struct, frozen=True):
    """`Exercise 2_jado_attempt_2025-10-03-11-07-00_solution.py`, and the same with `.txt` for the page about it."""

    users: tuple[str, ...]
    """What the user name may be, the shortest first: both it and the assignment may have underscores."""
    when: datetime.datetime
    folder: str
    file: str
    """"" for the page."""


def parse_blackboard(name: str) -> BlackboardName | None:
    """The parts of a file's name; None for another name."""
    match = _BLACKBOARD.search(name)
    if match is None or match.end() != len(name):
        return None
    try:
        when = datetime.datetime.strptime(match["when"], "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
    words = name[: match.start()].split("_")
    users = tuple("_".join(words[start:]) for start in range(len(words) - 1, 0, -1))
    folder = name[: match.end("when")]
    return BlackboardName(users, when, folder, match["file"] or "") if users else None
