"""CORAL."""

import torch
from torch import Tensor


def power(symmetric: Tensor, exponent: float) -> Tensor:
    """A symmetric positive definite matrix to a power"""
    values, vectors = torch.linalg.eigh(symmetric)
    return (vectors * values.pow(exponent)) @ vectors.T


def align(source: Tensor, target: Tensor, ridge: float = 1.0) -> Tensor:
    """(n, d) and (m, d) -> the source with the target's covariance, (n, d)"""
    eye = torch.eye(source.shape[1], dtype=source.dtype)
    c_s = torch.cov(source.T) + ridge * eye
    c_t = torch.cov(target.T) + ridge * eye
    return source @ power(c_s, -0.5) @ power(c_t, 0.5)
