"""Upright digits teach a network; rotated ones have no labels. The distance of the features' covariances as a loss."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.digits import DigitNet, RotatedDigits, rotated_digits, show, standardised, train
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods import coral


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on rotated digits. No arm but the oracle sees a label of theirs."""
    data, steps, start = rotated_digits(seed, settings["degrees"]), int(settings["steps"]), DigitNet()
    source, deep = copy.deepcopy(start), copy.deepcopy(start)
    oracle = RotatedDigits(data.target, data.hidden, data.target, data.hidden, data.test, data.truth)
    found = {
        "source": _trained(source, data, 0.0, steps, "source", log),
        "standardised": _trained(copy.deepcopy(start), standardised(data), 0.0, steps, "standardised", log),
        "coral": _afterwards(source, data, log),
        "deep-coral": _trained(deep, data, settings["weight"], steps, "deep-coral", log),
        "target": _trained(copy.deepcopy(start), oracle, 0.0, steps, "target", log),
    }
    show(source, data, "source only", log)
    show(deep, data, "Deep CORAL", log)
    return found


def _trained(net: DigitNet, data: RotatedDigits, weight: float, steps: int, arm: str, log: Log) -> float:
    """Cross-entropy on the source plus `weight` times the distance of the covariances of the features."""
    torch.manual_seed(torch.initial_seed())  # back to the start: the same batches for all arms

    def loss(x: Tensor, y: Tensor, target: Tensor, progress: float) -> Tensor:
        del progress
        features = net.features(torch.cat([x, target]))
        own, other = features[: len(x)], features[len(x) :]
        return F.cross_entropy(net.fc(own), y) + weight * coral.deep_coral_loss(own, other)

    return train(net, data, loss, steps, arm, log)


def _afterwards(net: DigitNet, data: RotatedDigits, log: Log) -> float:
    """CORAL on the features of the source network, which stays as it is: only a linear classifier is new."""
    with torch.no_grad():
        own, other, tested = (net.features(part) for part in (data.x, data.target, data.test))
    linear = nn.Linear(own.shape[1], 10)
    fit(linear, coral.align(own, other), data.y, arm="coral", log=log, steps=400, lr=1e-2)
    return accuracy(linear, tested, data.truth)
