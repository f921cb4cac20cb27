"""Must fail: bits, causal, prompt."""

import torch


class Ahead(torch.nn.Module):
    def forward(self, x):
        return 20 * torch.nn.functional.one_hot(torch.cat([x[:, 1:], x[:, :1]], 1), 12).float() + 1e-3

    def generate(self, prompt):
        return prompt[:2]


def fit(task):
    return Ahead()
