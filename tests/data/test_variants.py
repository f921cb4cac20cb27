"""Which data an exercise is made on."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tlcourse import paths
from tlcourse.course.loader import load_course
from tlcourse.data import choose_variant, public_arrays
from tlcourse.errors import UnableError, UsageError


@pytest.fixture(scope="module")
def exercises():
    return load_course().exercises


def test_auto_is_mini_until_photographs_and_weights_are_here(exercises, photographs, monkeypatch):
    assert choose_variant(exercises["ex1"], "auto") == "mini"
    monkeypatch.setenv("TLCOURSE_DATA", str(photographs.parent))
    assert choose_variant(exercises["ex1"], "auto") == "mini"
    (paths.own_real_data() / "pretrained").mkdir(parents=True)
    (paths.own_real_data() / "pretrained" / "resnet18-f37072fd.pth").touch()
    assert choose_variant(exercises["ex1"], "auto") == "full"
    assert choose_variant(exercises["ex1"], "mini") == "mini"
    assert choose_variant(exercises["ex2"], "auto") == "mini"


def test_full_data_that_an_exercise_does_not_have_or_that_are_not_here_are_said(exercises):
    with pytest.raises(UsageError, match="ex2 has no full variant"):
        choose_variant(exercises["ex2"], "full")
    with pytest.raises(UnableError, match="not on this machine"):
        public_arrays(exercises["ex1"], choose_variant(exercises["ex1"], "full"), 0)
    with pytest.raises(UsageError, match="no variant 'huge'"):
        choose_variant(exercises["ex1"], "huge")
    with pytest.raises(UsageError, match="no real data 'wasps'"):
        choose_variant(replace(exercises["ex1"], about=replace(exercises["ex1"].about, real="wasps")), "auto")


def test_public_data_hold_no_test_set_and_are_those_of_a_graded_run(exercises):
    from tlcourse.grading.grader import Grader
    from tlcourse.grading.run_data import public_data

    loaded = load_course().exercises["ex1"]
    small = replace(loaded, about=replace(loaded.about, sizes={"train": 8, "val": 4, "test": 4}))
    public, graded = public_data(small, 5, "mini"), Grader(small).make(5, "mini")
    assert public.test == {}
    assert public.train["x"].tobytes() == graded.train["x"].tobytes()
    assert public.val["x"].tobytes() == graded.val["x"].tobytes()
