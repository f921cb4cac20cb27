"""Thinks all characters alike."""

import torch


class Alike(torch.nn.Module):
    def forward(self, x):
        """(B, 16) → (B, 16, 12)."""
        return torch.zeros(*x.shape, 12)

    def generate(self, prompt):
        raise NotImplementedError


def fit(task):
    return Alike()
