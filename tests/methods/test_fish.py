"""Fisher information sample by sample, masks of the largest, and training that stays inside."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tlcourse.methods.parameter_efficient import Masked, fisher_diagonal, top_k_mask


@pytest.fixture
def net():
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).eval()


def by_a_loop(net, x):
    """The definition, one sample and one class at a time."""
    found = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    for one in x:
        log_p = torch.log_softmax(net(one[None]), 1)[0]
        for c, p in enumerate(log_p.detach().exp()):
            gradients = torch.autograd.grad(log_p[c], list(net.parameters()), retain_graph=True)
            for name, gradient in zip(found, gradients, strict=True):
                found[name] += p * gradient.square()
    return {name: total / len(x) for name, total in found.items()}


def test_it_equals_a_loop_over_samples_and_classes(net):
    x = torch.randn(9, 5)
    mine, theirs = fisher_diagonal(net, x, chunk=4), by_a_loop(net, x)
    assert mine.keys() == theirs.keys()
    assert all(torch.allclose(mine[name], theirs[name], atol=1e-7) for name in mine)


def test_the_wrong_twin_that_squares_the_batchs_gradient_measures_something_else(net):
    x = torch.randn(64, 5)
    right = fisher_diagonal(net, x)
    label = torch.distributions.Categorical(logits=net(x)).sample()
    gradients = torch.autograd.grad(F.cross_entropy(net(x), label), list(net.parameters()))
    wrong = dict(zip(right, (g.square() for g in gradients), strict=True))
    assert sum(v.sum() for v in wrong.values()) < 0.2 * sum(v.sum() for v in right.values())


def test_frozen_parameters_have_no_information_and_are_in_no_mask(net):
    net[0].requires_grad_(False)
    assert set(fisher_diagonal(net, torch.randn(3, 5))) == {"2.weight", "2.bias"}


def test_the_mask_holds_the_k_largest_of_all_layers_together():
    information = {"a": torch.tensor([[1.0, 9.0], [2.0, 3.0]]), "b": torch.tensor([8.0, 0.0])}
    mask = top_k_mask(information, 3)
    assert mask["a"].tolist() == [[False, True], [False, True]]
    assert mask["b"].tolist() == [True, False]
    with pytest.raises(ValueError, match="1 to 6"):
        top_k_mask(information, 7)


@pytest.mark.parametrize(
    "make", [lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.5), lambda p: torch.optim.SGD(p, 0.1, 0.9)]
)
def test_training_changes_the_masked_weights_and_no_other_whatever_the_optimiser(net, make):
    mask = top_k_mask(fisher_diagonal(net, torch.randn(32, 5)), 7)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    optimizer = make(net.parameters())
    masked = Masked(net, mask, optimizer)
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(net(torch.randn(16, 5)), torch.randint(3, (16,))).backward()
        masked.step()
    moved = {name: (p != before[name]) for name, p in net.named_parameters()}
    assert all(torch.equal(moved[name] & ~mask[name], torch.zeros_like(mask[name])) for name in mask)
    assert sum(int(m.sum()) for m in moved.values()) == 7
