"""The data of a batch: the very arrays that a single grading would draw, drawn once, in files that nobody can open."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tlcourse.grading.grader import Grader
from tlcourse.grading.shared_data import SharedGrader


def test_shared_data_are_those_of_a_single_grading_bit_by_bit(line, tmp_path):
    shared, single = SharedGrader(line, tmp_path).make(7, "mini"), Grader(line).make(7, "mini")
    assert shared.sha256 == single.sha256
    for part in ("train", "val", "test"):
        for name, array in getattr(single, part).items():
            assert np.array_equal(getattr(shared, part)[name], array)
            assert getattr(shared, part)[name].dtype == array.dtype


def test_threads_that_want_the_same_seed_draw_it_once_and_no_file_is_left_to_be_found(line, tmp_path):
    grader = SharedGrader(line, tmp_path)
    threads = [threading.Thread(target=grader.make, args=(7, "mini")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert grader.drawn == 1
    assert list(tmp_path.iterdir()) == []


def test_only_a_few_seeds_are_kept_and_a_dropped_one_is_drawn_again_alike(line, tmp_path):
    grader = SharedGrader(line, tmp_path, kept=2)
    first = grader.make(1, "mini").sha256
    for seed in (2, 3):
        grader.make(seed, "mini")
    assert grader.make(1, "mini").sha256 == first
    assert grader.drawn == 4


def test_nobody_can_change_what_all_submissions_are_graded_on(line, tmp_path):
    data = SharedGrader(line, tmp_path).make(7, "mini")
    with pytest.raises(ValueError, match="read-only"):
        data.test["y"][0] = 9.0


def test_the_inputs_of_a_seed_are_one_object_for_all_submissions_and_hold_no_labels(line, tmp_path):
    data, single = SharedGrader(line, tmp_path).make(7, "mini"), Grader(line).make(7, "mini")
    first = data.sent.test_inputs
    assert data.sent.test_inputs is first
    assert list(first) == ["x"]
    assert np.array_equal(first["x"], single.sent.test_inputs["x"])
