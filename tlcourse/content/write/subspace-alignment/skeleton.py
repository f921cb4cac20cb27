"""Subspace alignment. Fill in each TODO; `tlcourse write check subspace-alignment` checks it."""

import torch
from torch import Tensor


def axes(centred: Tensor, dimensions: int) -> Tensor:
    """The first principal axes of centred features (n, features) -> (features, dimensions)"""
    raise NotImplementedError  # TODO


def align(source: Tensor, target: Tensor, dimensions: int) -> tuple[Tensor, Tensor]:
    """Both domains along the target's axes: (n, dimensions) and (m, dimensions)"""
    raise NotImplementedError  # TODO: centre, find both P, project
