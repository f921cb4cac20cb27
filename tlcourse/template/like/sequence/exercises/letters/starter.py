"""The next letter. This starter runs and does not pass: it knows how often each letter stands, and nothing else.

Try it:  tlcourse grade letters solution.py
"""

import torch
from torch import nn


class Letters(nn.Module):
    """Logits of the next letter, for each place."""

    def __init__(self):
        super().__init__()
        self.log_share = nn.Parameter(torch.zeros(8))

    def forward(self, x):
        """(B, 24) -> (B, 24, 8)."""
        return self.log_share.expand(*x.shape, 8)  # TODO: look at the letters.

    def generate(self, prompt, count):
        """A list of letters, and a number -> a list of so many letters."""
        return [0] * count  # TODO


def fit(task):
    _, following = task.train.tensors  # (2000, 24), as the letters are
    model = Letters()
    with torch.no_grad():
        model.log_share.copy_(torch.bincount(following.flatten(), minlength=8).add(1).log())
    return model
