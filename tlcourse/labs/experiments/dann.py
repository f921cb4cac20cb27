"""Upright digits teach a network, rotated ones have no labels; MNIST and MNIST-M. A reversed gradient, or none.

On real data minutes an arm on two cores; the run itself says what it expects after its first epoch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs import mnist_m
from tlcourse.labs.digits import DigitNet, RotatedDigits, rotated_digits, show, standardised, train
from tlcourse.labs.training import Log, accuracy, fit, show_features
from tlcourse.methods.feature_alignment import align_standardised, align_subspaces, principal_axes
from tlcourse.methods.gradient_reversal import DomainAdversarial, strength

DIMENSIONS = 20


def run_dann(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on rotated digits. No arm but the oracle sees a label of theirs."""
    data, steps, start = rotated_digits(seed, settings["degrees"]), int(settings["steps"]), DigitNet()
    source, adapted = copy.deepcopy(start), copy.deepcopy(start)
    found = {
        "source": _adversarial(source, data, 0.0, steps, "source", log),
        "standardised": _plain(copy.deepcopy(start), standardised(data), steps, "standardised", log),
        "dann": _adversarial(adapted, data, settings["strength"], steps, "dann", log),
    }
    show(source, data, "source only", log)
    show(adapted, data, "DANN", log)
    found["subspace"] = _subspace(source, data, log)
    oracle = RotatedDigits(data.target, data.hidden, data.target, data.hidden, data.test, data.truth)
    found["target"] = _plain(copy.deepcopy(start), oracle, steps, "target", log)
    found["coral"] = _coral(source, data, log)
    return found


def _adversarial(net: DigitNet, data: RotatedDigits, most: float, steps: int, arm: str, log: Log) -> float:
    """DANN with λ rising to `most`; with 0 the domain classifier learns, and the features do not hear of it."""
    torch.manual_seed(torch.initial_seed())  # back to the start: the same domain classifier and batches for both
    domains = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    whole = DomainAdversarial(net.features, net.fc, domains)

    def loss(x: Tensor, y: Tensor, target: Tensor, progress: float) -> Tensor:
        label, domain = whole.loss(x, y, target, most * strength(progress))
        return label + domain

    return train(net, data, loss, steps, arm, log, extra=domains)


def _plain(net: DigitNet, data: RotatedDigits, steps: int, arm: str, log: Log) -> float:
    return train(net, data, lambda x, y, target, progress: F.cross_entropy(net(x), y), steps, arm, log)


def _subspace(net: DigitNet, data: RotatedDigits, log: Log) -> float:
    """Subspace alignment of the source network's features, and a linear classifier."""
    with torch.no_grad():
        own, other, tested = (net.features(part) for part in (data.x, data.target, data.test))
    aligned, _ = align_subspaces(own, other, DIMENSIONS)
    linear = nn.Linear(DIMENSIONS, 10)
    fit(linear, aligned, data.y, arm="subspace", log=log, steps=400, lr=1e-2)
    axes = principal_axes(other, DIMENSIONS)
    return accuracy(linear, (tested - other.mean(0)) @ axes, data.truth)


def _coral(net: DigitNet, data: RotatedDigits, log: Log) -> float:
    """CORAL of the same features, standardised in each domain, and a linear classifier."""
    with torch.no_grad():
        own, other, tested = (net.features(part) for part in (data.x, data.target, data.test))
    aligned, scaled = align_standardised(own, other, tested)
    linear = nn.Linear(own.shape[1], 10)
    fit(linear, aligned, data.y, arm="coral", log=log, steps=400, lr=1e-2)
    return accuracy(linear, scaled, data.truth)


EPOCHS = 12
"""Of every arm: what more training does by itself is then in all of them."""
FULL_DIMENSIONS = 60
_SHOWN = 150


def run_dann_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on MNIST-M's test pictures, each arm after its last epoch. `settings` are those for synthetic data."""
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
    x: Tensor,
    y: Tensor,
    unlabelled: Tensor,
    test: Tensor,
    log: Log,
    epochs: int = EPOCHS,
) -> dict[str, Tensor]:
    """The classes that each arm without target labels gives to `test`; no target label reaches this function.

    x, y: labelled source pictures (n, 3, 28, 28) uint8. unlabelled, test: pictures of the target. Returns (m,) an arm.

    "source" has DANN's start, batches and number of steps: it is what DANN is with λ = 0, where nothing of the domain
    classifier's gradient reaches the features.
    """
    state = torch.get_rng_state()
    plain = mnist_m.network()
    mnist_m.train(plain, x, y, None, arm="source", log=log, epochs=epochs)
    torch.set_rng_state(state)
    adapted = mnist_m.network()
    mnist_m.train(adapted, x, y, unlabelled, arm="dann", log=log, epochs=epochs)
    aligned = _full_subspace(plain, x, y, unlabelled, test, log)
    for arm, net in (("source", plain), ("dann", adapted)):
        both = torch.cat([mnist_m.features_of(net, part[:_SHOWN]) for part in (x, unlabelled)])
        domain = [0] * min(_SHOWN, len(x)) + [1] * min(_SHOWN, len(unlabelled))
        guess = torch.cat([y[:_SHOWN], mnist_m.predictions(net, unlabelled[:_SHOWN])])
        show_features(log, f"features of {arm}", both, domain, guess)
    return {
        "source": mnist_m.predictions(plain, test),
        "subspace": aligned,
        "coral": _full_coral(plain, x, y, unlabelled, test, log),
        "dann": mnist_m.predictions(adapted, test),
    }


def _full_subspace(net: DomainAdversarial, x: Tensor, y: Tensor, unlabelled: Tensor, test: Tensor, log: Log) -> Tensor:
    """Subspace alignment of the source network's last hidden layer, and a linear classifier on it."""
    own, other, tested = (mnist_m.features_of(net, part) for part in (x, unlabelled, test))
    dimensions = min(FULL_DIMENSIONS, *own.shape, *other.shape)
    moved, _ = align_subspaces(own, other, dimensions)
    axes = principal_axes(other, dimensions)
    linear = nn.Linear(dimensions, 10)
    fit(linear, moved, y, arm="subspace", log=log, steps=2000, lr=1e-2, batch=256)
    return linear((tested - other.mean(0)) @ axes).argmax(1).detach()


def _full_coral(net: DomainAdversarial, x: Tensor, y: Tensor, unlabelled: Tensor, test: Tensor, log: Log) -> Tensor:
    """CORAL of the same layer, standardised in each domain, and a linear classifier; no other arm's chance moves."""
    own, other, tested = (mnist_m.features_of(net, part) for part in (x, unlabelled, test))
    aligned, scaled = align_standardised(own, other, tested)
    with torch.random.fork_rng(devices=[]):
        linear = nn.Linear(own.shape[1], 10)
        fit(linear, aligned, y, arm="coral", log=log, steps=2000, lr=1e-2, batch=256)
    return linear(scaled).argmax(1).detach()
