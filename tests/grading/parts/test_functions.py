"""A part `functions`: each call alone, judged outside, and each case costs itself only."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from tlcourse.course.loader import load_course
from tlcourse.errors import InfraError
from tlcourse.execution.answers import Raised
from tlcourse.grading.grade import Options, grade, run
from tlcourse.grading.parts.functions import decided
from tlcourse.grading.result import read_result
from tlcourse.grading.scoring.calls import call, case, difference, same, sequence, share, wrong_with

COURSE = Path(__file__).parents[2] / "assignments_course"
REFERENCE = (COURSE / "graders/references/logistic.py").read_text()


@pytest.fixture(scope="module")
def logistic():
    return load_course(COURSE).exercises["logistic"]


@pytest.fixture
def graded(logistic, tmp_path, quick_sandbox):
    def graded(text, **options):
        path = tmp_path / "solution.py"
        path.write_text(textwrap.dedent(text))
        return grade(logistic, path, Options(sandbox_kind=quick_sandbox, threads=1, **options))

    return graded


def points(result):
    return {check.id: check.points for check in result.checks if check.points}


@pytest.mark.slow
def test_the_reference_has_all_points(graded):
    result = graded(REFERENCE)
    assert (result.outcome, result.points, result.max_points) == ("pass", 14, 14)
    assert [(part.id, part.kind, part.points) for part in result.parts] == [("functions", "functions", 14)]
    assert result.messages == []
    assert read_result(msgspec.json.encode(result)) == result  # as a gradebook keeps it


@pytest.mark.slow
def test_one_right_and_five_raising_functions_have_the_points_of_the_one(graded):
    result = graded(
        """
        import numpy as np
        import sys
        list = [1, 2]  # a name that shadows a builtin

        def sigmoid(z):
            raise ValueError(f"with {z}")

        def loss(w, X, t):
            z = X @ w
            return np.mean(np.logaddexp(0, z) - t * z)

        def gradient(w, X, t):
            sys.exit(1)

        class Standardiser:
            def __init__(self):
                raise KeyError("mean")

        def batches(n, size):
            yield [0]
            raise RuntimeError

        def report(losses):
            raise NotImplementedError
        """,
        seed_source="secret",
    )
    assert (result.outcome, result.points) == ("fail", 3)
    assert points(result) == {"loss": 3}
    assert len(result.runs) == 1
    said = "\n".join(result.messages)
    assert "sigmoid: sigmoid in a hidden case raised ValueError." in said
    assert "sigmoid: sigmoid(array([" in said  # the public case; not what came of it, which may have seen hidden ones
    assert "with [" not in said
    assert "gradient in a hidden case raised SystemExit" in said
    assert "Standardiser in a hidden case raised KeyError." in said
    assert "report: report is not written yet." in said


def test_what_ends_the_process_or_never_ends_costs_its_own_cases(graded):
    result = graded(
        REFERENCE
        + textwrap.dedent(
            """
            import os

            right = batches

            def batches(n, size):
                while n == 7:
                    pass
                return np.ones((30_000, 30_000)) if n == 8 else "text" if n == 9 else right(n, size)

            def report(losses):
                os._exit(0)
            """
        )
    )
    assert points(result) == {"sigmoid": 2, "loss": 3, "gradient": 3, "standardiser": 2, "batches": 1.25}
    assert len(result.runs) == 5  # report ends each; all other cases are answered by the second
    said = "\n".join(result.messages)
    assert "batches(7, 3) took longer than a call may (solution.py, line 4" in said
    assert "batches(8, 3) took more memory than a call may (solution.py, line 4" in said
    assert "batches(9, 3): a text came, a list was expected." in said
    assert "gave no answer: the " in said


def test_missing_names_cost_their_cases_and_a_solution_that_ends_early_keeps_what_stands_above(graded):
    result = graded(
        """
        import numpy as np

        def sigmoid(z):
            print("hello")
            return np.exp(-np.logaddexp(0, -np.asarray(z)))

        plot_of_my_own
        """
    )
    assert points(result) == {"sigmoid": 2}
    assert "loss: loss has nothing to call: it is not defined." in result.messages
    assert "NameError: name 'plot_of_my_own' is not defined (solution.py, line 8)" in result.runs[0].log
    raised = graded("def sigmoid(z):\n    raise ValueError(f'with {z}')\n")  # at home everything is said
    assert re.search(
        r"sigmoid\(array\(\[.*\) raised ValueError: with \[.*\(solution.py, line 2, in sigmoid\)", raised.messages[0]
    )
    nothing = graded("x = 1\n")
    assert nothing.outcome == "invalid"
    assert "solution.py defines no `sigmoid`" in nothing.messages[0]
    assert graded("def sigmoid(z:\n").outcome == "invalid"


def test_a_solution_that_ends_while_it_is_loaded_has_called_nothing(graded):
    ended = graded("import os\nos._exit(0)\n")
    assert (ended.outcome, len(ended.runs)) == ("crash", 1)
    assert ended.messages[0].startswith("the process ended while it was loaded (exit status 0; does the solution call")


def test_a_run_loads_the_solution_and_calls_nothing(logistic, tmp_path, quick_sandbox):
    path = tmp_path / "solution.py"
    path.write_text("def sigmoid(z):\n    raise ValueError\n")
    result = run(logistic, path, Options(sandbox_kind=quick_sandbox, threads=1))
    assert (result.outcome, result.checks) == ("ran", [])
    assert "defines no `loss`" in result.runs[0].log


def test_hostile_answers_are_wrong_and_nothing_more(graded):
    result = graded(
        """
        import builtins
        import numpy as np

        class Equal:
            def __eq__(self, other): return True
            def __array__(self, *_, **__): return np.array([self], dtype=object)

        class Zero(float):
            def __sub__(self, other): return 0.0
            __rsub__ = __sub__
            def __eq__(self, other): return True

        class Right(dict):
            def __getitem__(self, key): return 1
            def items(self): return [("best", 0)]

        def sigmoid(z): return Equal()
        def loss(w, X, t): return Zero(123.0)
        def gradient(w, X, t): return np.array([Equal()] * 3)

        class Standardiser:
            def fit(self, X): return self
            def __getattr__(self, name): return lambda *_: self.__class__

        def batches(n, size):
            while True:
                yield []

        def report(losses):
            builtins.sorted = None
            return Right({float("nan"): "best"})
        """
    )
    assert (result.outcome, result.points) == ("fail", 0)
    assert len(result.checks) == 6
    said = "\n".join(result.messages)
    assert "gave an answer that is an iterator that gives more than 10000 values" in said
    assert "123 came, " in said


@pytest.mark.parametrize(
    ("got", "wanted", "said"),
    [
        (1.0, 1.0 + 1e-9, ""),
        (1, 1.0, ""),
        (True, 1.0, "a bool came, a number was expected"),
        (1, True, "a number came, a bool was expected"),
        (np.array(2.0), 2.0, ""),
        (np.array(True), 1.0, "a bool came, a number was expected"),
        ([1.0, 2.0], np.array([1.0, 2.0]), "a list came, an array of shape (2,) was expected"),
        (np.ones(3), np.ones((3, 1)), "shape (3,) came, (3, 1) was expected"),
        (np.array([1, 2]), np.array([1.0, 2.5]), "2 came at [1], 2.5 was expected; 1 of 2 numbers are others"),
        (np.array([np.nan]), np.array([np.nan]), ""),
        (10**400, 1.0, "a number that is too large came"),
        ([1, (2,)], [1, [2]], "item 1: a tuple came, a list was expected"),
        ({"a": 1}, {"a": 1, "b": 2}, "a table with other keys came: ['a']"),
        ("a", "b", "'a' came, 'b' was expected"),
        (None, 1.0, "None came, a number was expected"),
        (Raised("slow"), 1.0, "it gave no answer (slow)"),
    ],
)
def test_a_difference_is_said(got, wanted, said):
    assert difference(got, wanted) == said


def test_tolerances_are_those_of_numpy():
    assert same(1.05, 1.0, rtol=0.1)
    assert not same(1.05, 1.0)
    assert same(0.05, 0.0, atol=0.1)
    assert not same(float("nan"), float("nan"), equal_nan=False)
    assert difference(np.ones(3), np.ones(4), values=False) == "another shape was expected"
    assert difference([1, 2], [1, 3], values=False) == difference(
        [2, 3], [1, 3], values=False
    )  # where is a secret, too
    assert difference({"a": 1, "b": 2}, {"a": 1, "b": 3}, values=False) == "another number was expected"


def test_a_case_may_have_a_judge_who_need_not_know_every_form():
    one = case(call("f"), judge=lambda answer: answer > 3 or "too small")
    assert wrong_with(one, 4) == ""
    assert wrong_with(one, 2) == "too small"
    assert wrong_with(one, "x") == "the answer (a text) is of another form than was expected"
    with pytest.raises(ValueError, match="says neither"):
        wrong_with(sequence(call("f")), 1)


def test_functions_after_a_model_use_it_and_take_nothing_from_its_marks(tmp_path, quick_sandbox):
    sentences = load_course(COURSE).exercises["sentences"]
    path = tmp_path / "solution.py"
    right = (COURSE / "graders/references/sentences.py").read_text()

    def parts(text):
        path.write_text(text)
        result = grade(sentences, path, Options(sandbox_kind=quick_sandbox, threads=1))
        return result, {part.id: (part.points, part.max_points, part.outcome) for part in result.parts}

    result, found = parts(right)
    assert (result.outcome, result.points, result.max_points) == ("pass", 10, 9)  # 1 is on top
    assert found == {"network": (7, 7, "pass"), "text": (3, 2, "pass")}
    assert [run.part for run in result.runs] == ["network"]
    result, found = parts(right.replace("text = prompt", "import os; os._exit(3)"))
    assert found == {"network": (7, 7, "pass"), "text": (0, 2, "fail")}
    assert result.points == 7
    assert "ended" in "\n".join(result.messages)
    result, found = parts(right.replace("return self.table[x]", "raise ValueError"))
    assert result.outcome == "crash"
    assert found == {"network": (0, 7, "crash"), "text": (0, 2, "crash")}


@pytest.mark.parametrize(
    ("answers", "right", "said"),
    [
        ([1, "x"] * 200, 0.5, "the grader cannot look at: a text"),
        ([1] * 7 + ["x"] + [1] * 2, 0.9, "the grader cannot look at: a text"),
        (["x"], 0.0, "the grader cannot look at: a text"),
        ([1] * 60 + [2.5] + [1] * 39, 0.99, "the grader cannot look at beside the others"),  # by itself it can
        (["x"] * 2000, 0.0, "the grader cannot look at"),  # ended early: not one by one
        ([1, 2.5, "x"] * 1000, 8 / 3000, "the grader cannot look at"),
    ],
)
def test_answers_that_a_grader_cannot_look_at_cost_their_own_cases_and_few_measurements(logistic, answers, right, said):
    about, looked, asked = logistic.about, [], []
    rules = about.checks_of(about.functions)

    def measure_calls(rules, cases, answers):
        values = [one for one in answers if not isinstance(one, Raised)]
        asked.append(len(answers))
        looked.append(len(values))
        if "x" in values or len({type(one) for one in values}) > 1:
            raise InfraError("a text" if "x" in values else "a mixture")
        return {rule.id: share([one == 1 for one in answers]) for rule in rules}

    grader = SimpleNamespace(measure_calls=measure_calls, wrong_with=lambda one, answer, values: str(answer))
    marking = SimpleNamespace(exercise=logistic, grader=grader, options=Options())
    cases = [case(call("sigmoid", 0), check=rules[0].id) for _ in answers]
    found = decided(marking, about.functions, cases, dict(enumerate(answers)), SimpleNamespace(status="done"))
    assert found.checks[0].value == right
    assert any(said in text for text in found.messages)
    assert len(asked) <= min(600, 60 + 1.2 * len(answers))
    assert sum(looked) <= len(answers) * 20  # halves of halves, never all of them again for each that is odd
