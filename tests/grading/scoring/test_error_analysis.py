"""What went most wrong on validation items: which items, what is taken for what, how quantiles are calibrated."""

from __future__ import annotations

import base64
import io

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from tlcourse.course.loader import load_course
from tlcourse.grading.grader import Grader
from tlcourse.grading.result import Result, read_result
from tlcourse.grading.scoring.error_analysis import (
    Calibration,
    ConfusionMatrix,
    ErrorAnalysis,
    WorstItem,
    pixels,
    png,
    received,
    worst_items,
)
from tlcourse.grading.scoring.measurement import MeasurementError


def val(name, n):
    grader = Grader(load_course(None).exercises[name])
    data = grader.draw({"train": 2, "val": n, "test": 2}, 5, "mini")
    return grader, {key: data.val[key] for key in ("x", *grader.about.targets)}


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 32, 32), (3, 224, 224), (1, 5, 9)])
def test_a_picture_is_a_small_png_that_every_program_reads(shape):
    given = np.random.default_rng(0).random(shape, np.float32)
    text = png(given)
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))), np.float32).reshape(pixels(text).shape) / 255
    assert max(seen.shape[:2]) <= 64
    assert len(text) <= 12_000
    assert np.allclose(seen, pixels(text), atol=1e-6)
    if max(shape) <= 64:
        assert np.abs(pixels(text).transpose(2, 0, 1) - given).max() < 0.02


def test_the_worst_come_first_and_right_answers_are_left_out():
    found = worst_items(np.array([0.0, 3.0, np.nan, 9.0, -1.0]), lambda one: f"a{one}", lambda one: f"t{one}")
    assert found == [WorstItem(3, "a3", "t3"), WorstItem(1, "a1", "t1")]
    assert len(worst_items(np.arange(50.0), str, str)) == 6


def test_stars_are_shown_with_answer_and_truth_and_which_count_is_taken_for_which():
    grader, given = val("ex2", 40)
    said = np.where(given["count"] == 5, 6, given["count"])
    predictions = {"logits": np.eye(7, dtype=np.float32)[said - 3], "radius": given["radius"] + np.float32(0.25)}
    found = grader.analyse_errors(given, predictions)
    fives = int((given["count"] == 5).sum())
    assert found.confusion.classes == ["3", "4", "5", "6", "7", "8", "9"]
    assert (found.confusion.counts[2][3], found.confusion.counts[2][2], found.n) == (fives, 0, 40)
    worst = found.worst[0]
    assert (worst.answer[:8], worst.truth[:8], given["count"][worst.item]) == ("6 points", "5 points", 5)
    assert worst.truth == f"5 points, {given['radius'][worst.item]:.1f} px"
    assert np.abs(pixels(worst.picture)[:, :, 0] - given["x"][worst.item, 0]).max() < 0.02


def test_insects_are_shown_by_how_sure_the_wrong_answer_was():
    grader, given = val("ex1", 20)
    logits = np.eye(2, dtype=np.float32)[given["label"]] * 4
    logits[7] = (9, 0) if given["label"][7] else (0, 9)
    logits[3] = (0.1, 0) if given["label"][3] else (0, 0.1)
    found = grader.analyse_errors(given, {"logits": logits})
    assert [one.item for one in found.worst] == [7, 3]
    names = ("an ant", "a bee")
    truth = given["label"][7]
    assert (found.worst[0].answer, found.worst[0].truth) == (f"{names[1 - truth]}, 100% sure", names[truth])
    assert found.worst[1].answer.endswith("52% sure")
    assert sum(map(sum, found.confusion.counts)) == 20


def test_quantiles_are_shown_by_how_many_targets_lie_below_each_and_without_pictures():
    grader, given = val("ex3", 200)
    levels = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
    constant = np.quantile(given["y"], levels, axis=0).T[None].repeat(200, 0).astype(np.float32)
    found = grader.analyse_errors(given, {"quantiles": constant})
    assert [one.title for one in found.calibration] == ["gaussian", "skewed", "heavy-tailed", "two-humped"]
    for one in found.calibration:
        assert one.nominal == pytest.approx(levels)
        assert one.observed == pytest.approx(levels, abs=0.02)
    assert found.worst == []


GOOD = ErrorAnalysis(
    9, [WorstItem(0, "a", "b", png(np.zeros((1, 2, 2))))], ConfusionMatrix("C", ["a", "b"], [[4, 1], [0, 4]])
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "is a dict"),
        (replace(GOOD, n=8), "is of n = 8 items, expected 9"),
        (replace(GOOD, worst=GOOD.worst * 7), "has 7 worst items"),
        (replace(GOOD, worst=[WorstItem(9, "a", "b")]), "names the item 9"),
        (replace(GOOD, worst=[WorstItem(0, 1.5, "b")]), "holds other types"),
        (replace(GOOD, worst=[WorstItem(0, "a", "b", "javascript:x")]), "has a picture that `png` did not make"),
        (replace(GOOD, confusion=ConfusionMatrix("C", ["a", "b"], [[4, 1]])), "and as many rows"),
        (replace(GOOD, confusion=ConfusionMatrix("C", ["a", "b"], [[9, 1], [0, 0]])), "of 10 items"),
        (replace(GOOD, confusion=ConfusionMatrix("C", ["a", "b"], [[-1, 1], [0, 0]])), "none below 0"),
        (replace(GOOD, calibration=[Calibration("q", [0.5], [1.5])]), "other numbers than shares"),
        (replace(GOOD, calibration=[Calibration("q", [0.5], [float("nan")])]), "other numbers than shares"),
        (replace(GOOD, calibration=[Calibration("q", [0.5], [])]), "of 1 and 0 points"),
    ],
)
def test_what_a_grader_makes_is_checked_on_receipt(given, said):
    assert received(GOOD, 9) == GOOD
    with pytest.raises(MeasurementError, match=said.replace("(", r"\(")):
        received(given, 9)


def test_its_words_are_harmless_and_short():
    found = received(replace(GOOD, worst=[WorstItem(0, "\x1b[2J" + "a" * 200, "b\nc")]), 9)
    assert (len(found.worst[0].answer), found.worst[0].truth) == (80, "b c")
    assert "\x1b" not in found.worst[0].answer


def test_a_document_holds_it_and_one_without_it_is_read():
    from results import result

    kept = msgspec.json.encode(replace(result(), error_analysis=GOOD))
    assert read_result(kept).error_analysis == GOOD
    old = {key: value for key, value in msgspec.json.decode(kept).items() if key != "error_analysis"}
    assert isinstance(read_result(old), Result)
    assert read_result(old).error_analysis is None
