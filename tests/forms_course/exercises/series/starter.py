"""Sees nothing."""

import torch


class Nothing(torch.nn.Module):
    def forward(self, x):
        """A list of B tensors (steps, 2) → (B,), and a list of B tensors (steps,)."""
        return torch.zeros(len(x)), [torch.zeros(len(one), dtype=torch.uint8) for one in x]


def fit(task):
    return Nothing()
