"""Sharing of every kind: trunk, cross-stitch, branches, paths – and the losses that are put together."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tlcourse.methods import sharing
from tlcourse.methods.losses import SplitLoss, UncertaintyWeighting
from tlcourse.methods.sharing import CrossStitch, CrossStitchNet, SharedTrunk


def test_every_task_trains_the_trunk_and_its_own_head_alone():
    net = SharedTrunk(nn.Linear(3, 4), {"a": nn.Linear(4, 2), "b": nn.Linear(4, 1)})
    net(torch.randn(5, 3))["a"].square().sum().backward()
    touched = {name for name, p in net.named_parameters() if p.grad is not None}
    assert touched == {"trunk.weight", "trunk.bias", "heads.a.weight", "heads.a.bias"}


def columns():
    return [[nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Sequential(nn.Linear(4, 4), nn.Tanh())] for _ in range(2)]


def test_stitched_by_the_identity_two_networks_stand_side_by_side():
    both, heads = columns(), [nn.Linear(4, 1), nn.Linear(4, 1)]
    net = CrossStitchNet(both, heads, own=1.0)
    x = torch.randn(6, 3)
    for column, head, out in zip(both, heads, net(x), strict=True):
        assert torch.allclose(out, head(column[1](column[0](x))))
    net(x)[0].sum().backward()
    assert both[1][0][0].weight.grad is None or both[1][0][0].weight.grad.abs().max() == 0


def test_stitched_by_halves_both_tasks_read_the_same_activations():
    a, b = CrossStitch(2, own=0.5)([torch.randn(3, 4), torch.randn(3, 4)])
    assert torch.allclose(a, b)


def test_the_stitches_learn_with_a_rate_of_their_own():
    net = CrossStitchNet(columns(), [nn.Linear(4, 1), nn.Linear(4, 1)])
    weights, alphas = net.groups(0.01, times=100)
    assert (weights["lr"], alphas["lr"]) == (0.01, 1.0)
    assert len(alphas["params"]) == 2
    assert len(weights["params"]) + 2 == len(list(net.parameters()))
    assert all(torch.allclose(alpha.sum(1), torch.ones(2)) for alpha in alphas["params"])
    with pytest.raises(ValueError, match="equal depth"):
        CrossStitchNet([columns()[0], columns()[1][:1]], [nn.Linear(4, 1)] * 2)


def test_tasks_that_find_the_same_samples_hard_stay_on_one_branch():
    hard, other = torch.rand(200, 1), torch.rand(200, 1)
    losses = torch.cat([hard, other, 3 * hard + 0.1 * torch.rand(200, 1), other + 5], dim=1)
    alike = sharing.affinity(losses)
    assert torch.equal(alike.diagonal(), torch.ones(4))
    assert torch.equal(alike, alike.T)
    assert sorted(sharing.split(alike, 2)) == [[0, 2], [1, 3]]
    assert sorted(sharing.best_split(alike, cost=0.2)) == [[0, 2], [1, 3]]


def test_without_a_cost_every_task_has_its_branch_and_at_a_high_one_all_share():
    alike = sharing.affinity(torch.rand(100, 4))
    assert len(sharing.best_split(alike, cost=0.0)) == 4
    assert sharing.best_split(alike, cost=2.0) == [[0, 1, 2, 3]]
    with pytest.raises(ValueError, match="5 branches of 4 tasks"):
        sharing.split(alike, 5)


def make_layers():
    first = [nn.Sequential(nn.Linear(3, 4), nn.ReLU()) for _ in range(5)]
    return [first, [nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(5)]]


def test_a_path_sums_its_modules_and_trains_no_other():
    net = sharing.PathNet(make_layers(), [nn.Linear(4, 2), nn.Linear(4, 2)])
    path, x = [[0, 3], [2]], torch.randn(6, 3)
    by_hand = net.heads[1](net.layers[1][2](net.layers[0][0](x) + net.layers[0][3](x)))
    assert torch.allclose(net(x, path, 1), by_hand)
    net(x, path, 1).sum().backward()
    on_path = {id(p) for module in net.on_path(path) for p in module.parameters()} | {
        id(p) for p in net.heads[1].parameters()
    }
    assert all((p.grad is not None) == (id(p) in on_path) for p in net.parameters())


def test_a_frozen_path_survives_the_restart_of_the_rest():
    net = sharing.PathNet(make_layers(), [nn.Linear(4, 2)])
    path = [[1], [4]]
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net.freeze(path)
    net.restart(path, make_layers)
    kept = {name for name, tensor in net.state_dict().items() if torch.equal(tensor, before[name])}
    assert {name for name in kept if name.startswith("layers")} == {
        "layers.0.1.0.weight",
        "layers.0.1.0.bias",
        "layers.1.4.0.weight",
        "layers.1.4.0.bias",
    }
    assert not net.layers[0][1][0].weight.requires_grad


def test_mutation_moves_a_path_by_two_at_most_and_evolution_finds_the_fit():
    generator = torch.Generator().manual_seed(2)
    path = sharing.random_path(3, 10, 3, generator)
    assert all(len(active) == 3 for active in path)
    for _ in range(50):
        for old, new in zip(path, sharing.mutate(path, 10, generator), strict=True):
            assert 1 <= len(new) <= 3
            assert all(min((m - o) % 10 for o in old) <= 2 or min((o - m) % 10 for o in old) <= 2 for m in new)
    paths = [sharing.random_path(2, 10, 3, generator) for _ in range(8)]

    def fitness(one):
        return -float(sum(abs(m - 5) for active in one for m in active))

    first = max(map(fitness, paths))
    for _ in range(400):
        sharing.tournament(paths, fitness, 10, generator)
    assert max(map(fitness, paths)) > first


def test_uncertainty_weights_settle_where_each_task_counts_by_its_noise():
    """At the minimum σ² equals the loss for a regression, so that each part becomes ½ + log σ."""
    weigh = UncertaintyWeighting({"size": "regression", "class": "classification"})
    losses = {"size": torch.tensor(4.0), "class": torch.tensor(0.5)}
    assert torch.allclose(weigh(losses), torch.tensor(0.5 * 4 + 0.5))
    optimizer = torch.optim.Adam(weigh.parameters(), 0.05)
    for _ in range(600):
        optimizer.zero_grad()
        weigh(losses).backward()
        optimizer.step()
    assert weigh.log_variance["size"].item() == pytest.approx(math.log(4), abs=1e-3)
    assert weigh.log_variance["class"].item() == pytest.approx(math.log(2 * 0.5), abs=1e-3)
    with pytest.raises(ValueError, match="expected those of"):
        weigh({"size": torch.tensor(1.0)})


def test_the_split_loss_looks_at_class_and_place_only_where_something_is():
    loss = SplitLoss(3)
    output = torch.randn(4, 8, requires_grad=True)
    there = torch.tensor([1, 0, 0, 1])
    label, box = torch.tensor([2, -7, 99, 0]), torch.full((4, 4), float("nan"))
    box[there.bool()] = torch.rand(2, 4)
    value = loss(output, there, label, box)
    value.backward()
    assert math.isfinite(value.item())
    assert output.grad[1, 1:].abs().max() == 0
    assert output.grad[:, 0].abs().min() > 0
    empty = loss(output.detach(), torch.zeros(4, dtype=torch.long), label, box)
    assert torch.allclose(empty, F.binary_cross_entropy_with_logits(output.detach()[:, 0], torch.zeros(4)))
    with pytest.raises(ValueError, match="expected 8"):
        loss(torch.randn(4, 7), there, label, box)
