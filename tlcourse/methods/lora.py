"""LoRA: a low-rank change of frozen weights (Hu et al. 2021, arXiv:2106.09685, section 4.1, equation 3).

    h = W₀x + (α/r)·BAx        A: (r, in), random        B: (out, r), zero

In the paper A is Gaussian; here, as in its code, Kaiming's uniform. B = 0 makes training start at the original network.
After training BA can be merged into W₀, and costs nothing then.

QLoRA keeps the frozen weights in four bits (Dettmers et al. 2023, arXiv:2305.14314, equation 5):

    h = dequantise(W₀)x + (α/r)·BAx

Only A and B are trained, in full precision; W₀ is dequantised for each product, and gradients flow through it.

Its four-bit numbers are NF4, for weights that are about normally distributed. A block of 64 weights is divided by its
largest magnitude, and each weight becomes the nearest of 16 levels, which are quantiles of the normal distribution with
an exact zero (their appendix E). The blocks' scales are quantised once more to eight bits, in blocks of 256, after
their mean was taken off (section 3, double quantisation): 0.5 → 0.127 bits.

Simpler than the paper: scales are stored as 8-bit integers, not 8-bit floats, and each weight's level is the nearest
one under the scale as stored. Optimiser states are not paged. Autograd keeps the dequantised matrix for the backward
pass, so what shrinks is storage, and not the memory of training.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from msgspec import Struct
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


LEVELS = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)  # fmt: skip
"""The 16 levels: 7 quantiles below zero, zero, and 8 above it, each side normalised to 1."""
BLOCK, SCALE_BLOCK = 64, 256


class Quantised(Struct):
    """A tensor in NF4. Bits a weight: 4 + 8/64 + 32/(64·256) = 4.127."""

    shape: tuple[int, ...]
    codes: Tensor
    """(⌈n/2⌉,) uint8, two codes a byte."""
    scales: Tensor
    """(blocks,) int8: each block's largest magnitude, less their mean, in units of its scale block's unit."""
    units: Tensor
    """(⌈blocks/256⌉,) float32."""
    mean: Tensor
    """() float32."""

    def bits_a_weight(self) -> float:
        """What is stored, for each weight."""
        stored = (self.codes, self.scales, self.units, self.mean)
        return sum(part.numel() * part.element_size() * 8 for part in stored) / torch.Size(self.shape).numel()


def quantise(weight: Tensor) -> Quantised:
    """A float tensor of any shape, in NF4 with double quantisation."""
    blocks = _blocks(weight.detach().float().flatten(), BLOCK)  # (blocks, 64)
    largest = blocks.abs().amax(dim=1)
    scales, units, mean = _quantise_scales(largest)
    scale = _scales(scales, units, mean).clamp_min(torch.finfo(torch.float32).tiny)
    levels = torch.tensor(LEVELS, device=weight.device)
    edges = (levels[1:] + levels[:-1]) / 2  # half-way between two levels
    codes = torch.bucketize(blocks / scale[:, None], edges).to(torch.uint8).flatten()
    return Quantised(tuple(weight.shape), codes[::2] << 4 | codes[1::2], scales, units, mean)


def dequantise(stored: Quantised) -> Tensor:
    """The float32 tensor that NF4 stands for."""
    codes = torch.stack([stored.codes >> 4, stored.codes & 15], dim=1).flatten().long()
    levels = torch.tensor(LEVELS, device=codes.device)
    blocks = levels[codes].view(-1, BLOCK) * _scales(stored.scales, stored.units, stored.mean)[:, None]
    return blocks.flatten()[: torch.Size(stored.shape).numel()].view(stored.shape)


def _quantise_scales(largest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    mean = largest.mean()
    parts = _blocks(largest - mean, SCALE_BLOCK)
    units = parts.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / 127
    scales = (parts / units[:, None]).round().to(torch.int8).flatten()[: len(largest)]
    return scales, units, mean


def _scales(scales: Tensor, units: Tensor, mean: Tensor) -> Tensor:
    return (_blocks(scales.float(), SCALE_BLOCK) * units[:, None]).flatten()[: len(scales)] + mean


def _blocks(flat: Tensor, size: int) -> Tensor:
    """(n,) -> (⌈n/size⌉, size), filled up with zeros."""
    return torch.nn.functional.pad(flat, (0, -len(flat) % size)).view(-1, size)


class QLoRALinear(nn.Module):
    """A linear layer in NF4, and a trainable change of rank `rank`."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float | None = None) -> None:
        super().__init__()
        stored = quantise(linear.weight)
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
        return dequantise(Quantised(self._shape, self.codes, self.scales, self.units, self.mean))

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) -> (…, out)."""
        return F.linear(x, self.frozen_weight(), self.bias) + self.scale * ((x @ self.a.T) @ self.b.T)
