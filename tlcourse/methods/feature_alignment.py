"""Features of two domains that are to serve one classifier: by their covariance, their subspace, copies, or pairs.

CORAL gives the source features the covariance of the target (Sun, Feng and Saenko 2016, arXiv:1511.05547):

    A = C_s^(−½) · C_t^(½),  C = cov(x) + I        (algorithm 1)

First the source is whitened, then coloured anew; a linear classifier is trained on x_s·A and used on x_t as it is.
Deep CORAL makes the distance of the covariances a loss (Sun and Saenko 2016, arXiv:1607.01719, equation 1).

Subspace alignment turns the source's principal axes onto the target's (Fernando et al. 2013, ICCV):

    source: x·P_s·(P_sᵀP_t)        target: x·P_t        P: (features, d), the first d principal axes

Feature augmentation makes three copies of the features (Daumé III 2007, "Frustratingly easy", arXiv:0907.1815):

    source x ↦ ⟨x, x, 0⟩        target x ↦ ⟨x, 0, x⟩        (equation 2: general, source's own, target's own)

Any linear model on them chooses, feature by feature, what the domains share: its regulariser makes the common copy
cheaper wherever one weight serves both.

Feature matching needs pairs: two sensors record the same moments, and the new pipeline is trained so that its features
equal those of the old one, min ‖f_t(x_t) − f_s(x_s)‖². The source's head then works on them as it is; no label is
needed. So it is here; in the paper (Heremans et al. 2022, arXiv:2201.00644; De Vos is its last author) the new
recordings are labelled, and classification and matching are trained together.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from tlcourse.methods.fine_tuning import freeze


def covariance(x: Tensor) -> Tensor:
    """The unbiased covariance of the features, (n, d) -> (d, d): over the features, never over the samples."""
    centred = x - x.mean(0)
    return centred.T @ centred / (len(x) - 1)


def colouring(source: Tensor, target: Tensor, ridge: float = 1.0) -> Tensor:
    """A = (C_s + r·I)^(−½) (C_t + r·I)^(½), shape (d, d)."""
    eye = ridge * torch.eye(source.shape[1], dtype=source.dtype, device=source.device)
    return power(covariance(source) + eye, -0.5) @ power(covariance(target) + eye, 0.5)


def align_covariances(source: Tensor, target: Tensor, ridge: float = 1.0) -> Tensor:
    """The source features with the target's covariance, (n, d); their mean is only turned along."""
    return source @ colouring(source, target, ridge)


def align_standardised(source: Tensor, target: Tensor, test: Tensor, tiny: float = 1e-3) -> tuple[Tensor, Tensor]:
    """`align_covariances` of domains that were standardised, each by itself: the source, and `test` on the same scale.

    source (n, d), target (m, d), test (k, d) of the target's domain -> (n, d), (k, d). `tiny` is added to each std:
    after a ReLU some features never move.
    """
    mean, std = target.mean(0), target.std(0) + tiny
    own = (source - source.mean(0)) / (source.std(0) + tiny)
    return align_covariances(own, (target - mean) / std), (test - mean) / std


def power(symmetric: Tensor, exponent: float) -> Tensor:
    """A symmetric positive definite matrix to a power, by its eigenvalues."""
    values, vectors = torch.linalg.eigh(symmetric)
    return (vectors * values.pow(exponent)) @ vectors.T


def deep_coral_loss(source: Tensor, target: Tensor) -> Tensor:
    """‖C_s − C_t‖²_F / (4d²): squared, and without a root. source (B, d), target (B', d) -> ()."""
    d = source.shape[1]
    return (covariance(source) - covariance(target)).square().sum() / (4 * d * d)


def principal_axes(x: Tensor, dimensions: int) -> Tensor:
    """The first principal axes of centred x, (n, features) -> (features, dimensions), orthonormal columns."""
    if not 0 < dimensions <= min(x.shape):
        raise ValueError(f"{dimensions} dimensions of data of shape {tuple(x.shape)}: expected 1 to {min(x.shape)}")
    centred = x - x.mean(0)
    return torch.linalg.svd(centred, full_matrices=False).Vh[:dimensions].T


def align_subspaces(source: Tensor, target: Tensor, dimensions: int) -> tuple[Tensor, Tensor]:
    """Source and target in the target's subspace, each centred by its own mean: two times (n, dimensions).

    A classifier that is trained on the first is used on the second. No label is needed.
    """
    p_s, p_t = principal_axes(source, dimensions), principal_axes(target, dimensions)
    return (source - source.mean(0)) @ p_s @ (p_s.T @ p_t), (target - target.mean(0)) @ p_t


def augment(x: Tensor, domain: Literal["source", "target"]) -> Tensor:
    """(n, d) -> (n, 3d)."""
    if domain not in ("source", "target"):
        raise ValueError(f"domain is {domain!r}, expected 'source' or 'target'")
    nothing = torch.zeros_like(x)
    return torch.cat([x, x, nothing] if domain == "source" else [x, nothing, x], dim=1)


def weights_by_domain(weight: Tensor) -> tuple[Tensor, Tensor]:
    """What a model with `weight` (…, 3d) does on source and on target features: each (…, d)."""
    general, source, target = weight.chunk(3, dim=-1)
    return general + source, general + target


class MatchedPipelines(nn.Module):
    """A frozen source pipeline (features, then head), and target features that learn to stand in for its own."""

    def __init__(self, source: nn.Module, head: nn.Module, target: nn.Module) -> None:
        super().__init__()
        self.source, self.head, self.target = freeze(source), freeze(head), target

    def loss(self, x_source: Tensor, x_target: Tensor) -> Tensor:
        """Mean squared distance of the features of simultaneous recordings; row i of both is the same moment."""
        if len(x_source) != len(x_target):
            raise ValueError(f"{len(x_source)} source and {len(x_target)} target recordings are no pairs")
        return (self.target(x_target) - self.source(x_source).detach()).square().mean()

    def forward(self, x_target: Tensor) -> Tensor:
        """The source's head on the target's features."""
        return self.head(self.target(x_target))
