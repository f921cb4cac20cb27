"""Test cells of a notebook: their files, what each earned, and which of them student code could forge."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse.errors import ContentError
from tlcourse.execution.answers import Raised
from tlcourse.grading.parts.cells import (
    HIDDEN,
    PUBLIC,
    NotebookTest,
    cells_of,
    from_text,
    is_forgeable,
    measure_cells,
    share_of,
    to_text,
)


def cell(check="q1", number=1, points=1.0, **about) -> NotebookTest:
    return NotebookTest(check, number, points, **about)


@settings(max_examples=40)
@given(
    source=st.text(
        st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=60
    ),
    expects=st.none() | st.text(max_size=40),
    points=st.floats(0, 100),
)
def test_a_file_gives_back_what_was_written_into_it(source, expects, points):
    if "# %% {" in source:
        return
    tests = [cell(points=points, expects=expects, source=source.strip("\n").rstrip()), cell("q2", 2, failed="No: ö")]
    assert from_text(to_text(tests, "Two."), Path("tests.py")) == tests


def test_a_file_may_hold_no_test():
    assert from_text(to_text([], "None."), Path("tests.py")) == []


def test_a_head_that_is_none_is_told_with_its_line():
    with pytest.raises(ContentError) as error:
        from_text('"""x"""\n\n# %% {"check": "q1", "cell": 3}\nassert f(1)\n', Path("tests.py"))
    assert error.value.problems[0].startswith("tests.py:3: Object missing required field `points`")


@pytest.mark.parametrize(
    ("test", "answer", "share"),
    [
        (cell(), ["", None], 1.0),  # nothing was raised
        (cell(), Raised("exception", "AssertionError"), 0.0),
        (cell(), "forged", 0.0),
        (cell(), ["", None, 1], 0.0),
        (cell(expects="9"), ["9\n", 9.0], 1.0),
        (cell(expects="9"), ["8\n", 8.0], 0.0),
        (cell(expects="9"), [9, 9.0], 0.0),
        (cell(expects="a \nb\n"), ["a\nb\n", None], 1.0),
        (cell(expects="True"), ["np.True_\n", None], 1.0),
        (cell(expects="0.5"), ["np.float64(0.5)\n", 0.5], 1.0),
        (cell(expects="[1, 2]"), ["[np.int64(1), np.int64(2)]", None], 1.0),
        (cell(expects="", points=2), ["", None], 1.0),
        (cell(expects=""), ["something\n", None], 0.0),
        (cell(points=4.0, partial=True), ["1\n", 1.0], 0.25),
        (cell(points=4.0, partial=True), ["9\n", 9.0], 1.0),
        (cell(points=4.0, partial=True), ["-1\n", -1.0], 0.0),
        (cell(points=4.0, partial=True), ["nan\n", float("nan")], 0.0),
        (cell(points=4.0, partial=True), ["inf\n", float("inf")], 0.0),
        (cell(points=4.0, partial=True), ["", 10**400], 1.0),
        (cell(points=4.0, partial=True), ["text\n", None], 1.0),
        (cell(points=4.0), ["1\n", 1.0], 1.0),
    ],
)
def test_what_a_test_earned(test, answer, share):
    assert share_of(test, answer) == share


@pytest.mark.parametrize(
    ("expects", "forgeable"), [(None, True), ("", True), ("True\n", True), ("np.True_", True), ("9", False)]
)
def test_one_bit_could_be_forged_and_a_value_could_not(expects, forgeable):
    assert is_forgeable(cell(expects=expects)) is forgeable


def test_staff_run_hidden_tests_too_and_students_what_they_have(tmp_path):
    grader = tmp_path / "graders" / "hw1.py"
    public = tmp_path / "exercises" / "hw1" / PUBLIC
    hidden = grader.with_name("hw1") / HIDDEN
    for path, tests in (
        (public, [cell("q1", 5, 2.0, source="assert 1"), cell("q2", 9, 1.0, expects="3")]),
        (hidden, [cell("q1", 5, 2.0, source="assert 1 and 2"), cell("q2", 7, 3.0, expects="4")]),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(to_text(tests, "Tests."), encoding="utf-8")
    for_staff = cells_of(str(grader))
    assert [(one.check, one.public, one.calls[0].name) for one in for_staff] == [
        ("q1", False, "test of cell 5"),
        ("q2", False, "test of cell 7"),
        ("q2", True, "test of cell 9"),
    ]
    assert for_staff[0].calls[0].args == ("assert 1 and 2",)
    hidden.unlink()
    assert [one.public for one in cells_of(str(grader))] == [True, True]


def test_a_check_is_the_share_of_its_points_and_says_what_is_self_reported(tmp_path):
    grader = tmp_path / "graders" / "hw1.py"
    path = tmp_path / "exercises" / "hw1" / PUBLIC
    path.parent.mkdir(parents=True)
    tests = [cell("q1", 1, 0.1, expects="3"), cell("q1", 2, 0.2, expects="4"), cell("q2", 3, 1.0)]
    path.write_text(to_text(tests, "Tests."), encoding="utf-8")
    cases = cells_of(str(grader))
    found = measure_cells(cases, [["3\n", 3.0], Raised("missing"), ["", None]])
    assert found["q1"].value == pytest.approx(1 / 3)
    assert found["q1"].message == "1 of 2 tests passed."
    assert (found["q1"].self_reported, found["q2"].self_reported) == (False, True)
    assert measure_cells(cases, [["3", 3.0], ["4", 4.0], ["", None]])["q1"].value == 1.0


def test_in_a_copy_for_students_a_check_says_what_staff_keep(tmp_path):
    grader = tmp_path / "graders" / "hw1.py"
    path = tmp_path / "exercises" / "hw1" / PUBLIC
    path.parent.mkdir(parents=True)
    tests = [cell("q1", 1, 1.0, expects="3"), cell("q1", 2, 3.0, kept=True), cell("q2", 3, 1.0, kept=True)]
    path.write_text(to_text(tests, "Tests."), encoding="utf-8")
    found = measure_cells(cells_of(str(grader)), [["3", 3.0], ["", None], ["", None]])
    assert (found["q1"].value, found["q2"].value) == (1.0, 0.0)
    assert found["q1"].message == "1 of 1 tests passed. Your course's staff have 1 test more."
    assert found["q2"].message == "Nothing of it can be checked here. Your course's staff have 1 test more."
