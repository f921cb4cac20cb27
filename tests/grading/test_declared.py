"""What exercise.yaml says in the place of a grader's code: metrics, data in files; and functions with a reference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.loader import load_course
from tlcourse.course.model import Exercise
from tlcourse.errors import InfraError
from tlcourse.grading.author_check import problems_of_graders
from tlcourse.grading.grade import PUBLIC_SEED, Options, grade
from tlcourse.grading.grader import Grader
from tlcourse.grading.reference import NoReferenceHereError
from tlcourse.grading.scoring.measurement import mean
from tlcourse.grading.scoring.metrics import MetricError, measured

COURSE = Path(__file__).parents[1] / "assignments_course"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The course, to be changed."""
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


def about(checks: list[dict[str, object]], **more: object) -> Exercise:
    """An exercise with two targets, of which the first has logits."""
    given = {
        "id": "e",
        "title": "E",
        "summary": "S",
        "targets": ["kind", "size"],
        "outputs": [{"name": "logits", "shape": [3]}, {"name": "guess"}],
        "checks": checks,
    }
    return msgspec.convert(given | more, Exercise)


@pytest.mark.parametrize(
    ("check", "wanted"),
    [
        ({"threshold": 0.9, "points": 2}, ("bar", 0.9, 2.0)),
        ({"points": 2}, ("share", 1.0, 2.0)),
        ({"points": 2, "threshold": 0.5, "credit": "share"}, ("share", 0.5, 2.0)),
        ({"steps": {0.5: 1, 0.9: 3}}, ("steps", 0.9, 3.0)),
    ],
)
def test_the_credit_of_a_check_follows_from_what_it_says(check, wanted):
    rule = msgspec.convert({"id": "right", **check}, CheckRule)
    assert (rule.credit, rule.threshold, rule.points, rule.title) == (*wanted, "right")


def test_functions_with_points_are_checks_in_their_order_and_what_a_check_says_itself_holds():
    found = about(
        [{"id": "b", "steps": {0.5: 1, 1.0: 4}}, {"id": "more", "points": 1}],
        parts=[{"kind": "functions", "defines": {"a": 2, "B": 3, "c": 1}}],
    )
    assert [(rule.id, rule.points, rule.credit, rule.part) for rule in found.checks] == [
        ("a", 2.0, "share", "functions"),
        ("b", 4.0, "steps", "functions"),
        ("c", 1.0, "share", "functions"),
        ("more", 1.0, "share", "functions"),
    ]
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Exercise)  # as a course that is kept
    assert again == found


def test_limits_follow_from_the_seconds_and_are_small_where_nothing_is_trained():
    rule = [{"id": "a", "points": 1}]
    trained, called = about(rule, seconds=20), about(rule, parts=[{"kind": "functions", "defines": ["a"]}])
    said = about(rule, seconds=20, limits={"cpu_s": 50})
    assert [(one.limits.cpu_s, one.limits.wall_time_s) for one in (trained, called, said)] == [
        (60.0, 240.0),
        (60.0, 240.0),
        (50.0, 1440.0),
    ]
    assert (about(rule).limits.cpu_s, about(rule).limits.wall_time_s) == (360.0, 1440.0)


TEST = {"kind": np.array([0, 1, 2, 2]), "size": np.array([1.0, 2.0, 3.0, 4.0])}
GIVEN = {
    "logits": np.array([[9, 0, 0], [0, 9, 0], [0, 9, 0], [0, 0, 9]], np.float32),
    "guess": np.array([1.05, 2.5, 3.0, 3.0], np.float32),
}


@pytest.mark.parametrize(
    ("check", "kind", "value"),
    [
        ({"metric": "accuracy", "of": "kind"}, "proportion", 0.75),
        ({"metric": "accuracy", "of": "size", "tolerance": 0.1}, "proportion", 0.5),
        ({"metric": "absolute_error", "of": "size", "threshold": 1}, "mean", (0.05 + 0.5 + 0 + 1) / 4),
        ({"metric": "squared_error", "of": "size", "threshold": 1}, "mean", (0.0025 + 0.25 + 0 + 1) / 4),
        (
            {"metric": "cross_entropy", "of": "kind", "threshold": 1},
            "mean",
            (3 * np.log(1 + 2 * np.exp(-9)) + np.log(2 + np.exp(9))) / 4,
        ),
    ],
)
def test_a_metric_is_measured_with_its_interval(check, kind, value):
    exercise = about([{"id": "m", "points": 1, **check}])
    (rule,) = exercise.checks
    found = measured(exercise, rule, TEST, GIVEN, fresh=True)
    assert (found.kind, found.n, found.fresh) == (kind, 4, True)
    assert found.value == pytest.approx(value, rel=1e-6)
    assert rule.direction == ("at_least" if check["metric"] == "accuracy" else "at_most")
    if check["metric"] == "absolute_error":
        assert found.interval == pytest.approx(mean(np.array([0.05, 0.5, 0.0, 1.0])).interval, rel=1e-6)


def test_a_metric_that_could_be_of_several_things_says_which():
    exercise = about([{"id": "m", "metric": "accuracy", "points": 1}])
    with pytest.raises(MetricError, match="expected `of:` with one of: kind, size"):
        measured(exercise, exercise.checks[0], TEST, GIVEN, fresh=True)


def test_texts_of_a_table_are_right_where_they_are_the_same():
    exercise = about(
        [{"id": "m", "metric": "accuracy", "points": 1}],
        parts=[{"kind": "predictions", "file": "p.csv", "columns": ["id", "name"]}],
    )
    found = measured(
        exercise,
        exercise.checks[0],
        {"id": np.array(["a", "b"]), "name": np.array(["ant", "bee"])},
        {"name": np.array(["ant", "ant"])},
        fresh=False,
    )
    assert (found.value, found.fresh) == (0.5, False)


def test_an_exercise_of_files_and_metrics_has_no_grader_and_its_marks_are_of_the_hidden_file(own, tmp_path):
    exercise = load_course(own).exercise("answers")
    assert (exercise.grader, exercise.is_measured) == (None, True)
    shutil.copy(own / "graders/answers/data/answers.csv", tmp_path / "predictions.csv")
    result = grade(exercise, tmp_path / "predictions.csv", Options())
    assert (result.outcome, result.points, result.checks[0].n) == ("pass", 4.0, 60)
    assert len(result.provenance.grader_sha256) == 64
    assert problems_of_graders(load_course(own)) == []


def test_predictions_as_large_as_numbers_get_are_wrong_and_no_warning_is_shown(own, tmp_path):
    file = own / "exercises/answers/exercise.yaml"
    said = file.read_text()
    file.write_text(said.replace("metric: accuracy", "metric: squared_error, threshold: 0.5"))
    assert file.read_text() != said
    header, *rows = (own / "graders/answers/data/answers.csv").read_text().splitlines()
    guesses = [header, *(f"{row.partition(',')[0]},1e308" for row in rows)]
    (tmp_path / "predictions.csv").write_text("\n".join(guesses) + "\n")
    result = grade(load_course(own).exercise("answers"), tmp_path / "predictions.csv", Options())
    assert (result.outcome, result.points) == ("fail", 0.0)
    assert result.checks[0].value > 1e50


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("graders/answers/data/answers.csv", "there is no `make`, and data/answers.csv cannot be read"),
        ("exercises/pictures/data/val.npz", "there is no `make`, and data/val.npz cannot be read"),
        ("graders/pictures/data/test.npz", "there is no `make`, and data/test.npz cannot be read"),
    ],
)
def test_a_file_of_data_that_is_missing_is_named(own, name, said):
    (own / name).rename(own / f"{name}.old")
    assert any(said in one for one in problems_of_graders(load_course(own)))


def test_the_reference_says_what_is_right_and_its_arguments_are_its_own(own):
    (own / "graders/descent.py").write_text(
        "from tlcourse.grading.scoring.calls import call\n"
        "given = [3.0]\n"
        "def cases(seed, data):\n"
        "    yield call('descend', given)\n"
        "    yield call('diverges', given)\n"
    )
    (own / "graders/references/descent.py").write_text(
        "def descend(a):\n    a.append(1.0)\n    yield from a\ndef diverges(a):\n    return len(a) > 1\n"
    )
    cases = Grader(load_course(own).exercise("descent")).cases(1, None)
    assert [(one.check, one.expect) for one in cases] == [("descend", [3.0, 1.0]), ("diverges", False)]


@pytest.mark.slow
def test_functions_of_tensors_are_given_such_and_their_case_is_of_the_first_that_has_a_check(
    own, tmp_path, quick_sandbox
):
    (own / "exercises/descent/exercise.yaml").write_text(
        "id: descent\ntitle: Norms\nsummary: Of tensors.\nparts: [{kind: functions, defines: {norm: 1}}]\n"
    )
    (own / "graders/descent.py").write_text(
        "import numpy as np\nfrom tlcourse.grading.scoring.calls import Ref, call, sequence\n"
        "def cases(seed, data):\n"
        "    x = np.random.default_rng(seed).normal(size=3)\n"
        "    yield sequence(call('torch.as_tensor', x).kept('x'), call('norm', Ref('x')))\n"
    )
    right = "import torch\ndef norm(x):\n    return torch.sqrt((x ** 2).sum())\n"
    (own / "graders/references/descent.py").write_text(right)
    exercise = load_course(own).exercise("descent")
    (made,) = Grader(exercise).cases(5, None)
    assert made.check == "norm"
    assert made.expect[0] == pytest.approx(float(np.linalg.norm(np.random.default_rng(5).normal(size=3))))
    for text, points in ((right, 1.0), (right.replace("torch.sqrt", ""), 0.0)):
        (tmp_path / "solution.py").write_text(text)
        assert grade(exercise, tmp_path / "solution.py", Options(sandbox_kind=quick_sandbox)).points == points


def test_a_reference_that_fails_is_the_graders_fault_and_a_change_of_it_another_grader(own):
    exercise = load_course(own).exercise("descent")
    before, path = Grader(exercise).sha256, own / "graders/references/descent.py"
    path.write_text(path.read_text().replace("path = [w]", "path = [w / 0]"))
    grader = Grader(exercise)
    assert grader.sha256 != before
    with pytest.raises(InfraError, match=r"the reference raised ZeroDivisionError: .*, in a case of `descend`"):
        grader.cases(1, None)
    path.unlink()
    (said,) = (one for one in problems_of_graders(load_course(own)) if "descent" in one)
    assert "`cases` leaves to the reference what is right, expected it in graders/references" in said


def test_a_copy_for_students_grades_with_the_public_seed_and_holds_no_solution(own, tmp_path, tl):
    done = tl("author", "hand-out", str(own), str(tmp_path / "copy"), "--trust-course", "--json", course=None)
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)["written"]
    assert {"exercises/logistic/answers.bin", "exercises/descent/answers.bin"} <= set(kept)
    assert "exercises/sentences/answers.bin" not in kept  # its judges say what is right
    assert not [name for name in kept if "references" in name]
    copy = load_course(tmp_path / "copy")
    assert problems_of_graders(copy) == []
    for name, points in (("logistic", 14.0), ("descent", 4.0)):
        result = grade(copy.exercise(name), own / "graders/references" / f"{name}.py", Options())
        assert (result.outcome, result.points) == ("pass", points)
    with pytest.raises(NoReferenceHereError, match="What is right with seed 7 is not here"):
        Grader(copy.exercise("logistic")).cases(7, None)
    here = [Grader(one.exercise("logistic")).cases(PUBLIC_SEED, None) for one in (copy, load_course(own))]
    assert [len(one) for one in here] == [49, 49]
    assert [one.check for one in here[0]] == [one.check for one in here[1]]
