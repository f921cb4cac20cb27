"""Upright digits teach a perceptron; rotated ones are the target. A low-rank change, the head alone, everything."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import nn

from tlcourse.labs.digits import load, rotated
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods import lora as method
from tlcourse.methods.fine_tuning import freeze
from tlcourse.methods.qlora import QLoRALinear


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on rotated digits."""
    x, y = load(seed)
    pretrained = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    fit(pretrained, x[:900], y[:900], arm="source", log=log, steps=400)
    n, rank = int(settings["labels"]), int(settings["rank"])
    target = rotated(x[900:], settings["degrees"])
    xt, yt, test, truth = target[:n], y[900 : 900 + n], target[300:], y[1200:]
    found = {"original": accuracy(pretrained, test, truth)}
    for arm in ("head", "lora", "qlora", "full"):
        net = copy.deepcopy(pretrained)
        if arm == "head":
            freeze(net[:5])
        elif arm == "lora":
            method.apply(net, rank, alpha=2 * rank)
        elif arm == "qlora":
            for place in (1, 3, 5):
                linear = net[place]
                assert isinstance(linear, nn.Linear)
                net[place] = QLoRALinear(linear, rank, alpha=2 * rank)
        fit(net, xt, yt, arm=arm, log=log, steps=int(settings["steps"]), lr=3e-3, batch=len(xt))
        found[arm] = accuracy(net, test, truth)
    return found
