"""Moodle's grading worksheet in any language: which column is which.

Moodle writes and reads its headers in the language of whoever downloads (`importgradeslib.php` compares them with
`get_string`), in an order that does not change: Identifier, Full name, what the site shows of people, Status, Group,
Grade, Maximum Grade, what the workflow adds, Grade can be changed, two dates, Feedback comments. So the columns are
told by what stands in them; a language needs no table but of its yes and no.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"\d++(?:[.,]\d++)?\Z")
_YES: tuple[str, ...] = (
    "yes",
    "ja",
    "oui",
    "sí",
    "si",
    "sim",
    "kyllä",
    "tak",
    "ano",
    "áno",
    "igen",
    "evet",
    "da",
    "taip",
    "jah",
    "bai",
)
_YES += ("ναι", "да", "так", "是", "はい", "예", "نعم", "כן", "jā", "já", "ie")
NO: tuple[str, ...] = (
    "no",
    "nein",
    "nej",
    "nei",
    "nee",
    "non",
    "não",
    "ei",
    "nie",
    "ne",
    "nem",
    "hayır",
    "nu",
    "ez",
    "όχι",
    "нет",
)
"""What a cell of Grade can be changed says of a locked grade, in the languages of Moodle's sites."""
NO += ("ні", "не", "否", "いいえ", "아니요", "لا", "לא", "nē", "nage")


def english_headers(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """The headers that an English site would have written, where known; None of what is no worksheet, or is English.

    It is one where the first column has a word and another number in each row, and a later one the same number in all,
    behind a column of points up to that number.
    """
    if {"identifier", "grade"} <= {header.casefold() for header in headers}:
        return None  # as they are
    columns = [[row[at].strip() for row in rows] for at in range(len(headers))]
    if len(columns) < 4 or not rows or not _are_participants(columns[0]):
        return None
    most = next((at for at in range(2, len(columns)) if _is_maximum(columns[at], columns[at - 1])), None)
    if most is None:
        return None
    found = {0: "Identifier", most - 1: "Grade", most: "Maximum Grade"}
    if most > 3 and _differ(columns[1]):
        found[1] = "Full name"
    for at in range(2, most - 1):
        if any(columns[at]) and all("@" in cell for cell in columns[at] if cell):
            found[at] = "Email address"
    may_change = [at for at in range(most + 1, len(columns)) if {c.casefold() for c in columns[at]} <= {*_YES, *NO}]
    if may_change:
        found[may_change[0]] = "Grade can be changed"
        if len(columns) - 1 > may_change[0] + 2 and not all(columns[-1]):  # a date is never empty
            found[len(columns) - 1] = "Feedback comments"
            if len(columns) - 1 == may_change[0] + 3:  # without hand-ins there is one date alone
                found[may_change[0] + 1] = "Last modified (submission)"
    return tuple(found.get(at, header) for at, header in enumerate(headers))


def _are_participants(cells: Sequence[str]) -> bool:
    """`Participant 11`, `Deltager 12`: one word, and each number once."""
    words = [cell.rstrip("0123456789") for cell in cells]
    numbers = {cell[len(word) :] for cell, word in zip(cells, words, strict=True)} - {""}
    word = words[0].strip()
    return len(set(words)) == 1 and len(word) > 1 and not any(map(str.isdigit, word)) and len(numbers) == len(cells)


def _is_maximum(cells: Sequence[str], before: Sequence[str]) -> bool:
    """Whether all cells are one number, and those of the column before are points up to it, or none yet."""
    if len(set(cells)) != 1 or not _NUMBER.match(cells[0]):
        return False
    most = _value(cells[0])
    return most > 0 and all(cell in ("", "-") or (_NUMBER.match(cell) and _value(cell) <= most) for cell in before)


def _differ(cells: Sequence[str]) -> bool:
    """Whether they may be names: most are not alike."""
    return all(cells) and len(set(cells)) > len(cells) / 2


def _value(text: str) -> float:
    return float(text.replace(",", "."))
