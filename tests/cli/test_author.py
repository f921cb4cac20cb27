"""`tlcourse author check`: a course's files, and with --exercises what its solutions do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tlcourse.course.reference import PAGES, markdown_page

EXAMPLE = Path(__file__).parent.parent / "example_course"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "course"))


def test_a_sound_course_ends_with_0_and_counts_what_there_is(tl):
    done = tl("author", "check")
    assert done.returncode == 0
    assert "1 unit, 1 lesson, 1 quiz" in done.stdout
    assert "2 questions" in done.stdout


def test_the_bundled_course_is_sound(tl):
    assert tl("author", "check", course=None).returncode == 0


def test_problems_are_lines_with_file_and_line(tl, course):
    lesson = course / "lessons" / "lines.md"
    lesson.write_text(lesson.read_text().replace("minutes: 1", "minutes: soon"))
    done = tl("author", "check", str(course), course=None)
    assert done.returncode == 2
    assert done.stdout == f"{lesson}:3: minutes is str, expected int\n"
    document = json.loads(tl("author", "check", str(course), "--json", course=None).stdout)
    assert len(document["problems"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def make(", "def draw(", "there is no `make`, and no folder `data` that holds train.npz"),
        ('f"{name}_error"', 'f"{name}_mistake"', "measured ['y_mistake', 'z_mistake']"),
        ("import numpy", "import nunpy", "cannot be loaded"),
        ('"z": 3', '"w": 3', "lack ['z']"),
    ],
)
def test_a_grader_that_does_not_fit_its_exercise_is_found(tl, course, old, new, said):
    grader = course / "graders" / "line.py"
    grader.write_text(grader.read_text().replace(old, new))
    done = tl("author", "check", course=course)
    assert done.returncode == 2
    assert said in done.stdout


@pytest.mark.slow
def test_with_exercises_every_solution_is_graded_and_one_that_does_not_do_what_it_must_is_a_problem(tl, course):
    wrong = course / "graders" / "wrong" / "line"
    lying = (wrong / "only_y.py").read_text().replace("Must fail: z_error.", "Must fail: y_error.")
    (wrong / "zzz_lying.py").write_text(lying)
    done = tl("author", "check", "--exercises", "--seeds", "2", "--json", course=course)
    document = json.loads(done.stdout)
    assert [(check["solution"], check["found"], check["holds"]) for check in document["references"]] == [
        ("starter.py", "fail: y_error, z_error", True),
        ("reference line.py", "pass", True),
        ("reference line.py", "pass", True),
        ("one_output.py", "invalid", True),
        ("only_y.py", "fail: z_error", True),
        ("zzz_lying.py", "fail: z_error", False),
    ]
    assert done.returncode == 2
    said = "zzz_lying.py with seed 20260 ended as `fail: z_error`, expected `fail: y_error`"
    assert said in json.dumps(document["problems"])


def test_what_files_may_hold_is_printed_or_written(here, tmp_path):
    assert json.loads(here("author", "schema", "lab").stdout)["title"] == "labs/NAME.yaml"
    assert here("author", "schema", "lab", "--markdown").stdout.rstrip() == markdown_page("lab").rstrip()
    said = here("author", "schema", "--to", "made", "--json").stdout
    assert json.loads(said)["written"] == [f"made/{name}.schema.json" for name in PAGES]
    assert (tmp_path / "made" / "quiz.schema.json").is_file()
    assert "course, lesson, quiz" in here("author", "schema", fails=2).stderr
    assert "course, lesson, quiz" in here("author", "schema", "exercises", fails=2).stderr
