"""LoRA's layer: h = W₀x + b₀ + (α/r)·BAx. Fill in each TODO; `tlcourse write check lora` checks it."""

import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.linear = linear
        # TODO: freeze the linear layer
        # TODO: self.a (rank, in) and self.b (out, rank), both nn.Parameter
        # TODO: keep what the product is to be multiplied by

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) -> (…, out)"""
        raise NotImplementedError  # TODO: equation 3
