"""What Moodle calls the folders, or the files, of a submission download."""

from __future__ import annotations

import re

from msgspec import Struct

# with a trailing underscore before Moodle 4.1, without since; a file's own name follows where there are no folders.
# Moodle has no underscores in names; some tools that unpack put them for spaces
_NAME = re.compile(r"(?P<who>.+?)_(?P<number>\d+)_assignsubmission_(?P<plugin>file|onlinetext)(?:_(?P<file>.*))?", re.S)


class Attempt(Struct, frozen=True):
    """`First Last_12345_assignsubmission_file_`; in a group `Group-First Last_…`, once for each member."""

    who: str
    participant: str
    plugin: str
    folder: str
    """The name of the folder, also where the download has files alone."""
    file: str = ""


def parse_attempt(name: str) -> Attempt | None:
    """The parts of a folder's or file's name; None for another name."""
    match = _NAME.fullmatch(name.strip())
    if match is None:
        return None
    file = match["file"] or ""
    folder = name.strip().removesuffix(file) if file else name
    return Attempt(match["who"].replace("_", " ").strip(), match["number"], match["plugin"], folder, file)
