"""MNIST → MNIST-M on the paper's kind of network: two convolutions, a label and a domain classifier.

Ganin and Lempitsky 2015, arXiv:1409.7495, section 4 and figure 4a. What differs from the paper: instance norm after
both convolutions, and every picture standardised by itself, in all arms alike; neither has statistics of a domain.
"""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from tlcourse.data.real import mnist
from tlcourse.labs.training import Log
from tlcourse.methods.gradient_reversal import DomainAdversarial, learning_rate, strength

BATCH = 64  # of each domain, as in the paper: 128, half and half
POINTS_AN_EPOCH = 4


def source(part: mnist.Part) -> tuple[Tensor, Tensor]:
    """MNIST in three equal channels: (n, 3, 28, 28) uint8 and labels (n,)."""
    x, y = mnist.load(part)
    return torch.from_numpy(x.copy())[:, None].expand(-1, 3, -1, -1), torch.from_numpy(y)


def target(part: mnist.Part) -> tuple[Tensor, Tensor]:
    """MNIST-M: (n, 3, 28, 28) uint8 and labels (n,)."""
    x, y = mnist.load_blended(part)
    return torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y)


def standardised(x: Tensor) -> Tensor:
    """Each picture by itself to mean 0 and standard deviation 1: (B, 3, 28, 28) uint8 -> float32."""
    x = (
        x.contiguous().float()
    )  # a channels-last batch, as it comes from files, makes instance norm several times slower
    return (x - x.mean((1, 2, 3), keepdim=True)) / (x.std((1, 2, 3), keepdim=True) + 1)


def half_inverted(x: Tensor) -> Tensor:
    """Each picture as it is or, for half of them by chance, as its negative: (B, 3, 28, 28) uint8, both as uint8.

    A digit is the same digit in dark on light; MNIST's are all light on dark, MNIST-M's are both. No target picture is
    looked at, and yet it is knowledge about the target that goes in (docs/decisions/470).
    """
    chosen = torch.rand(len(x)) < 0.5
    return torch.where(chosen[:, None, None, None], 255 - x, x)


def network() -> DomainAdversarial:
    """(B, 3, 28, 28) -> 768 features -> 10 classes; the domain classifier has 100 hidden units, as in the paper."""
    features = nn.Sequential(
        nn.Conv2d(3, 32, 5),
        nn.InstanceNorm2d(32, affine=True),
        nn.MaxPool2d(2),  # (B, 32, 12, 12); before the ReLU, which gives the same numbers in less time
        nn.ReLU(),
        nn.Conv2d(32, 48, 5),
        nn.InstanceNorm2d(48, affine=True),
        nn.MaxPool2d(2),  # (B, 48, 4, 4)
        nn.ReLU(),
        nn.Flatten(),
    )
    labels = nn.Sequential(nn.Linear(768, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
    domains = nn.Sequential(nn.Linear(768, 100), nn.ReLU(), nn.Linear(100, 1))
    return DomainAdversarial(features, labels, domains)


def train(
    net: DomainAdversarial,
    x: Tensor,
    y: Tensor,
    unlabelled: Tensor | None,
    *,
    arm: str,
    log: Log,
    epochs: int,
    lr: float = 0.01,
    weight: float = 1.0,
    inverted: bool = False,
    averaged: AveragedModel | None = None,
) -> None:
    """The paper's schedules for λ and the learning rate; nothing is chosen by, or stopped on, the target.

    x, y: labelled pictures. unlabelled: pictures of the target, or None to train without a domain classifier.
    weight: the largest λ. inverted: whether labelled pictures come as negatives half of the time. averaged: takes the
    mean of the weights over all steps of the last epoch; `net` itself ends with those of the last step.
    """
    optimizer = torch.optim.SGD(net.parameters(), lr, momentum=0.9, weight_decay=1e-4)
    steps = len(x) // BATCH
    begin = time.monotonic()
    for epoch in range(epochs):
        rows = torch.randperm(len(x))
        others = torch.randperm(len(x if unlabelled is None else unlabelled))  # the same chance with and without
        for step in range(steps):
            progress = (epoch * steps + step) / (epochs * steps)
            optimizer.param_groups[0]["lr"] = learning_rate(progress, lr)
            chosen = slice(step * BATCH, (step + 1) * BATCH)
            pictures, label = x[rows[chosen]], y[rows[chosen]]
            own = standardised(half_inverted(pictures) if inverted else pictures)
            if unlabelled is None:
                loss, domain = F.cross_entropy(net(own), label), torch.zeros(())
            else:
                other = standardised(unlabelled[others[chosen]])
                loss, domain = net.loss(own, label, other, weight * strength(progress))
            optimizer.zero_grad()
            (loss + domain).backward()
            optimizer.step()
            if averaged is not None and epoch == epochs - 1:
                averaged.update_parameters(net)
            if step % (steps // POINTS_AN_EPOCH or 1) == 0:
                told = {"loss": loss.item()} | ({"domain loss": domain.item()} if unlabelled is not None else {})
                log.metric(arm, epoch * steps + step, **told)
        if epoch == 0 and epochs > 1:
            took = time.monotonic() - begin
            log.note(
                f"{arm}: {epochs} epochs, about {took * epochs / 60:.0f} min at the pace of the first ({took:.0f} s)"
            )


@torch.no_grad()
def predictions(net: nn.Module, x: Tensor) -> Tensor:
    """The class of each picture, (n,)."""
    net.eval()
    return torch.cat([net(standardised(part)).argmax(1) for part in x.split(500)])


@torch.no_grad()
def features_of(net: DomainAdversarial, x: Tensor) -> Tensor:
    """The features before the last layer of the label classifier, (n, 100)."""
    net.eval()
    return torch.cat([net.labels[:-1](net.features(standardised(part))) for part in x.split(500)])


def share_right(guess: Tensor, truth: Tensor) -> float:
    """Accuracy."""
    return float((guess == truth).double().mean())
