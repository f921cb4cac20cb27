"""Sees nothing."""

import torch


class Nothing(torch.nn.Module):
    def forward(self, x):
        """`image` (B, 1, 4, 4) uint8, `numbers` (B, 2), `caption`: a list of B bytes."""
        n = len(x["numbers"])
        return torch.zeros(n, dtype=torch.bool), torch.zeros(n), x["image"]

    def describe(self, x, end):
        raise NotImplementedError


def fit(task):
    return Nothing()
