"""Subspace alignment."""

import torch
from torch import Tensor


def axes(centred: Tensor, dimensions: int) -> Tensor:
    """The first principal axes of centred features (n, features) -> (features, dimensions)"""
    return torch.linalg.svd(centred, full_matrices=False).Vh[:dimensions].T


def align(source: Tensor, target: Tensor, dimensions: int) -> tuple[Tensor, Tensor]:
    """Both domains along the target's axes: (n, dimensions) and (m, dimensions)"""
    source, target = source - source.mean(0), target - target.mean(0)
    p_s, p_t = axes(source, dimensions), axes(target, dimensions)
    return source @ p_s @ (p_s.T @ p_t), target @ p_t
