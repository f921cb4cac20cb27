"""Pictures in between two domains, put together from pieces of both.

Patch-mix takes patches (PMTrans; Zhu et al. 2023):

    x = λ ⊙ x_s + (1 − λ) ⊙ x_t,  λ ∈ {0, 1} for each patch        (after arXiv:2303.13434, section 3)
    loss = s·CE(y_s) + (1 − s)·CE(ŷ_t),  s the share of patches from the source

In the paper embeddings of patches are blended by a λ between 0 and 1 from a learnt Beta distribution, attention weighs
the patches, and half of the loss compares features. Here patches are taken whole, with a share that the caller draws.

In deliberated domain bridging two teachers, each with its own bridge, teach one student (DDB; Chen et al. 2022,
arXiv:2209.07695). One teacher learns on regions of the source pasted into target pictures (CutMix: coarse), the other
on whole objects pasted across (ClassMix: fine). The student learns from both on the target, each weighed by how close
a feature lies to its prototypes; the student then begins the next round as both teachers. (In the paper nearness weighs
the classes within each teacher, and the teachers count one half each.)
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


def cut_mask(batch: int, side: int, share: float = 0.5, generator: torch.Generator | None = None) -> Tensor:
    """CutMix: (B, 1, side, side) with one random square of about `share` of the area set to 1."""
    edge = max(1, round(side * share**0.5))
    top = torch.randint(side - edge + 1, (batch, 1, 1, 1), generator=generator)
    left = torch.randint(side - edge + 1, (batch, 1, 1, 1), generator=generator)
    at = torch.arange(side)
    rows, columns = at.view(1, 1, side, 1), at.view(1, 1, 1, side)
    inside = (rows >= top) & (rows < top + edge) & (columns >= left) & (columns < left + edge)
    return inside.float()


def class_mask(label: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """ClassMix: (B, H, W) labels of pixels -> (B, 1, H, W), 1 on half of the classes that each picture has."""
    present = F.one_hot(label).flatten(1, 2).amax(1)  # (B, classes)
    score = torch.rand(present.shape, generator=generator) * present  # which half is chance
    rank = score.argsort(dim=1, descending=True).argsort(dim=1)
    chosen = (rank < (present.sum(1, keepdim=True) // 2).clamp_min(1)).float()
    return chosen.gather(1, label.flatten(1)).view_as(label).unsqueeze(1)


def prototypes(features: Tensor, label: Tensor, classes: int) -> Tensor:
    """The mean feature of each class, (n, d) and (n,) -> (classes, d); zeros where a class has none."""
    sums = features.new_zeros(classes, features.shape[1]).index_add_(0, label, features)
    counts = torch.bincount(label, minlength=classes).clamp_min(1)
    return sums / counts[:, None]


def weighed_teachers(logits: list[Tensor], features: list[Tensor], centres: list[Tensor]) -> Tensor:
    """One soft label from several teachers, (B, C): each counts by how near its feature lies to its own prototypes.

    The weight of teacher i for class c is softmax over the teachers of −‖f_i − μ_ic‖; rows sum to 1.
    """
    near = torch.stack([-torch.cdist(f, centre) for f, centre in zip(features, centres, strict=True)])  # (T, B, C)
    weights = torch.softmax(near, dim=0)
    mixed = (weights * torch.stack([torch.softmax(one, dim=1) for one in logits])).sum(0)
    return mixed / mixed.sum(1, keepdim=True)


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy of the student's logits (B, C) with the teachers' soft label (B, C), the mean over the batch."""
    return -(teacher * torch.log_softmax(student, dim=1)).sum(1).mean()
