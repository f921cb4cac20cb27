"""DANN: features from which no classifier can tell the domain (Ganin and Lempitsky 2015, arXiv:1409.7495).

A domain classifier learns to tell source from target features. On the way back its gradient is multiplied by −λ, so
that the features learn to fool it: one network, one backward pass, a minimax problem (equations 4 to 8).
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -context.strength * gradient, None


def reverse(x: Tensor, strength: float = 1.0) -> Tensor:
    """`x` itself; on the way back its gradient times −`strength`."""
    return _Reverse.apply(x, strength)


def strength(progress: float, steepness: float = 10.0) -> float:
    """λ_p = 2/(1 + e^(−10p)) − 1, from 0 at the start of training (p = 0) to nearly 1 at its end (p = 1).

    At first the domain classifier is wrong, and its gradients would only disturb the features.
    """
    return 2 / (1 + math.exp(-steepness * progress)) - 1


def learning_rate(progress: float, first: float = 0.01) -> float:
    """μ_p = μ₀/(1 + 10p)^0.75, the paper's annealing."""
    return float(first / (1 + 10 * progress) ** 0.75)


class DomainAdversarial(nn.Module):
    """Features, a label classifier, and a domain classifier behind a reversed gradient."""

    def __init__(self, features: nn.Module, labels: nn.Module, domains: nn.Module) -> None:
        super().__init__()
        self.features, self.labels, self.domains = features, labels, domains

    def forward(self, x: Tensor) -> Tensor:
        """(B, …) -> (B, classes): what is used in the end."""
        return self.labels(self.features(x))

    def loss(self, source: Tensor, label: Tensor, target: Tensor, strength: float) -> tuple[Tensor, Tensor]:
        """Label loss on the source, and domain loss on both; train on their sum. No target label is used.

        source: (B, …), label: (B,) int64, target: (B', …). The domain classifier gives one logit: target or not.
        """
        features = self.features(torch.cat([source, target]))
        own = features[: len(source)]
        domain = torch.cat([features.new_zeros(len(source)), features.new_ones(len(target))])
        guess = self.domains(reverse(features, strength)).squeeze(-1)  # (B + B',)
        return F.cross_entropy(self.labels(own), label), F.binary_cross_entropy_with_logits(guess, domain)
