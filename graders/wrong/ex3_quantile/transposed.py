"""Must end: invalid. Levels before tasks: (B, 7, 4)."""

import torch
from torch import nn

import tlcourse


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 28)

    def forward(self, x):
        return self.head(x).unflatten(1, (7, 4))


def fit(task: tlcourse.Task) -> nn.Module:
    torch.manual_seed(task.seed)
    return Net()
