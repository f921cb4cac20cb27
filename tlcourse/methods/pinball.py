"""Quantiles by the pinball loss (Koenker and Bassett 1978), and heads whose quantiles cannot cross.

    ρ_τ(u) = max(τu, (τ − 1)u),  u = y − q

Its expectation over y is smallest where q is the τ-quantile of y: a fraction τ of the gradients then points each way.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pinball_loss(quantiles: Tensor, y: Tensor, levels: Tensor) -> Tensor:
    """The mean over everything. quantiles (…, Q), y (…), levels (Q,) between 0 and 1 -> ()."""
    u = y.unsqueeze(-1) - quantiles
    return torch.maximum(levels * u, (levels - 1) * u).mean()


class NonCrossingHead(nn.Module):
    """Quantiles as a middle one plus and minus sums of positive steps: they are in order for every input."""

    def __init__(self, features: int, levels: int, outputs: int = 1) -> None:
        super().__init__()
        self.levels, self.outputs = levels, outputs
        self.linear = nn.Linear(features, outputs * levels)

    def forward(self, features: Tensor) -> Tensor:
        """(B, features) -> (B, outputs, levels), ascending along the last dimension."""
        raw = self.linear(features).view(-1, self.outputs, self.levels)
        middle = self.levels // 2
        steps = F.softplus(raw)
        below = steps[..., :middle].flip(-1).cumsum(-1).flip(-1)  # from the middle downwards
        above = steps[..., middle + 1 :].cumsum(-1)
        centre = raw[..., middle : middle + 1]
        return torch.cat([centre - below, centre, centre + above], dim=-1)
