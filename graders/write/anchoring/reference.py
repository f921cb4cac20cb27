"""The anchored loss."""

import torch.nn.functional as F
from torch import Tensor


def anchored_loss(logits: Tensor, target: Tensor, anchor_logits: Tensor, alpha: float) -> Tensor:
    """(1 − α)·CE(y, p) + α·CE(p₀, p), the mean over the batch -> ()"""
    labels = F.cross_entropy(logits, target)
    p0 = anchor_logits.detach().softmax(1)
    pull = -(p0 * logits.log_softmax(1)).sum(1).mean()
    return (1 - alpha) * labels + alpha * pull
