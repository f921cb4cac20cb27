"""Upright digits teach a network; rotated ones are the target. Adapters, the head alone, and everything."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import nn

from tlcourse.labs.digits import DigitNet, load, rotated
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods.adapters import ParallelAdapter, SerialAdapter
from tlcourse.methods.fine_tuning import freeze


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on rotated digits."""
    x, y = load(seed)
    pretrained = DigitNet()
    fit(pretrained, x[:900], y[:900], arm="source", log=log, steps=400)
    n = int(settings["labels"])
    target = rotated(x[900:], settings["degrees"])
    xt, yt, test, truth = target[:n], y[900 : 900 + n], target[300:], y[1200:]
    found = {}
    for arm, make in (("head", _head), ("serial", _serial), ("parallel", _parallel), ("full", lambda net: net)):
        net = make(copy.deepcopy(pretrained))
        fit(net, xt, yt, arm=arm, log=log, steps=int(settings["steps"]), lr=3e-3, batch=len(xt))
        found[arm] = accuracy(net, test, truth)
    return found


def _head(net: DigitNet) -> DigitNet:
    freeze(net.features)
    return net


def _serial(net: DigitNet, width: int = 16) -> DigitNet:
    """After the linear layer that makes the features; the head learns as well."""
    freeze(net.features)
    linear = net.features[7]
    assert isinstance(linear, nn.Linear)
    net.features[7] = SerialAdapter(linear, linear.out_features, width)
    return net


def _parallel(net: DigitNet) -> DigitNet:
    """Beside both convolutions; the head learns as well."""
    freeze(net.features)
    for place in (0, 3):
        convolution = net.features[place]
        assert isinstance(convolution, nn.Conv2d)
        net.features[place] = ParallelAdapter(convolution)
    return net
