"""Covariate shift with a model that is too simple: importance weights, estimated without a target label."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.log import Log


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean squared error of a straight line on the target; the truth is a curve, so that it matters where one fits."""
    generator = torch.Generator().manual_seed(seed)

    def draw(n: int, centre: float) -> tuple[Tensor, Tensor]:
        x = centre + 0.7 * torch.randn(n, 1, generator=generator)
        return x, torch.sin(x) * x + 0.2 * torch.randn(n, 1, generator=generator)

    n = int(settings["labels"])
    (xs, ys), (xt, yt), (test, truth) = draw(n, 0.0), draw(n, settings["shift"]), draw(4000, settings["shift"])
    weights = {
        "source": torch.ones(n, 1),
        "weighted": _importance(xs, xt, settings["cap"]),
        "random": _importance(xs, xt, settings["cap"])[torch.randperm(n, generator=generator)],
    }
    found = {}
    for arm, (x, y, w) in {
        **{k: (xs, ys, v) for k, v in weights.items()},
        "target": (xt, yt, torch.ones(n, 1)),
    }.items():
        found[arm] = float((_line(x, y, w)(test) - truth).square().mean())
        log.metric(arm, 0, error=found[arm])
    return found


def _importance(xs: Tensor, xt: Tensor, cap: float) -> Tensor:
    """p_t(x)/p_s(x) by a classifier that tells the domains apart: odds of "target"; capped, with mean 1."""
    x, domain = torch.cat([xs, xt]), torch.cat([torch.zeros(len(xs), 1), torch.ones(len(xt), 1)])
    net = nn.Linear(2, 1)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=50)
    features = torch.cat([x, x.square()], dim=1)  # enough for two normal distributions

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(features), domain)
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        odds = net(features[: len(xs)]).exp().clamp_max(cap)
    return odds / odds.mean()


def _line(x: Tensor, y: Tensor, weight: Tensor):  # type: ignore[no-untyped-def]
    design = torch.cat([x, torch.ones_like(x)], dim=1)
    solution = torch.linalg.solve(design.T @ (weight * design), design.T @ (weight * y))
    return lambda t: torch.cat([t, torch.ones_like(t)], dim=1) @ solution
