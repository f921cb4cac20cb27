"""Synthetic regressions that come in families: those of one family are sums of the same hidden functions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from msgspec import Struct
from torch import Tensor, nn

FEATURES, HIDDEN, NOISE = 10, 4, 0.3
WIDTH = 32


class Families(Struct, frozen=True):
    """Inputs (n, 10) and the outputs of all tasks (n, tasks), family after family; a task has variance 1 on average."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    """Without noise."""


def draw(
    families: int, each: int, labels: int, related: float, generator: torch.Generator, hidden: int = HIDDEN
) -> Families:
    """`families` times `each` tasks; `related` is the share of a task's variance that its family's functions make."""
    own_or_common = []
    shared = [_functions(hidden, generator) for _ in range(families)]
    for family in range(families):
        for _ in range(each):
            mix = F.normalize(torch.randn(hidden, generator=generator), dim=0)
            alone = F.normalize(torch.randn(hidden, generator=generator), dim=0)
            own_or_common.append((shared[family], mix, _functions(hidden, generator), alone))

    def outputs(x: Tensor) -> Tensor:
        columns = [
            related**0.5 * torch.sin(x @ common) @ mix + (1 - related) ** 0.5 * torch.sin(x @ own) @ alone
            for common, mix, own, alone in own_or_common
        ]
        return 2**0.5 * torch.stack(columns, dim=1)  # the variance of a sine is about one half

    x, x_test = torch.randn(labels, FEATURES, generator=generator), torch.randn(2000, FEATURES, generator=generator)
    y = outputs(x)
    return Families(x, y + NOISE * torch.randn(y.shape, generator=generator), x_test, outputs(x_test))


def _functions(hidden: int, generator: torch.Generator) -> Tensor:
    """(10, hidden): the directions along which the hidden functions wave."""
    return 1.2 * F.normalize(torch.randn(FEATURES, hidden, generator=generator), dim=0)


def trunk(width: int = WIDTH) -> nn.Sequential:
    """(B, 10) -> (B, width)."""
    return nn.Sequential(nn.Linear(FEATURES, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())


@torch.no_grad()
def error(found: Tensor, true: Tensor) -> float:
    """Mean squared error in units of the outputs' variance, averaged over tasks: 1 is knowing nothing."""
    return float(((found - true).square().mean(0) / true.var(0)).mean())
