"""The generator of exercise 1: repeatable, balanced, and nothing but shape tells a bee from an ant."""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.data.synthetic import insects
from tlcourse.data.synthetic.insect_drawing import SIDE, Pen
from tlcourse.data.synthetic.insects import SOURCE, TARGET


@pytest.fixture(scope="module")
def pictures():
    return insects.make(1600, 7)


def held_out_accuracy(features: np.ndarray, label: np.ndarray) -> float:
    """Of a linear model: least squares on the first half, tried on the second."""
    design = np.column_stack([features, np.ones(len(features))]).astype(np.float64)
    half = len(label) // 2
    weights = np.linalg.lstsq(design[:half], 2.0 * label[:half] - 1, rcond=None)[0]
    return float(((design[half:] @ weights > 0) == (label[half:] == 1)).mean())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    one, same, other = insects.make(40, 1), insects.make(40, 1), insects.make(40, 2)
    assert one["x"].tobytes() == same["x"].tobytes()
    assert np.array_equal(one["label"], same["label"])
    assert one["x"].tobytes() != other["x"].tobytes()


def test_pictures_are_as_the_handout_says(pictures):
    x, label = pictures["x"], pictures["label"]
    assert x.shape == (1600, 3, SIDE, SIDE)
    assert x.dtype == np.float32
    assert x.min() >= 0
    assert x.max() <= 1
    assert label.dtype == np.int64
    assert np.bincount(label).tolist() == [800, 800]


def test_the_order_of_the_labels_is_chance(pictures):
    label = pictures["label"]
    assert 700 < int((label[1:] == label[:-1]).sum()) < 900


def test_colours_do_not_tell_a_bee_from_an_ant(pictures):
    x = pictures["x"]
    channels = x.reshape(len(x), 3, -1)
    histograms = [np.histogram(c, bins=8, range=(0, 1))[0] for picture in channels for c in picture]
    statistics = np.column_stack(
        [channels.mean(2), channels.std(2), channels.min(2), channels.max(2), np.reshape(histograms, (len(x), 24))]
    )
    # 800 pictures tried: chance alone stays below 0.555 with a probability of 0.999; a spread of colours says a little
    assert held_out_accuracy(channels.mean(2), pictures["label"]) < 0.56
    assert held_out_accuracy(statistics, pictures["label"]) < 0.62


def test_a_linear_model_of_the_pixels_does_little_more_than_guess(pictures):
    small = pictures["x"].mean(1).reshape(-1, 16, 2, 16, 2).mean((2, 4)).reshape(1600, -1)
    assert held_out_accuracy(small, pictures["label"]) < 0.6


def test_bees_and_ants_are_not_among_the_animals_of_the_source_task():
    assert list(TARGET) == ["ant", "bee"]
    assert not set(SOURCE) & {"ant", "bee", "wasp", "hornet", "bumblebee"}
    assert not {paint.__name__ for paint in SOURCE.values()} & {paint.__name__ for paint in TARGET.values()}


def test_every_animal_covers_its_part_of_the_picture():
    for paint in {**SOURCE, **TARGET}.values():
        rng = np.random.default_rng(0)
        pen = Pen(np.zeros((8, 3, SIDE, SIDE), np.float32), rng)
        none = np.zeros(8, np.float32)
        pen.pose(none, none, pen.vary(0, 2 * np.pi), pen.vary(19, 25), none)
        grey = np.ones((8, 3), np.float32)
        paint(pen, insects.Coat(grey, grey, grey, grey, np.ones(8, np.float32)))
        share = pen.picture.mean((1, 2, 3))
        assert share.min() > 0.03, paint.__name__
        assert share.max() < 0.5, paint.__name__


def test_a_source_picture_is_of_the_species_that_its_label_counts():
    made = insects.make_source(len(SOURCE) * 2, 3)
    assert np.bincount(made["label"]).tolist() == [2] * len(SOURCE)
