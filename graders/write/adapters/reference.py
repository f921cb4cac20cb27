"""A serial adapter."""

import torch.nn.functional as F
from torch import Tensor, nn


class SerialAdapter(nn.Module):
    def __init__(self, layer: nn.Module, features: int, width: int) -> None:
        super().__init__()
        self.layer = layer
        layer.requires_grad_(False)
        self.down = nn.Linear(features, width)
        self.up = nn.Linear(width, features)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) -> (…, features)"""
        h = self.layer(x)
        return h + self.up(F.gelu(self.down(h)))
