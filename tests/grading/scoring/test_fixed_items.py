"""Where the items are the same in every run, such as 153 photographs: more runs leave the doubt as it is."""

from __future__ import annotations

import pytest

from tlcourse.course.check_rule import CheckRule
from tlcourse.grading.scoring.decide import accepted, decide, few_items
from tlcourse.grading.scoring.measurement import exact, pooled, proportion

ACCURACY = CheckRule(id="accuracy", title="Accuracy", threshold=0.94, points=6)


def photographs(right: int):
    return proportion(right, 153, "Nearly.", fresh=False)


def test_pooled_runs_keep_the_number_of_items_and_give_the_mean():
    together = pooled([photographs(135), photographs(136), photographs(136)], larger_is_better=True)
    assert together.n == 153
    assert together.value == pytest.approx((135 + 136 + 136) / 3 / 153)
    assert not together.fresh


def test_drawn_items_are_new_in_every_run_and_add_up():
    together = pooled([proportion(135, 153), proportion(136, 153)], larger_is_better=True)
    assert together.n == 306


def test_the_bar_does_not_rise_with_further_runs():
    limit = round(accepted(ACCURACY, photographs(153)) * 153)
    (check,) = decide([ACCURACY], [{"accuracy": photographs(limit)}] * 3)
    assert check.passed
    (check,) = decide([ACCURACY], [{"accuracy": photographs(limit - 1)}] * 3)
    assert not check.passed


def test_the_verdict_says_that_the_items_are_few_and_what_follows():
    (said,) = few_items([ACCURACY], {"accuracy": photographs(150)})
    assert said == (
        "Accuracy: 153 items are few, and no run has others. The doubt is yours: 0.8889 suffices. "
        "So a model 2 points below the bar passes, too, with a probability of 94%."
    )


def test_a_bar_to_stay_below_is_as_weak_as_its_mirror_image():
    missed = CheckRule(id="missed", title="Missed", threshold=0.06, points=6, direction="at_most")
    (said,) = few_items([missed], {"missed": proportion(3, 153, fresh=False)})
    assert "0.1111 suffices" in said
    assert said.endswith("with a probability of 94%.")


def test_enough_items_new_ones_and_exact_values_need_no_words():
    for found in (proportion(5700, 6000, fresh=False), proportion(150, 153), exact(1.0)):
        assert few_items([ACCURACY], {"accuracy": found}) == []
