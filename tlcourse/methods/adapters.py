"""Adapters: small trainable modules in a frozen network.

Serial adapters (Houlsby et al. 2019, arXiv:1902.00751, section 2.1) come after a layer, parallel ones (Rebuffi et al.
2018, arXiv:1803.10082) beside it. Both begin as (nearly) nothing, so that training starts at the original.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.methods.fine_tuning import freeze


class SerialAdapter(nn.Module):
    """h + W_up σ(W_down h), after a frozen layer; a bottleneck of `width` numbers."""

    def __init__(self, layer: nn.Module, features: int, width: int) -> None:
        super().__init__()
        self.layer = freeze(layer)
        self.down = nn.Linear(features, width)  # features -> width
        self.up = nn.Linear(width, features)  # width -> features
        nn.init.zeros_(self.up.weight)  # the adapter's output is 0 at first
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """What the layer gives, (B, …, features), and a small change of it."""
        h = self.layer(x)
        return h + self.up(F.gelu(self.down(h)))


class ParallelAdapter(nn.Module):
    """W ∗ x + A ∗ x: a 1×1 convolution beside a frozen convolution of the same stride."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = freeze(convolution)
        self.adapter = nn.Conv2d(
            convolution.in_channels, convolution.out_channels, 1, convolution.stride, groups=1, bias=False
        )
        nn.init.zeros_(self.adapter.weight)
        sides = zip(convolution.kernel_size, convolution.padding, strict=True)
        if any(not isinstance(padding, int) or padding != side // 2 for side, padding in sides):
            raise ValueError("a parallel 1×1 adapter needs a convolution that pads by half its kernel")

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C_out, H/stride, W/stride)."""
        return self.convolution(x) + self.adapter(x)

    def merged(self) -> nn.Conv2d:
        """One convolution that does the same: the 1×1 kernel is added to the centre of the large one."""
        old = self.convolution
        new = nn.Conv2d(
            old.in_channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=old.bias is not None
        )
        new.load_state_dict(old.state_dict())
        row, column = (side // 2 for side in old.kernel_size)
        new.weight.data[:, :, row, column] += self.adapter.weight.data[:, :, 0, 0]
        return new


def add_parallel(net: nn.Module) -> int:
    """Freeze `net`, and put a parallel adapter beside each of its 3×3 convolutions; returns how many."""
    freeze(net)
    found = [
        (parent, name, child)
        for parent in net.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Conv2d) and child.kernel_size == (3, 3) and child.groups == 1
        if not isinstance(parent, ParallelAdapter)
    ]
    for parent, name, child in found:
        setattr(parent, name, ParallelAdapter(child))
    return len(found)
