"""Starter notebooks: made from the starters, valid, and gradable as they are."""

from __future__ import annotations

import json
import re
import shutil
import warnings
from pathlib import Path

import nbformat
import pytest

from tlcourse.course.author import NAME, starter_notebook, write_starter_notebooks
from tlcourse.course.loader import load_course
from tlcourse.errors import ContentError

EXAMPLE = Path(__file__).parents[1] / "example_course"
PINNED = f"https://example.org/tlcourse-0.1.0-py3-none-any.whl#sha256={'0123' * 16}"

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
    assert texts[1] == "import torch\n\nWIDTH = 3"
    assert texts[2].startswith("# why there is a class\nclass Model")
    assert texts[4].startswith('if __name__ == "__main__":')
    assert texts[5].splitlines()[1:] == ["import tlcourse", "", 'tlcourse.check("line")']


def test_a_notebook_installs_what_the_course_names_and_otherwise_nothing():
    assert "pip" not in starter_notebook("line", "Lines", SOURCE)
    (_, first, *_) = json.loads(starter_notebook("line", "Lines", SOURCE, PINNED))["cells"]
    assert "".join(first["source"]) == f"%pip install -q '{PINNED}'  # in Colab; the grader leaves this line out"
    for exercise in load_course().exercises.values():
        assert not re.search(r"pip\s+install|%pip", (exercise.folder / NAME).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("install", "sound"),
    [
        (PINNED, True),
        (f"tlcourse[lab] @ {PINNED}", True),
        (f"git+https://example.org/group/tlcourse.git@{'0a' * 20}", True),
        ("tlcourse", False),
        ("tlcourse==0.1.0", False),
        (PINNED.partition("#")[0], False),
        (PINNED.replace("https", "http"), False),
        (f"git+https://example.org/group/tlcourse.git@{'0a' * 20}\n", False),
        ("git+https://example.org/group/tlcourse.git@main", False),
        (PINNED.replace("/tl", "/'; rm -r ~; '"), False),
        (f"--index-url https://example.org/ {PINNED}", False),
    ],
)
def test_a_course_names_an_address_that_nobody_else_can_change(tmp_path, install, sound):
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "course"))
    with (folder / "course.yaml").open("a") as stream:
        stream.write(f"install: {json.dumps(install)}\n")
    if sound:
        (path,) = write_starter_notebooks(load_course(folder))
        assert install in path.read_text()
        return
    with pytest.raises(ContentError) as caught:
        load_course(folder)
    (problem,) = caught.value.problems
    assert re.search(r"course.yaml:\d+: install is no pinned address", problem)


def test_the_notebook_is_valid():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notebook = nbformat.reads(starter_notebook("line", "Lines", SOURCE, PINNED), as_version=4)
        nbformat.validate(notebook)


def test_the_notebook_beside_each_starter_is_made_from_it():
    for exercise in load_course().exercises.values():
        source = (exercise.folder / "starter.py").read_text(encoding="utf-8")
        expected = starter_notebook(exercise.about.id, exercise.about.title, source, load_course().about.install)
        found = (exercise.folder / NAME).read_text(encoding="utf-8")
        assert found == expected, "make it again with: tlcourse author notebooks"
