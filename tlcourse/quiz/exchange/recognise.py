"""Which format a file of questions is in, whatever it is called, and its text, whatever it is encoded in."""

from __future__ import annotations

import re
from pathlib import Path

from tlcourse.errors import ContentError, UsageError
from tlcourse.quiz.exchange.common import Given

_MOST = 16 * 2**20
_FIRST = 200_000  # characters that are looked at
_NAMES = {"gift": "GIFT", "aiken": "Aiken", "brightspace": "Brightspace's CSV", "json": "a document of tlcourse"}
_LOOKS = {
    "json": re.compile(r"\"kind\": *+\"tlcourse-quizzes\""),
    "brightspace": re.compile(r"^\"?newquestion\"?[,;\t]", re.IGNORECASE | re.MULTILINE),
    "aiken": re.compile(r"^[ \t]*+ANSWER[ \t]*+:[ \t]*+[A-Za-z][.)]?[ \t\r]*$", re.MULTILINE),
    "gift": re.compile(r"^(::|\$CATEGORY:|// question:)|(?<!\\)\{[ \t\r\n]*+([=~#}]|T\b|F\b|TRUE|FALSE)", re.MULTILINE),
}


def read_source(path: Path, given: Given) -> str:
    """The text of a file in UTF-8 or UTF-16, or else in the code page of Western Windows, which is then said.

    Raises ContentError naming the file.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST + 1)
    except OSError as error:
        raise ContentError([f"{path}:1: cannot be read ({error.strerror}), expected a readable file"]) from None
    if len(data) > _MOST:
        raise ContentError([f"{path}:1: larger than {_MOST >> 20} MB, expected questions"])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        given.lost.append(f"{given.name}:{line}: this is not UTF-8; read as Windows-1252, so look at its accents")
        return data.decode("cp1252", "replace")


def format_of(text: str) -> str:
    """The name of the format that a text looks like; "" where nothing says which."""
    return next((name for name, looks in _LOOKS.items() if looks.search(text[:_FIRST])), "")


def refuse_another(text: str, form: str, path: Path) -> None:
    """Raise UsageError where a text looks like another format, and not like `form`."""
    if (found := format_of(text)) and found != form and not _LOOKS[form].search(text[:_FIRST]):
        raise UsageError(
            f"{path} is {_NAMES[found]}, and was to be read as {_NAMES[form]}.",
            cause="the program that wrote it has several formats.",
            remedy=f"--format {found}",
        )
