"""A residual network for 32-pixel pictures, small enough to ship with the course (He et al. 2016, fig. 2 and 3).

Its parts are named as in torchvision's ResNet, so that the lecture's recipe works on it unchanged:
`net.fc = nn.Linear(net.fc.in_features, 2)`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (16, 32, 64, 128)


class Block(nn.Module):
    """relu(shortcut(x) + F(x)), with F two 3×3 convolutions; the shortcut is a 1×1 convolution where shapes change."""

    def __init__(self, narrow: int, wide: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(narrow, wide, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide)
        self.conv2 = nn.Conv2d(wide, wide, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.downsample = nn.Sequential()
        if stride != 1 or narrow != wide:
            self.downsample = nn.Sequential(nn.Conv2d(narrow, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))

    def forward(self, x: Tensor) -> Tensor:
        """(B, narrow, H, W) -> (B, wide, H/stride, W/stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class SmallResNet(nn.Module):
    """(B, 3, 32, 32) pictures, normalised as for ImageNet -> logits (B, classes)."""

    def __init__(self, classes: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.layer1 = Block(widths[0], widths[0], 1)  # -> (B, 16, 32, 32)
        self.layer2 = Block(widths[0], widths[1], 2)  # -> (B, 32, 16, 16)
        self.layer3 = Block(widths[1], widths[2], 2)  # -> (B, 64, 8, 8)
        self.layer4 = Block(widths[2], widths[3], 2)  # -> (B, 128, 4, 4)
        self.fc = nn.Linear(widths[3], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))
