"""Checks decided: the doubt is the student's, a near miss is looked at again, and order does not matter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from msgspec import structs

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.model import Policy
from tlcourse.grading.result import CheckResult
from tlcourse.grading.scoring.decide import accepted, bars, decide, is_near_miss
from tlcourse.grading.scoring.measurement import Measurement, exact, mean, pooled, proportion, wilson
from tlcourse.grading.scoring.operating_characteristic import (
    CLEAR,
    accepted_failures,
    accepted_successes,
    upper_quantile,
)
from tlcourse.presenting.verdict import advice

ACCURACY = CheckRule(id="accuracy", title="Accuracy", threshold=0.95, points=5)
ERROR = CheckRule(id="error", title="Error", threshold=1.0, points=3, direction="at_most", unit="px")
LIMIT = accepted_successes(4000, 0.95)
CLEARLY = accepted_successes(4000, 0.95, CLEAR)
SHARED = CheckRule(id="shared", title="Shared", threshold=0.5, points=2)
LEAKED = CheckRule(id="leaked", title="Leaked", threshold=0.1, points=1, direction="at_most")
MISSED = CheckRule(id="missed", title="Missed stars", threshold=0.05, points=5, direction="at_most")
SCORE = CheckRule(id="score", title="Score", threshold=2.0, points=3, unit="px")
Z = upper_quantile(0.01)


def errors(value: float, n: int = 4000) -> np.ndarray:
    return np.linspace(0, 2, n) * value


def test_a_value_at_the_bar_passes_and_says_what_suffices():
    (check,) = decide([ACCURACY], [{"accuracy": proportion(3800, 4000)}])
    assert check.passed
    assert check.points == 5
    assert check.threshold == 0.95
    assert 0.94 < check.accepted < 0.945


def test_a_value_that_chance_explains_passes_and_one_that_it_does_not_fails_with_its_message():
    assert accepted(ACCURACY, proportion(3800, 4000)) == LIMIT / 4000
    (just,) = decide([ACCURACY], [{"accuracy": proportion(LIMIT, 4000)}])
    (below,) = decide([ACCURACY], [{"accuracy": proportion(LIMIT - 1, 4000, "Look at 8 and 9.")}])
    assert just.passed
    assert just.message == ""
    assert not below.passed
    assert below.points == 0
    assert below.message == "Look at 8 and 9."


def test_a_check_that_is_made_of_probes_says_so_and_no_other_one_does():
    found = {"shared": exact(0.9, self_reported=True), "leaked": exact(0.0)}
    assert [check.self_reported for check in decide([SHARED, LEAKED], [found])] == [True, False]


def test_a_mean_gets_the_doubt_of_its_standard_error():
    near = mean(errors(1.02))
    assert near.value > 1.0
    (check,) = decide([ERROR], [{"error": near}])
    assert check.passed
    (check,) = decide([ERROR], [{"error": mean(errors(1.2), "Too large.")}])
    assert not check.passed


def test_a_pass_in_doubt_earns_all_points_and_no_message():
    found = proportion(LIMIT, 4000, "Try harder.")
    assert decide([ACCURACY], [{"accuracy": found}]) == [
        CheckResult(
            id="accuracy",
            title="Accuracy",
            passed=True,
            value=LIMIT / 4000,
            interval=wilson(LIMIT, 4000),
            threshold=0.95,
            accepted=LIMIT / 4000,
            n=4000,
            points=5,
            max_points=5,
            direction="at_least",
            unit="",
            message="",
            status="in doubt",
        )
    ]


def test_a_miss_earns_nothing_and_keeps_the_unit_and_what_to_do():
    (check,) = decide([ERROR], [{"error": mean(errors(1.2), "Too large.")}])
    assert (check.points, check.max_points, check.status, check.message) == (0, 3, "missed", "Too large.")
    assert (check.direction, check.unit, check.value) == ("at_most", "px", pytest.approx(1.2))


def test_a_miss_names_where_it_is_taught_by_commands_or_on_the_screen_by_names_and_a_pass_does_not():
    rule = structs.replace(ERROR, taught=("losses#on-one-scale", "lab/pinball", "write/lora"))
    (missed,), (met,) = (decide([rule], [{"error": mean(errors(size), "Too large.")}]) for size in (1.2, 0.1))
    assert (missed.message, missed.taught) == ("Too large.", ["losses#on-one-scale", "lab/pinball", "write/lora"])
    assert advice(missed) == (
        "Too large. More on this: tlcourse lesson show losses#on-one-scale, tlcourse lab run pinball, "
        "tlcourse write show lora."
    )
    assert advice(missed, on_screen=True) == (
        "Too large. More on this: the lesson losses, on one scale; the lab pinball; the method lora."
    )
    assert (met.message, met.taught, advice(met)) == ("", [], "")


def test_of_a_share_that_must_be_small_as_many_failures_are_accepted_as_chance_explains():
    most = accepted_failures(4000, 0.05)
    assert most == 4000 - accepted_successes(4000, 0.95)  # the same rule, seen from the other side
    assert most > 200  # the bar itself is 200 of 4000
    assert accepted(MISSED, proportion(0, 4000)) == most / 4000
    strict = Policy(doubt=0.2, clear=0.001)
    assert 200 <= accepted_failures(4000, 0.05, 0.2) < most
    checks = [
        decide([MISSED], [{"missed": proportion(k, 4000)}], policy)[0]
        for k, policy in ((200, Policy()), (most, Policy()), (most + 1, Policy()), (most, strict))
    ]
    assert [(check.status, check.points) for check in checks] == [
        ("met", 5),
        ("in doubt", 5),
        ("missed", 0),
        ("missed", 0),
    ]


def test_the_doubt_of_a_mean_lies_below_a_bar_to_reach_and_above_a_bar_to_keep():
    found = mean(errors(1.99))
    assert found.value == pytest.approx(1.99)
    assert accepted(SCORE, found) == pytest.approx(2.0 - Z * found.standard_error)
    assert decide([SCORE], [{"score": found}])[0].status == "in doubt"
    assert decide([SCORE], [{"score": mean(errors(1.8))}])[0].status == "missed"
    above = mean(errors(1.01))
    assert accepted(ERROR, above) == pytest.approx(1.0 + Z * above.standard_error)
    assert decide([ERROR], [{"error": above}])[0].status == "in doubt"


def test_the_policy_moves_the_doubt_of_a_mean():
    found = mean(errors(1.0))
    assert accepted(ERROR, found, 0.2) == pytest.approx(1.0 + upper_quantile(0.2) * found.standard_error)
    check = decide([ERROR], [{"error": found}], Policy(doubt=0.2, clear=0.1))[0]
    assert check.accepted == accepted(ERROR, found, 0.2)


@pytest.mark.parametrize("rule", [ERROR, SCORE], ids=["at_most", "at_least"])
def test_doubt_is_capped_at_twice_the_std_of_the_rule(rule):
    wild = mean(np.abs(np.random.default_rng(0).standard_cauchy(4000)))
    usual = rule.threshold / 4000**0.5
    assert wild.standard_error > 3 * usual
    assert abs(accepted(rule, wild) - rule.threshold) == pytest.approx(Z * 2 * usual)


def test_the_cap_of_one_item_is_that_of_one_item():
    one = Measurement(1.0, 1, (-4.0, 6.0), kind="mean")
    assert accepted(ERROR, one) == pytest.approx(1.0 + Z * 2.0)
    assert accepted(ERROR, Measurement(1.0, 0, (-4.0, 6.0), kind="mean")) == pytest.approx(1.0 + Z * 2.0)


def test_a_bar_at_zero_has_no_usual_std_and_keeps_the_whole_doubt():
    found = mean(errors(1.0) - 1.0)
    bar = CheckRule(id="gain", title="Gain", threshold=0.0, points=1)
    assert accepted(bar, found) == pytest.approx(-Z * found.standard_error)


def test_no_items_move_no_bar_and_one_item_leaves_all_doubt():
    assert accepted(ACCURACY, proportion(0, 0)) == 0.95
    assert accepted(ACCURACY, proportion(1, 1)) == 0.0  # a model at the bar fails one item with 5 %, above 1 %


@pytest.mark.parametrize(
    ("rule", "met", "missed"), [(SHARED, 0.5, 0.499), (LEAKED, 0.1, 0.101)], ids=["at_least", "at_most"]
)
def test_an_exact_value_at_the_bar_meets_it(rule, met, missed):
    checks = [decide([rule], [{rule.id: exact(value)}])[0] for value in (met, missed)]
    assert [(check.status, check.points) for check in checks] == [("met", rule.points), ("missed", 0)]


def test_of_exact_values_the_worst_run_counts_on_either_side():
    (leaked,) = decide([LEAKED], [{"leaked": exact(0.05)}, {"leaked": exact(0.2)}])
    assert (leaked.value, leaked.passed, leaked.points) == (0.2, False, 0)
    (shared,) = decide([SHARED], [{"shared": exact(0.4)}, {"shared": exact(0.9)}])
    assert (shared.value, shared.passed, shared.points) == (0.4, False, 0)


def test_an_exact_value_gets_no_doubt():
    (check,) = decide([SHARED], [{"shared": exact(0.4999)}])
    assert not check.passed
    assert check.accepted == 0.5


@pytest.mark.parametrize(
    ("successes", "near"), [(LIMIT, False), (LIMIT - 1, True), (CLEARLY, True), (CLEARLY - 1, False), (3700, False)]
)
def test_only_a_miss_that_is_not_clear_is_a_near_miss(successes, near):
    assert is_near_miss([ACCURACY], {"accuracy": proportion(successes, 4000)}) is near


def test_a_near_miss_beside_a_clear_one_is_not_worth_another_run():
    run = {"accuracy": proportion(3760, 4000), "shared": exact(0.1)}
    assert is_near_miss([ACCURACY], run)
    assert not is_near_miss([ACCURACY, SHARED], run)


def test_runs_are_decided_on_together_whatever_their_order():
    runs = [
        {"accuracy": proportion(k, 4000), "error": mean(errors(v)), "shared": exact(s)}
        for k, v, s in ((3760, 0.9, 0.9), (3850, 1.1, 0.8), (3700, 1.0, 0.7))
    ]
    results = [decide([ACCURACY, ERROR, SHARED], list(order)) for order in itertools.permutations(runs)]
    assert all(result == results[0] for result in results)
    assert results[0][0].n == 12_000
    assert results[0][2].value == 0.7


def test_pooled_means_have_the_interval_of_all_items():
    values = errors(1.0, 6000)
    together = pooled([mean(values[::2]), mean(values[1::2])], larger_is_better=False)
    assert together.value == pytest.approx(values.mean())
    assert together.standard_error == pytest.approx(values.std() / np.sqrt(6000), rel=0.02)


def test_wilsons_interval_is_that_of_the_textbook():
    # Wilson (1927); 145 of 153 photographs
    low, high = wilson(145, 153)
    assert (round(low, 3), round(high, 3)) == (0.900, 0.973)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[1] == 1.0


def test_a_check_is_met_or_passes_in_doubt_or_is_missed():
    statuses = [decide([ACCURACY], [{"accuracy": proportion(k, 4000)}])[0].status for k in (3800, LIMIT, LIMIT - 1)]
    assert statuses == ["met", "in doubt", "missed"]


def test_the_same_photographs_for_every_seed_are_averaged_and_count_once():
    runs = [proportion(k, 153, fresh=False) for k in (137, 139, 144)]
    together = pooled(runs, larger_is_better=True)
    assert (together.value, together.n) == (pytest.approx(140 / 153), 153)
    assert together.interval == pytest.approx(wilson(140, 153))
    errors_of = [mean(errors(value, 100), fresh=False) for value in (0.9, 1.1)]
    assert pooled(errors_of, larger_is_better=False).standard_error == pytest.approx(
        mean(errors(1.0, 100)).standard_error
    )


def test_the_message_of_equal_runs_does_not_depend_on_their_order():
    runs = [proportion(5, 10, "b"), proportion(5, 10, "a")]
    assert pooled(runs, larger_is_better=True) == pooled(runs[::-1], larger_is_better=True)


def test_the_policy_of_an_exercise_decides_what_suffices():
    strict = Policy(doubt=0.2, clear=0.1)
    assert decide([ACCURACY], [{"accuracy": proportion(LIMIT, 4000)}], strict)[0].status == "missed"
    assert not is_near_miss([ACCURACY], {"accuracy": proportion(LIMIT, 4000)}, strict)


@pytest.mark.parametrize("absurd", [10.0, 1e3, 1e9])
def test_a_few_absurd_predictions_buy_no_doubt(absurd):
    values = errors(0.9)
    values[:3] = absurd * len(values)
    found = mean(values)
    assert found.value < ERROR.threshold + 2.33 * found.standard_error  # what normal theory alone would let pass
    assert decide([ERROR], [{"error": found}])[0].status == "missed"
    assert not is_near_miss([ERROR], {"error": found})


def test_a_rule_says_how_much_its_items_may_be_spread():
    found = mean(np.concatenate([np.zeros(3600), np.full(400, 10.4)]))  # std 3 bars
    assert decide([ERROR], [{"error": found}])[0].status == "in doubt"
    narrow = CheckRule(id="error", title="E", threshold=1.0, points=1, direction="at_most", std=0.2)
    assert decide([narrow], [{"error": found}])[0].status == "missed"


def test_a_share_gives_its_share_of_the_points():
    rule = CheckRule("s", "S", points=3, credit="share", part="p")
    (found,) = decide([rule], [{"s": exact(2 / 3, 9, "6 of 9.")}])
    assert (found.points, found.max_points, found.passed, found.credit, found.part) == (2, 3, False, "share", "p")
    (found,) = decide([rule], [{"s": exact(1.0, 9)}])
    assert (found.points, found.passed, found.message) == (3, True, "")
    (found,) = decide([CheckRule("s", "S", 0.5, 3, credit="share")], [{"s": exact(2 / 3, 9)}])
    assert (found.points, found.passed) == (2, True)  # from `threshold` on it counts as passed


@pytest.mark.parametrize(("value", "points"), [(2 / 3, 1.3333), (-0.1, 0.0), (0.0, 0.0), (1.0, 2.0), (1.5, 2.0)])
def test_a_share_gives_points_to_four_decimals_and_neither_less_than_none_nor_more_than_all(value, points):
    assert decide([CheckRule("s", "S", points=2, credit="share")], [{"s": exact(value)}])[0].points == points


STEPS = CheckRule("s", "S", direction="at_most", credit="steps", steps={3.0: 2, 1.0: 6, 2.0: 5})


@pytest.mark.parametrize(
    ("value", "got"), [(3.5, 0), (3.01, 0), (3.0, 2), (2.01, 2), (2.0, 5), (1.01, 5), (1.0, 6), (0.2, 6)]
)
def test_steps_give_the_points_of_the_best_that_is_reached(value, got):
    (found,) = decide([STEPS], [{"s": exact(value)}])
    assert (found.points, found.max_points, found.passed) == (got, 6, got == 6)
    assert found.steps == [(3.0, 2), (2.0, 5), (1.0, 6)]


def test_the_bars_of_steps_are_named_by_their_points_and_come_worst_first():
    assert bars(STEPS) == [
        CheckRule("s", f"S ({points} points)", value, points, direction="at_most")
        for value, points in ((3.0, 2), (2.0, 5), (1.0, 6))
    ]


def test_each_step_is_a_bar_with_its_doubt_and_none_is_run_again():
    rule = CheckRule("s", "S", credit="steps", steps={0.8: 1, 0.9: 3})
    near = {"s": proportion(790, 1000)}
    assert decide([rule], [near])[0].points == 1
    assert decide([rule], [{"s": proportion(700, 1000)}])[0].points == 0
    assert decide([rule], [{"s": proportion(875, 1000)}])[0].status == "missed"
    assert not is_near_miss([rule], {"s": proportion(875, 1000)})  # which is near the better step
    assert [(one.threshold, one.points, one.credit) for one in bars(rule)] == [(0.8, 1, "bar"), (0.9, 3, "bar")]
    assert bars(CheckRule("s", "S", points=1, credit="share")) == []


def test_what_comes_on_top_asks_for_no_further_run():
    rule, found = CheckRule("s", "S", 0.8, 1, bonus=True), {"s": proportion(765, 1000)}
    assert is_near_miss([structs.replace(rule, bonus=False)], found)
    assert not is_near_miss([rule], found)
    assert [decide([structs.replace(rule, bonus=yes)], [found])[0].bonus for yes in (True, False)] == [True, False]
