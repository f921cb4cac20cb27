"""Names inside a hand-in: which are refused, which are ignored, and how a hostile one is shown."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from tlcourse.errors import SubmissionError

MAX_PART = 255
"""Bytes of one name: what file systems take."""
MAX_NAME = 1000
_SHOWN = 120
_LEFT_BEHIND_FOLDERS = {"__MACOSX"}
_LEFT_BEHIND_FILES = {".ds_store", "thumbs.db", "desktop.ini"}
_TOOL_FOLDERS = {
    *("__pycache__", "node_modules", ".git", ".venv", "venv"),
    *(".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode"),
}
_JOINERS = "\u200c\u200d"  # invisible too, but words of some languages and many emoji are spelt with them
_EMBEDDINGS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_DRIVE = re.compile(r"[A-Za-z]:")


def shown(name: str | Path) -> str:
    """A name as it can be printed: what moves a cursor, hides, reorders, or cannot be encoded becomes `\\xNN`."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(name))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 30]}…{text[-25:]}"


def parts_of(name: str, origin: Path) -> tuple[str, ...]:
    """The folders and the file of a relative name, with `/` between them; raises SubmissionError, naming it."""
    if why := why_not(name):
        raise refused(origin, name, why)
    return split(name)


def split(name: str) -> tuple[str, ...]:
    """The parts of a name, without those that say nothing."""
    return tuple(part for part in name.split("/") if part not in ("", "."))


def why_not(name: str, given: str = "") -> str:
    """Why an entry with this name is not taken in; "" where it can be.

    `given` is a folder before it that a platform named, after a person: it may hold a character that is not seen.
    """
    whole = f"{given}/{name}" if given else name
    if whole.startswith("/"):
        return "an absolute path would lead out of the hand-in"
    if any(_DRIVE.match(part) for part in whole.split("/")):  # on Windows a part in the middle begins anew, too
        return "a drive letter would lead out of the hand-in"
    if ".." in whole.split("/"):
        return "`..` would lead out of the hand-in"
    if "\0" in whole:
        return "a name with a NUL byte is two names"
    if any("\ud800" <= letter <= "\udfff" for letter in whole):
        return "the name is not UTF-8"
    if any(_is_invisible(letter) for letter in name) or any(_moves(letter) for letter in given):
        return "the name holds characters that are not seen, or that reorder the others"
    if len(whole.encode()) > MAX_NAME or any(len(part.encode()) > MAX_PART for part in whole.split("/")):
        return f"the name is longer than {MAX_PART} bytes ({MAX_NAME} with its folders)"
    return "" if split(whole) else "it names nothing"


def _is_invisible(letter: str) -> bool:
    """Control and formatting characters: the bidirectional ones, zero-width spaces, line separators, …"""
    return letter not in _JOINERS and unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _moves(letter: str) -> bool:
    """Control characters, and those that reorder what follows."""
    return unicodedata.category(letter) == "Cc" or unicodedata.bidirectional(letter) in _EMBEDDINGS


def refused(origin: Path, name: str | Path, why: str) -> SubmissionError:
    """An entry of a hand-in that is not taken in."""
    return SubmissionError(
        f"{shown(origin)}: the entry {shown(name)} is refused: {why}.",
        cause="a damaged or unusual archive, or one that is made to do harm.",
        remedy="rename or remove that entry, and pack only the files that are handed in.",
    )


def is_junk(parts: tuple[str, ...]) -> bool:
    """Whether an entry is what systems, editors and tools leave behind, and nobody hands in."""
    return any(part in _TOOL_FOLDERS or part in _LEFT_BEHIND_FOLDERS for part in parts) or is_left_behind(parts[-1])


def is_left_behind(name: str) -> bool:
    """Whether a file or folder is one that an operating system leaves behind."""
    return (
        name in _LEFT_BEHIND_FOLDERS
        or name.lower() in _LEFT_BEHIND_FILES
        or (name.startswith("._") and len(name) > 2)  # macOS keeps a file's attributes so
    )


def folded(parts: tuple[str, ...]) -> str:
    """Equal for names that some system takes for the same: case and Unicode normal form do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", "/".join(parts)).casefold())
