"""Exercise 3 as handed out: the starter fails with words that help, the reference passes, wrong shapes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.grading.grade import Options, grade

GRADERS = Path(__file__).resolve().parents[2] / "graders"
OPTIONS = Options(device="cpu", threads=1)


@pytest.fixture(scope="module")
def ex3():
    return load_course().exercises["ex3"]


@pytest.mark.slow
def test_the_starters_notebook_runs_fails_and_is_told_what_squared_error_teaches(ex3):
    result = grade(ex3, ex3.folder / "starter.ipynb", OPTIONS)
    assert result.outcome == "fail"
    failed = {check.id: check.message for check in result.checks if not check.passed}
    assert set(failed) == {"gaussian", "skewed", "heavy_tailed", "two_humped", "coverage"}
    assert "Squared error teaches the mean" in failed["gaussian"]


@pytest.mark.slow
def test_the_reference_passes_every_check_clearly(ex3):
    result = grade(ex3, ex3.reference, OPTIONS)
    assert (result.outcome, result.points, result.max_points) == ("pass", 10.0, 10.0)
    assert {check.status for check in result.checks} == {"met"}
    assert len(result.runs) == 1
    assert {"train_loss", "val_loss", "val_coverage_90"} <= result.metrics[-1]["values"].keys()


@pytest.mark.slow
def test_levels_before_tasks_are_told_how_to_mend_it(ex3):
    result = grade(ex3, GRADERS / "wrong" / "ex3_quantile" / "transposed.py", OPTIONS)
    assert result.outcome == "invalid"
    assert "`quantiles` has shape (250, 7, 4) for a batch of 250, expected (250, 4, 7)" in result.messages[-1]
    assert "a `.transpose(1, 2)` fixes it" in result.messages[-1]
