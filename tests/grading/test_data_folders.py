"""Files of an exercise: `exercises/NAME/data` travels to students, `graders/NAME/data` never does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

import tlcourse
from tlcourse.course import trust
from tlcourse.course.exercise import packages, require_hidden_data, require_packages
from tlcourse.course.hand_out import leaks, travelling
from tlcourse.course.loader import load_course
from tlcourse.course.packages import missing
from tlcourse.course.spec import Package
from tlcourse.data import choose_variant, public_arrays
from tlcourse.data.synthetic import example
from tlcourse.errors import ContentError, InfraError, UnableError
from tlcourse.grading.author_check import problems_of_graders
from tlcourse.grading.grade import PUBLIC_SEED, Options, grade
from tlcourse.grading.grader import Grader, write_practice
from tlcourse.grading.result import read_result

COURSE = Path(__file__).parents[1] / "assignments_course"
LOOKS = """
import pathlib
import torch

def fit(task):
    assert sorted(path.name for path in task.data.iterdir()) == ["train.npz", "val.npz"]
    try:
        (task.data / "train.npz").write_bytes(b"")
        raise AssertionError("it can be written to")
    except OSError:
        pass
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
"""

GRADER = """
from tlcourse.grading.scoring.measurement import proportion

from .reading import pictures


def make(sizes, seed, variant, data):
    train, val = (pictures(data.public / f"{name}.npz", sizes[name]) for name in ("train", "val"))
    test = pictures(data.hidden / "test.npz", sizes["test"]) if data.hidden else None
    return train, val, test


def measure(test, predictions, probes):
    right = int((predictions["logits"].argmax(1) == test["label"]).sum())
    return {"right": proportion(right, len(test["label"]), "Let it see where stripes begin.", fresh=False)}
"""
READING = """
import numpy as np

def pictures(path, size):
    with np.load(path) as file:
        return {name: file[name][:size] for name in ("x", "label")}
"""


def with_grader(course: Path) -> Path:
    """The exercise of files with a grader of its own in the place of a metric; returns that."""
    about = course / "exercises" / "pictures" / "exercise.yaml"
    about.write_text(about.read_text().replace("metric: accuracy, ", "") + "sizes: {train: 500, val: 100, test: 400}\n")
    (course / "graders" / "reading.py").write_text(READING)
    (course / "graders" / "pictures.py").write_text(GRADER)
    return course / "graders" / "pictures.py"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The course, to be changed."""
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


@pytest.fixture
def students(own: Path) -> Path:
    """What students have of it."""
    write_practice(own, own, PUBLIC_SEED)
    shutil.rmtree(own / "graders" / "pictures")
    shutil.rmtree(own / "graders" / "references")
    shutil.rmtree(own / "graders" / "wrong")
    return own


def graded(course: Path, tmp_path: Path):
    (tmp_path / "solution.py").write_text(LOOKS)
    return grade(load_course(course).exercise("pictures"), tmp_path / "solution.py", Options(threads=1))


@pytest.mark.slow
def test_a_solution_reads_public_files_and_hidden_ones_are_what_it_is_measured_on(tmp_path):
    result = graded(COURSE, tmp_path)
    assert result.outcome == "fail", result.messages
    assert (result.checks[0].title, result.checks[0].n) == ("Share of hidden pictures named right", 400)
    made = result.provenance
    assert (len(made.public_files_sha256), len(made.hidden_files_sha256), made.on_validation) == (64, 64, False)
    assert dict(result.checks[0].steps) == {0.5: 2.0, 0.75: 4.0, 0.85: 6.0}
    board = result.validation
    assert board and (board.check, board.n, round(board.value * 100) / 100) == ("right", 100, board.value)
    assert board.interval[0] < board.value < board.interval[1]
    said = f"right on 100 validation items: {board.value:.3g} (95 %: "
    assert result.messages[0].startswith(said)
    assert result.messages[0].endswith("A board goes by that, and no mark.")
    assert read_result(msgspec.json.encode(result)) == result  # as a gradebook keeps it
    assert problems_of_graders(load_course(COURSE)) == []


@pytest.mark.slow
def test_in_a_students_copy_the_verdict_says_that_validation_data_were_measured_on(students, tmp_path):
    result = graded(students, tmp_path)
    assert (result.checks[0].title, result.checks[0].n) == ("Share of validation pictures named right", 100)
    assert result.messages[-1].startswith("Measured on validation data: the hidden data of this exercise stay with")
    assert (result.provenance.hidden_files_sha256, result.provenance.on_validation) == ("", True)
    assert problems_of_graders(load_course(students)) == []


@pytest.mark.slow
def test_a_board_goes_by_what_can_be_measured_on_validation_items(own, tmp_path):
    grader, about = with_grader(own), own / "exercises" / "pictures" / "exercise.yaml"
    kept = about.read_text()
    about.write_text(kept.replace("board: right", "board: wrong"))
    with pytest.raises(ContentError, match="the board goes by `wrong`, expected one of: right"):
        load_course(own)
    about.write_text(kept)
    changed = grader.read_text().replace('== test["label"]', '== test["truth"]')
    added = "    if test is not None:\n        test['truth'] = test['label']\n    return train, val, test"
    grader.write_text(changed.replace("    return train, val, test", added))
    (problem,) = problems_of_graders(load_course(own))
    assert "(board, predictions: all 0), expected to measure validation items" in problem
    result = graded(own, tmp_path)
    assert (result.outcome, result.validation, result.checks[0].n) == ("fail", None, 400)


def test_a_class_is_not_graded_without_the_hidden_files(students, tmp_path, tl):
    with pytest.raises(UnableError, match="The hidden data of pictures are not here"):
        require_hidden_data(load_course(students).exercise("pictures"))
    (tmp_path / "handins" / "ann").mkdir(parents=True)
    (tmp_path / "handins" / "ann" / "solution.py").write_text(LOOKS)
    where = ["--gradebook", str(tmp_path / "g.sqlite"), "--out", str(tmp_path / "out")]
    done = tl("batch", "pictures", str(tmp_path / "handins"), *where, course=students)
    assert done.returncode == 3
    assert "there is no folder graders/pictures/data" in done.stderr


def test_hidden_files_that_the_exercise_does_not_mention_are_found(own):
    path = own / "exercises" / "pictures" / "exercise.yaml"
    path.write_text(path.read_text().replace("hidden_data: true\n", ""))
    (problem,) = problems_of_graders(load_course(own))
    assert problem == f"{path}:1: pictures has hidden data and does not say so, expected `hidden_data: true`"


def test_a_task_of_ones_own_course_has_its_data_without_a_grading(students, monkeypatch):
    task = tlcourse.Task.local("pictures", course=students, device="cpu")
    assert (len(task.train), len(task.val), tuple(task.train[0][0].shape)) == (500, 100, (1, 8, 8))
    assert task.data == students / "exercises" / "pictures" / "data"
    monkeypatch.chdir(students / "exercises")  # a solution that lies in the course need not name it
    assert len(tlcourse.Task.local("pictures", device="cpu").train) == 500


def test_a_generator_and_real_data_of_ones_own_need_no_grader(own):
    folder = own / "exercises" / "pictures"
    shutil.rmtree(own / "graders")
    assert trust.owners(own) == []
    (folder / "stripes.py").write_text(
        "import numpy as np\nfrom tlcourse.data.synthetic import Example\n"
        "def make(n, seed):\n    return {'x': np.full((n, 2), seed % 7, np.float32), 'label': np.zeros(n, np.int64)}\n"
        "def example(number):\n    return Example(number, {'label': 0}, 'rows', 'Stripes run along rows.')\n"
    )
    (folder / "photos.py").write_text(
        "from .stripes import make as drawn\n"
        "def available():\n    return True\n"
        "def make(seed):\n    return tuple(drawn(n, seed) for n in (3, 2, 1))\n"
    )
    about = folder / "exercise.yaml"
    about.write_text(about.read_text() + "sizes: {train: 500, val: 100, test: 400}\ngenerator: stripes\nreal: photos\n")
    exercise = load_course(own).exercise("pictures")
    train, val = public_arrays(exercise, "mini", 1)
    assert (train["x"].shape, val["x"].shape) == ((500, 2), (100, 2))
    assert example(exercise.generator, 4).sentence == "Stripes run along rows."
    assert choose_variant(exercise, "auto") == "full"
    assert public_arrays(exercise, "full", 1)[0]["x"].shape == (3, 2)
    assert trust.owners(own) != []  # they run as whoever grades


def test_graders_import_files_beside_them_and_never_those_of_another_course(own):
    path = with_grader(own)
    first = Grader(load_course(own).exercise("pictures"))
    (own / "graders" / "reading.py").write_text(
        "def pictures(path, _):\n    raise OSError(f'{path.name} is changed')\n"
    )
    second = Grader(load_course(own).exercise("pictures"))
    assert first.sha256 != second.sha256  # what is beside it is part of it
    assert len(first.make(1, "mini").test["label"]) == 400
    with pytest.raises(InfraError, match=r"`make` raised OSError: train\.npz is changed"):
        second.make(1, "mini")
    path.write_text(path.read_text().replace("from .reading", "from reading"))
    with pytest.raises(InfraError, match=r"reading\.py lies beside it: write `from \. import reading`"):
        Grader(load_course(own).exercise("pictures"))


@pytest.mark.slow
def test_packages_are_promised_by_either_name_and_with_versions(own, tl, tmp_path):
    assert missing(["numpy", "numpy>=1.20,<99", "scikit-learn", "sklearn>=0.1", "json", "safetensors~=0.1"]) == []
    (said,) = missing(["numpy<1.20"])
    assert said.startswith("numpy<1.20 (2.")
    assert missing(["not-there-at-all>=1", "json>=2"]) == ["not-there-at-all>=1", "json>=2 (its version is not known)"]
    about = load_course(own).exercise("pictures").about
    assert packages(msgspec.structs.replace(about, packages=("scikit-learn>=1.4", "not-there")))[-2:] == (
        "sklearn",
        "not_there",
    )
    for good in ("sklearn", "scikit-learn>=1.4", "scikit-learn >= 1.4, < 2"):
        msgspec.convert(good, Package)
    for bad in ("", "scikit learn", "torch=2", "torch>=", "-r x", "torch>=2,", "torch @ http://x"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, Package)
    path = own / "exercises" / "pictures" / "exercise.yaml"
    path.write_text(path.read_text() + "packages: [numpy>=99]\n")
    with pytest.raises(UnableError, match=r"pictures promises packages that are not installed here: numpy>=99 \("):
        require_packages(load_course(own).exercise("pictures").about)
    begun = tl("init", "pictures", str(tmp_path / "mine"), "--json", course=own)
    assert begun.returncode == 3
    document = json.loads(begun.stdout)
    assert document["missing_packages"][0].startswith("numpy>=99")
    assert document["data"] == str(own / "exercises" / "pictures" / "data")


def test_students_are_handed_a_copy_that_holds_nothing_of_the_hidden_side(own, tmp_path, tl):
    with_grader(own)
    (own / "marks.sqlite").write_text("marks")
    (own / "exercises" / "pictures" / "solution.py").write_text("mine")
    done = tl("author", "hand-out", str(own), str(tmp_path / "copy"), "--trust-course", "--json", course=None)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["problems"] == []
    kept = set(document["written"])
    assert {"graders/pictures.py", "graders/reading.py", "exercises/pictures/data/train.npz"} <= kept
    assert "exercises/pictures/starter.ipynb" in kept
    assert not [name for name in kept if "references" in name or "wrong" in name or "solution" in name]
    assert {"marks.sqlite", "graders/pictures", "graders/references", "graders/wrong"} <= set(document["left_out"])
    again = tl("author", "hand-out", str(own), str(tmp_path / "copy"), "--trust-course", course=None)
    assert (again.returncode, "holds something already" in again.stderr) == (2, True)


def test_what_students_would_get_of_the_hidden_side_is_found(own, own_home):
    assert list(leaks(own, travelling(own))) == []
    data = own / "exercises" / "pictures" / "data"
    hidden = own / "graders" / "pictures" / "data" / "test.npz"
    with np.load(hidden) as file:
        np.savez_compressed(data / "more.npz", x=file["x"][:50], label=file["label"][:50])
    shutil.copy(hidden, data / "kaggle.npz")
    reference = (own / "graders" / "references" / "pictures.py").read_text()
    (own / "lessons").mkdir()
    (own / "lessons" / "notes.md").write_text(f"```python\n{reference}```\n")
    (own_home / "secret").write_text("0123456789abcdef\n")
    (own / "README.md").write_text("our key: 0123456789abcdef")
    found = "\n".join(leaks(own, travelling(own) | {"graders/wrong/x.py": data / "train.npz"}))
    assert "data/kaggle.npz is the same file as graders/pictures/data/test.npz" in found
    assert "data/more.npz holds 50 of 400 different items of graders/pictures/data/test.npz" in found
    assert "lessons/notes.md holds the whole of graders/references/pictures.py" in found
    assert "README.md holds your secret" in found
    assert "graders/wrong/x.py is the staff's" in found
