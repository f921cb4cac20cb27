"""Digits teach a network; on another background they have no labels. Its guesses, with a bridge or without.

The real data are MNIST and MNIST-M: minutes an arm on two cores; the run says what it expects.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs import mnist_m
from tlcourse.labs.digits import DigitNet, load, on_background
from tlcourse.labs.training import POINTS, Log, accuracy
from tlcourse.methods.domain_mixing import mix, mixed_loss, patch_mask

BATCH, PATCH = 64, 2
SOURCE, UNLABELLED = slice(700), slice(700, 1300)
WARM_UP = 0.25
"""The share of training in which the target has no part: first the guesses have to be better than chance."""


def run_patch_mix(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on new digits on the other background."""
    generator = torch.Generator().manual_seed(seed)
    x, y = load(seed)
    target = on_background(x, generator, settings["background"], 0.05)
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
    """Adam, one cycle of the learning rate; no label of `other` is seen, and the test is plotted, never acted upon."""
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


EPOCHS, FULL_WARM_UP = 6, 0.25
SURE = 0.8
FULL_PATCH = 7
"""Pixels along a side: sixteen patches a picture."""


def run_patch_mix_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on MNIST-M's test pictures. `settings` are those for synthetic data."""
    del settings
    torch.manual_seed(seed)
    x, y = mnist_m.source("train")
    unlabelled, hidden = mnist_m.target("train")
    test, truth = mnist_m.target("test")
    guesses = unsupervised(x, y, unlabelled, test, log)
    oracle = mnist_m.network()
    mnist_m.train(oracle, unlabelled, hidden, None, arm="target", log=log, epochs=EPOCHS)
    guesses["target"] = mnist_m.predictions(oracle, test)
    return {arm: mnist_m.share_right(guess, truth) for arm, guess in guesses.items()}


def unsupervised(
    x: Tensor, y: Tensor, unlabelled: Tensor, test: Tensor, log: Log, epochs: int = EPOCHS
) -> dict[str, Tensor]:
    """The classes that each arm without target labels gives to `test`; no target label reaches this function."""
    guesses = {}
    for arm in ("source", "pseudo", "mixed"):
        net = mnist_m.network()
        train_full(net, x, y, unlabelled, arm, epochs, log)
        guesses[arm] = mnist_m.predictions(net, test)
    return guesses


def train_full(net: nn.Module, x: Tensor, y: Tensor, unlabelled: Tensor, arm: str, epochs: int, log: Log) -> None:
    """One arm on real pictures (n, 3, 28, 28): "source", "pseudo" or "mixed"; every arm has the same schedule."""
    batch = mnist_m.BATCH
    steps = len(x) // batch
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=epochs * steps)
    begin = time.monotonic()
    for epoch in range(epochs):
        rows, others = torch.randperm(len(x)), torch.randperm(len(unlabelled))
        for step in range(steps):
            chosen = slice(step * batch, (step + 1) * batch)
            own, label = mnist_m.standardised(x[rows[chosen]]), y[rows[chosen]]
            if arm != "source" and epoch >= FULL_WARM_UP * epochs:
                loss = _full_loss(net, own, label, mnist_m.standardised(unlabelled[others[chosen]]), arm)
            else:
                loss = F.cross_entropy(net(own), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if step % (steps // mnist_m.POINTS_AN_EPOCH or 1) == 0:
                log.metric(arm, epoch * steps + step, loss=loss.item())
        if epoch == 0 and epochs > 1:
            most = 3 * (time.monotonic() - begin) * epochs / 60
            log.note(f"{arm}: {epochs} epochs, at most about {most:.0f} min at the pace of the first")


def _full_loss(net: nn.Module, own: Tensor, label: Tensor, other: Tensor, arm: str) -> Tensor:
    """The source's loss, and that of the network's own guesses on target pictures, or on pictures mixed of both.

    One pass for both where that can be: instance norm makes no picture depend on another.
    """
    if arm == "pseudo":
        logits, others = net(torch.cat([own, other])).chunk(2)
        certainty, guess = others.detach().softmax(1).max(1)
        guessed = F.cross_entropy(others, guess, reduction="none") * (certainty > SURE)
        return F.cross_entropy(logits, label) + guessed.mean()
    with torch.no_grad():
        certainty, guess = net(other).softmax(1).max(1)
    share = torch.distributions.Beta(2.0, 2.0).sample((len(own),))
    mask = patch_mask(len(own), own.shape[-1], FULL_PATCH, share)
    logits, mixed = net(torch.cat([own, mix(own, other, mask)])).chunk(2)
    return F.cross_entropy(logits, label) + mixed_loss(mixed, label, guess, mask, certainty > SURE)
