"""Must fail: within. Least squares follows the wrong labels."""

import torch
from torch import nn


class Plane(nn.Module):
    def __init__(self, solution):
        super().__init__()
        self.solution = nn.Parameter(solution)

    def forward(self, x):
        return (x @ self.solution[:2] + self.solution[2]).squeeze(1)


def fit(task):
    x, y = task.train.tensors
    rows = torch.cat([x, torch.ones(len(x), 1)], 1)
    return Plane(torch.linalg.lstsq(rows, y[:, None]).solution)
