"""Marks in the form that a platform takes back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, assert_never

from tlcourse.grading.lms.marks import Mark
from tlcourse.grading.lms.roster import Roster

__all__ = ["Mark", "Platform", "export"]

Platform = Literal["brightspace", "canvas", "moodle", "gradescope", "csv"]


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
    """The file that a platform imports: text to be written as UTF-8 with its line ends unchanged, or bytes of a ZIP.

    Everyone in the roster, and in the template, needs a mark: None as points says that there is none to give.

    Args:
        item: what the exercise is called in the platform's gradebook.
        template: the platform's own export; its headers and people are kept, and the item's column is filled in.
        scale: where the template's item has other maximum points than the exercise, convert; otherwise refuse.

    Raises:
        UsageError: someone is unmatched, missing, or marked twice, and the list says who; or the template has no such
            item. Nothing is exported then.
    """
    # each platform's file is imported when it is asked for
    match platform:
        case "brightspace":
            from tlcourse.grading.lms.export_brightspace import brightspace

            return brightspace(marks, item, max_points, roster, template, scale)
        case "canvas":
            from tlcourse.grading.lms.export_canvas import canvas

            return canvas(marks, item, max_points, roster, template, scale)
        case "moodle":
            from tlcourse.grading.lms.export_moodle import moodle

            return moodle(marks, item, max_points, roster, template, scale)
        case "gradescope":
            from tlcourse.grading.lms.gradescope import results_of_marks

            return results_of_marks(marks, item, max_points, roster)
        case "csv":
            from tlcourse.grading.lms.export_csv import plain

            return plain(marks, max_points, roster)
        case _:
            assert_never(platform)
