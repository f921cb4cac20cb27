"""Many subjects teach a model; a new one has few labels of their own."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods.anchoring import anchored_loss

FEATURES, CLASSES, SUBJECTS = 10, 4, 12
STD, OWN = 1.6, 1.0
"""How much a class varies, and how much a subject differs from the others, in units of the distance of the classes."""


def run_anchoring(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean accuracy on new subjects, each personalised from its own few labels."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(CLASSES, FEATURES, generator=generator) * 1.2

    def subject(n: int) -> tuple[Tensor, Tensor]:
        own = centres + OWN * torch.randn(CLASSES, FEATURES, generator=generator) * 0.8
        y = torch.randint(CLASSES, (n,), generator=generator)
        return own[y] + STD * torch.randn(n, FEATURES, generator=generator), y

    crowd = [subject(100) for _ in range(40)]
    original = nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    x, y = (torch.cat(parts) for parts in zip(*crowd, strict=True))
    fit(original, x, y, arm="crowd", log=log, steps=600)
    totals = {"none": 0.0, "plain": 0.0, "anchored": 0.0}
    labels = int(settings["labels"])
    for number in range(SUBJECTS):
        x, y = subject(labels + 1000)
        mine, rest = slice(labels), slice(labels, None)
        totals["none"] += accuracy(original, x[rest], y[rest])
        for arm, alpha in (("plain", 0.0), ("anchored", settings["alpha"])):
            net = _personalised(original, x[mine], y[mine], alpha)
            score = accuracy(net, x[rest], y[rest])
            log.metric(arm, number, accuracy=score)
            totals[arm] += score
    return {arm: total / SUBJECTS for arm, total in totals.items()}


def _personalised(original: nn.Module, x: Tensor, y: Tensor, alpha: float) -> nn.Module:
    net = copy.deepcopy(original)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    with torch.no_grad():
        anchor = original(x)
    for _ in range(200):
        loss = anchored_loss(net(x), y, anchor, alpha)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()
