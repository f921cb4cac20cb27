"""What a grader returns is checked on receipt: by `author check` before anybody hands in, and at every grading."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from tlcourse.course.author import new_course
from tlcourse.course.loader import load_course
from tlcourse.errors import InfraError
from tlcourse.grading.author_check import problems_of_graders
from tlcourse.grading.grade import Options, grade
from tlcourse.grading.grader import Grader
from tlcourse.grading.scoring.calls import call, case, wrong_with
from tlcourse.grading.scoring.measurement import Measurement, MeasurementError, exact, mean, proportion, received

EXAMPLE = Path(__file__).parents[1] / "example_course"
MEASURED = 'mean(error, f"{name} is off by {error.mean():.2f} on average.")'
X = "np.random.default_rng(one).normal(size=(sizes[name], 2)).astype(np.float32)"


@pytest.fixture
def changed(tmp_path):
    """`changed(old, new)`: the course of the exercise `line`, its grader changed so."""

    def make(old: str, new: str):
        folder = tmp_path / "course"
        shutil.copytree(EXAMPLE, folder)
        path = folder / "graders" / "line.py"
        text = path.read_text()
        assert old in text
        text = text.replace("import mean", "import exact, mean, proportion, Measurement")
        path.write_text(text.replace(old, new))
        return load_course(folder)

    return make


FUNCTIONS = """\
import math
import numpy as np
from tlcourse.grading.scoring.calls import call, case
from tlcourse.grading.scoring.measurement import exact
def cases(seed, data):
    return [case(call("f", seed + i), check="all", JUDGE) for i in range(3)]
"""


@pytest.fixture
def functions_course(tmp_path):
    """`functions_course(body, judge=…)`: one part of functions whose `measure_calls`, from line 7 on, has that body."""

    def make(body: str, judge: str = ""):
        folder = tmp_path / "functions"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "graders").mkdir(parents=True)
        (folder / "exercises/c").mkdir(parents=True)
        unit = "{id: u, title: U, summary: U, objectives: [{id: o, text: Do it.}], exercises: [c]}"
        (folder / "course.yaml").write_text(f"id: c\ntitle: C\nunits: [{unit}]\nexercises: [c]\n")
        part = "{id: p, kind: functions, defines: [f]}"
        check = "{id: all, title: All, credit: share, points: 4}"
        about = f"id: c\ntitle: C\nsummary: C\nparts: [{part}]\nchecks: [{check}]\n"
        (folder / "exercises/c/exercise.yaml").write_text(about)
        (folder / "exercises/c/starter.py").write_text("def f(x):\n    return None\n")
        (folder / "exercises/c/handout.md").write_text("# C\n")
        text = FUNCTIONS.replace(", JUDGE", f", judge={judge}" if judge else "")
        text += f"def measure_calls(cases, answers):\n{body}\n" if body else ""
        (folder / "graders/c.py").write_text(text)
        return load_course(folder)

    return make


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ('exact(float("nan"))', "has nan for its value"),
        ('exact(float("inf"))', "has inf for its value"),
        ("float(error.mean())", "is a float, expected proportion(…), mean(…) or exact(…)"),
        ("None", "is a NoneType"),
        ("proportion(0, 0)", "rests on n = 0 items"),
        ("proportion(600, 40)", "raised ValueError"),
        ("Measurement(1.5, 4, (0, 1), '', 'proportion')", "is a share of 1.5, expected 0 to 1"),
        ("Measurement(1.0, 4, (2, 1))", "has an interval from 2 to 1"),
        ("Measurement('1', 4, (0, 1))", "has a str for its value"),
        ("Measurement(1.0, 4, (0, float('inf')))", "has inf for its interval"),
        ("exact(error[:2])", "has a ndarray for its value"),
        ("exact(1.0 / 0)", "raised ZeroDivisionError"),
    ],
)
def test_a_measurement_that_is_none_is_found_and_is_never_a_mark(changed, new, said):
    course = changed(MEASURED, new)
    (problem,) = problems_of_graders(course)
    assert said in problem
    assert "(predictions: any at all)" in problem
    grader = Grader(course.exercises["line"])
    data = grader.make(1, "mini")
    with pytest.raises(InfraError, match="The grader of line failed"):
        grader.measure(data.test, {"y": data.test["y"], "z": data.test["z"]}, {})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (MEASURED, "exact(-np.log(np.exp(-error.astype(np.float32)).mean()))", "predictions: all 1e+30"),
        (MEASURED, "exact(1.0 if error.std() == 0 else 1 / 0)", "drawn at random"),
        (MEASURED, 'exact(probes.get("shared", 0.0))', "`y_error` rests on probes, which student code could forge"),
        (
            MEASURED,
            'exact(1 / probes.get("shared", 1.0))',
            "(probes: 0 under every name), expected a",
        ),
        (MEASURED, 'exact(probes.get("shared", 0.0), self_reported=True)', None),
        (X, X.replace("one", ""), "other data when it is called again with the same seed"),
        (X, X.replace("(one)", "(seed)"), "train and test are the same items"),
        (X, X.replace("sizes[name]", "9"), "gives 9 items of train where 12 are asked for"),
        (X, X + '; extra = x if name != "test" else None', None),
        ('"x": x,', '"x": x, "x2": x,', "train holds ['x2'], which no solution is given"),
        ('"x": x,', '"x": np.array(["why"] * len(x)),', "dtype <U3, which no tensor has"),
        ('"x": x,', '"x": np.array([x[:i] for i in range(len(x))], dtype=object),', "is an array of objects"),
        (
            '"x": x,',
            '"x": x.tolist(),',
            "in train `x` is a list whose item 0 is a list, expected an array with a length",
        ),
        ('"x": x,', '"x": [*x[:-1], x[0, :1].astype(int)],', "item 7 has rows of int64[], and item 0 of float32[]"),
        ('"x": x,', '"x": ["why"] * len(x),', "`x` is a list that holds str, expected bytes: text.encode()"),
        ('"x": x,', '"x": tuple(x),', "`x` is a tuple, expected an array, a list of arrays or of bytes, or a table"),
        ('"x": x,', '"x": [],', "`x` is an empty list, expected an array, a list"),
        ('"x": x,', '"x": {"a": x, "b": {"c": x}},', "`x.b` is a dict, expected an array, a list"),
        ('"x": x,', '"x": {"a": x, "b": x[1:]},', "`x` holds {'a': 8, 'b': 7}, expected as many items"),
        ('"x": x,', '"x": {"a.b": x},', "`x` holds the key 'a.b', expected lower-case names"),
        ('"x": x,', '"x": {},', "`x` holds nothing, expected as many items"),
        (
            '"x": x,',
            '"x": x if name == "val" else list(x),',
            "`x` is x in val and x, x/lengths in train, expected the same",
        ),
        ('"x": x,', '"x": x if name != "test" else x.astype(float),', "float64[2] in test and float32[2] in train"),
        ('"y": 2 * x[:, 0] + 1,', '"y": x[:3, 0],', "`y` of train has shape (3,)"),
        ("    return splits", "    return splits[0]", "no three tables of arrays"),
        ("    splits = []", "    raise SystemExit", "`make` raised SystemExit"),
    ],
)
def test_data_and_measurements_that_would_fail_a_class_are_found_before_it_hands_in(changed, old, new, said):
    problems = problems_of_graders(changed(old, new))
    if said is None:
        assert problems == []
    else:
        assert said in "\n".join(problems)


def test_scalars_of_numpy_are_measurements_and_become_plain_numbers():
    found = received(exact(np.float32(0.5), np.int64(3)))
    assert (found.value, found.n, found.interval) == (0.5, 3, (0.5, 0.5))
    assert {type(found.value), type(found.n), type(found.interval[0])} == {float, int}
    assert received(proportion(np.int32(3), np.int64(4))).value == 0.75
    assert received(exact(np.array([True, True]).all())).value == 1.0
    assert received(mean(np.full(5, 3.4e38, np.float32))).value == pytest.approx(3.4e38)
    assert received(exact(1.0, 1, "half a character \udc80")).message == "half a character ?"


@pytest.mark.parametrize(
    "given",
    [
        *(1.0, None, Measurement(1.0, 1, None), Measurement(1j, 1, (0, 1))),
        Measurement(1.0, 1, (0, 1), kind=np.array(["exact", "mean"])),
        Measurement(1.0, 1, (0, 1), fresh=np.array([True, False])),
        Measurement(1.0, 1, (0, 1), self_reported="yes"),
    ],
    ids=str,
)
def test_anything_else_is_refused_with_what_was_expected(given):
    with pytest.raises(MeasurementError, match="expected"):
        received(given)


def test_files_that_a_worker_reads_hold_no_more_than_a_solution_is_given(changed):
    grader = Grader(changed('"x": x,', '"x": x, "answer": x,').exercises["line"])
    data = grader.make(1, "mini")
    assert set(data.train) == set(data.val) == {"x", "y", "z"}


def test_a_course_of_assignments_of_every_form_has_no_problem():
    course = load_course(Path(__file__).parents[1] / "assignments_course")
    assert problems_of_graders(course) == []


def test_cases_that_are_drawn_without_the_seed_are_found(tmp_path):
    folder = tmp_path / "c"
    shutil.copytree(Path(__file__).parents[1] / "assignments_course", folder)
    path = folder / "graders/logistic.py"
    right = path.read_text()
    for old, new, said in (
        ("default_rng(seed)", "default_rng()", "`cases` gives others when it is called again with the same seed"),
        ("default_rng(seed)", "default_rng(3)", "`cases` gives the same for every seed"),
        ("t=t), public", "t=t), check='lost', public", "a case is of the check 'lost', expected one of ["),
        ("t=t), public", "t=t).nothing, public", "`cases` raised AttributeError"),
        ('call("sigmoid", X @ w)', 'call("sigmoid", {1, 2})', "an argument is, or holds, an object of type set"),
        ('call("loss"', 'call("lost"', "a case of `lost` says no check, expected one of ["),
        ('call("batches", 7 + k', 'call("batches", "x"', "the reference raised TypeError"),
    ):
        path.write_text(right.replace(old, new))
        said_of = problems_of_graders(load_course(folder))
        assert any(said in one for one in said_of), said_of


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('call("weights", x, 1.5)', 'call("weigths", x, 1.5)', "a case of `weigths` says no check, expected one of ["),
        ("*added, public", "call('m.sub'), call('n.add'), *added, public", "the reference raised AttributeError"),
        (
            'call("weights", x, 1.5), public',
            'call("weights", x, 1.5), expect=1.5, judge=lambda got: got is None, public',
            "`weights` does not accept what it expects (the answer is not right)",
        ),
        ("*added, public", "*added, check='runing', public", "a case is of the check 'runing'"),
        ("default_rng(seed)", "default_rng()", "other"),
    ],
)
def test_a_slip_in_the_cases_of_functions_is_found(tmp_path, old, new, said):
    new_course(tmp_path / "c", like="functions")
    path = tmp_path / "c" / "graders" / "location.py"
    assert problems_of_graders(load_course(tmp_path / "c")) == []
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert said in "\n".join(problems_of_graders(load_course(tmp_path / "c")))


def test_an_exercise_that_people_mark_alone_needs_no_grader(tmp_path):
    new_course(tmp_path / "c", like="report")
    about = tmp_path / "c" / "exercises" / "study" / "exercise.yaml"
    lines = [line for line in about.read_text().splitlines() if "functions" not in line and "shifts" not in line]
    about.write_text("\n".join(line for line in lines if line != "checks:"))
    (tmp_path / "c" / "graders" / "study.py").unlink()
    assert problems_of_graders(load_course(tmp_path / "c")) == []


FINITE = "    return {'all': exact(sum(math.isfinite(one) for one in answers if type(one) is int) / len(cases))}"
LENGTH = "    return {'all': exact(sum(one != one for one in answers if type(one) is float) or len(answers[0]))}"
FLAT = (
    "    return {'all': exact(sum(flat(one) for one in answers))}\n\n\n"
    "def flat(one):\n    return flat(one[0]) if type(one) is list else 0"
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (FINITE, "`measure_calls` raised OverflowError: int too large to convert to float (line 8 of c.py)"),
        (FINITE, "(answers: 2**4000), expected a measurement of any"),
        (FINITE, "c.py:8: The grader of c failed"),
        (LENGTH, "raised TypeError: object of type 'Raised' has no len() (line 8 of c.py) (answers: none)"),
        (FLAT, "c.py:12: The grader of c failed: `measure_calls` raised IndexError: list index out of range"),
    ],
)
def test_a_grader_that_cannot_look_at_an_answer_is_named_with_its_line(functions_course, body, said):
    assert said in "\n".join(problems_of_graders(functions_course(body)))


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        ("lambda got: 0 < got < 10**9 and 1 / got > 0", ""),  # of another form is wrong, and no fault of its own
        (
            "lambda got: math.sqrt(got * got) < 9",
            "c.py:6: the judge of a case of `f` raised OverflowError: int too large",
        ),
        (
            "lambda got: np.isclose(got, [1.0, 2.0])",
            "gave a ndarray (line 6; answer: 0.0), expected True, False or words",
        ),
        ("lambda got: exit(got)", "c.py:6: the judge of a case of `f` raised SystemExit: None"),
    ],
)
def test_judges_are_fed_what_no_right_answer_resembles(functions_course, judge, said):
    problems = problems_of_graders(functions_course("", judge=judge))
    assert said in "\n".join(problems)
    assert bool(problems) == bool(said)


def test_an_answer_that_a_grader_cannot_look_at_costs_its_own_case(functions_course, tmp_path, quick_sandbox):
    exercise = functions_course(FINITE).exercises["c"]
    path = tmp_path / "solution.py"
    options = Options(sandbox_kind=quick_sandbox, device="cpu", threads=1, seed=3)
    path.write_text("def f(x):\n    return 2**4000 if x == 4 else x\n")
    result = grade(exercise, path, options)
    assert (result.outcome, result.points) == ("fail", 2.6667)
    (said,) = result.messages
    assert said.startswith("All: f(4) gave an answer that the grader cannot look at: The grader of c failed: `measure_")
    blind = functions_course("    raise KeyError").exercises["c"]  # whatever is answered: no fault of the student's
    assert grade(blind, path, options).outcome == "infra"


def test_a_judge_that_gives_an_array_or_meets_a_huge_number_costs_its_own_case():
    judged = case(call("f"), judge=lambda got: np.isclose(got, [1.0, 2.0]))
    assert wrong_with(judged, 1.0) == "the answer (a number) is of another form than was expected"
    assert wrong_with(case(call("f"), judge=lambda got: math.isfinite(got)), 2**4000)
    assert wrong_with(case(call("f"), judge=lambda got: np.bool_(True)), 1) == ""
    assert wrong_with(case(call("f"), expect=1.5), 2**4000) == "a number that is too large came"
