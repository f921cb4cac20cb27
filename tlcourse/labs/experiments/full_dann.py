"""MNIST → MNIST-M, the lecture's column and CORAL: source only, both alignments, DANN, an oracle with target labels.

Minutes an arm on two cores; the run itself says what it expects after its first epoch.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tlcourse.labs import mnist_m, two_dimensions
from tlcourse.labs.log import Log
from tlcourse.labs.training import fit
from tlcourse.methods import coral, subspace_alignment
from tlcourse.methods.gradient_reversal import DomainAdversarial

EPOCHS, PLAIN_EPOCHS = 12, 4
DIMENSIONS = 60
_SHOWN = 150


def run_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on MNIST-M's test pictures, each arm after its last epoch. `settings` are those of the drawn lab."""
    del settings
    torch.manual_seed(seed)
    x, y = mnist_m.source("train")
    unlabelled, hidden = mnist_m.target("train")
    test, truth = mnist_m.target("test")
    guesses = unsupervised(x, y, unlabelled, test, log)
    oracle = mnist_m.network()
    mnist_m.train(oracle, unlabelled, hidden, None, arm="target", log=log, epochs=PLAIN_EPOCHS)
    guesses["target"] = mnist_m.predictions(oracle, test)
    return {arm: mnist_m.share_right(guess, truth) for arm, guess in guesses.items()}


def unsupervised(
    x: Tensor,
    y: Tensor,
    unlabelled: Tensor,
    test: Tensor,
    log: Log,
    epochs: int = EPOCHS,
    plain_epochs: int = PLAIN_EPOCHS,
) -> dict[str, Tensor]:
    """The classes that each arm without target labels gives to `test`; no target label reaches this function.

    x, y: labelled source pictures (n, 3, 28, 28) uint8. unlabelled, test: pictures of the target. Returns (m,) an arm.
    """
    plain = mnist_m.network()
    mnist_m.train(plain, x, y, None, arm="source", log=log, epochs=plain_epochs)
    aligned = _aligned(plain, x, y, unlabelled, test, log)
    adapted = mnist_m.network()
    mnist_m.train(adapted, x, y, unlabelled, arm="dann", log=log, epochs=epochs)
    for arm, net in (("source", plain), ("dann", adapted)):
        both = torch.cat([mnist_m.features_of(net, part[:_SHOWN]) for part in (x, unlabelled)])
        domain = [0] * min(_SHOWN, len(x)) + [1] * min(_SHOWN, len(unlabelled))
        guess = torch.cat([y[:_SHOWN], mnist_m.predictions(net, unlabelled[:_SHOWN])])
        two_dimensions.show(log, f"features of {arm}", both, domain, guess)
    return {
        "source": mnist_m.predictions(plain, test),
        "subspace": aligned,
        "coral": _coloured(plain, x, y, unlabelled, test, log),
        "dann": mnist_m.predictions(adapted, test),
    }


def _aligned(net: DomainAdversarial, x: Tensor, y: Tensor, unlabelled: Tensor, test: Tensor, log: Log) -> Tensor:
    """Subspace alignment of the source network's last hidden layer, and a linear classifier on it."""
    own, other, tested = (mnist_m.features_of(net, part) for part in (x, unlabelled, test))
    dimensions = min(DIMENSIONS, *own.shape, *other.shape)
    turned, _ = subspace_alignment.align(own, other, dimensions)
    axes = subspace_alignment.principal_axes(other, dimensions)
    linear = nn.Linear(dimensions, 10)
    fit(linear, turned, y, arm="subspace", log=log, steps=2000, rate=1e-2, batch=256)
    return linear((tested - other.mean(0)) @ axes).argmax(1).detach()


def _coloured(net: DomainAdversarial, x: Tensor, y: Tensor, unlabelled: Tensor, test: Tensor, log: Log) -> Tensor:
    """CORAL of the same layer, standardised in each domain, and a linear classifier; no other arm's chance moves."""
    own, other, tested = (mnist_m.features_of(net, part) for part in (x, unlabelled, test))
    aligned, scaled = coral.align_standardised(own, other, tested)
    with torch.random.fork_rng(devices=[]):
        linear = nn.Linear(own.shape[1], 10)
        fit(linear, aligned, y, arm="coral", log=log, steps=2000, rate=1e-2, batch=256)
    return linear(scaled).argmax(1).detach()
