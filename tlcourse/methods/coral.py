"""CORAL: give the source features the covariance of the target (Sun, Feng and Saenko 2016, arXiv:1511.05547).

    A = C_s^(−½) · C_t^(½),  C = cov(x) + I        (algorithm 1)

First the source is whitened, then coloured anew; a linear classifier is trained on x_s·A and used on x_t as it is.
Deep CORAL makes the distance of the covariances a loss (Sun and Saenko 2016, arXiv:1607.01719, equation 1).
"""

from __future__ import annotations

import torch
from torch import Tensor


def covariance(x: Tensor) -> Tensor:
    """The unbiased covariance of the features, (n, d) -> (d, d): over the features, never over the samples."""
    centred = x - x.mean(0)
    return centred.T @ centred / (len(x) - 1)


def colouring(source: Tensor, target: Tensor, ridge: float = 1.0) -> Tensor:
    """A = (C_s + r·I)^(−½) (C_t + r·I)^(½), shape (d, d)."""
    eye = ridge * torch.eye(source.shape[1], dtype=source.dtype, device=source.device)
    return power(covariance(source) + eye, -0.5) @ power(covariance(target) + eye, 0.5)


def align(source: Tensor, target: Tensor, ridge: float = 1.0) -> Tensor:
    """The source features with the target's covariance, (n, d); their mean is only turned along."""
    return source @ colouring(source, target, ridge)


def align_standardised(source: Tensor, target: Tensor, test: Tensor, tiny: float = 1e-3) -> tuple[Tensor, Tensor]:
    """`align` after each domain was standardised by itself: the source's features, and those of `test` on their scale.

    source (n, d), target (m, d), test (k, d) of the target's domain -> (n, d), (k, d). `tiny` is added to each std:
    after a ReLU some features never move.
    """
    mean, std = target.mean(0), target.std(0) + tiny
    own = (source - source.mean(0)) / (source.std(0) + tiny)
    return align(own, (target - mean) / std), (test - mean) / std


def power(symmetric: Tensor, exponent: float) -> Tensor:
    """A symmetric positive definite matrix to a power, by its eigenvalues."""
    values, vectors = torch.linalg.eigh(symmetric)
    return (vectors * values.pow(exponent)) @ vectors.T


def deep_coral_loss(source: Tensor, target: Tensor) -> Tensor:
    """‖C_s − C_t‖²_F / (4d²): squared, and without a root. source (B, d), target (B', d) -> ()."""
    d = source.shape[1]
    return (covariance(source) - covariance(target)).square().sum() / (4 * d * d)
