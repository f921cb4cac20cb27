"""Inputs and outputs of every form through whole gradings: texts, tables of several inputs, different lengths."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.execution.worker.task import Task
from tlcourse.grading.author_check import problems_of_graders
from tlcourse.grading.grade import Options, grade, run
from tlcourse.grading.solutions_check import check_references

COURSE = Path(__file__).parents[1] / "forms_course"


@pytest.fixture(scope="module")
def forms():
    return load_course(COURSE)


@pytest.mark.slow
def test_each_reference_passes_and_each_wrong_solution_fails_for_its_reason(forms):
    assert problems_of_graders(forms) == []
    options = Options(sandbox_kind="auto", device="cpu", threads=1)
    checks = list(check_references(list(forms.exercises.values()), options, seeds=1))
    assert [(one.solution, one.found) for one in checks if not one.holds] == []
    assert len(checks) == 10
    (series,) = (one for one in checks if one.solution == "reference series.py")
    assert series.values["guess"] == 1.0  # a file beside the solution, in the same grading


@pytest.mark.parametrize("kind", ["bubblewrap", "landlock", "none"])
@pytest.mark.slow
def test_every_sandbox_takes_them(forms, tmp_path, kind):
    (tmp_path / "solution.py").write_text((COURSE / "graders/references/scenes.py").read_text())
    result = grade(forms.exercises["scenes"], tmp_path, Options(sandbox_kind=kind, device="cpu", threads=1))
    assert (result.outcome, result.points) == ("pass", 7.0), result.messages


def test_a_run_and_a_task_of_ones_own_have_the_same_forms(forms, tmp_path, quick_sandbox):
    exercise = forms.exercises["texts"]
    (tmp_path / "solution.py").write_text((COURSE / "graders/references/texts.py").read_text())
    result = run(exercise, tmp_path, Options(sandbox_kind=quick_sandbox, device="cpu", threads=1))
    assert result.outcome == "ran", result.messages
    task = Task.local("scenes", course=COURSE)
    x, (bright, weight) = task.train[0]
    assert {name: getattr(one, "shape", type(one)) for name, one in x.items()} == {
        "image": (1, 4, 4),
        "numbers": (2,),
        "caption": bytes,
    }
    assert (str(bright.dtype), weight.shape, len(task.train), len(task.val)) == ("torch.bool", (), 200, 20)


def test_a_grading_of_a_model_and_a_file_says_of_each_what_is_missing(forms, tmp_path, quick_sandbox):
    (tmp_path / "solution.py").write_text((COURSE / "graders/references/series.py").read_text())
    options = Options(sandbox_kind=quick_sandbox, device="cpu", threads=1)
    result = grade(forms.exercises["series"], tmp_path, options)
    assert (result.outcome, result.points, result.max_points) == ("invalid", 4.0, 6.0)
    assert [(part.id, part.points) for part in result.parts] == [("network", 4.0), ("guesses", 0.0)]
    assert "guesses: guesses.csv was not handed in." in result.messages
    rows = [f"{i},{i % 2 if i < 30 else 2}" for i in range(60)]
    (tmp_path / "guesses.csv").write_text("\n".join(["id,guess", *rows[::-1]]))
    result = grade(forms.exercises["series"], tmp_path, options)
    assert (result.outcome, result.points) == ("fail", 5.0)
