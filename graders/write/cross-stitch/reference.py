"""A cross-stitch unit."""

import torch
from torch import Tensor, nn


class CrossStitch(nn.Module):
    def __init__(self, tasks: int, own: float = 0.9) -> None:
        super().__init__()
        start = torch.full((tasks, tasks), (1 - own) / max(tasks - 1, 1))
        start.fill_diagonal_(own)
        self.alpha = nn.Parameter(start)

    def forward(self, activations: list[Tensor]) -> list[Tensor]:
        """One (B, …) a task -> as many of the same shape"""
        stacked = torch.stack(list(activations))
        return list(torch.einsum("ij,j...->i...", self.alpha, stacked))
