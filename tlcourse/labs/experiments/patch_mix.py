"""Digits on paper teach a network; on another ground they have no labels. Its guesses, with a bridge or without."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.digits import DigitNet, load, on_ground
from tlcourse.labs.log import Log
from tlcourse.labs.training import POINTS, accuracy
from tlcourse.methods.patch_mix import mix, mixed_loss, patch_mask

BATCH, PATCH = 64, 2
SOURCE, UNLABELLED = slice(700), slice(700, 1300)
WARM_UP = 0.25
"""The share of training in which the target has no part: first the guesses have to be better than chance."""


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on new digits on the other ground."""
    generator = torch.Generator().manual_seed(seed)
    x, y = load(seed)
    target = on_ground(x, generator, settings["ground"], 0.05)
    test, truth = target[1300:], y[1300:]
    start, found = DigitNet(), {}
    for arm in ("source", "pseudo", "mixed", "target"):
        torch.manual_seed(seed)
        net = copy.deepcopy(start)
        own, label = (target[UNLABELLED], y[UNLABELLED]) if arm == "target" else (x[SOURCE], y[SOURCE])
        _train(net, own, label, target[UNLABELLED], arm, settings, (test, truth), log)
        found[arm] = accuracy(net, test, truth)
    return found


def _train(net: nn.Module, x: Tensor, y: Tensor, other: Tensor, arm: str, settings: Mapping[str, float],
           test: tuple[Tensor, Tensor], log: Log) -> None:  # fmt: skip
    """Adam, one cycle of the rate; no label of `other` is seen, and the test is drawn, never acted upon."""
    steps = int(settings["steps"])
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in range(1, steps + 1):
        rows, others = torch.randint(len(x), (BATCH,)), torch.randint(len(other), (BATCH,))
        if arm in ("pseudo", "mixed") and step > WARM_UP * steps:
            loss = _with_guesses(net, x[rows], y[rows], other[others], settings["sure"], bridge=arm == "mixed")
        else:
            loss = F.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // POINTS, 1) == 0 or step == steps:
            log.metric(arm, step, loss=loss.item(), accuracy=accuracy(net, *test))


def _with_guesses(net: nn.Module, own: Tensor, label: Tensor, other: Tensor, sure: float, *, bridge: bool) -> Tensor:
    """The source's loss, and that of the network's own guesses: on the target's pictures, or on mixed ones.

    One pass for both where that can be: group norm makes no picture depend on another.
    """
    if not bridge:
        logits, others = net(torch.cat([own, other])).chunk(2)
        probability, guess = torch.softmax(others.detach(), dim=1).max(dim=1)  # (B,) each
        guessed = F.cross_entropy(others, guess, reduction="none") * (probability > sure)
        return F.cross_entropy(logits, label) + guessed.mean()
    with torch.no_grad():
        probability, guess = torch.softmax(net(other), dim=1).max(dim=1)
    mask = patch_mask(len(own), own.shape[-1], PATCH, torch.rand(len(own)))  # Beta(1, 1) is uniform
    logits, mixed = net(torch.cat([own, mix(own, other, mask)])).chunk(2)
    return F.cross_entropy(logits, label) + mixed_loss(mixed, label, guess, mask, probability > sure)
