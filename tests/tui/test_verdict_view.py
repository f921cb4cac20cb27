"""The verdict as a picture: what counts stands on number lines, what was measured in full behind a key."""

from __future__ import annotations

import datetime
import math

import pytest
from rich.text import Text
from tour import STOPS, errors_of_stars

from tlcourse.grading.result import CheckResult, Provenance, Result, SubmissionRecord
from tlcourse.grading.scoring.error_analysis import Calibration, ErrorAnalysis
from tlcourse.student.record import Attempt
from tlcourse.tui.widgets.verdict_view import attempts_view, errors_view, verdict

MET = CheckResult("a", "Accuracy", True, 0.981, (0.975, 0.986), 0.95, 0.95, 4000, 4.0, 4.0)
MISSED = CheckResult(
    "r", "Error of the radius", False, 2.31, (2.2, 2.42), 1.5, 1.5, 4000, 0.0, 4.0, "at_most", "px", "Scale the loss."
)


def result(*checks: CheckResult, outcome: str = "fail") -> Result:
    return Result(
        exercise="ex2",
        variant="mini",
        submission=SubmissionRecord("solution.py", "00"),
        outcome=outcome,
        points=sum(check.points for check in checks),
        max_points=8.0,
        checks=list(checks),
        runs=[],
        messages=[],
        provenance=Provenance("0", "0", "g", "d"),
        started_at="",
        finished_at="",
    )


def shown(found: Result, width: int = 60, **how: object) -> list[str]:
    parts = verdict(found, scored=True, width=width, **how).renderables
    return [line for part in parts for line in (part.plain if isinstance(part, Text) else "").split("\n")]


def test_a_verdict_is_a_badge_a_bar_of_points_and_a_number_line_for_each_check():
    assert shown(result(MET, MISSED), best=6.0) == [
        " ✗ FAIL   4 of 8 points  ━━━━━━━━━━──────────  best so far 6",
        "",
        "✓ Accuracy                                     4 of 4 points",
        "  0.981  ≥ 0.95       0.93 ────────┃──────────━━●━━────── 1",
        "",
        "✗ Error of the radius                          0 of 4 points",
        "  2.31 px  ≤ 1.5 px      0 ───────────────┃──────━●━━─ 2.56",
        "  → Scale the loss.",
    ]


def test_the_lines_begin_in_one_column_and_have_the_bar_before_the_value_that_is_better():
    lines = shown(result(MET, MISSED))
    accuracy, radius = lines[3], lines[6]
    assert accuracy.index("─") == radius.index("─")
    assert accuracy.index("┃") < accuracy.index("●")
    assert radius.index("┃") < radius.index("●")
    assert accuracy.endswith(" 1")  # a share has no better end than 1
    assert "2.31 px  ≤ 1.5 px" in radius


@pytest.mark.parametrize("width", [30, 44, 60, 100])
@pytest.mark.parametrize("value", [0.981, math.nan, math.inf])
def test_no_line_is_wider_than_the_pane_whatever_was_measured(width, value):
    check = CheckResult("a", "Accuracy", False, value, (value, value), 0.95, 0.95, 9, 0.0, 4.0)
    numbers = [line for line in shown(result(check), width) if "─" in line or "●" in line]
    assert all(len(line) <= width for line in numbers)
    if not math.isfinite(value):
        assert not any("●" in line for line in numbers)


def test_only_the_first_failure_is_explained_and_doubt_is_said():
    doubt = CheckResult("d", "Size", True, 0.93, (0.9, 0.96), 0.94, 0.9161, 153, 2.0, 2.0, status="in doubt")
    lines = shown(result(MISSED, MISSED, doubt))
    assert sum("Scale the loss." in line for line in lines) == 1
    assert "  in doubt, and passed for that reason: 0.9161 is enough" in lines


def test_details_say_all_that_was_measured():
    assert not any("n = 4000" in line for line in shown(result(MET)))
    assert any("0.981 (95 %: 0.975 to 0.986, n = 4000)" in line for line in shown(result(MET), details=True))


def test_attempts_are_a_sparkline_with_the_best_and_times_of_this_machine():
    now = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
    tried = [Attempt("ex2", "fail", points, 10.0, "", "2026-11-29T10:00:00+00:00", {}) for points in (0.0, 5.0, 2.0)]
    lines = attempts_view(tried, now).plain.split("\n")
    assert lines[0] == "▁▅▂  3 attempts, best 5 of 10 points"
    here = datetime.datetime(2026, 11, 29, 10, tzinfo=datetime.UTC).astimezone()
    assert lines[1] == f"✗ FAIL          2 of 10 points  today {here:%H:%M}"
    assert attempts_view([], now) is None


@pytest.mark.slow
async def test_the_last_line_names_only_keys_that_do_something_now(visit):
    async with visit(120, 40) as person:
        await person.go("exercise/ex2")
        keys = person.screen.splitlines()[-1]
        assert "i Make a solution.py" in keys
        assert "Grade" not in keys
        assert "Stop" not in keys
        assert "Details" not in keys
    async with visit(120, 40) as person:
        await STOPS["exercise-bench"](person)
        assert "d Details" in person.screen.splitlines()[-1]
        assert "n = 4000" not in person.screen
        assert "n = 4000" in await person.press("d")


def test_what_went_most_wrong_is_pictures_with_answer_and_truth_and_a_matrix():
    found = errors_of_stars()
    lines = errors_view(found, 56, colour=False).plain.split("\n")
    assert lines[0] == "Of 1,000 validation items, which count for nothing."
    (answers, *_), (truths, *_) = ([line for line in lines if line.startswith(mark)] for mark in "✗✓")
    first, second = found.worst[:2]
    assert answers.split("  ✗") == [f"✗ {first.answer}".ljust(26), f" {second.answer}".ljust(25)]
    assert truths.startswith(f"✓ {first.truth}")
    assert len(set(map(len, lines[1:15]))) == 1  # the rows of two pictures side by side
    matrix = lines[lines.index("Points, true  answered") :]
    assert matrix[1:4] == [
        "                3    4    5    6    7    8    9",
        "           3  140    ·    ·    ·    ·    ·    ·",
        "           4    3  138    ·    ·    ·    ·    ·",
    ]
    assert lines[-3] == "9 taken for 8: 18 of 146 (12%)"
    assert errors_view(found, 56, colour=True, details=True).plain.count("✗") == 6
    assert errors_view(found, 30, colour=True).plain.count("✗") == 2


def test_quantiles_that_chance_does_not_explain_are_marked():
    curve = Calibration("skewed", [0.05, 0.5], [0.051, 0.6])
    lines = errors_view(ErrorAnalysis(1000, calibration=[curve]), 56, colour=False).plain.split("\n")
    assert lines[-2:] == ["should be  0.05  0.50", "skewed     0.05 !0.60"]
