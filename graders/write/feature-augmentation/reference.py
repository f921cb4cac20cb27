"""Daumé's copies."""

import torch
from torch import Tensor


def augment(x: Tensor, domain: str) -> Tensor:
    """(n, d) -> (n, 3d)"""
    nothing = torch.zeros_like(x)
    return torch.cat([x, x, nothing] if domain == "source" else [x, nothing, x], dim=1)


def weights_by_domain(weight: Tensor) -> tuple[Tensor, Tensor]:
    """(…, 3d) -> what acts on source features and on target features, each (…, d)"""
    common, source, target = weight.chunk(3, dim=-1)
    return common + source, common + target
