"""A table whose features are stretched and turned between the domains: CORAL, standardising, subspace alignment."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tlcourse.labs import two_dimensions
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods import coral as method
from tlcourse.methods import subspace_alignment

FEATURES, CLASSES = 10, 3


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy of a linear classifier on the target."""
    generator = torch.Generator().manual_seed(seed)
    centres = 1.1 * torch.randn(CLASSES, FEATURES, generator=generator)
    change = _symmetric(settings["stretch"], generator)

    def draw(n: int, mixing: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.randint(CLASSES, (n,), generator=generator)
        x = centres[y] + torch.randn(n, FEATURES, generator=generator)
        return (x - centres.mean(0)) @ mixing, y

    xs, ys = draw(1500, torch.eye(FEATURES))
    xt, yt = draw(3000, change)
    test, truth = xt[1500:], yt[1500:]
    aligned_s, aligned_t = subspace_alignment.align(xs, xt[:1500], int(settings["dimensions"]))
    del aligned_t
    axes = subspace_alignment.principal_axes(xt[:1500], int(settings["dimensions"]))
    arms: dict[str, tuple[Tensor, Tensor, Tensor]] = {
        "source": (xs, ys, test),
        "standardised": ((xs - xs.mean(0)) / xs.std(0), ys, (test - xt[:1500].mean(0)) / xt[:1500].std(0)),
        "subspace": (aligned_s, ys, (test - xt[:1500].mean(0)) @ axes),
        "coral": (method.align(xs, xt[:1500], settings["ridge"]), ys, test),
        "target": (xt[:1500], yt[:1500], test),
    }
    found = {}
    for arm, (x, y, tested) in arms.items():
        net = nn.Linear(x.shape[1], CLASSES)
        fit(net, x, y, arm=arm, log=log, steps=300, rate=3e-2)
        found[arm] = accuracy(net, tested, truth)
        if arm in ("source", "coral"):
            both = torch.cat([x[:150], tested[:150]])
            domain = [0] * 150 + [1] * 150
            two_dimensions.show(log, f"inputs of {arm}", both, domain, [*y[:150], *truth[:150]])
    return found


def _symmetric(stretch: float, generator: torch.Generator) -> Tensor:
    """A symmetric positive matrix with eigenvalues from 1/stretch to stretch: what CORAL can undo exactly."""
    basis = torch.linalg.qr(torch.randn(FEATURES, FEATURES, generator=generator)).Q
    values = stretch ** (2 * torch.rand(FEATURES, generator=generator) - 1)
    return (basis * values) @ basis.T
