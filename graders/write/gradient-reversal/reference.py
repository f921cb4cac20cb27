"""Gradient reversal."""

import math

import torch
from torch import Tensor


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(context, x: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient: Tensor):
        return -context.strength * gradient, None


def reverse(x: Tensor, strength: float = 1.0) -> Tensor:
    """x itself; on the way back its gradient times −strength"""
    return Reverse.apply(x, strength)


def strength(progress: float) -> float:
    """λ at `progress` from 0 (start of training) to 1 (its end)"""
    return 2 / (1 + math.exp(-10 * progress)) - 1
