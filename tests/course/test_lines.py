"""What an author writes for each of the four assignments, beside what the originals take (decision 530)."""

from __future__ import annotations

from pathlib import Path

import pytest

COURSE = Path(__file__).parents[1] / "assignments_course"
ORIGINALS = {"pictures": 75, "logistic": 124, "sentences": 493}
"""Lines of the template and the tests that can be read; of `descent`, code and a report, there are none."""


def lines_of(name: str) -> int:
    """Of exercise.yaml, starter and grader, with what the grader imports beside it; empty lines as well."""
    files = [COURSE / "exercises" / name / "exercise.yaml", COURSE / "exercises" / name / "starter.py"]
    grader = COURSE / "graders" / f"{name}.py"
    return sum(len(path.read_text().splitlines()) for path in (*files, *([grader] if grader.is_file() else [])))


@pytest.mark.parametrize(
    ("name", "lines"), [("pictures", 36), ("logistic", 61), ("sentences", 91), ("descent", 42), ("answers", 9)]
)
def test_an_assignment_takes_at_most_half_of_the_lines_of_the_original(name, lines):
    assert lines_of(name) == lines
    assert lines <= ORIGINALS.get(name, 2 * lines) / 2
    written = (Path(__file__).parents[2] / "docs/decisions/530-what-an-author-writes-at-least.md").read_text()
    assert name == "answers" or f"| {lines} |" in written


def test_no_grader_imports_what_is_not_counted():
    assert not [path for path in (COURSE / "graders").glob("*.py") if "from ." in path.read_text()]
