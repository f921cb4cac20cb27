"""Anchoring: personalise a model from few labels, and stay close to what the original model predicts.

Phan et al. 2020 (Physiological Measurement 41, 064004; arXiv:2004.11349) personalise a sleep-staging network for one
patient. The divergence from the original model's predictions is a second loss beside the labels'.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def anchored_loss(logits: Tensor, target: Tensor, anchor_logits: Tensor, alpha: float) -> Tensor:
    """(1 − α)·CE(y, p) + α·CE(p₀, p), the mean over the batch.

    CE(p₀, p) differs from KL(p₀ ‖ p) by the entropy of p₀, which no weight changes: the gradients are the same.

    Args:
        logits: (B, C) of the model that is trained; p is their softmax.
        target: (B,) int64 labels.
        anchor_logits: (B, C) of the original model on the same inputs; no gradient flows into it.
        alpha: 0 trains on the labels alone, 1 never leaves the original model.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}, expected a number from 0 to 1")
    return F.cross_entropy(logits, mixed_target(target, anchor_logits, alpha))


def mixed_target(target: Tensor, anchor_logits: Tensor, alpha: float) -> Tensor:
    """(1 − α)·onehot(y) + α·p₀, shape (B, C): cross-entropy is linear in its target, so the two losses are one."""
    anchor = torch.softmax(anchor_logits.detach(), dim=1)
    return (1 - alpha) * F.one_hot(target, anchor.shape[1]).to(anchor.dtype) + alpha * anchor
