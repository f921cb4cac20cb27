"""Subspace alignment: turn the source's principal axes onto the target's (Fernando et al. 2013, ICCV).

source: x·P_s·(P_sᵀP_t)        target: x·P_t        P: (features, d), the first d principal axes
"""

from __future__ import annotations

import torch
from torch import Tensor


def principal_axes(x: Tensor, dimensions: int) -> Tensor:
    """The first principal axes of centred x, (n, features) -> (features, dimensions), orthonormal columns."""
    if not 0 < dimensions <= min(x.shape):
        raise ValueError(f"{dimensions} dimensions of data of shape {tuple(x.shape)}: expected 1 to {min(x.shape)}")
    centred = x - x.mean(0)
    return torch.linalg.svd(centred, full_matrices=False).Vh[:dimensions].T


def align(source: Tensor, target: Tensor, dimensions: int) -> tuple[Tensor, Tensor]:
    """Source and target in the target's subspace, each centred by its own mean: two times (n, dimensions).

    A classifier that is trained on the first is used on the second. No label is needed.
    """
    p_s, p_t = principal_axes(source, dimensions), principal_axes(target, dimensions)
    return (source - source.mean(0)) @ p_s @ (p_s.T @ p_t), (target - target.mean(0)) @ p_t
