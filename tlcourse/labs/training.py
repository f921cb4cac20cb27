"""The loop that most experiments share: Adam, one cycle of the learning rate, a point of the curve now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.log import Log

POINTS = 20
"""Points of a curve."""


def fit(
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    arm: str,
    log: Log,
    steps: int,
    lr: float = 3e-3,
    batch: int = 64,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    parameters: Iterable[nn.Parameter] | None = None,
    after_step: Callable[[torch.optim.Optimizer], None] | None = None,
    measure: Callable[[], dict[str, float]] | None = None,
) -> None:
    """Train `net` on (x, y) for so many steps; `after_step` takes the place of `optimizer.step()` where it is given."""
    chosen = [p for p in (parameters or net.parameters()) if p.requires_grad]
    optimizer = torch.optim.Adam(chosen, lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    net.train()
    for step in range(1, steps + 1):
        rows = torch.randint(len(x), (min(batch, len(x)),))
        value = loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        value.backward()
        if after_step is None:
            optimizer.step()
        else:
            after_step(optimizer)
        schedule.step()
        if step % max(steps // POINTS, 1) == 0 or step == steps:
            net.eval()
            log.metric(arm, step, loss=value.item(), **(measure() if measure else {}))
            net.train()
    net.eval()


@torch.no_grad()
def accuracy(net: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    """The share of rows whose largest logit is that of their label."""
    return float((net(x).argmax(1) == y).float().mean())
