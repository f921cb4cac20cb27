"""A line that outliers do not pull. This starter runs and does not pass: it predicts one number for all.

Try it:  tlcourse grade outliers solution.py
"""

import torch
from torch import nn


class Plane(nn.Module):
    """y = a·x + b."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, x):
        """(B, 2) -> (B,)."""
        return self.linear(x).squeeze(1)


def fit(task):
    x, y = task.train.tensors  # (400, 2) and (400,)
    model = Plane()
    with torch.no_grad():
        # TODO: slopes and intercept that the wrong labels do not pull.
        model.linear.weight.zero_()
        model.linear.bias.fill_(y.mean())
    task.log(1, loss=float((model(x) - y).abs().mean()))
    return model
