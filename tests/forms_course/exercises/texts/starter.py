"""Counts nothing, and writes what it read."""

import torch


class Nothing(torch.nn.Module):
    def forward(self, texts):
        """A list of B bytes → (B,), and a list of B bytes."""
        return torch.zeros(len(texts), dtype=torch.int64), texts


def fit(task):
    return Nothing()
