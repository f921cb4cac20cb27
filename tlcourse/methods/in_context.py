"""In-context learning: a trained transformer learns a new task from examples in its input; no weight changes.

Garg et al. 2022 (arXiv:2208.01066): prompts x₁ y₁ x₂ y₂ … x_k, the answer is y_k. Each prompt has a task of its own,
here a random linear function; whoever gets them all right must learn from the examples before.

Much smaller than the paper's network (4 layers of width 64 where it has 12 of 256), and trained without its curriculum
of growing dimensions and prompts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class InContextRegressor(nn.Module):
    """A causal transformer over the pairs of a prompt; after every x it says what y it expects."""

    def __init__(self, features: int, width: int = 64, heads: int = 4, layers: int = 4, longest: int = 41) -> None:
        super().__init__()
        self.features = features
        self.read = nn.Linear(features + 1, width)
        self.position = nn.Parameter(torch.randn(2 * longest, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.answer = nn.Linear(width, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x (B, k, features), y (B, k) -> (B, k): entry i is predicted from x₁ y₁ … x_i, and never from y_i."""
        batch, k, _ = x.shape
        tokens = torch.zeros(batch, 2 * k, self.features + 1, dtype=x.dtype, device=x.device)
        tokens[:, 0::2, : self.features] = x
        tokens[:, 1::2, self.features] = y
        h = self.read(tokens) + self.position[: 2 * k]
        causal = nn.Transformer.generate_square_subsequent_mask(2 * k, device=x.device, dtype=x.dtype)
        return self.answer(self.blocks(h, mask=causal, is_causal=True))[:, 0::2, 0]


def linear_tasks(batch: int, k: int, features: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Prompts of random linear functions: x (B, k, features) ~ N(0, 1), y = xᵀw/√features, a new w for each prompt."""
    x = torch.randn(batch, k, features, generator=generator)
    w = torch.randn(batch, features, 1, generator=generator) / features**0.5
    return x, (x @ w).squeeze(-1)


def least_squares(x: Tensor, y: Tensor) -> Tensor:
    """What the best linear learner would predict for the last x from the pairs before it: (B,). Without any: 0."""
    if x.shape[1] == 1:
        return torch.zeros(len(x))
    w = torch.linalg.lstsq(x[:, :-1], y[:, :-1, None], driver="gelsd").solution  # (B, features, 1), least norm
    return (x[:, -1:] @ w)[:, 0, 0]


def classify_by_prototypes(support: Tensor, label: Tensor, query: Tensor, classes: int) -> Tensor:
    """Few-shot by prototypes (Snell et al. 2017, arXiv:1703.05175, equation 2): logits (B, C) = −‖f(x) − c_k‖².

    support (n, d) features with label (n,), each class at least once; query (B, d).
    """
    counts = torch.bincount(label, minlength=classes)
    if (counts == 0).any():
        raise ValueError("a class has no example to make its prototype from")
    centres = support.new_zeros(classes, support.shape[1]).index_add_(0, label, support) / counts[:, None]
    return -torch.cdist(query, centres).square()
