"""`tlcourse exercise explain`: after a pass, and never before; and the policy that `exercise show` prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from tlcourse.course.exercise import packages, require_packages
from tlcourse.course.loader import load_course
from tlcourse.errors import UnableError
from tlcourse.student.record import Record

EXAMPLE = Path(__file__).parent.parent / "example_course"


def record(outcome: str, course: str = "example") -> None:
    with Record.open() as kept:
        kept.record_attempt(
            course,
            {
                "exercise": "line",
                "outcome": outcome,
                "points": 1.0,
                "max_points": 2.0,
                "submission": {"path": "solution.py", "sha256": "0" * 64},
            },
        )


def test_before_a_pass_nothing_is_explained(tl):
    record("fail")
    record("pass", course="another")
    done = tl("exercise", "explain", "line")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "once you have passed it" in done.stderr
    assert "tlcourse grade line" in done.stderr


def test_after_a_pass_the_explanation_and_the_reference_are_shown(tl):
    record("pass")
    record("fail")
    done = tl("exercise", "explain", "line", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert "normal equations" in document["explanation"]
    assert document["reference"] == (EXAMPLE / "graders" / "references" / "line.py").read_text()
    page = tl("exercise", "explain", "line", "--plain").stdout
    assert "normal equations" in page
    assert "torch.linalg.lstsq" in page


def test_a_copy_without_the_staffs_files_says_what_is_missing(tl, tmp_path):
    record("pass")
    course = Path(shutil.copytree(EXAMPLE, tmp_path / "course", ignore=shutil.ignore_patterns("graders")))
    done = tl("exercise", "explain", "line", course=course)
    assert done.returncode == 3
    assert "graders/references/line.md and graders/references/line.py are missing" in done.stderr


@pytest.mark.parametrize("exercise", ["ex2", "ex3"])
def test_the_bundled_exercises_are_explained(exercise):
    from tlcourse.course.exercise import explanation
    from tlcourse.course.loader import load_course

    explained = explanation(load_course().exercises[exercise], passed=True)
    assert explained.text.startswith("# ")
    assert "def fit(" in explained.page


def test_show_prints_how_chance_is_dealt_with(tl):
    text = tl("exercise", "show", "line").stdout
    assert "the doubt is yours" in text
    assert "at most 0.01" in text
    assert "Up to 5 hand-ins" in text
    document = json.loads(tl("exercise", "show", "line", "--json").stdout)
    assert len(document["policy"]) == 4
    assert document["packages"] == ["numpy", "torch", "torchvision", "safetensors", "PIL"]
    known = "  numpy, torch, torchvision, safetensors, PIL, and Python's own library;"
    assert f"{known} others may be missing where it is graded.\n" in text


def test_a_package_that_an_exercise_promises_and_that_is_missing_is_nobodys_fault(line):
    about = msgspec.structs.replace(line.about, packages=("json", "not_installed_at_all"))
    assert packages(about)[-2:] == ("json", "not_installed_at_all")
    with pytest.raises(UnableError, match="line promises packages that are not installed here: not_installed_at_all"):
        require_packages(about)
    require_packages(msgspec.structs.replace(line.about, packages=("json",)))


def test_marks_of_functions_need_torch_because_any_solution_may_import_it(monkeypatch):
    monkeypatch.setattr("tlcourse.torch_install.is_here", lambda package: False)
    about = load_course(Path(__file__).parents[1] / "assignments_course").exercise("logistic").about
    require_packages(about)  # at home they are called without
    with pytest.raises(UnableError, match="torch"):
        require_packages(about, marks=True)
