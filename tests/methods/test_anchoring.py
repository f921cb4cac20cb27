"""The anchored loss is one cross-entropy, and its gradients are those of the KL divergence."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tlcourse.methods.fine_tuning import anchored_loss, mixed_target


@pytest.fixture
def batch():
    logits = torch.randn(6, 4, requires_grad=True)
    return logits, torch.randint(4, (6,)), torch.randn(6, 4, requires_grad=True)


def test_it_is_the_weighted_sum_of_two_cross_entropies(batch):
    logits, target, anchor = batch
    p0 = torch.softmax(anchor, 1)
    by_hand = 0.7 * F.cross_entropy(logits, target) + 0.3 * -(p0 * torch.log_softmax(logits, 1)).sum(1).mean()
    assert torch.allclose(anchored_loss(logits, target, anchor, 0.3), by_hand)


def test_at_both_ends_it_is_the_labels_or_the_anchor(batch):
    logits, target, anchor = batch
    assert torch.allclose(anchored_loss(logits, target, anchor, 0.0), F.cross_entropy(logits, target))
    (gradient,) = torch.autograd.grad(anchored_loss(anchor, target, anchor, 1.0), anchor)
    assert gradient.abs().max() < 1e-7  # already there: nothing pulls


def test_its_gradient_is_that_of_the_kl_divergence_to_the_anchor(batch):
    logits, target, anchor = batch
    kl = F.kl_div(torch.log_softmax(logits, 1), torch.softmax(anchor, 1).detach(), reduction="batchmean")
    mine = torch.autograd.grad(anchored_loss(logits, target, anchor, 0.4), logits)[0]
    theirs = torch.autograd.grad(0.6 * F.cross_entropy(logits, target) + 0.4 * kl, logits)[0]
    assert torch.allclose(mine, theirs, atol=1e-7)


def test_nothing_flows_into_the_original_model(batch):
    logits, target, anchor = batch
    anchored_loss(logits, target, anchor, 0.5).backward()
    assert anchor.grad is None


def test_mixed_targets_are_distributions(batch):
    _, target, anchor = batch
    assert torch.allclose(mixed_target(target, anchor, 0.3).sum(1), torch.ones(6))
    with pytest.raises(ValueError, match="from 0 to 1"):
        anchored_loss(anchor, target, anchor, 1.5)
