"""Must fail: points_accuracy, shared_trunk, size_error. It says the commonest count and the mean size of every star."""

import torch
from torch import nn


class Constant(nn.Module):
    def __init__(self, count, radius):
        super().__init__()
        self.logits = nn.Parameter(torch.bincount(count - 3, minlength=7).float())
        self.radius = nn.Parameter(radius.mean())

    def forward(self, x):
        return self.logits.expand(len(x), 7), self.radius.expand(len(x))


def fit(task):
    _, count, radius = task.train.tensors
    return Constant(count, radius)
