"""Samples to look at: what they say is true of them, and none of them is in anyone's data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tlcourse.course.loader import load_course
from tlcourse.data.synthetic import example, insects, practice_seed, quantiles, split_seeds, stars
from tlcourse.errors import UsageError
from tlcourse.grading.grade import PUBLIC_SEED, further_seed

GENERATORS = ("insects", "stars", "quantiles")


def test_every_exercise_of_the_course_has_samples():
    names = {exercise.about.generator for exercise in load_course().exercises.values()}
    assert names == set(GENERATORS)
    assert all(example(name, 1).sentence for name in names)


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_sample_is_the_same_each_time_and_unlike_the_next_one(generator):
    first, again, next_ = example(generator, 5), example(generator, 5), example(generator, 6)
    assert (first.caption, first.sentence, first.label) == (again.caption, again.sentence, again.label)
    assert first.sentence != next_.sentence
    if first.picture is not None:
        assert np.array_equal(first.picture, again.picture)


def test_practice_seeds_are_none_that_data_are_drawn_from():
    runs = [PUBLIC_SEED, *(further_seed(PUBLIC_SEED, i) for i in range(1, 9)), *range(2000)]
    graded = {split for seed in runs for split in split_seeds(seed)} | set(runs)
    practice = {practice_seed(number) for number in range(5000)}
    assert len(practice) == 5000
    assert not practice & graded


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["insects", "stars"])
def test_no_sample_is_among_the_pictures_of_a_public_run(generator):
    about = next(e.about for e in load_course().exercises.values() if e.about.generator == generator)
    module = {"insects": insects, "stars": stars}[generator]
    train, _, _ = split_seeds(PUBLIC_SEED)
    drawn = {picture.tobytes() for picture in module.make(about.sizes["train"], train)["x"]}
    shown = [example(generator, number).picture for number in range(1, 20)]
    assert not drawn & {picture.transpose(2, 0, 1).copy().tobytes() for picture in shown}


def test_a_star_has_the_size_that_its_label_says():
    for number in range(1, 30):
        one = example("stars", number)
        padded = np.pad(one.picture[:, :, 0], 1, mode="edge")
        grey = sum(padded[i : i + 64, j : j + 64] for i in range(3) for j in range(3)) / 9  # less noise
        background = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
        inside = np.abs(grey - background) > 0.14  # the contrast is 0.3 at least
        rows, columns = np.nonzero(inside)
        x, y = (float(word) for word in _numbers(one.sentence, "column ", " and row ", " of"))
        reach = np.hypot(columns + 0.5 - x, rows + 0.5 - y).max()
        assert abs(reach - one.label["radius"]) < 4, number
        assert f"{one.label['count']} points" in one.caption
        light = grey[inside].mean() > background
        assert one.sentence.startswith("a light" if light else "a dark")


def _numbers(text: str, *marks: str) -> list[str]:
    parts = []
    for start, end in pairwise(marks):
        parts.append(text.partition(start)[2].partition(end)[0])
    return parts


def test_of_each_two_insects_one_is_an_ant_and_their_order_is_chance():
    labels = [example("insects", number).label["label"] for number in range(1, 41)]
    pairs = list(zip(labels[::2], labels[1::2], strict=True))
    assert all(sorted(pair) == [0, 1] for pair in pairs)
    assert len(set(pairs)) == 2
    assert example("insects", labels.index(1) + 1).caption == "a bee (label 1)"


def test_the_quantiles_of_a_sample_are_those_of_its_distributions():
    for number in range(1, 10):
        one = example("quantiles", number)
        assert [part.name for part in one.distributions] == list(quantiles.TASKS)
        for part in one.distributions:
            found = np.interp(part.quantiles, part.y, part.cdf)
            inside = (np.array(part.quantiles) > part.y[0]) & (np.array(part.quantiles) < part.y[-1])
            assert np.abs(found - part.levels)[inside].max() < 0.02
            assert (np.diff(part.cdf) >= 0).all()


def test_drawn_values_lie_below_each_quantile_as_often_as_its_level_says():
    shown = [example("quantiles", number) for number in range(1, 201)]
    for task in range(4):
        parts = [one.distributions[task] for one in shown]
        below = np.mean([[part.drawn <= q for q in part.quantiles] for part in parts], axis=0)
        assert np.abs(below - quantiles.TAUS).max() < 0.1  # three standard errors of 200 draws, at most


def test_a_generator_that_is_not_there_or_has_no_samples_says_so():
    with pytest.raises(UsageError, match="cannot be made without its grader"):
        example(None, 1)
    with pytest.raises(UsageError, match="no samples"):
        example("conditionals", 1)
