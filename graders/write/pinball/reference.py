"""The pinball loss."""

import torch
from torch import Tensor


def pinball_loss(quantiles: Tensor, y: Tensor, levels: Tensor) -> Tensor:
    """(…, Q), (…) and (Q,) -> ()"""
    u = y.unsqueeze(-1) - quantiles
    return torch.maximum(levels * u, (levels - 1) * u).mean()
