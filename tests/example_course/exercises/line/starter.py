"""Predicts zero."""

import torch


class Zero(torch.nn.Module):
    def forward(self, x):
        return torch.zeros(len(x)), torch.zeros(len(x))


def fit(task):
    task.log(0, loss=1.0)
    return Zero()
