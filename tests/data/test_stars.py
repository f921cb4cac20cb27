"""The stars of exercise 2: what is drawn is what the labels say, and nothing else gives the labels away."""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.data.synthetic import split_seeds, stars


@pytest.fixture(scope="module")
def drawn() -> stars.Stars:
    return stars.sample(300, np.random.default_rng(7))


@pytest.fixture(scope="module")
def world() -> dict[str, np.ndarray]:
    return stars.make(4200, 11)


def test_the_arrays_are_what_the_contract_says(world):
    x, count, radius = world["x"], world["count"], world["radius"]
    assert (x.shape, x.dtype) == ((4200, 1, 64, 64), np.float32)
    assert (count.shape, count.dtype) == ((4200,), np.int64)
    assert (radius.shape, radius.dtype) == ((4200,), np.float32)
    assert x.min() >= 0
    assert x.max() <= 1
    assert set(count.tolist()) == set(range(3, 10))
    assert 10 <= radius.min() < 10.2
    assert 23.8 < radius.max() <= 24


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(world):
    again = stars.make(64, 11)
    assert all(again[name].tobytes() == stars.make(64, 11)[name].tobytes() for name in again)
    assert not np.array_equal(stars.make(64, 12)["x"], again["x"])
    assert len(set(split_seeds(11))) == 3


def test_a_star_covers_the_area_of_its_polygon(drawn):
    area = drawn.count * drawn.radius * drawn.inner * np.sin(np.pi / drawn.count)
    found = stars.cover(drawn).sum(axis=(1, 2))
    assert np.abs(found / area - 1).max() < 0.03


def test_edges_are_smooth(drawn):
    cover = stars.cover(drawn)
    partly = ((cover > 0.02) & (cover < 0.98)).sum(axis=(1, 2))
    assert (partly > 2 * np.pi * drawn.inner * 0.8).all()
    assert cover.min() >= 0
    assert cover.max() <= 1


def test_a_star_reaches_its_radius_and_has_as_many_tips_as_its_label_says(drawn):
    """Seen from the centre: how far the star reaches in each direction repeats as often as it has points."""
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)[:, None]
    along = np.arange(0, 24, 0.25)[None, :]
    for cover, x, y, radius, count in zip(stars.cover(drawn), drawn.x, drawn.y, drawn.radius, drawn.count, strict=True):
        rows, columns = (y + along * np.sin(angles)).astype(int), (x + along * np.cos(angles)).astype(int)
        reach = np.pad(cover, (0, 24))[rows, columns].sum(axis=1)  # a ray may leave the picture: -1 is empty too
        assert 3 + np.abs(np.fft.rfft(reach))[3:10].argmax() == count
        rows, columns = np.nonzero(cover > 0.25)
        tip = np.hypot(columns + 0.5 - x, rows + 0.5 - y).max()
        assert -1.6 < tip - radius < 0  # the very tip is thinner than a pixel


def test_every_star_lies_within_its_picture(drawn):
    assert (np.minimum(drawn.x, drawn.y) - drawn.radius >= 1).all()
    assert (np.maximum(drawn.x, drawn.y) + drawn.radius <= 63).all()


def test_no_linear_model_of_the_pixels_counts_better_than_guessing(world):
    """Random polarity leaves the mean picture of each class flat: counting needs more than brightness."""
    x = world["x"].reshape(-1, 16, 4, 16, 4).mean(axis=(2, 4)).reshape(4200, -1)
    x = np.hstack([x - x.mean(axis=0), np.ones((4200, 1))])
    wanted = np.eye(7)[world["count"] - 3]
    weights = np.linalg.lstsq(x[:3000].T @ x[:3000] + np.eye(257), x[:3000].T @ wanted[:3000], rcond=None)[0]
    right = (x[3000:] @ weights).argmax(axis=1) == wanted[3000:].argmax(axis=1)
    assert right.mean() < 0.2
