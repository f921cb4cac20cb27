"""Gradient reversal. Fill in each TODO; `tlcourse write check gradient-reversal` checks it."""

import math

import torch
from torch import Tensor


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(context, x: Tensor, strength: float) -> Tensor:
        # TODO: keep what `backward` needs, e.g. context.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient: Tensor):
        raise NotImplementedError  # TODO: one value for each argument of forward


def reverse(x: Tensor, strength: float = 1.0) -> Tensor:
    """x itself; on the way back its gradient times −strength"""
    return Reverse.apply(x, strength)


def strength(progress: float) -> float:
    """λ at `progress` from 0 (start of training) to 1 (its end)"""
    raise NotImplementedError  # TODO
