"""The pinball loss. Fill in each TODO; `tlcourse write check pinball` checks it."""

import torch
from torch import Tensor


def pinball_loss(quantiles: Tensor, y: Tensor, levels: Tensor) -> Tensor:
    """(…, Q), (…) and (Q,) -> ()"""
    u = ...  # TODO: y − q, shape (…, Q)
    raise NotImplementedError  # TODO: the mean of ρ_τ(u)
