"""Marks in the form that a platform takes back: the types, and the checks that every platform shares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tlcourse.grading.lms.roster import Roster

Platform = Literal["brightspace", "canvas", "moodle", "gradescope", "csv"]


class Mark(Struct, frozen=True):
    """One person's points; None leaves the platform's cell as it is, as for one who is excused."""

    person_id: str
    points: float | None
    feedback: str = ""
    outcome: str = ""
    owner: str = ""
    """The hand-in, or the group, that the mark is from: named where a person has two."""


def export(
    marks: Sequence[Mark],
    platform: Platform,
    *,
    item: str,
    max_points: float,
    roster: Roster | None = None,
    template: Path | None = None,
    scale: bool = False,
) -> str | bytes:
    """The file that a platform imports: text to be written as UTF-8 without changing its line ends, or bytes of a ZIP.

    Args:
        item: what the exercise is called in the platform's gradebook.
        template: the platform's own export; its headers and people are kept, and the item's column is filled in.
        scale: where the template's item has other maximum points than the exercise, convert; otherwise refuse.

    Raises:
        UsageError: someone is unmatched, missing, or marked twice; the list says who. Nothing is written then.
    """
    raise NotImplementedError
