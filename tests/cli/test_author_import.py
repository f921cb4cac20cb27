"""`tlcourse author import`: an assignment of another grader as an exercise, whose points all arrive, and are given."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from assignments import NBGRADER, OTTER, code, notebook, raw

from tlcourse.course import trust
from tlcourse.course.author import write_starter_notebooks
from tlcourse.course.loader import load_course
from tlcourse.grading.author_check import problems_of_graders
from tlcourse.grading.grade import Options, grade

POINTS = {"hw1": (10.0, 7.0, 3.0), "sums": (9.0, 5.0, 4.0)}


@pytest.fixture
def course(here, tmp_path) -> Path:
    """A course with both assignments."""
    for name, document in (("hw1", OTTER), ("sums", NBGRADER)):
        (tmp_path / f"{name}.ipynb").write_text(document, encoding="utf-8")
        made = json.loads(here("author", "import", f"{name}.ipynb", "c", "--json").stdout)["import"]
        assert (made["points"], made["by_tests"], made["by_hand"]) == POINTS[name]
        assert all((tmp_path / path).is_file() for path in made["written"])
    return tmp_path / "c"


def graded(course, name, path, sandbox, **options):
    exercise = load_course(course).exercises[name]
    return grade(exercise, path, Options(sandbox_kind=sandbox, threads=1, **options))


def test_every_point_is_there_again_as_a_check_or_by_hand(course):
    exercises = load_course(course).exercises
    assert {name: one.about.max_points for name, one in exercises.items()} == {"hw1": 10.0, "sums": 9.0}
    assert {rule.id: rule.points for rule in exercises["hw1"].about.checks} == {"q1": 4.0, "q2": 3.0}
    assert {item.id: item.max_points for item in exercises["sums"].about.manual} == {"why": 1.5, "draw": 2.5}
    assert exercises["hw1"].about.functions.defines == ("softmax", "nine")


def test_what_students_get_holds_no_hidden_test_no_answer_and_no_scheme(course):
    files = [path for path in (course / "exercises").rglob("*") if path.is_file()]
    given = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for secret in ("1000.0", "nine % 2", "squares(0)", "stays finite", "e / e.sum", "3 * 3", "for axes", "they grow"):
        assert secret not in given
    assert "softmax(np.zeros((1, 2)))" in given
    assert '{"check":"q1","cell":11,"points":2.0,"kept":true}' in given
    assert "1 point for axes." in (course / "graders" / "sums" / "data" / "marking.md").read_text()
    assert "stays finite" in (course / "graders" / "references" / "hw1.md").read_text()
    cells = nbformat.read(course / "exercises" / "sums" / "starter.ipynb", 4).cells
    assert [cell.metadata.tags for cell in cells if cell.metadata.get("tags")] == [["why"], ["draw"]]


def test_what_was_imported_is_a_course_without_a_problem_and_so_is_its_copy(course, here, tmp_path):
    assert problems_of_graders(load_course(course)) == []
    assert {name: one.about.hidden_data for name, one in load_course(course).exercises.items()} == {
        "hw1": True,
        "sums": True,
    }
    here("author", "hand-out", "c", "copy", "--trust-course")
    assert trust.is_agreed(tmp_path / "copy")  # whoever agreed to the course made it
    copy = load_course(tmp_path / "copy")
    assert problems_of_graders(copy) == []
    result = grade(copy.exercises["hw1"], course / "graders" / "references" / "hw1.py", Options(threads=1))
    assert not any("validation" in check.title for check in result.checks)
    assert result.messages[-1].startswith("Measured without the hidden tests of this exercise")


def test_its_notebook_stays_as_it_was_imported(course):
    assert write_starter_notebooks(load_course(course)) == []


@pytest.mark.slow
def test_references_have_all_points_and_starters_none(course, quick_sandbox):
    for name in POINTS:
        full = graded(course, name, course / "graders" / "references" / f"{name}.py", quick_sandbox)
        assert (full.outcome, full.points) == ("pass", POINTS[name][1])
        assert all(check.self_reported for check in full.checks)
        for suffix in ("py", "ipynb"):
            none = graded(course, name, course / "exercises" / name / f"starter.{suffix}", quick_sandbox)
            assert (none.outcome, none.points) == ("fail", 0.0)


def test_a_cell_that_raises_costs_its_own_questions_and_a_hidden_test_says_nothing(course, quick_sandbox, tmp_path):
    answers = notebook(
        code("import otter\ngrader = otter.Notebook('hw1.ipynb')\nimport numpy as np"),
        code("def softmax(z):\n    return np.array([[0.5, 0.5]])\ngrader.check('q1')"),
        code("raise NotImplementedError()"),
        code("this is no Python"),
        code("nine = 9\ngrader.check_all()\ngrader.export()"),
    )
    path = tmp_path / "solution.ipynb"
    path.write_text(answers)
    result = graded(course, "hw1", path, quick_sandbox, seed=3, seed_source="secret")
    assert {check.id: check.points for check in result.checks} == {"q1": 2.0, "q2": 3.0}
    told = json.dumps(result.messages)
    assert "test of cell 11" in told
    assert "1000" not in told


def test_a_test_may_replace_a_function_and_every_name_is_back_afterwards(here, tmp_path, quick_sandbox):
    about = {"grade": True, "locked": True, "points": 1}
    swapped = "def f(x):\n    return 7\nassert g(1) == 7"
    cells = [
        code("def f(x):\n    return x\n\ndef g(x):\n    return f(x)", grade_id="a", solution=True),
        code(swapped, grade_id="swap", **about),
        code(
            "assert g(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS", grade_id="same", **about
        ),
    ]
    (tmp_path / "swap.ipynb").write_text(notebook(*cells))
    assert "not carried" not in here("author", "import", "swap.ipynb", "--plain").stdout
    reference = tmp_path / "swap" / "graders" / "references" / "swap.py"
    assert graded(tmp_path / "swap", "swap", reference, quick_sandbox).points == 2.0


LOOKS = """
import sys
import numpy as np

def softmax(z):
    frame = sys._getframe(1)
    while frame:
        for value in [*frame.f_locals.values()]:
            if isinstance(value, str) and "1000.0" in value:
                print(value)
                raise ValueError(value)
        frame = frame.f_back
    raise KeyError("nothing was found")

nine = 9
"""


def test_what_looks_at_the_text_of_a_hidden_test_cannot_carry_it_to_its_author(course, quick_sandbox, tmp_path):
    (tmp_path / "solution.py").write_text(LOOKS)
    result = graded(course, "hw1", tmp_path / "solution.py", quick_sandbox, seed=3, seed_source="secret")
    assert "np.isclose" not in json.dumps(result.messages)
    assert "1000.0" not in json.dumps(result.messages)
    assert "test of cell 11 in a hidden case raised ValueError" in json.dumps(result.messages)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.ipynb", "x"], "There is no file none.ipynb"),
        (["text.ipynb", "x"], "it is not JSON"),
        (["plain.ipynb", "x"], "is no assignment of Otter-Grader or nbgrader"),
        (["hw1.ipynb", "c"], "There is an exercise hw1 in c already"),
        (["hw1.ipynb", "here"], "is neither a course nor an empty folder"),
        (["r.ipynb", "x"], "r.ipynb is written in R."),
        (["nothing.ipynb", "x"], "Nothing in nothing.ipynb gives points"),
    ],
)
def test_what_cannot_be_imported_is_said_and_nothing_is_written(course, here, tmp_path, arguments, said):
    (tmp_path / "text.ipynb").write_text("no notebook")
    (tmp_path / "plain.ipynb").write_text(notebook(code("x = 1")))
    (tmp_path / "nothing.ipynb").write_text(notebook(raw("# BEGIN QUESTION\nname: q"), raw("# END QUESTION")))
    (tmp_path / "r.ipynb").write_text(
        OTTER.replace('"metadata": {}, "nbformat"', '"metadata": {"kernelspec": {"language": "R"}}, "nbformat"')
    )
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "notes.txt").write_text("mine")
    assert said in here("author", "import", *arguments, fails=2).stderr
    assert not (tmp_path / "x").exists()
    assert len(list((tmp_path / "here").iterdir())) == 1


def test_a_notebook_reads_the_files_that_were_handed_out_with_it(here, tmp_path, quick_sandbox):
    (tmp_path / "points.csv").write_text("1,2\n")
    config = raw("# ASSIGNMENT CONFIG\nfiles: [points.csv]")
    cells = [
        raw("# BEGIN QUESTION\nname: q"),
        code("rows = open('points.csv').read() # SOLUTION"),
        raw("# BEGIN TESTS"),
    ]
    ends = [raw("# END TESTS"), raw("# END QUESTION")]
    (tmp_path / "reads.ipynb").write_text(notebook(config, *cells, code("rows", gives="'1,2\\n'"), *ends))
    here("author", "import", "reads.ipynb", "c")
    course = tmp_path / "c"
    for name, points in (("references/reads.py", 1.0), ("starter", 0.0)):
        path = course / "graders" / name if "/" in name else course / "exercises" / "reads" / "starter.py"
        assert graded(course, "reads", path, quick_sandbox).points == points


def test_files_beside_the_notebook_come_along_and_missing_ones_are_told(here, tmp_path):
    (tmp_path / "points.csv").write_text("1,2\n")
    (tmp_path / "needed.txt").write_text("my-listed>=2\n")
    config = raw("# ASSIGNMENT CONFIG\nrequirements: needed.txt\nfiles: [points.csv, lost.csv, ../../etc/passwd]")
    source = "import sklearn, lost_package, my_listed\nx = 1 # SOLUTION"
    cells = [raw("# BEGIN QUESTION\nname: q"), code(source), raw("# BEGIN TESTS")]
    ends = [raw("# END TESTS"), raw("# END QUESTION")]
    (tmp_path / "data.ipynb").write_text(notebook(config, *cells, code("x", gives="1"), *ends))
    said = here("author", "import", "data.ipynb", "--plain").stdout
    assert (tmp_path / "data" / "exercises" / "data" / "data" / "points.csv").read_text() == "1,2\n"
    assert "not carried: notebook: the file `lost.csv` is not beside the notebook" in said
    assert "`../../etc/passwd` is not beside" in said
    about = load_course(tmp_path / "data").exercises["data"].about
    assert [str(name) for name in about.packages] == ["my_listed", "sklearn"]
    assert "`lost_package` is imported, and is not installed here" in said
    assert about.functions.defines == ("x",)
