"""Drawn cases: their truth is recomputed from what a student is shown, and nothing else."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tlcourse.quiz.kinds.cases import draw_case

SEEDS = range(200)
NUMBER = re.compile(r"\d\.\d\d")


def numbers(text: str) -> list[list[list[float]]]:
    """The two tables of a case, as rows of numbers."""
    return [
        [[float(found) for found in NUMBER.findall(row)] for row in table.splitlines()[2:]]
        for table in text.split("\n\n")
    ]


def close(one: float, other: float) -> bool:
    return abs(one - other) < 1e-9


def which_shift(text: str) -> str:
    (first, second), (third, fourth) = numbers(text)
    source, target = [first, second], [third, fourth]
    if source == target:
        return "none"

    def given_x(joint):
        return [row[0] / sum(row) for row in joint]

    def given_y(joint):
        return [joint[0][column] / (joint[0][column] + joint[1][column]) for column in (0, 1)]

    if all(map(close, given_x(source), given_x(target))):
        return "covariate"
    if all(map(close, given_y(source), given_y(target))):
        return "label"
    return "concept" if close(sum(first), sum(third)) else "several"


def which_setting(text: str) -> str:
    source, target = numbers(text)
    (labelled_source, labelled_target) = ("labels: yes" in table for table in text.split("\n\n"))
    same_task = [row[1] for row in source] == [row[1] for row in target]
    same_domain = [row[0] for row in source] == [row[0] for row in target]
    if same_task and same_domain:
        return "none"
    if same_task:
        return "transductive" if labelled_source and not labelled_target else "odd"
    return "inductive" if labelled_target else "odd" if labelled_source else "unsupervised"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_of_a_shift_follows_from_the_joint_distributions_shown(seed):
    case = draw_case("shift", seed)
    assert case.truth == which_shift(case.text)
    assert [option.text.split()[0].lower() for option in case.options if option.correct] in ([case.truth], ["no"])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_of_a_setting_follows_from_the_tables_and_labels_shown(seed):
    case = draw_case("setting", seed)
    assert case.truth == which_setting(case.text)
    right = [option for option in case.options if option.correct]
    assert len(right) == 1
    assert "Against it" not in right[0].reason
    assert all(option.reason.startswith("Against it") for option in case.options if not option.correct)


@pytest.mark.parametrize("family", ["setting", "shift"])
def test_all_truths_are_drawn_and_none_is_a_good_guess(family):
    found = Counter(draw_case(family, seed).truth for seed in SEEDS)
    assert len(found) == 4
    assert min(found.values()) > len(SEEDS) / 8


def test_a_case_is_drawn_again_from_its_seed_and_fits_a_narrow_screen():
    for family in ("setting", "shift"):
        assert draw_case(family, 7) == draw_case(family, 7)
        assert draw_case(family, 7) != draw_case(family, 8)
        assert all(len(line) <= 40 for seed in SEEDS for line in draw_case(family, seed).text.splitlines())


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="there is no family"):
        draw_case("", 1)
