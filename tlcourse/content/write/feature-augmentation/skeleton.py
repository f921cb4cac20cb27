"""Daumé's copies. Fill in each TODO; `tlcourse write check feature-augmentation` checks it."""

import torch
from torch import Tensor


def augment(x: Tensor, domain: str) -> Tensor:
    """(n, d) -> (n, 3d)"""
    raise NotImplementedError  # TODO: equation 2


def weights_by_domain(weight: Tensor) -> tuple[Tensor, Tensor]:
    """(…, 3d) -> what acts on source features and on target features, each (…, d)"""
    raise NotImplementedError  # TODO
