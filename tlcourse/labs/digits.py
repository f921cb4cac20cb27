"""Scikit-learn's bundled digits (1797 pictures of 8×8, 10 classes), and what a change of domain makes of them."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def load(seed: int) -> tuple[Tensor, Tensor]:
    """All digits in an order that depends on the seed: x (1797, 1, 8, 8) in [0, 1], y (1797,)."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    order = torch.randperm(len(bundled.target), generator=torch.Generator().manual_seed(seed))
    x = torch.from_numpy(bundled.images).float().unsqueeze(1) / 16
    return x[order], torch.from_numpy(bundled.target).long()[order]


def turned(x: Tensor, degrees: float) -> Tensor:
    """The pictures turned about their middle."""
    a = math.radians(degrees)
    turn = torch.tensor([[math.cos(a), -math.sin(a), 0.0], [math.sin(a), math.cos(a), 0.0]])
    grid = F.affine_grid(turn.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def on_ground(x: Tensor, generator: torch.Generator, amount: float = 0.6, noise: float = 0.1) -> Tensor:
    """The pictures as |ground − digit|, as MNIST-M is made; the ground is smooth and at most `amount` light."""
    ground = F.interpolate(torch.rand(len(x), 1, 3, 3, generator=generator), x.shape[-2:], mode="bilinear")
    picture = (amount * ground - x).abs() + noise * torch.randn(x.shape, generator=generator)
    return picture.clamp(0, 1)


class DigitNet(nn.Module):
    """(B, 1, 8, 8) -> `features` (B, width), then logits (B, classes). Group norm: it has no statistics to drift."""

    def __init__(self, classes: int = 10, width: int = 64) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.GroupNorm(4, 16),
            nn.ReLU(),  # (B, 16, 8, 8)
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.GroupNorm(4, 32),
            nn.ReLU(),  # (B, 32, 4, 4)
            nn.Flatten(),
            nn.Linear(512, width),
            nn.ReLU(),
        )
        self.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))
