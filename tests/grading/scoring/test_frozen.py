"""Whether answers come from the backbone that was shipped, found out in NumPy from the answers alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from tlcourse.data.synthetic import insects
from tlcourse.execution.worker import pretrained
from tlcourse.grading.scoring import frozen


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """On a machine that does other things, too, two threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def x():
    return insects.make(400, 5)["x"]


@pytest.fixture(scope="module")
def features(x):
    return frozen.features(x)


def backbone() -> nn.Module:
    net = pretrained.load("insects", lambda _: None).requires_grad_(False).eval()
    torch.manual_seed(0)
    net.fc = nn.Linear(128, 2)
    return net


def decision(net: nn.Module, x: np.ndarray) -> np.ndarray:
    """logit 1 − logit 0 of normalised pictures."""
    mean, std = (torch.tensor(one)[:, None, None] for one in (frozen.MEAN, frozen.STD))
    with torch.no_grad():
        logits = net((torch.from_numpy(x) - mean) / std)
    return (logits[:, 1] - logits[:, 0]).numpy()


def test_the_features_are_torchs(x, features):
    net = backbone()
    net.fc = nn.Identity()
    mean, std = (torch.tensor(one)[:, None, None] for one in (frozen.MEAN, frozen.STD))
    with torch.no_grad():
        theirs = net((torch.from_numpy(x[:60]) - mean) / std).numpy()
    assert features.shape == (400, 128)
    np.testing.assert_allclose(features[:60], theirs, atol=1e-4)


def test_the_same_pictures_are_looked_at_once_and_others_anew(x, features):
    again = frozen.features(x.copy())
    assert again is features
    assert not again.flags.writeable
    other = x[:8].copy()
    other[0] = 1 - other[0]
    changed = frozen.features(other)
    np.testing.assert_allclose(changed[1:], features[1:8], atol=1e-5)
    assert np.abs(changed[0] - features[0]).max() > 0.1


def test_a_new_last_layer_on_the_frozen_backbone_is_explained_whole(x, features):
    assert frozen.explained(features, decision(backbone(), x)) > 1 - 1e-9


def test_half_precision_leaves_no_doubt(x, features):
    rounded = decision(backbone(), x).astype(np.float16).astype(np.float32)
    assert frozen.explained(features, rounded) > 0.99999


@pytest.mark.slow
def test_a_few_steps_on_all_layers_are_seen(x, features):
    net = backbone().requires_grad_(True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.003, momentum=0.9)
    label = torch.arange(32) % 2
    for _ in range(10):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(torch.from_numpy(x[:32])), label).backward()
        optimizer.step()
    assert frozen.explained(features, decision(net, x)) < 0.9999


def test_a_few_batches_in_train_mode_are_seen(x, features):
    net = backbone().train()
    mean, std = (torch.tensor(one)[:, None, None] for one in (frozen.MEAN, frozen.STD))
    for batch in ((torch.from_numpy(x) - mean) / std).split(50):
        net(batch)
    assert frozen.explained(features, decision(net.eval(), x)) < 0.9999


def test_a_layer_that_is_not_linear_and_constant_answers_are_not_the_backbones(x, features):
    assert frozen.explained(features, np.tanh(decision(backbone(), x))) < 0.9999
    assert frozen.explained(features, np.full(len(x), 3.0, np.float32)) == 0.0


def test_a_stronger_model_that_flips_answers_is_seen_before_it_has_flipped_ten_of_four_hundred(features):
    """The best that can be forged: who knows every right answer flips the wrong ones of least margin, by no more."""
    sign = np.where(insects.make(400, 5)["label"] == 1, 1.0, -1.0)
    design = np.column_stack([(features - features.mean(0)) / (features.std(0) + 1e-6), np.ones(400)])
    known = design[:200]
    answers = design @ np.linalg.solve(known.T @ known + 100 * np.eye(129), known.T @ sign[:200])
    wrong = np.flatnonzero(np.sign(answers) != sign)
    wrong = wrong[np.argsort(np.abs(answers[wrong]))]
    assert len(wrong) == 10

    def flipped(n: int) -> float:
        forged = answers.copy()
        forged[wrong[:n]] = 1e-6 * sign[wrong[:n]]
        return frozen.explained(features, forged.astype(np.float32))

    assert flipped(0) > 0.9999  # the honest answers, right 97.5 % of the time
    assert flipped(6) >= 0.9999  # 1.5 points more
    assert flipped(10) < 0.9999
