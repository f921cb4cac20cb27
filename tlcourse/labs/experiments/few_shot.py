"""From a few examples: a new task by prototypes or in a transformer's context, and a new person by anchoring."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.training import POINTS, Log, accuracy, fit, show_features
from tlcourse.methods.fine_tuning import anchored_loss
from tlcourse.methods.in_context import InContextRegressor, least_squares, linear_tasks

SIGNAL, NUISANCE, INPUTS, NEW, EPISODES = 8, 16, 48, 5, 20


def run_prototypes(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """A network that learnt to tell many classes apart is shown five others, a few examples of each, and not trained.

    Accuracy on five new classes, averaged over draws of the classes and of their examples.
    """
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
        show_features(log, "features of new classes", trained[0](x), [1] * len(x), y)
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


DIMENSIONS = 2


def run_in_context(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """A transformer that was trained on many linear tasks meets a new one: how good is it after `shots` examples?

    It is trained here and now, on two-dimensional tasks so that half a minute suffices; no weight changes when it is
    asked. Squared error; 1 is knowing nothing.
    """
    shots, steps = int(settings["shots"]), int(settings["steps"])
    net = InContextRegressor(DIMENSIONS, width=32, heads=2, layers=3, longest=shots + 1)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for step in range(1, steps + 1):
        x, y = linear_tasks(64, shots + 1, DIMENSIONS)
        loss = (net(x, y) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            log.metric("examples", step, loss=loss.item())
    before = _digest(net)
    with torch.no_grad():
        x, y = linear_tasks(4000, shots + 1, DIMENSIONS, torch.Generator().manual_seed(seed))
        error = (net.eval()(x, y) - y).square().mean(0)
        strangers = y.clone()
        strangers[:, :-1] = y[torch.randperm(len(y)), :-1]  # answers of other tasks
        shuffled = (net(x, strangers)[:, -1] - y[:, -1]).square().mean()
    assert _digest(net) == before, "a weight changed while the network was asked"
    for k, value in enumerate(error.tolist()):
        log.metric("by shots", k, error=value)
    return {
        "zero": float(error[0]),
        "examples": float(error[-1]),
        "shuffled": float(shuffled),
        "least_squares": float((least_squares(x, y) - y[:, -1]).square().mean()),
    }


def _digest(net: torch.nn.Module) -> str:
    return hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in net.parameters())).hexdigest()


FEATURES, CLASSES, SUBJECTS, PERSONAL_STEPS = 10, 4, 12, 200
STD, OWN = 1.6, 1.0
"""How much a class varies, and how much a subject differs from the others, in units of the distance of the classes."""


def run_anchoring(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean accuracy on new subjects, each personalised from its own few labels."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(CLASSES, FEATURES, generator=generator) * 1.2

    def subject(n: int) -> tuple[Tensor, Tensor]:
        own = centres + OWN * torch.randn(CLASSES, FEATURES, generator=generator) * 0.8
        y = torch.randint(CLASSES, (n,), generator=generator)
        return own[y] + STD * torch.randn(n, FEATURES, generator=generator), y

    crowd = [subject(100) for _ in range(40)]
    original = nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    x, y = (torch.cat(parts) for parts in zip(*crowd, strict=True))
    fit(original, x, y, arm="crowd", log=log, steps=600)
    labels = int(settings["labels"])
    people = [subject(labels + 1000) for _ in range(SUBJECTS)]
    mine, rest = slice(labels), slice(labels, None)
    found = {"none": sum(accuracy(original, x[rest], y[rest]) for x, y in people) / SUBJECTS}
    for arm, alpha in (("plain", 0.0), ("anchored", settings["alpha"])):
        several = [_personalised(original, x[mine], y[mine], alpha) for x, y in people]
        for step in range(0, PERSONAL_STEPS + 1, PERSONAL_STEPS // POINTS):
            nets = [next(one) for one in several]  # each has come to the same step
            right = [accuracy(net, x[rest], y[rest]) for net, (x, y) in zip(nets, people, strict=True)]
            found[arm] = sum(right) / SUBJECTS
            log.metric(arm, step, accuracy=found[arm])
    return found


def _personalised(original: nn.Module, x: Tensor, y: Tensor, alpha: float) -> Iterator[nn.Module]:
    """One subject's network after 0 steps and after each of POINTS equal parts of PERSONAL_STEPS."""
    net = copy.deepcopy(original)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    with torch.no_grad():
        anchor = original(x)
    yield net
    while True:
        for _ in range(PERSONAL_STEPS // POINTS):
            loss = anchored_loss(net(x), y, anchor, alpha)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield net
