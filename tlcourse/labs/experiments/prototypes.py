"""A network that learnt to tell many classes apart is shown five others, a few examples of each, and is not trained."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs import two_dimensions
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit

SIGNAL, NUISANCE, INPUTS, NEW, EPISODES = 8, 16, 48, 5, 20


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on five new classes, averaged over draws of the classes and of their examples."""
    generator = torch.Generator().manual_seed(seed)
    data = _Classes(settings["nuisance"], generator)
    classes, shots = int(settings["classes"]), int(settings["shots"])
    trained = nn.Sequential(
        nn.Sequential(nn.Linear(INPUTS, 64), nn.ReLU(), nn.Linear(64, 32)),
        nn.Sequential(nn.ReLU(), nn.Linear(32, classes)),
    )
    untrained = copy.deepcopy(trained)
    x, y = data.draw(classes, 3000 // classes)
    fit(trained, x, y, arm="source", log=log, steps=int(settings["steps"]))
    spaces = {"inputs": nn.Identity(), "random": untrained[0], "prototypes": trained[0]}
    found: dict[int, dict[str, float]] = {}
    for k in sorted({1, 5, 20, shots}):
        found[k] = dict.fromkeys([*spaces, "head"], 0.0)
        for _ in range(EPISODES):
            for arm, right in _episode(data, spaces, k).items():
                found[k][arm] += right / EPISODES
        for arm, value in found[k].items():
            log.metric(arm, k, accuracy=value)
    x, y = data.draw(NEW, 60)
    with torch.no_grad():
        two_dimensions.show(log, "features of new classes", trained[0](x), [1] * len(x), y)
    return found[shots]


class _Classes:
    """Classes differ in eight directions; sixteen others vary too, and say nothing. A fixed layer mixes them all."""

    def __init__(self, nuisance: float, generator: torch.Generator) -> None:
        self._nuisance, self._generator = nuisance, generator
        self._mixing = torch.randn(SIGNAL + NUISANCE, INPUTS, generator=generator) / (SIGNAL + NUISANCE) ** 0.5

    def draw(self, classes: int, each: int) -> tuple[Tensor, Tensor]:
        """`each` examples of as many new classes: x (classes · each, 48), y."""
        y = torch.arange(classes).repeat_interleave(each)
        centres = 1.5 * torch.randn(classes, SIGNAL, generator=self._generator)
        signal = centres[y] + torch.randn(len(y), SIGNAL, generator=self._generator)
        nuisance = self._nuisance * torch.randn(len(y), NUISANCE, generator=self._generator)
        return torch.tanh(0.7 * torch.cat([signal, nuisance], dim=1) @ self._mixing), y


def _episode(data: _Classes, spaces: Mapping[str, nn.Module], k: int, queries: int = 50) -> dict[str, float]:
    """Five new classes, `k` examples of each: the accuracy of each arm on 50 others of each."""
    x, y = data.draw(NEW, k + queries)
    shot = torch.arange(k + queries).repeat(NEW) < k
    right = {}
    with torch.no_grad():
        features = {arm: space(x) for arm, space in spaces.items()}
    for arm, z in features.items():
        right[arm] = _by_means(z[shot], y[shot], z[~shot], y[~shot])
    z = features["prototypes"]
    right["head"] = _by_head(z[shot], y[shot], z[~shot], y[~shot])
    return right


def _by_means(shots: Tensor, labels: Tensor, queries: Tensor, truth: Tensor) -> float:
    """A query belongs to the class whose mean is nearest (Snell, Swersky and Zemel 2017, equations 1 and 2)."""
    means = torch.stack([shots[labels == label].mean(0) for label in range(NEW)])  # (classes, features)
    return float((torch.cdist(queries, means).argmin(1) == truth).float().mean())


def _by_head(shots: Tensor, labels: Tensor, queries: Tensor, truth: Tensor) -> float:
    """A new linear layer, trained on the same features."""
    head = nn.Linear(shots.shape[1], NEW)
    optimizer = torch.optim.Adam(head.parameters(), 3e-2)
    for _ in range(50):
        loss = F.cross_entropy(head(shots), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return accuracy(head, queries, truth)
