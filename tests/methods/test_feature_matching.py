"""Paired pipelines: the target learns the source's features, and nothing else moves."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tlcourse.methods.feature_alignment import MatchedPipelines


def train(pipelines, x_source, x_target, steps=400):
    optimizer = torch.optim.Adam(pipelines.target.parameters(), 0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = pipelines.loss(x_source, x_target)
        loss.backward()
        optimizer.step()
    return loss.item()


@pytest.fixture
def world():
    """Two sensors see one hidden state through different mixtures; the source's pipeline tells its sign."""
    state = torch.randn(500, 2)
    a, b = torch.randn(2, 4), torch.randn(2, 6)
    source = nn.Linear(4, 2)
    with torch.no_grad():
        source.weight.copy_(torch.linalg.pinv(a).T)
        source.bias.zero_()
    head = nn.Linear(2, 2)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
        head.bias.zero_()
    return state @ a, state @ b, (state[:, 0] > 0).long(), MatchedPipelines(source, head, nn.Linear(6, 2))


def test_matching_pairs_teaches_the_new_sensor_without_a_label(world):
    x_source, x_target, label, pipelines = world
    train(pipelines, x_source, x_target)
    assert (pipelines(x_target).argmax(1) == label).float().mean() > 0.97


def test_the_control_with_shuffled_pairs_teaches_nothing(world):
    x_source, x_target, label, pipelines = world
    train(pipelines, x_source[torch.randperm(500)], x_target)
    assert (pipelines(x_target).argmax(1) == label).float().mean() < 0.8


def test_the_source_and_its_head_stay_as_they_were(world):
    x_source, x_target, _, pipelines = world
    before = [p.clone() for module in (pipelines.source, pipelines.head) for p in module.parameters()]
    train(pipelines, x_source, x_target, 5)
    after = [p for module in (pipelines.source, pipelines.head) for p in module.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))
    with pytest.raises(ValueError, match="no pairs"):
        pipelines.loss(x_source[:3], x_target)
