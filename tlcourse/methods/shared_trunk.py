"""Multi-task learning with one trunk (hard parameter sharing; Caruana 1997): all tasks read the same features."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class SharedTrunk(nn.Module):
    """One trunk, and one head for each task; what one task teaches the trunk, the others may use."""

    def __init__(self, trunk: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict(heads)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(B, …) -> what each head makes of the same features."""
        features = self.trunk(x)
        return {task: head(features) for task, head in self.heads.items()}
