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
_JUNK_FOLDERS = {
    *("__MACOSX", "__pycache__", "node_modules"),
    *(".git", ".venv", "venv", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode"),
}
_JUNK_FILES = {".ds_store", "thumbs.db", "desktop.ini"}
_JOINERS = "\u200c\u200d"  # invisible too, but words of some languages and many emoji are spelt with them
_DRIVE = re.compile(r"[A-Za-z]:")


def shown(name: str | Path) -> str:
    """A name as it can be printed: what moves a cursor, hides, reorders, or cannot be encoded becomes `\\xNN`."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(name))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 30]}…{text[-25:]}"


def parts_of(name: str, origin: Path) -> tuple[str, ...]:
    """The folders and the file of a relative name, with `/` between them; raises SubmissionError, naming it."""
    if why := _why_not(name):
        raise refused(origin, name, why)
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if not parts:
        raise refused(origin, name, "it names nothing")
    return parts


def _why_not(name: str) -> str:
    if name.startswith("/"):
        return "an absolute path would lead out of the hand-in"
    if _DRIVE.match(name):
        return "a drive letter would lead out of the hand-in"
    if ".." in name.split("/"):
        return "`..` would lead out of the hand-in"
    if "\0" in name:
        return "a name with a NUL byte is two names"
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "the name is not UTF-8"
    if any(_is_invisible(letter) for letter in name):
        return "the name holds characters that are not seen, or that reorder the others"
    if len(name.encode()) > MAX_NAME or any(len(part.encode()) > MAX_PART for part in name.split("/")):
        return f"the name is longer than {MAX_PART} bytes ({MAX_NAME} with its folders)"
    return ""


def _is_invisible(letter: str) -> bool:
    """Control and formatting characters: the bidirectional ones, zero-width spaces, line separators, …"""
    return letter not in _JOINERS and unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def refused(origin: Path, name: str | Path, why: str) -> SubmissionError:
    """An entry of a hand-in that is not taken in."""
    return SubmissionError(
        f"{shown(origin)}: the entry {shown(name)} is refused: {why}.",
        cause="a damaged or unusual archive, or one that is made to do harm.",
        remedy="rename or remove that entry, and pack only the files that are handed in.",
    )


def is_junk(parts: tuple[str, ...]) -> bool:
    """Whether an entry is what systems, editors and tools leave behind, and nobody hands in."""
    file = parts[-1]
    return (
        any(part in _JUNK_FOLDERS for part in parts)
        or file.lower() in _JUNK_FILES
        or (file.startswith("._") and len(file) > 2)  # macOS keeps a file's attributes so
    )


def folded(parts: tuple[str, ...]) -> str:
    """Equal for names that some system takes for the same: case and Unicode normal form do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", "/".join(parts)).casefold())
