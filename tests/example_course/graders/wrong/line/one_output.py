"""Must end: invalid. It returns one tensor for two."""

import torch


class One(torch.nn.Module):
    def forward(self, x):
        return x[:, 0]


def fit(task):
    return One()
