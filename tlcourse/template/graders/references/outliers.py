"""Least absolute deviations, by least squares that is weighted anew thirty times."""

import torch
from torch import nn


class Plane(nn.Module):
    def __init__(self, solution):
        super().__init__()
        self.linear = nn.Linear(2, 1)
        with torch.no_grad():
            self.linear.weight.copy_(solution[:2].T)
            self.linear.bias.copy_(solution[2])

    def forward(self, x):
        return self.linear(x).squeeze(1)


def fit(task):
    x, y = task.train.tensors
    rows = torch.cat([x, torch.ones(len(x), 1)], 1)
    weights = torch.ones(len(x), 1)
    for turn in range(30):
        root = weights.sqrt()
        solution = torch.linalg.lstsq(root * rows, root * y[:, None]).solution
        miss = rows @ solution - y[:, None]
        weights = 1 / miss.abs().clamp(min=1e-3)
        task.log(turn, loss=float(miss.abs().mean()))
    return Plane(solution)
