"""Patch-mix. Fill in each TODO; `tlcourse write check patch-mix` checks it."""

import torch
import torch.nn.functional as F
from torch import Tensor


def patch_mask(batch: int, side: int, patch: int, share: Tensor) -> Tensor:
    """(batch, 1, side, side), 1 on patches of the source"""
    cells = (side // patch) ** 2
    raise NotImplementedError  # TODO: choose cells by chance, then blow them up


def mix(source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The source where the mask is 1, the target where it is 0"""
    raise NotImplementedError  # TODO


def mixed_loss(logits: Tensor, source_label: Tensor, target_guess: Tensor, mask: Tensor, sure: Tensor) -> Tensor:
    """s·CE(y_s) + (1 − s)·sure·CE(ŷ_t), the mean over the batch -> ()"""
    raise NotImplementedError  # TODO
