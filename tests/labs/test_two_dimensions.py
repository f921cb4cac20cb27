"""Pictures of features: principal components always, t-SNE where it is wanted and can be; none of them grows."""

from __future__ import annotations

import importlib.util
import io
import json
import sys

import numpy as np
import pytest
import torch

from tests.labs.conftest import LABS
from tlcourse.labs.runner import run_lab, settings_of
from tlcourse.labs.training import MOST, Log, show_features
from tlcourse.presenting.words import embedding

sklearn = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None,
    reason="scikit-learn is not installed: python -m pip install 'tlcourse[lab]'",
)


def _shown(n: int, *, tsne: bool, width: int = 16) -> list[dict]:
    stream = io.BytesIO()
    log = Log(stream)
    log.tsne = tsne
    generator = torch.Generator().manual_seed(0)
    group = torch.arange(n) % 3
    features = torch.randn(n, width, generator=generator) + 12 * torch.eye(width)[group]
    show_features(log, "features", features, [0] * n, group)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _purity(event: dict) -> float:
    """How often a point's nearest neighbour has its class."""
    points, label = np.array(event["points"]), np.array(event["label"])
    far = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(len(points))
    return float((label[far.argmin(1)] == label).mean())


@sklearn
def test_both_pictures_are_told_and_neighbours_stay_together():
    pca, tsne = _shown(120, tsne=True)
    assert (pca["method"], tsne["method"]) == ("pca", "tsne")
    assert pca["title"] == tsne["title"]
    assert pca["label"] == tsne["label"]
    assert _purity(tsne) > 0.97
    assert "distance between groups means nothing" in embedding(tsne)
    assert "standard deviations apart" in embedding(pca)


@sklearn
def test_the_same_features_give_the_same_picture_and_training_draws_what_it_drew():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = _shown(60, tsne=True)
    assert torch.equal(torch.rand(3), expected)
    assert _shown(60, tsne=True) == first


def test_tsne_is_told_only_where_somebody_will_see_it():
    assert [event["method"] for event in _shown(60, tsne=False)] == ["pca"]


def test_without_scikit_learn_the_components_are_shown_and_a_note_says_why(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    picture, note = _shown(60, tsne=True)
    assert picture["method"] == "pca"
    assert "tlcourse[lab]" in note["text"]


@pytest.mark.parametrize("n", [4, MOST, 2 * MOST + 1, 20_000])
def test_an_event_is_small_however_many_features_there_are(n):
    (picture,) = _shown(n, tsne=False)
    assert len(picture["points"]) == len(picture["domain"]) == len(picture["label"])
    assert len(picture["points"]) == min(n, MOST)
    assert len(json.dumps(picture)) < 24_000
    assert set(picture["label"]) == {0, 1, 2}


@pytest.mark.slow
@sklearn
def test_of_several_seeds_the_one_that_stays_on_the_screen_has_both_pictures():
    events: list[dict] = []
    run_lab(LABS["coral"], settings_of(LABS["coral"], {}), [1, 2, 3], events.append, jobs=2)
    pictures = [event for event in events if event["type"] == "embedding" and event["method"] == "tsne"]
    assert [event["title"] for event in pictures] == ["inputs of source", "inputs of coral"]
    assert {event["seed_group"] for event in pictures} == {0}
    ended = [event.get("seed") for event in events[: events.index(pictures[0])] if event["seed_group"] == 0]
    assert 1 in ended, "the first group has seeds 1 and 3, and t-SNE comes with the third"
