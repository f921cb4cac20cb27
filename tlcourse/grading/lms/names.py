"""Names of people and groups, compared as people compare them, whatever a file system or a platform did to them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from tlcourse.text import line

_LETTERS = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ð": "d", "þ": "th", "ł": "l"}
)
_BARE = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "ð": "d", "þ": "th", "ł": "l"})
# what keyboards and word processors make of a hyphen and an apostrophe
_SAME = {**dict.fromkeys(map(ord, "‐‑‒–—−"), "-"), **dict.fromkeys(map(ord, "’‘`´"), "'")}


def same_key(name: str) -> str:
    """Equal for names that look the same: one normal form, no case, no invisible characters, single spaces."""
    shown = "".join(c for c in name if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    # decomposed before the case is folded, as Unicode asks for caseless matching (definition D145)
    text = unicodedata.normalize("NFD", shown).translate(_SAME).casefold()
    return unicodedata.normalize("NFC", " ".join(text.split()))


def loose_keys(name: str) -> set[str]:
    """Keys shared by names that a platform may have turned into each other: Ærø, Aeroe, Aero, Ærø_."""
    key = same_key(name)
    bare = {_letters(key.translate(_LETTERS)), _letters(_without_marks(key))}
    return {found for found in bare if found}


def _without_marks(text: str) -> str:
    """Letters without their accents: å is a, é is e; ø and æ, which have none, are o and ae."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.translate(_BARE)


def _letters(text: str) -> str:
    """Words of letters and digits alone, in their order."""
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())


def orders(first: str, last: str) -> Iterator[str]:
    """The ways to write a name: `Jane Doe`, `Doe Jane`, `Doe, Jane`."""
    yield f"{first} {last}".strip()
    if first and last:
        yield f"{last} {first}"
        yield f"{last}, {first}"


def visible(name: str) -> str:
    """`name` on one line for a message: no control characters, nothing that reorders the line, at most 200 long."""
    return line(name, 200)
