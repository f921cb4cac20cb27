"""One output whose width grows and whose tail is one-sided: quantiles against a mean with a constant width."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tlcourse.labs.log import Log
from tlcourse.labs.training import fit
from tlcourse.methods.pinball import NonCrossingHead, pinball_loss

LEVELS = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])


def run_pinball(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Pinball loss on new data, in units of the lowest that any model can reach (1 is perfect)."""
    generator = torch.Generator().manual_seed(seed)

    def draw(n: int) -> tuple[Tensor, Tensor, Tensor]:
        x = 4 * torch.rand(n, 1, generator=generator) - 2
        middle, width = torch.sin(2 * x[:, 0]), 0.2 + 0.4 * (x[:, 0] + 2) / 4 * settings["growth"]
        tail = -torch.log(torch.rand(n, generator=generator))
        return x, middle + width * tail, (middle[:, None] - width[:, None] * torch.log(1 - LEVELS))

    n, steps = int(settings["labels"]), int(settings["steps"])
    (x, y, _), (x_test, y_test, true) = draw(n), draw(5000)
    lowest = pinball_loss(true, y_test, LEVELS)
    quantiles = nn.Sequential(*_body(), NonCrossingHead(64, len(LEVELS)), nn.Flatten())
    fit(quantiles, x, y, arm="quantiles", log=log, steps=steps, loss=lambda q, t: pinball_loss(q, t, LEVELS))
    mean = nn.Sequential(*_body(), nn.Linear(64, 1))
    fit(mean, x, y, arm="mean", log=log, steps=steps, loss=lambda m, t: (m[:, 0] - t).square().mean())
    with torch.no_grad():
        std = (y - mean(x)[:, 0]).std()
        constant = mean(x_test) + std * torch.distributions.Normal(0.0, 1.0).icdf(LEVELS)
        everywhere = torch.quantile(y, LEVELS).expand(len(x_test), -1)
        return {
            "quantiles": float(pinball_loss(quantiles(x_test), y_test, LEVELS) / lowest),
            "mean": float(pinball_loss(constant, y_test, LEVELS) / lowest),
            "marginal": float(pinball_loss(everywhere, y_test, LEVELS) / lowest),
        }


def _body() -> list[nn.Module]:
    return [nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()]
