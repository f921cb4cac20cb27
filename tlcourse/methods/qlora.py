"""QLoRA: LoRA on weights that are kept in four bits (Dettmers et al. 2023, arXiv:2305.14314, equation 5).

    h = dequantise(W₀)x + (α/r)·BAx

Only A and B are trained, in full precision; W₀ is dequantised for each product, and gradients flow through it.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.methods import nf4


class QLoRALinear(nn.Module):
    """A linear layer in NF4, and a trainable change of rank `rank`."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float | None = None) -> None:
        super().__init__()
        stored = nf4.quantise(linear.weight)
        self._shape = stored.shape
        for name in ("codes", "scales", "units", "mean"):
            self.register_buffer(name, getattr(stored, name))
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach().clone(), requires_grad=False)
        self.scale = (rank if alpha is None else alpha) / rank
        self.a = nn.Parameter(linear.weight.new_empty(rank, linear.in_features))
        self.b = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    def frozen_weight(self) -> Tensor:
        """W₀ as it is used, (out, in): what NF4 has left of it."""
        return nf4.dequantise(nf4.Quantised(self._shape, self.codes, self.scales, self.units, self.mean))

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) -> (…, out)."""
        return F.linear(x, self.frozen_weight(), self.bias) + self.scale * ((x @ self.a.T) @ self.b.T)
