"""Must fail: bits, writes. It looks at one letter, where the rule takes two."""

import torch
from torch import nn


class Letters(nn.Module):
    def __init__(self, counts):
        super().__init__()
        self.register_buffer("log_p", counts.add(0.1).log())

    def forward(self, x):
        return self.log_p[x]

    def generate(self, prompt, count):
        letters = list(prompt)
        for _ in range(count):
            letters.append(int(self.log_p[letters[-1]].argmax()))
        return letters[len(prompt) :]


def fit(task):
    x, following = task.train.tensors
    return Letters(torch.bincount((x * 8 + following).flatten(), minlength=64).float().view(8, 8))
