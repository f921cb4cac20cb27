"""Patch-mix."""

import torch
import torch.nn.functional as F
from torch import Tensor


def patch_mask(batch: int, side: int, patch: int, share: Tensor) -> Tensor:
    """(batch, 1, side, side), 1 on patches of the source"""
    cells = (side // patch) ** 2
    rank = torch.rand(batch, cells).argsort(1).argsort(1)
    grid = (rank < (share[:, None] * cells).round()).float().view(batch, 1, side // patch, side // patch)
    return grid.repeat_interleave(patch, dim=2).repeat_interleave(patch, dim=3)


def mix(source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The source where the mask is 1, the target where it is 0"""
    return mask * source + (1 - mask) * target


def mixed_loss(logits: Tensor, source_label: Tensor, target_guess: Tensor, mask: Tensor, sure: Tensor) -> Tensor:
    """s·CE(y_s) + (1 − s)·sure·CE(ŷ_t), the mean over the batch -> ()"""
    share = mask.mean((1, 2, 3))
    own = F.cross_entropy(logits, source_label, reduction="none")
    other = F.cross_entropy(logits, target_guess, reduction="none") * sure
    return (share * own + (1 - share) * other).mean()
