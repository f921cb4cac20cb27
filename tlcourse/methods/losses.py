"""Losses: several in one network, learnt weights between them, and the pinball loss for quantiles.

Uncertainty weighting (Kendall, Gal and Cipolla 2018, arXiv:1705.07115, equation 10): each task has a learnt noise σ_i,
and the loss is Σ L_i/(2σ_i²) + log σ_i for regression, Σ L_i/σ_i² + log σ_i for classification. A split loss judges the
parts of one output by different losses.

Quantiles are learnt by the pinball loss (Koenker and Bassett 1978), with heads whose quantiles cannot cross:

    ρ_τ(u) = max(τu, (τ − 1)u),  u = y − q

Its expectation over y is smallest where q is the τ-quantile of y: then a share τ of the y lies below, with gradients of
size 1 − τ, and a share 1 − τ above, with gradients of size τ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class UncertaintyWeighting(nn.Module):
    """Σ c_i·L_i·e^(−s_i) + s_i/2 with s_i = log σ_i², which cannot divide by zero; c_i is ½ for regression, else 1."""

    def __init__(self, kinds: Mapping[str, Literal["regression", "classification"]]) -> None:
        super().__init__()
        self._factor = {task: 0.5 if kind == "regression" else 1.0 for task, kind in kinds.items()}
        self.log_variance = nn.ParameterDict({task: nn.Parameter(torch.zeros(())) for task in kinds})

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """One scalar loss for each task -> their weighted sum."""
        if set(losses) != set(self._factor):
            raise ValueError(f"losses of {sorted(losses)}, expected those of {sorted(self._factor)}")
        parts = [
            self._factor[task] * loss * torch.exp(-self.log_variance[task]) + self.log_variance[task] / 2
            for task, loss in losses.items()
        ]
        return torch.stack(parts).sum()


class SplitLoss(nn.Module):
    """One output vector whose parts mean different things, each judged by its own loss.

    The lecture's custom loss splits the first dimension in two and adds two losses. Here the second one is split, and
    what does not apply is masked.

    A detector's output, for instance, holds "is there an object?" (1 logit), "which one?" (C logits) and "where?" (4
    numbers); the last two count only where there is one.
    """

    def __init__(self, classes: int, weights: Sequence[float] = (1.0, 1.0, 1.0)) -> None:
        super().__init__()
        self.classes = classes
        self.weights = tuple(weights)

    def forward(self, output: Tensor, there: Tensor, label: Tensor, box: Tensor) -> Tensor:
        """output (B, 1 + C + 4); there (B,) 0 or 1; label (B,) int64; box (B, 4) -> ().

        Where nothing is there, `label` and `box` may hold anything: they are not looked at.
        """
        if output.shape[1] != 1 + self.classes + 4:
            raise ValueError(f"the output has {output.shape[1]} numbers, expected {1 + self.classes + 4}")
        presence, logits, place = output.split([1, self.classes, 4], dim=1)
        found = there.bool()
        is_there = F.binary_cross_entropy_with_logits(presence[:, 0], there.to(output.dtype))
        if not found.any():
            return self.weights[0] * is_there
        what = F.cross_entropy(logits[found], label[found])
        where = F.smooth_l1_loss(place[found], box[found])
        return self.weights[0] * is_there + self.weights[1] * what + self.weights[2] * where


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
