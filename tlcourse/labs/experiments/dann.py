"""Bundled digits on paper teach a network; digits on another ground are the target. A reversed gradient, or none."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from tlcourse.labs.digits import DigitNet, load, on_ground
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods import gradient_reversal, subspace_alignment

DIMENSIONS = 20


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on digits over the other ground."""
    generator = torch.Generator().manual_seed(seed)
    x, y = load(seed)
    unlabelled, test = on_ground(x[700:1300], generator), on_ground(x[1300:], generator)
    truth, steps = y[1300:], int(settings["steps"])
    plain = DigitNet()
    fit(plain, x[:700], y[:700], arm="source", log=log, steps=steps)
    adapted = DigitNet()
    domains = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    net = gradient_reversal.DomainAdversarial(adapted.features, adapted.fc, domains)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    for step in range(steps):
        rows, others = torch.randint(700, (64,)), torch.randint(len(unlabelled), (64,))
        strength = settings["strength"] * gradient_reversal.strength(step / steps)
        loss, domain = net.loss(x[rows], y[rows], unlabelled[others], strength)
        optimizer.zero_grad()
        (loss + domain).backward()
        optimizer.step()
        if step % max(steps // 20, 1) == 0:
            log.metric("dann", step, loss=loss.item(), domain=domain.item())
    with torch.no_grad():
        own, other, tested = (plain.features(part) for part in (x[:700], unlabelled, test))
    aligned, _ = subspace_alignment.align(own, other, DIMENSIONS)
    linear = nn.Linear(DIMENSIONS, 10)
    fit(linear, aligned, y[:700], arm="subspace", log=log, steps=400, rate=1e-2)
    axes = subspace_alignment.principal_axes(other, DIMENSIONS)
    oracle = DigitNet()
    fit(oracle, unlabelled, y[700:1300], arm="target", log=log, steps=steps)
    return {
        "source": accuracy(plain, test, truth),
        "subspace": accuracy(linear, (tested - other.mean(0)) @ axes, truth),
        "dann": accuracy(net, test, truth),
        "target": accuracy(oracle, test, truth),
    }
