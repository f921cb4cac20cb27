"""Must fail: causal, writes. It reads the next letter from the sequence itself."""

import torch
from torch import nn


class Letters(nn.Module):
    def forward(self, x):
        seen = 20.0 * nn.functional.one_hot(x[:, 1:], 8).float()
        return torch.cat([seen, torch.zeros(len(x), 1, 8)], 1)

    def generate(self, prompt, count):
        return [0] * count


def fit(task):
    return Letters()
