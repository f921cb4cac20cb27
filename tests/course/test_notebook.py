"""Starter notebooks: made from the starters, valid, and gradable as they are."""

from __future__ import annotations

import json
import warnings

import nbformat

from tlcourse.course.author import NAME, starter_notebook
from tlcourse.course.loader import load_course

SOURCE = '''"""Two lines.

More words.
"""

import torch

WIDTH = 3


# why there is a class
class Model(torch.nn.Module):
    pass


def fit(task):
    return Model()


if __name__ == "__main__":
    fit(None)
'''


def test_each_top_level_block_is_a_cell_and_its_comment_stays_with_it():
    cells = json.loads(starter_notebook("line", "Lines", SOURCE))["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    assert kinds == ["markdown"] + ["code"] * 5
    texts = ["".join(cell["source"]) for cell in cells]
    assert "More words." in texts[0]
    assert texts[2] == "import torch\n\nWIDTH = 3"
    assert texts[3].startswith("# why there is a class\nclass Model")
    assert texts[5].startswith('if __name__ == "__main__":')


def test_the_notebook_is_valid():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notebook = nbformat.reads(starter_notebook("line", "Lines", SOURCE), as_version=4)
        nbformat.validate(notebook)


def test_the_notebook_beside_each_starter_is_made_from_it():
    for exercise in load_course().exercises.values():
        source = (exercise.folder / "starter.py").read_text(encoding="utf-8")
        expected = starter_notebook(exercise.about.id, exercise.about.title, source)
        found = (exercise.folder / NAME).read_text(encoding="utf-8")
        assert found == expected, "make it again with: tlcourse author notebooks"
