"""Small networks and seeded numbers for the methods' tests."""

from __future__ import annotations

import pytest
import torch
from torch import nn


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test draws the same numbers, on one thread: equal is then equal."""
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture
def small_net() -> nn.Module:
    """A convolutional network with batch norm that ends in a linear layer: (B, 3, 8, 8) -> (B, 5)."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 5),
    )
