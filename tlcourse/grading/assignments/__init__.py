"""Assignments of other graders, read from their notebooks: Otter-Grader's and nbgrader's; written as an exercise."""

from __future__ import annotations

from pathlib import Path

from tlcourse.errors import UsageError
from tlcourse.grading.assignments import nbgrader, otter
from tlcourse.grading.assignments.assignment import Assignment, read_cells, title_of


def read_assignment(path: Path) -> Assignment:
    """The assignment in a notebook, of whichever format it is; raises UsageError where it is none."""
    cells = read_cells(path)
    heading = next((title_of(cell.source) for cell in cells if cell.kind == "markdown" and title_of(cell.source)), "")
    if otter.is_one(cells):
        found = otter.read(cells, path.stem)
    elif nbgrader.is_one(cells):
        found = nbgrader.read(cells, path.stem)
    else:
        raise UsageError(
            f"{path} is no assignment of Otter-Grader or nbgrader.",
            cause="no raw cell says # BEGIN QUESTION, and no cell has nbgrader's metadata; it may be a student's copy.",
            remedy="name the notebook that students' copies are made of.",
        )
    found.title = heading or found.title
    return found
