"""A serial adapter. Fill in each TODO; `tlcourse write check adapters` checks it."""

import torch.nn.functional as F
from torch import Tensor, nn


class SerialAdapter(nn.Module):
    def __init__(self, layer: nn.Module, features: int, width: int) -> None:
        super().__init__()
        self.layer = layer
        # TODO: freeze the layer
        # TODO: self.down, self.up, and what `up` begins as

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) -> (…, features)"""
        raise NotImplementedError  # TODO
