"""Assignments of Otter-Grader and nbgrader: what is read of them, and what is told that cannot be carried."""

from __future__ import annotations

import json

import pytest
from assignments import NBGRADER, OTTER, code, notebook, raw, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlcourse.course.loader import load_course
from tlcourse.errors import UsageError
from tlcourse.grading.assignments import otter, read_assignment
from tlcourse.grading.assignments.assignment import title_of
from tlcourse.grading.assignments.nbgrader import without
from tlcourse.grading.assignments.otter import resolve
from tlcourse.grading.assignments.otter_solutions import without_solutions
from tlcourse.grading.assignments.written import import_assignment
from tlcourse.storage import scratch_folder

POINTS = st.one_of(st.integers(1, 20), st.floats(0.01, 20).map(lambda x: round(x, 3)))


@pytest.fixture
def read(tmp_path):
    """`read(JSON)`: the assignment in such a notebook."""

    def of(document: str | bytes):
        path = tmp_path / "hw1.ipynb"
        path.write_bytes(document if isinstance(document, bytes) else document.encode())
        return read_assignment(path)

    return of


def points(found) -> dict[str, float]:
    return {question.id: question.points for question in found.questions}


def question(config: str, *tests: dict, answer: str = "x = 1 # SOLUTION"):
    """The cells of a question in Otter's format."""
    return [
        raw(f"# BEGIN QUESTION\n{config}"),
        raw("# BEGIN SOLUTION"),
        code(answer),
        raw("# END SOLUTION"),
        raw("# BEGIN TESTS"),
        *tests,
        raw("# END TESTS"),
        raw("# END QUESTION"),
    ]


# -- Otter-Grader ------------------------------------------------------------------------------------------------------


def test_otter_questions_keep_their_points_tests_and_hands(read):
    found = read(OTTER)
    assert found.title == "Softmax, piece by piece"
    assert points(found) == {"q1": 4.0, "q2": 3.0, "q3": 3.0}
    first, second, third = found.questions
    assert [test.points for test in first.tests] == [2.0, 2.0]
    assert [test.hidden for test in first.tests] == [False, True]
    assert first.tests[0].expects == "[[0.5, 0.5]]"
    assert first.tests[1].source == "np.isclose(softmax(np.array([[0.0, 1000.0]]))[0, 1], 1)"
    assert [test.points for test in second.tests] == [1.0, 0.5, 1.5]
    assert second.all_or_nothing
    assert second.tests[2].failed == "nine is not odd"
    assert third.manual
    assert third.title == "Why is the largest logit subtracted?"


def test_a_test_of_otters_that_stands_as_in_a_session_is_its_code_and_what_it_gives(read):
    session = code(">>> x = 2\n>>> x + 1\n3\n")
    broken = code(">>> for\n3\n")
    found = read(notebook(raw("# ASSIGNMENT CONFIG\nname: hw"), *question("name: q1\npoints: 2", session, broken)))
    (test,) = found.questions[0].tests
    assert (test.source, test.expects, test.points) == ("x = 2\nx + 1\n", "3\n", 2.0)
    assert ["is not Python" in str(note) for note in found.notes] == [True]


def test_students_of_otter_get_stubs_and_the_reference_what_stands_there(read):
    by_cell = {piece.number: piece for piece in read(OTTER).pieces}
    assert by_cell[7].student == 'def softmax(z):\n    """(n, k) to (n, k)."""\n    ...\n'
    assert "return e / e.sum(1, keepdims=True)\n" in by_cell[7].reference
    assert "SOLUTION" not in by_cell[7].reference
    assert "nine = ..." in [piece.student for piece in by_cell.values()]
    (answer,) = (piece for piece in by_cell.values() if piece.question == "q3")
    assert "exponential" in answer.reference
    assert "exponential" not in answer.student


def test_what_otter_does_and_we_do_not_is_told_with_its_cell(read):
    (note,) = read(OTTER).notes
    assert str(note) == (
        "cell 1: the setting `seed` – each test begins with a seed of its own; tests that need a certain one set it"
    )


@pytest.mark.parametrize(
    ("line", "student", "reference"),
    [
        ("x = 1 # SOLUTION", "x = ...", "x = 1"),
        ("a, b = f(k=2), 3  # SOLUTION", "a, b = ...", "a, b = f(k=2), 3"),
        ("table['a b'] = 3 # SOLUTION", "table['a b'] = ...", "table['a b'] = 3"),
        ("x += 1 # SOLUTION", "...", "x += 1"),
        ("    return x == 1 # SOLUTION", "    ...", "    return x == 1"),
        ("f(key=3) # SOLUTION", "...", "f(key=3)"),
        ("x: int = 4 # SOLUTION", "x: int = ...", "x: int = 4"),
        ("s = '# SOLUTION of all'", "s = '# SOLUTION of all'", "s = '# SOLUTION of all'"),
        ("y = 2 # SOLUTION NO PROMPT", "", "y = 2"),
        ("np.random.seed(3) # SEED", "", "np.random.seed(3)"),
        ("# BEGIN SOLUTION\na = 1\nb = 2\n# END SOLUTION\nc", "...\nc", "a = 1\nb = 2\nc"),
        ("  # BEGIN SOLUTION NO PROMPT\n  a = 1\n  # END SOLUTION", "", "  a = 1"),
        ('a = 1 # SOLUTION NO PROMPT\n""" # BEGIN PROMPT\na = 0\n"""; # END PROMPT', "a = 0", "a = 1"),
        ("keep\nmine # IGNORE\n# BEGIN IGNORE\nx\n# END IGNORE", "keep", "keep"),
    ],
)
def test_marks_of_otter_cut_out_what_students_write(line, student, reference):
    assert without_solutions(line) == (student, reference, [])


@pytest.mark.parametrize(
    ("total", "own", "resolved"),
    [
        (None, [None, None], [0.5, 0.5]),
        (None, [2, None], [2, 0]),
        (None, [0, None, None], [0, 0.5, 0.5]),
        (6, [2, 2, None, None], [2, 2, 1, 1]),
        (3, [None, None], [1.5, 1.5]),
        (0, [None], [0]),
        (4, [], []),
    ],
)
def test_points_are_resolved_as_otters_documents_say(total, own, resolved):
    assert resolve(total, own) == resolved


@pytest.mark.parametrize(
    ("cells", "told", "kept"),
    [
        (question("name: q1")[:-1], "has no END QUESTION", {"q1": 0.0}),
        ([*question("name: q1", code("x"))[:-1], *question("name: q2", code("x"))], "no END", {"q1": 1.0, "q2": 1.0}),
        (question("name: q1", code("x"))[:-2], "BEGIN TESTS has no END", {"q1": 1.0}),
        ([*question("name: a", code("x")), *question("name: a", code("x"))], "second question", {"a": 1.0, "a-2": 1.0}),
        (question("name: [", code("x")), "not YAML", {"question-1": 1.0}),
        (question("points: 2", code("x")), "without a name", {"question-1": 2.0}),
        (question("name: 統計", code("x")), None, {"question-1": 1.0}),
        (question("name: q3.2\npoints: {each: 2}", code("x"), code("x")), None, {"q3-2": 4.0}),
        (question("name: q\npoints: [1, 2]", code("x")), "points for 2", {"q": 3.0}),
        (question("name: q\npoints: many", code("x")), "which is not a number", {"q": 1.0}),
        (question("name: q\npoints: 0", code("x")), "gives no points", {"q": 0.0}),
        (question("name: q\nmanual: true", code("x")), "people mark it", {"q": 1.0}),
        (question("name: q", code("x = = 1")), "is not Python", {"q": 0.0}),
        (question("name: q", text("words"), code("x")), "text between tests", {"q": 1.0}),
        ([raw("# END TESTS"), *question("name: q", code("x"))], "outside a question", {"q": 1.0}),
        (question("name: q", code("x"), answer="x = 1"), "nothing is marked", {"q": 1.0}),
        (question("name: q", code("x"), answer="# BEGIN SOLUTION\nx"), "has no END", {"q": 1.0}),
        (
            [text("```otter\n# BEGIN QUESTION\nname: q\n```"), *question("", code("x"))[1:]],
            None,
            {"q": 1.0},
        ),
        ([text("```\nBEGIN QUESTION\nname: q1\n```"), *question("name: q", code("x"))], "first format", {"q": 1.0}),
    ],
)  # fmt: skip
def test_a_notebook_of_otters_with_slips_is_read_as_was_meant_and_they_are_told(read, cells, told, kept):
    found = read(notebook(*cells))
    assert points(found) == kept
    said = [str(note) for note in found.notes]
    assert any(told in one for one in said) if told else said == []
    assert all(note.cell for note in found.notes)


def test_tests_that_are_functions_are_called_with_what_their_parameters_name(read):
    config = raw("# ASSIGNMENT CONFIG\ntests: {ok_format: false}")
    test = code("def test_it(x, env):\n    assert x == env['x']\n\ntest_it(x, globals())")
    (found,) = read(notebook(config, *question("name: q", test))).questions
    assert found.tests[0].expects is None
    assert found.tests[0].source.endswith("test_it(x=globals().get('x'), env=globals())")
    namespace = {"x": 3}
    exec(found.tests[0].source, namespace)


# -- nbgrader ----------------------------------------------------------------------------------------------------------


def test_nbgrader_questions_keep_their_points_tests_and_hands(read):
    found = read(NBGRADER)
    assert points(found) == {"test-squares": 2.0, "test-mean": 3.0, "why": 1.5, "draw": 2.5}
    squares, mean, why, draw = found.questions
    assert [one.title for one in found.questions] == ["Squares", "Squares (test-mean)", "In words", "Draw a picture"]
    (test,) = squares.tests
    assert test.hidden
    assert "squares(0)" in test.source
    assert "squares(0)" not in test.public
    assert "squares(2)" in test.public
    assert mean.tests[0].partial
    assert mean.tests[0].source.startswith("from math import isclose\n")  # which the test before had imported
    assert (why.manual, draw.manual) == (True, True)
    assert draw.scheme == "1 point for axes."


def test_students_of_nbgrader_get_stubs_and_no_scheme(read):
    by_cell = {piece.number: piece for piece in read(NBGRADER).pieces}
    assert by_cell[4].student.endswith('    """A list."""\n    # YOUR CODE HERE\n    raise NotImplementedError()')
    assert by_cell[4].reference.endswith("return [i**2 for i in range(1, n + 1)]")
    assert by_cell[6].student == "# YOUR CODE HERE\nraise NotImplementedError()"
    assert by_cell[9].student == "*Write your answer here.*"
    assert by_cell[10].student == "Draw a picture."
    assert (by_cell[9].question, by_cell[10].question) == ("why", "draw")
    assert 5 not in by_cell  # tests are no cells of the exercise


@pytest.mark.parametrize(
    ("cells", "told", "kept"),
    [
        ([code("assert 1", grade_id="t", grade=True, points="2")], None, {"t": 2.0}),
        ([code("assert 1", grade_id="t", grade=True, points="two")], "which is not a number", {"t": 0.0}),
        ([code("assert 1", grade_id="t", grade=True, points=0)], "gives no points", {"t": 0.0}),
        ([code("", grade_id="t", grade=True, points=1)], "tests nothing", {"t": 1.0}),
        ([code("%matplotlib inline", grade_id="t", grade=True, points=1)], "1 points of `t` are lost", {"t": 0.0}),
        ([code("### HASHED AUTOTEST f(3)", grade_id="t", grade=True, points=1)], "AUTOTEST", {"t": 1.0}),
        ([code("assert 1", grade_id="t", grade=True, points=1)] * 2, "second question", {"t": 1.0, "t-2": 1.0}),
        ([code("x\n### BEGIN SOLUTION\ny", grade_id="s", solution=True)], "has no END", {}),
        ([code("### BEGIN SOLUTION\ny\n### END SOLUTION", grade_id="s")], "not marked as an answer", {}),
        ([code("x = 1", grade_id="s", locked=True)], "students can change", {}),
        ([text("Words", grade_id="w", grade=True, solution=True, points=2)], None, {"w": 2.0}),
        (
            [code("n = 1"), code("assert n == 1", grade_id="t", grade=True, points=1), code("n = 2")],
            "reads `n`, which cell 3 changes",
            {"t": 1.0},
        ),
        ([code("assert 'ü≠日' == x", grade_id="prüfung ü", grade=True, points=1)], None, {"pr-fung": 1.0}),
    ],
)  # fmt: skip
def test_a_notebook_of_nbgraders_with_slips_is_read_as_was_meant_and_they_are_told(read, cells, told, kept):
    found = read(notebook(*cells))
    assert points(found) == kept
    said = [str(note) for note in found.notes]
    assert any(told in one for one in said) if told else said == []


def test_regions_that_are_nested_or_end_without_a_beginning_are_told():
    nested = "### BEGIN SOLUTION\n### BEGIN SOLUTION\nx\n### END SOLUTION\n### END SOLUTION"
    student, reference, found = without(nested, "SOLUTION", ("stub",))
    assert (student, reference) == ("stub", "x")
    assert found.problems == ["BEGIN SOLUTION within another one", "END SOLUTION without a BEGIN"]


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"nbformat": 4}',
        b'{"nbformat": 4, "cells": [1]}',
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}',
        b"[" * 100_000,
        notebook().encode(),
        notebook(code("print(1)")).encode(),
    ],
)
def test_what_is_no_assignment_is_told_and_is_no_traceback(read, document):
    with pytest.raises(UsageError) as error:
        read(document)
    assert "hw1.ipynb" in error.value.what


def test_empty_cells_and_an_older_format_are_read(read):
    found = read(notebook(code(""), text("  "), raw(""), *question("name: q", code("x"))))
    assert points(found) == {"q": 1.0}
    old = json.loads(notebook(*question("name: q", code("x"))))
    for cell in old["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    older = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": old["cells"]}]}
    assert points(read(json.dumps(older))) == {"q": 1.0}


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("**Question 1.** Write it. And more.", "Question 1. Write it"),
        ("## What is $x$?\n\nText", "What is x?"),
        ("![a](b.png)\n\n* [Read](x) this:", "a"),
        ("", ""),
        ("w" * 90, "w" * 79 + "…"),
    ],
)
def test_a_question_is_called_as_it_begins(words, title):
    assert title_of(words) == title


def test_both_formats_tell_each_other_apart():
    assert not otter.is_one([])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=st.lists(st.tuples(st.sampled_from(["tests", "hand", "task"]), POINTS), min_size=1, max_size=6))
def test_no_point_of_any_nbgrader_notebook_is_lost(tmp_path, marks):
    cells = []
    for number, (kind, given_points) in enumerate(marks):
        about = {"grade_id": f"id-{number}", "points": given_points}
        if kind == "tests":
            cells.append(code("assert True", **about, grade=True, locked=True))
        else:
            cells.append(text("Words", **about, task=kind == "task", grade=kind == "hand", solution=kind == "hand"))
    assert kept(tmp_path, notebook(*cells)) == pytest.approx(sum(points for _, points in marks), rel=1e-12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=st.lists(st.tuples(st.booleans(), POINTS, st.integers(1, 4)), min_size=1, max_size=6))
def test_no_point_of_any_otter_notebook_is_lost(tmp_path, marks):
    cells = []
    for number, (manual, given_points, count) in enumerate(marks):
        config = f"name: q{number}\npoints: {given_points}\nmanual: {str(manual).lower()}"
        cells += question(config, *([] if manual else [code("x", gives="1")] * count))
    assert kept(tmp_path, notebook(*cells)) == pytest.approx(sum(points for _, points, _ in marks), rel=1e-12)


def kept(tmp_path, document: str) -> float:
    """The points of the exercise that is made of a notebook, read from its files."""
    path = tmp_path / "hw.ipynb"
    path.write_text(document)
    with scratch_folder("run") as folder:
        import_assignment(path, folder / "c")
        return load_course(folder / "c").exercises["hw"].about.max_points
