"""Features of the source are made like the target's: by their covariance, before a classifier is fitted or as a loss.

Or from pairs, where two sensors record the same moments and only the old one has a trained pipeline.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.data.real import bags_of_words
from tlcourse.labs.digits import DigitNet, RotatedDigits, rotated_digits, show, standardised, train
from tlcourse.labs.training import Log, accuracy, fit, fit_to_optimum, show_features
from tlcourse.methods.feature_alignment import (
    MatchedPipelines,
    align_covariances,
    align_standardised,
    align_subspaces,
    deep_coral_loss,
    principal_axes,
)

FEATURES, CLASSES = 10, 3
SHORT: dict[str, bags_of_words.OfficeDomain] = {"A": "amazon", "C": "caltech10", "D": "dslr", "W": "webcam"}
PAIRS = [(s, t) for s in SHORT for t in SHORT if s != t]
FULL_ARMS = ("source", "subspace", "coral")
DIMENSIONS = 80
"""Of subspace alignment on real data; at most the smaller domain's rank."""


def run_coral(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """CORAL, standardising and subspace alignment of a table whose features are stretched and rotated.

    Accuracy of a linear classifier on the target; every arm's is fitted to its optimum.
    """
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
    aligned_s, aligned_t = align_subspaces(xs, xt[:1500], int(settings["dimensions"]))
    del aligned_t
    axes = principal_axes(xt[:1500], int(settings["dimensions"]))
    arms: dict[str, tuple[Tensor, Tensor, Tensor]] = {
        "source": (xs, ys, test),
        "standardised": ((xs - xs.mean(0)) / xs.std(0), ys, (test - xt[:1500].mean(0)) / xt[:1500].std(0)),
        "subspace": (aligned_s, ys, (test - xt[:1500].mean(0)) @ axes),
        "coral": (align_covariances(xs, xt[:1500], settings["ridge"]), ys, test),
        "target": (xt[:1500], yt[:1500], test),
    }
    found = {}
    for arm, (x, y, tested) in arms.items():
        net = nn.Linear(x.shape[1], CLASSES)
        fit_to_optimum(net, x, y, arm=arm, log=log)
        found[arm] = accuracy(net, tested, truth)
        if arm in ("source", "coral"):
            both = torch.cat([x[:150], tested[:150]])
            domain = [0] * 150 + [1] * 150
            show_features(log, f"inputs of {arm}", both, domain, [*y[:150], *truth[:150]])
    return found


def _symmetric(stretch: float, generator: torch.Generator) -> Tensor:
    """A symmetric positive matrix with eigenvalues from 1/stretch to stretch: what CORAL can nearly undo."""
    basis = torch.linalg.qr(torch.randn(FEATURES, FEATURES, generator=generator)).Q
    values = stretch ** (2 * torch.rand(FEATURES, generator=generator) - 1)
    return (basis * values) @ basis.T


def run_coral_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean accuracy over the twelve pairs. `settings` are those for synthetic data; no seed changes these figures.

    Here the features of `source` are standardised in each domain, as in the published experiments: both arms that do
    without adaptation are one and the same.
    """
    del settings, seed
    log.note("Office-Caltech10: twelve pairs of domains, about a minute; every seed gives the same figures")
    total = dict.fromkeys(FULL_ARMS, 0.0)
    for number, (source, target) in enumerate(PAIRS):
        found = accuracies(source, target)
        for arm, value in found.items():
            total[arm] += value / len(PAIRS)
            log.metric(f"{source}→{target} {arm}", number, accuracy=value)
    return {**total, "standardised": total["source"]}


def domain(short: str) -> tuple[Tensor, Tensor]:
    """Standardised features (n, 800) float64, and classes (n,)."""
    x, y = bags_of_words.load_office(SHORT[short])
    return torch.from_numpy(bags_of_words.standardised(x)), torch.from_numpy(y)


def aligned(arm: str, xs: Tensor, xt: Tensor, dimensions: int = DIMENSIONS) -> tuple[Tensor, Tensor]:
    """Source and target features as the arm gives them to a classifier; no label is used."""
    if arm == "subspace":
        return align_subspaces(xs, xt, min(dimensions, len(xs) - 1, len(xt) - 1))
    return (align_covariances(xs, xt), xt) if arm == "coral" else (xs, xt)


def accuracies(source: str, target: str) -> dict[str, float]:
    """Accuracy on the whole target domain, for each arm."""
    (xs, ys), (xt, yt) = domain(source), domain(target)
    return {arm: accuracy_of(arm, xs, ys, xt, yt) for arm in FULL_ARMS}


def accuracy_of(arm: str, xs: Tensor, ys: Tensor, xt: Tensor, yt: Tensor) -> float:
    """Accuracy on the target of a classifier of the source's features, as the arm aligns them."""
    a, b = aligned(arm, xs, xt)
    return float((_guess(a, ys, b) == yt).double().mean())


def _guess(x: Tensor, y: Tensor, tested: Tensor) -> Tensor:
    """A linear support vector machine's classes."""
    from sklearn.svm import SVC

    # features scaled to mean length 1, in one step for both domains: C then means the same for every arm
    scale = x.norm(dim=1).mean()
    machine = SVC(kernel="linear", C=10.0).fit((x / scale).numpy(), y.numpy())
    return torch.from_numpy(machine.predict((tested / scale).numpy()))


def run_deep_coral(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Upright digits teach a network; rotated ones have no labels. The distance of the features' covariances as a loss.

    Accuracy on rotated digits. No arm but the oracle sees a label of theirs.
    """
    data, steps, start = rotated_digits(seed, settings["degrees"]), int(settings["steps"]), DigitNet()
    source, deep = copy.deepcopy(start), copy.deepcopy(start)
    oracle = RotatedDigits(data.target, data.hidden, data.target, data.hidden, data.test, data.truth)
    found = {
        "source": _trained(source, data, 0.0, steps, "source", log),
        "standardised": _trained(copy.deepcopy(start), standardised(data), 0.0, steps, "standardised", log),
        "coral": _afterwards(source, data, log),
        "deep-coral": _trained(deep, data, settings["weight"], steps, "deep-coral", log),
        "target": _trained(copy.deepcopy(start), oracle, 0.0, steps, "target", log),
    }
    show(source, data, "source only", log)
    show(deep, data, "Deep CORAL", log)
    return found


def _trained(net: DigitNet, data: RotatedDigits, weight: float, steps: int, arm: str, log: Log) -> float:
    """Cross-entropy on the source plus `weight` times the distance of the covariances of the features."""
    torch.manual_seed(torch.initial_seed())  # back to the start: the same batches for all arms

    def loss(x: Tensor, y: Tensor, target: Tensor, progress: float) -> Tensor:
        del progress
        features = net.features(torch.cat([x, target]))
        own, other = features[: len(x)], features[len(x) :]
        return F.cross_entropy(net.fc(own), y) + weight * deep_coral_loss(own, other)

    return train(net, data, loss, steps, arm, log)


def _afterwards(net: DigitNet, data: RotatedDigits, log: Log) -> float:
    """CORAL on the features of the source network, which stays as it is: only a linear classifier is new."""
    with torch.no_grad():
        own, other, tested = (net.features(part) for part in (data.x, data.target, data.test))
    aligned, scaled = align_standardised(own, other, tested)  # as in the paper; features after a ReLU have large means
    linear = nn.Linear(own.shape[1], 10)
    fit(linear, aligned, data.y, arm="coral", log=log, steps=400, lr=1e-2)
    return accuracy(linear, scaled, data.truth)


STATE, WIDTH = 4, 8


def run_feature_matching(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy of the new sensor on new moments."""
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.randn(STATE, 12, generator=generator), torch.randn(STATE, 16, generator=generator)
    rule = torch.randn(STATE, CLASSES, generator=generator)

    def record(n: int) -> tuple[Tensor, Tensor, Tensor]:
        state = torch.randn(n, STATE, generator=generator)
        y = (torch.tanh(2 * state) @ rule).argmax(1)
        noise = settings["noise"]
        old = torch.tanh(state @ a) + noise * torch.randn(n, 12, generator=generator)
        new = torch.sin(state @ b * 0.7) + noise * torch.randn(n, 16, generator=generator)
        return old, new, y

    old, _, y = record(3000)
    features = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, WIDTH))
    head = nn.Sequential(nn.ReLU(), nn.Linear(WIDTH, CLASSES))
    fit(nn.Sequential(features, head), old, y, arm="source", log=log, steps=800)
    both_old, both_new, labels = record(2000)
    _, test, truth = record(3000)
    steps, few = int(settings["steps"]), int(settings["labels"])
    found = {}
    for arm, order in (("matching", torch.arange(2000)), ("shuffled", torch.randperm(2000, generator=generator))):
        pipelines = MatchedPipelines(features, head, _pipeline(WIDTH))
        _match(pipelines, both_old[order], both_new, arm, steps, log)
        found[arm] = accuracy(pipelines, test, truth)
    for arm, n in (("few", few), ("oracle", 2000)):
        net = nn.Sequential(_pipeline(WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES))
        fit(net, both_new[:n], labels[:n], arm=arm, log=log, steps=steps if n > 500 else 300)
        found[arm] = accuracy(net, test, truth)
    return found


def _pipeline(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, width))


def _match(pipelines: MatchedPipelines, old: Tensor, new: Tensor, arm: str, steps: int, log: Log) -> None:
    optimizer = torch.optim.Adam(pipelines.target.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in range(1, steps + 1):
        rows = torch.randint(len(old), (128,))
        loss = pipelines.loss(old[rows], new[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            log.metric(arm, step, loss=loss.item())
