"""Upright digits teach a network; turned ones have no labels. A reversed gradient, or none."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.digits import DigitNet
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.labs.turned_digits import World, draw, show, standardised, train
from tlcourse.methods import coral, subspace_alignment
from tlcourse.methods.gradient_reversal import DomainAdversarial, strength

DIMENSIONS = 20


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on turned digits. No arm but the oracle sees a label of theirs."""
    world, steps, start = draw(seed, settings["degrees"]), int(settings["steps"]), DigitNet()
    source, adapted = copy.deepcopy(start), copy.deepcopy(start)
    found = {
        "source": _adversarial(source, world, 0.0, steps, "source", log),
        "standardised": _plain(copy.deepcopy(start), standardised(world), steps, "standardised", log),
        "dann": _adversarial(adapted, world, settings["strength"], steps, "dann", log),
    }
    show(source, world, "source only", log)
    show(adapted, world, "DANN", log)
    found["subspace"] = _subspace(source, world, log)
    oracle = World(world.target, world.hidden, world.target, world.hidden, world.test, world.truth)
    found["target"] = _plain(copy.deepcopy(start), oracle, steps, "target", log)
    found["coral"] = _coral(source, world, log)
    return found


def _adversarial(net: DigitNet, world: World, most: float, steps: int, arm: str, log: Log) -> float:
    """DANN with λ rising to `most`; with 0 the domain classifier learns, and the features do not hear of it."""
    torch.manual_seed(torch.initial_seed())  # back to the start: the same domain classifier and batches for both
    domains = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    whole = DomainAdversarial(net.features, net.fc, domains)

    def loss(x: Tensor, y: Tensor, target: Tensor, progress: float) -> Tensor:
        label, domain = whole.loss(x, y, target, most * strength(progress))
        return label + domain

    return train(net, world, loss, steps, arm, log, extra=domains)


def _plain(net: DigitNet, world: World, steps: int, arm: str, log: Log) -> float:
    return train(net, world, lambda x, y, target, progress: F.cross_entropy(net(x), y), steps, arm, log)


def _subspace(net: DigitNet, world: World, log: Log) -> float:
    """Subspace alignment of the source network's features, and a linear classifier."""
    with torch.no_grad():
        own, other, tested = (net.features(part) for part in (world.x, world.target, world.test))
    aligned, _ = subspace_alignment.align(own, other, DIMENSIONS)
    linear = nn.Linear(DIMENSIONS, 10)
    fit(linear, aligned, world.y, arm="subspace", log=log, steps=400, rate=1e-2)
    axes = subspace_alignment.principal_axes(other, DIMENSIONS)
    return accuracy(linear, (tested - other.mean(0)) @ axes, world.truth)


def _coral(net: DigitNet, world: World, log: Log) -> float:
    """CORAL of the same features, standardised in each domain, and a linear classifier."""
    with torch.no_grad():
        own, other, tested = (net.features(part) for part in (world.x, world.target, world.test))
    aligned, scaled = coral.align_standardised(own, other, tested)
    linear = nn.Linear(own.shape[1], 10)
    fit(linear, aligned, world.y, arm="coral", log=log, steps=400, rate=1e-2)
    return accuracy(linear, scaled, world.truth)
