"""Handwritten digits (1797 pictures of 8×8, 10 classes), and changes of domain: rotation, a background.

The digits are the test set of Alpaydin and Kaynak 1998 (UCI, doi:10.24432/C50P49, CC BY 4.0), as scikit-learn has it.
They are kept here, so that no lab waits for scikit-learn, or for an installation of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from msgspec import Struct
from torch import Tensor, nn

from tlcourse.labs.training import POINTS, Log, accuracy, show_features

_DIGITS = Path(__file__).with_name("digits.npz")
BATCH = 64
SHOWN = 150
"""Points of each domain in a picture of features."""
Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""(source x, its labels, target x, progress from 0 to 1) -> what is minimised."""


def load(seed: int) -> tuple[Tensor, Tensor]:
    """All digits in an order that depends on the seed: x (1797, 1, 8, 8) in [0, 1], y (1797,)."""
    with np.load(_DIGITS) as kept:
        x, y = torch.from_numpy(kept["pictures"]).float().unsqueeze(1) / 16, torch.from_numpy(kept["labels"]).long()
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    return x[order], y[order]


def rotated(x: Tensor, degrees: float) -> Tensor:
    """The pictures rotated about their middle."""
    a = math.radians(degrees)
    rotation = torch.tensor([[math.cos(a), -math.sin(a), 0.0], [math.sin(a), math.cos(a), 0.0]])
    grid = F.affine_grid(rotation.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def on_background(x: Tensor, generator: torch.Generator, amount: float = 0.6, noise: float = 0.1) -> Tensor:
    """The pictures as |background − digit|, as MNIST-M is made; the background is smooth and at most `amount` light."""
    background = F.interpolate(torch.rand(len(x), 1, 3, 3, generator=generator), x.shape[-2:], mode="bilinear")
    picture = (amount * background - x).abs() + noise * torch.randn(x.shape, generator=generator)
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


class RotatedDigits(Struct, frozen=True):
    """Upright digits as the source, rotated ones as the target: pictures (n, 1, 8, 8) and labels (n,).

    `hidden` are the labels of `target`, for the oracle alone.
    """

    x: Tensor
    y: Tensor
    target: Tensor
    hidden: Tensor
    test: Tensor
    truth: Tensor


def rotated_digits(seed: int, degrees: float) -> RotatedDigits:
    """800 for the source, 500 of the target without labels, 497 for the test; other pictures with every seed."""
    x, y = load(seed)
    other = rotated(x[800:], degrees)
    return RotatedDigits(x[:800], y[:800], other[:500], y[800:1300], other[500:], y[1300:])


def standardised(data: RotatedDigits) -> RotatedDigits:
    """Every pixel with mean 0 and standard deviation 1 in each domain by itself: adaptation without a network."""

    def apply(x: Tensor, domain: Tensor) -> Tensor:
        return (x - domain.mean(0)) / (domain.std(0) + 0.1)  # some pixels are always dark

    return RotatedDigits(
        apply(data.x, data.x), data.y, apply(data.target, data.target), data.hidden,
        apply(data.test, data.target), data.truth,
    )  # fmt: skip


def train(
    net: DigitNet, data: RotatedDigits, loss: Loss, steps: int, arm: str, log: Log, extra: nn.Module | None = None
) -> float:
    """Adam with little momentum, the learning rate constant, then falling from half way on; the test's accuracy.

    `extra` is trained with the network, at five times its learning rate: a domain classifier has to keep up with
    features that run away from it. The test's accuracy is plotted, and nothing is chosen by it.
    """
    groups = [{"params": list(net.parameters()), "lr": 1e-3}]
    if extra is not None:
        groups.append({"params": list(extra.parameters()), "lr": 5e-3})
    optimizer = torch.optim.Adam(groups, betas=(0.5, 0.99))
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 - 1.9 * step / steps))
    for step in range(1, steps + 1):
        rows, others = torch.randint(len(data.x), (BATCH,)), torch.randint(len(data.target), (BATCH,))
        value = loss(data.x[rows], data.y[rows], data.target[others], step / steps)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        falling.step()
        if step % max(steps // POINTS, 1) == 0 or step == steps:
            log.metric(arm, step, loss=value.item(), accuracy=accuracy(net, data.test, data.truth))
    return accuracy(net, data.test, data.truth)


@torch.no_grad()
def show(net: DigitNet, data: RotatedDigits, title: str, log: Log) -> None:
    """A picture of the features of both domains."""
    both = torch.cat([net.features(data.x[:SHOWN]), net.features(data.test[:SHOWN])])
    labels = [*data.y[:SHOWN], *data.truth[:SHOWN]]
    show_features(log, title, both, [0] * SHOWN + [1] * SHOWN, labels)
