"""Patch-mix: pictures in between two domains, put together from patches of both (PMTrans; Zhu et al. 2023).

    x = λ ⊙ x_s + (1 − λ) ⊙ x_t,  λ ∈ {0, 1} for each patch        (arXiv:2303.13434, section 3)
    loss = s·CE(y_s) + (1 − s)·CE(ŷ_t),  s the share of patches from the source

In the paper λ is learnt and attention weighs the patches; here λ is drawn from Beta(a, a) and patches weigh alike.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def patch_mask(batch: int, side: int, patch: int, share: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """(B, 1, side, side) of ones (source) and zeros (target); `share` (B,) of the patches are ones, up to rounding."""
    if side % patch:
        raise ValueError(f"pictures of side {side} cannot be cut into patches of side {patch}")
    cells = (side // patch) ** 2
    order = torch.rand(batch, cells, generator=generator).argsort(dim=1).argsort(dim=1)  # ranks, chance for each row
    chosen = (order < (share[:, None] * cells).round()).float()
    grid = chosen.view(batch, 1, side // patch, side // patch)
    return grid.repeat_interleave(patch, dim=2).repeat_interleave(patch, dim=3)


def mix(source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Source where the mask is 1, target where it is 0; all (B, C, H, W) or broadcast to that."""
    return mask * source + (1 - mask) * target


def mixed_loss(logits: Tensor, source_label: Tensor, target_guess: Tensor, mask: Tensor, sure: Tensor) -> Tensor:
    """s·CE(y_s) + (1 − s)·CE(ŷ_t), the mean over the batch.

    Args:
        logits: (B, C) on mixed pictures. source_label: (B,) true labels of the source pictures.
        target_guess: (B,) pseudo-labels of the target pictures. mask: (B, 1, H, W) from `patch_mask`.
        sure: (B,) bool; a pseudo-label that is not sure counts nothing. Without that, mistakes feed on themselves.
    """
    share = mask.mean((1, 2, 3))
    own = F.cross_entropy(logits, source_label, reduction="none")
    other = F.cross_entropy(logits, target_guess, reduction="none") * sure
    return (share * own + (1 - share) * other).mean()
