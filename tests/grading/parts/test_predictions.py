"""A file of predictions is measured, and nothing is run; whatever it holds costs its own points alone."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from safetensors.numpy import save

from tlcourse.course.loader import load_course
from tlcourse.course.parts import ModelPart, PredictionsPart
from tlcourse.errors import SubmissionError
from tlcourse.grading.author_check import problems_of_graders
from tlcourse.grading.grade import Options, grade
from tlcourse.grading.grader import Grader
from tlcourse.grading.parts.predictions import FileError, cap, measured_by, read

COURSE = Path(__file__).parents[2] / "assignments_course"
CSV = PredictionsPart(id="table", file="predictions.csv", columns=("id", "label"))
TRUTH = {"id": np.array(["a", "b", "c"]), "label": np.array([1, 0, 1])}
LABELS = (COURSE / "graders" / "answers" / "data" / "answers.csv").read_text().splitlines()


def test_rows_come_in_any_order_and_as_spreadsheets_write_them():
    assert read(b"id,label\nc,1\na,0.5\nb,1e0\n", CSV, TRUTH)["label"].tolist() == [0.5, 1.0, 1.0]
    assert read("\ufefflabel;id\r\n0,5;a\r\n1;b\r\n1;c\r\n".encode(), CSV, TRUTH)["label"].tolist() == [0.5, 1, 1]
    named = TRUTH | {"label": np.array(["bee", "ant", "bee"])}
    assert read(b"id,label\na,bee\nb,x\nc,1\n", CSV, named)["label"].tolist() == ["bee", "x", "1"]
    assert read(b"id;label\na;bee, or ant\nb;x\nc;1,5\n", CSV, named)["label"].tolist() == ["bee, or ant", "x", "1,5"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"id,label\na,1\n", "lacks the rows with id b, c"),
        (b"id,label\na,1\nb,1\nc,1\nb,0\n", "has more than once with id b"),
        (b"id,label\na,1\nb,1\nc,1\nzz,0\n", "has unknown rows with id zz"),
        (b"id,label\na,1\nb,nan\nc,1\n", "`label` of row 2 is nan, expected a finite number"),
        (b"id,label\na,1\nb,1e999\nc,1\n", "expected a finite number"),
        (b"id,label\na,1\nb\nc,1\n", "line 3 has 1 fields, expected 2"),
        (b"id,y\na,1\n", "its first line names id, y, expected id, label"),
        (b"\xff\xfe", "it is not text in UTF-8"),
        (b"", "it is empty"),
        (b"id,label\na,1\nb," + b"1" * 201 + b"\nc,1\n", "line 3 has a field of more than 200 characters"),
        (b'id,label\n"a,1\n', "it is not a CSV file"),
        (b"id,label\n" + b"".join(b"q%d,1\n" % i for i in range(50)), "lacks the rows"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(data, said):
    with pytest.raises(FileError, match=said):
        read(data, CSV, TRUTH)


def npy(array: np.ndarray, **how: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **how)
    return stream.getvalue()


def test_arrays_are_read_without_opening_a_pickle():
    part = PredictionsPart(id="table", file="p.npy", shape=(2,))
    assert read(npy(np.ones((3, 2), np.float32)), part, TRUTH)["predictions"].shape == (3, 2)
    huge = npy(np.ones((3, 2))).replace(b"(3, 2)", b"(3, 2000000000000)")
    for data, said in (
        (npy(np.array([[{}, 1]] * 3, object), allow_pickle=True), "holds object, expected numbers"),
        (npy(np.ones((2, 2))), r"has shape \(2, 2\), expected \(3, 2\)"),
        (npy(np.full((3, 2), np.nan)), "6 values that are NaN or infinite"),
        (huge, "is not a .npy file|has shape"),
        (npy(np.ones((3, 2)))[:-8], "is not a .npy file of numbers"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "is not a .npy file of numbers"),
    ):
        with pytest.raises(FileError, match=said):
            read(data, part, TRUTH)
    tensors = PredictionsPart(id="table", file="p.safetensors", columns=("y",))
    assert read(save({"y": np.ones(3, np.float32)}), tensors, TRUTH)["y"].tolist() == [1, 1, 1]
    for data in (save({"z": np.ones(3)}), save({"y": np.ones(4)}), b"\xff" * 16, b""):
        with pytest.raises(FileError):
            read(data, tensors, TRUTH)
    assert cap(part, TRUTH) == 65536 + 3 * 2 * 8


def test_a_hand_in_of_a_file_alone_is_graded_and_gets_its_share(tmp_path):
    exercise = load_course(COURSE).exercise("answers")
    assert problems_of_graders(load_course(COURSE)) == []
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join([LABELS[0], *LABELS[:0:-1]]))
    result = grade(exercise, path, Options())
    assert (result.outcome, result.points, result.runs) == ("pass", 4.0, [])
    half = [row if i % 2 else row[:-1] + "7" for i, row in enumerate(LABELS[1:])]
    path.write_text("\n".join([LABELS[0], *half]))
    assert grade(exercise, tmp_path, Options()).points == 2.0
    path.write_text("\n".join(LABELS[:-2]))
    lacking = grade(exercise, path, Options())
    assert (lacking.outcome, lacking.points) == ("invalid", 0.0)
    assert lacking.messages == ["predictions.csv: it lacks the rows with id p058, p059."]
    path.write_bytes(b"x" * 10**6)
    assert "it takes 1000000 bytes, at most" in grade(exercise, path, Options()).messages[0]
    (tmp_path / "other").mkdir()
    with pytest.raises(SubmissionError):
        grade(exercise, tmp_path / "other", Options())


def test_beside_a_model_tables_have_a_measurement_of_their_own(tmp_path):
    own = Path(shutil.copytree(COURSE, tmp_path / "course"))
    grader = Grader(load_course(own).exercise("answers"))
    truth, found = {"y": np.ones(2)}, {"y": np.zeros(2)}
    asked = []
    grader.measured_by = lambda name, rules, *given: asked.append((name, len(given))) or {}  # type: ignore[method-assign]
    measured_by(grader, [], truth, found)
    grader.about = replace(grader.about, parts=(*grader.about.parts, ModelPart("network")))
    measured_by(grader, [], truth, found)
    assert asked == [("measure", 3), ("measure_predictions", 2)]


def test_a_students_copy_scores_nothing_and_a_grader_that_fails_is_found(tmp_path):
    own = Path(shutil.copytree(COURSE, tmp_path / "course"))
    about = own / "exercises" / "answers" / "exercise.yaml"
    about.write_text(about.read_text().replace("metric: accuracy, ", ""))
    (own / "graders" / "answers.py").write_text(
        "from tlcourse.grading.scoring.measurement import exact\n"
        "def measure(test, predictions, probes):\n"
        "    assert predictions['label'].mean() != 1\n"
        "    return {'right': exact((predictions['label'] == test['label']).mean())}\n"
    )
    (problem,) = problems_of_graders(load_course(own))
    assert "`measure` raised AssertionError" in problem
    assert "(predictions: all 1), expected a measurement of all finite ones" in problem
    shutil.rmtree(own / "graders" / "answers")
    (tmp_path / "predictions.csv").write_text("id,label\n")
    result = grade(load_course(own).exercise("answers"), tmp_path / "predictions.csv", Options())
    assert (result.outcome, result.checks) == ("ran", [])
    assert "the hidden data stay with the staff" in result.messages[0]


@pytest.mark.slow
def test_a_class_of_files_is_graded_without_a_run(tmp_path, tl):
    for number in range(40):
        folder = tmp_path / "handins" / f"s{number:02d}"
        folder.mkdir(parents=True)
        (folder / "predictions.csv").write_text("\n".join(LABELS if number else LABELS[:9]))
    where = ["--gradebook", str(tmp_path / "g.sqlite"), "--out", str(tmp_path / "out"), "--json"]
    done = tl("batch", "answers", str(tmp_path / "handins"), *where, course=COURSE)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert "39" in json.dumps(document)
    assert len(list((tmp_path / "out" / "feedback").iterdir())) == 40


def test_a_report_alone_is_a_hand_in_where_people_mark_all_of_it(tmp_path):
    own = Path(shutil.copytree(COURSE, tmp_path / "course"))
    about = own / "exercises" / "answers" / "exercise.yaml"
    about.write_text(
        "id: answers\ntitle: A report\nsummary: Write one.\nparts:\n  - id: report\n    kind: manual\n"
        "    files: [report.pdf]\n    rubric: [{id: figures, text: Figures, points: 3}]\n"
    )
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    result = grade(load_course(own).exercise("answers"), tmp_path / "report.pdf", Options())
    assert (result.outcome, result.points, result.max_points, result.checks) == ("ran", 0.0, 0.0, [])
    assert [(part.id, part.points, part.max_points) for part in result.parts] == [("report", None, 3.0)]
    with pytest.raises(SubmissionError):
        grade(load_course(own).exercise("answers"), own / "exercises" / "answers" / "hints.md", Options())
