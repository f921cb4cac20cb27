"""LoRA: a low-rank change of frozen weights (Hu et al. 2021, arXiv:2106.09685, section 4.1, equation 3).

    h = W₀x + (α/r)·BAx        A: (r, in), Gaussian      B: (out, r), zero

B = 0 makes training start at the original network. After training BA can be merged into W₀, and costs nothing then.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    """A frozen linear layer, and a trainable change of rank `r` of its weights."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float | None = None) -> None:
        super().__init__()
        if not 0 < rank <= min(linear.in_features, linear.out_features):
            raise ValueError(f"rank {rank} is not between 1 and {min(linear.in_features, linear.out_features)}")
        self.linear = linear
        for parameter in linear.parameters():
            parameter.requires_grad_(False)
        self.scale = (rank if alpha is None else alpha) / rank
        self.a = nn.Parameter(linear.weight.new_empty(rank, linear.in_features))
        self.b = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))
        self.merged = False

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) -> (…, out)."""
        h = self.linear(x)
        return h if self.merged else h + self.scale * ((x @ self.a.T) @ self.b.T)

    def change(self) -> Tensor:
        """ΔW = (α/r)·BA, shape (out, in), of rank at most r."""
        return self.scale * (self.b @ self.a)

    @torch.no_grad()
    def merge(self) -> None:
        """Add the change to the frozen weights: one matrix product again."""
        if not self.merged:
            self.linear.weight += self.change()
            self.merged = True

    @torch.no_grad()
    def unmerge(self) -> None:
        """Take it out again. In low precision this leaves a rounding error behind each time."""
        if self.merged:
            self.linear.weight -= self.change()
            self.merged = False


def apply(
    net: nn.Module, rank: int, alpha: float | None = None, where: Callable[[str], bool] = lambda name: True
) -> list[LoRALinear]:
    """Freeze `net`, and give each of its linear layers whose name `where` accepts a low-rank change; returns these.

    Raises ValueError where no layer is chosen.
    """
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    chosen = [(name, child) for name, child in net.named_modules() if isinstance(child, nn.Linear) and where(name)]
    if not chosen:
        raise ValueError("no linear layer was chosen; names are those of net.named_modules()")
    made = []
    for name, linear in chosen:
        parent, _, last = name.rpartition(".")
        layer = LoRALinear(linear, rank, alpha)
        setattr(net.get_submodule(parent), last, layer)
        made.append(layer)
    return made


def merge_all(net: nn.Module) -> None:
    """Merge every low-rank change in `net`."""
    for module in net.modules():
        if isinstance(module, LoRALinear):
            module.merge()
