"""Office-Caltech10 with SURF features: twelve pairs of domains, no adaptation, subspace alignment, CORAL.

Whole domains on both sides, and a linear support vector machine. Nothing here is drawn by chance: these figures have
no seeds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tlcourse.data.real import office_caltech
from tlcourse.methods import coral, subspace_alignment

SHORT: dict[str, office_caltech.Domain] = {"A": "amazon", "C": "caltech10", "D": "dslr", "W": "webcam"}
PAIRS = [(s, t) for s in SHORT for t in SHORT if s != t]
ARMS = ("source", "subspace", "coral")
DIMENSIONS = 80
"""Of subspace alignment; at most the smaller domain's rank."""


def domain(short: str) -> tuple[Tensor, Tensor]:
    """Standardised features (n, 800) float64, and classes (n,)."""
    x, y = office_caltech.load(SHORT[short])
    return torch.from_numpy(office_caltech.standardised(x)), torch.from_numpy(y)


def aligned(arm: str, xs: Tensor, xt: Tensor, dimensions: int = DIMENSIONS) -> tuple[Tensor, Tensor]:
    """Source and target features as the arm gives them to a classifier; no label is used."""
    if arm == "subspace":
        return subspace_alignment.align(xs, xt, min(dimensions, len(xs) - 1, len(xt) - 1))
    return (coral.align(xs, xt), xt) if arm == "coral" else (xs, xt)


def accuracies(source: str, target: str) -> dict[str, float]:
    """Accuracy on the whole target domain, for each arm."""
    (xs, ys), (xt, yt) = domain(source), domain(target)
    found = {}
    for arm in ARMS:
        a, b = aligned(arm, xs, xt)
        found[arm] = float((_guess(a, ys, b) == yt).double().mean())
    return found


def _guess(x: Tensor, y: Tensor, tested: Tensor) -> Tensor:
    """A linear support vector machine's classes."""
    from sklearn.svm import SVC

    # features scaled to mean length 1, in one step for both domains: C then means the same for every arm
    scale = x.norm(dim=1).mean()
    machine = SVC(kernel="linear", C=10.0).fit((x / scale).numpy(), y.numpy())
    return torch.from_numpy(machine.predict((tested / scale).numpy()))
