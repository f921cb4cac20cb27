"""Upright digits teach a network; rotated ones are the target, of which few are labelled. Which weights may move?"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from tlcourse.labs.digits import DigitNet, load, rotated
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods.fish import Masked, fisher_diagonal, top_k_mask


def run_fish(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on rotated digits."""
    x, y = load(seed)
    pretrained = DigitNet()
    fit(pretrained, x[:900], y[:900], arm="source", log=log, steps=400)
    n = int(settings["labels"])
    target = rotated(x[900:], settings["degrees"])
    xt, yt, test, truth = target[:n], y[900 : 900 + n], target[300:], y[1200:]
    weights = sum(p.numel() for p in pretrained.parameters())
    k = max(1, round(settings["share"] * weights))
    information = fisher_diagonal(pretrained, xt)
    noise = {name: torch.rand_like(values) for name, values in information.items()}
    masks = {"fish": top_k_mask(information, k), "random": top_k_mask(noise, k), "full": None}
    found = {"original": accuracy(pretrained, test, truth)}
    for arm, mask in masks.items():
        net = copy.deepcopy(pretrained)
        _train(net, mask, xt, yt, arm, int(settings["steps"]), log, lambda n=net: accuracy(n, test, truth))
        found[arm] = accuracy(net, test, truth)
    return found


def _train(net, mask, x: Tensor, y: Tensor, arm: str, steps: int, log: Log, measure) -> None:  # type: ignore[no-untyped-def]
    optimizer = torch.optim.SGD(net.parameters(), 0.03, 0.9)
    masked = Masked(net, mask, optimizer) if mask is not None else None
    for step in range(1, steps + 1):
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        (masked or optimizer).step()
        if step % max(steps // 20, 1) == 0:
            log.metric(arm, step, loss=loss.item(), accuracy=measure())
