"""Two outputs on one small trunk; one is given in a small unit, and so has a loss hundreds of times as large."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from tlcourse.labs.log import Log
from tlcourse.labs.related_tasks import draw, error, trunk
from tlcourse.methods.loss_weighting import UncertaintyWeighting


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Error on new inputs, in units of each output's variance, averaged over both outputs."""
    generator = torch.Generator().manual_seed(seed)
    data = draw(2, 1, int(settings["labels"]), 1.0, generator)
    scale = torch.tensor([1.0, settings["scale"]])
    y, width = data.y * scale, int(settings["width"])
    found = {}
    for arm in ("equal", "uncertainty", "oracle"):
        net = nn.Sequential(trunk(width), nn.Linear(width, 2))
        weighting = UncertaintyWeighting({"small": "regression", "large": "regression"})

        def loss(guess: Tensor, true: Tensor, arm: str = arm, learnt: UncertaintyWeighting = weighting) -> Tensor:
            parts = (guess - true).square().mean(0)
            if arm == "equal":
                return parts.sum()
            if arm == "oracle":
                return (parts / scale.square()).sum()
            return learnt({"small": parts[0], "large": parts[1]})

        _train(net, weighting, data.x, y, loss, arm, int(settings["steps"]), log)
        with torch.no_grad():
            found[arm] = error(net(data.x_test), data.y_test * scale)
    return found


def _train(
    net: nn.Module,
    weighting: UncertaintyWeighting,
    x: Tensor,
    y: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    arm: str,
    steps: int,
    log: Log,
) -> None:
    """Adam; the two learnt log variances move 30 times as fast as the weights, for they have far to go."""
    lr, faster = 5e-3, 30
    groups = [{"params": net.parameters()}, {"params": weighting.parameters(), "lr": faster * lr}]
    optimizer = torch.optim.Adam(groups, lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [lr, faster * lr], total_steps=steps)
    for step in range(1, steps + 1):
        rows = torch.randint(len(x), (min(64, len(x)),))
        value = loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            ratio = weighting.log_variance["large"] - weighting.log_variance["small"]
            log.metric(arm, step, loss=value.item(), **({"log ratio": ratio.item()} if arm == "uncertainty" else {}))
