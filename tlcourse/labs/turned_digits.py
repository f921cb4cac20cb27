"""Upright digits are the source, turned ones the target, of which no labels are seen: for dann and deep-coral.

Parts of the bundled digits: 800 for the source, 500 unlabelled of the target, 497 for the test.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from msgspec import Struct
from torch import Tensor, nn

from tlcourse.labs import two_dimensions
from tlcourse.labs.digits import DigitNet, load, turned
from tlcourse.labs.log import Log
from tlcourse.labs.training import POINTS, accuracy

BATCH = 64
SHOWN = 150
"""Points of each domain in a picture of features."""
Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""(source x, its labels, target x, progress from 0 to 1) -> what is minimised."""


class World(Struct, frozen=True):
    """Pictures (n, 1, 8, 8) and labels (n,); `hidden` are the labels of `target`, for the oracle alone."""

    x: Tensor
    y: Tensor
    target: Tensor
    hidden: Tensor
    test: Tensor
    truth: Tensor


def draw(seed: int, degrees: float) -> World:
    """Other pictures for source, target and test with every seed."""
    x, y = load(seed)
    other = turned(x[800:], degrees)
    return World(x[:800], y[:800], other[:500], y[800:1300], other[500:], y[1300:])


def standardised(world: World) -> World:
    """Every pixel with mean 0 and spread 1 in each domain by itself: adaptation without a network."""

    def apply(x: Tensor, domain: Tensor) -> Tensor:
        return (x - domain.mean(0)) / (domain.std(0) + 0.1)  # some pixels are always dark

    return World(
        apply(world.x, world.x), world.y, apply(world.target, world.target), world.hidden,
        apply(world.test, world.target), world.truth,
    )  # fmt: skip


def train(
    net: DigitNet, world: World, loss: Loss, steps: int, arm: str, log: Log, extra: nn.Module | None = None
) -> float:
    """Adam with little momentum, the rate constant for one half and falling for the other; the test's accuracy.

    `extra` is trained with the network, at five times its rate: a domain classifier has to keep up with features that
    run away from it. The accuracy on the test is drawn, and nothing is chosen by it.
    """
    groups = [{"params": list(net.parameters()), "lr": 1e-3}]
    if extra is not None:
        groups.append({"params": list(extra.parameters()), "lr": 5e-3})
    optimizer = torch.optim.Adam(groups, betas=(0.5, 0.99))
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 - 1.9 * step / steps))
    for step in range(1, steps + 1):
        rows, others = torch.randint(len(world.x), (BATCH,)), torch.randint(len(world.target), (BATCH,))
        value = loss(world.x[rows], world.y[rows], world.target[others], step / steps)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        falling.step()
        if step % max(steps // POINTS, 1) == 0 or step == steps:
            log.metric(arm, step, loss=value.item(), accuracy=accuracy(net, world.test, world.truth))
    return accuracy(net, world.test, world.truth)


@torch.no_grad()
def show(net: DigitNet, world: World, title: str, log: Log) -> None:
    """A picture of the features of both domains."""
    both = torch.cat([net.features(world.x[:SHOWN]), net.features(world.test[:SHOWN])])
    labels = [*world.y[:SHOWN], *world.truth[:SHOWN]]
    two_dimensions.show(log, title, both, [0] * SHOWN + [1] * SHOWN, labels)
