"""Cross-stitch: two networks that learn, layer by layer, how much to share (Misra et al. 2016, arXiv:1604.03539).

    [x̃_A; x̃_B] = [[α_AA, α_AB], [α_BA, α_BB]] [x_A; x_B]        (equation 1)

α = identity is two networks side by side, α = ½ everywhere one network twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class CrossStitch(nn.Module):
    """Mixes the activations of all tasks at one layer by a learnt matrix, (tasks, tasks)."""

    def __init__(self, tasks: int, own: float = 0.9) -> None:
        super().__init__()
        others = (1 - own) / (tasks - 1) if tasks > 1 else 0.0
        start = torch.full((tasks, tasks), others)
        start.fill_diagonal_(own)
        self.alpha = nn.Parameter(start)

    def forward(self, activations: Sequence[Tensor]) -> list[Tensor]:
        """One (B, …) a task -> as many of the same shape."""
        stacked = torch.stack(list(activations))  # (tasks, B, …)
        return list(torch.einsum("ij,j...->i...", self.alpha, stacked))


class CrossStitchNet(nn.Module):
    """As many equal columns as tasks, stitched after every layer; each ends in its own head."""

    def __init__(self, columns: Sequence[Sequence[nn.Module]], heads: Sequence[nn.Module], own: float = 0.9) -> None:
        super().__init__()
        if len({len(column) for column in columns}) != 1 or len(columns) != len(heads):
            raise ValueError("expected columns of equal depth, and a head for each")
        self.columns = nn.ModuleList(nn.ModuleList(column) for column in columns)
        self.heads = nn.ModuleList(heads)
        self.stitches = nn.ModuleList(CrossStitch(len(heads), own) for _ in columns[0])

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, …) -> one output a task."""
        activations = [x] * len(self.heads)
        for depth, stitch in enumerate(self.stitches):
            activations = stitch([column[depth](h) for column, h in zip(self.columns, activations, strict=True)])
        return [head(h) for head, h in zip(self.heads, activations, strict=True)]

    def groups(self, lr: float, times: float = 100.0) -> list[dict[str, object]]:
        """Parameter groups for an optimiser: the few α learn `times` faster than the weights, as in the paper."""
        alphas = [stitch.alpha for stitch in self.stitches]
        known = {id(alpha) for alpha in alphas}
        weights = [parameter for parameter in self.parameters() if id(parameter) not in known]
        return [{"params": weights, "lr": lr}, {"params": alphas, "lr": lr * times}]
