"""What went most wrong in a class: shown of validation items, while no test item is in a file that a batch writes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tlcourse.course.loader import load_course
from tlcourse.execution.arrays import order_of, pack
from tlcourse.execution.spec import RunReport, Usage
from tlcourse.grading.author_check import problems_of_graders
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.grader import Grader
from tlcourse.grading.scoring.error_analysis import png
from tlcourse.grading.secret import seed_from
from tlcourse.presenting.report.report_files import write_all

GRADER = '''
"""Pictures of 8 by 8 pixels: y is how light one is, z how light its first line."""
import numpy as np
from tlcourse.data.synthetic import split_seeds
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis, confusion_matrix, worst_items
from tlcourse.grading.scoring.measurement import mean


def make(sizes, seed, variant):
    splits = []
    for name, one in zip(("train", "val", "test"), split_seeds(seed), strict=True):
        x = np.random.default_rng(one).random((sizes[name], 1, 8, 8), np.float32)
        splits.append({"x": x, "y": x.mean((1, 2, 3)), "z": x[:, 0, 0].mean(1)})
    return splits


def measure(test, predictions, probes):
    return {f"{name}_error": mean(np.abs(predictions[name] - test[name]), "Off.") for name in ("y", "z")}


def analyse_errors(val, predictions):
    off = np.abs(predictions["y"] - val["y"])
    light, said = val["y"] > 0.5, predictions["y"] > 0.5
    return ErrorAnalysis(
        len(off),
        worst_items(off, lambda i: f"{predictions['y'][i]:.5g}", lambda i: f"{val['y'][i]:.5g}", val["x"]),
        confusion_matrix("Light", ["dark", "light"], light.astype(int), said.astype(int)),
    )
'''


@pytest.fixture
def course(tmp_path):
    """The example course, with pictures and an analysis of errors."""
    folder = tmp_path / "course"
    shutil.copytree(Path(__file__).parents[2] / "example_course", folder)
    (folder / "graders" / "line.py").write_text(GRADER)
    return folder


def tells_all(job, tell):
    """A worker of somebody who tells all that they saw: as predictions, as a graph, in the log, as probes."""
    seen = job.test_inputs["x"][order_of(job.order_seed, len(job.test_inputs["x"]))]
    nothing = np.zeros(job.task_spec.val_predictions, np.float32)
    return RunReport(
        "done",
        "",
        "quick",
        Usage(0.02, 0.01, 100.0, 0.01),
        log="\n".join(png(one) for one in seen[:3]),
        results=pack({"y": seen[:, 0, 7, 7], "z": seen[:, 0, 0].mean(1)}),
        graph=pack({"x": seen}),
        val_predictions=pack({"y": nothing, "z": nothing}),
        probes={"seen": float(seen[0].sum())},
        device="cpu",
        torch="0",
    )


def test_no_test_item_is_in_any_file_that_a_batch_writes_for_students(
    course, class_of, graded, quick, book_path, tmp_path
):
    assert problems_of_graders(load_course(course)) == []
    graded(class_of(anna="tells", bo="tells"), course, runner=tells_all)
    exercise = load_course(course).exercises["line"]
    seed = seed_from("line", quick.SECRET, None)
    data = Grader(exercise).make(seed.value, "mini")
    with Gradebook.reading(book_path) as book:
        (record,) = book.batches()
        result = book.document(next(iter(book.verdicts(record.id).values())).id)
        write_all(book, record, exercise, tmp_path / "out")
    assert [one.item for one in result.error_analysis.worst] == np.argsort(-data.val["y"])[:6].tolist()
    shutil.rmtree(book_path.parent)
    for file in (tmp_path / "out").glob("**/*.zip"):
        shutil.unpack_archive(file, file.with_suffix(".unpacked"))
    files = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    pages = [text for file, text in files.items() if file.name == "feedback.html"]
    assert len(pages) == 4  # two hand-ins, in folders and in a ZIP
    test = data.test["x"]
    hidden = [png(one).encode() for one in test] + [one.tobytes() for one in test]
    hidden += [f"{value:.5g}".encode() for value in (*data.test["y"], *test[:, 0, 7, 7])]
    for file, text in files.items():
        assert not [one for one in hidden if one in text], file
    shown = {found.decode() for text in pages for found in re.findall(rb"base64,([A-Za-z0-9+/=]+)", text)}
    assert shown == {png(data.val["x"][one.item]) for one in result.error_analysis.worst}
