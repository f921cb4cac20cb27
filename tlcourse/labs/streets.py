"""Synthetic streets, every pixel with its class: by day they are the source, in the evening the target.

Sky, road, houses, trees and cars. In the evening colours are others, and pictures are grainier.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SIDE = 16
CLASSES = ("sky", "road", "house", "tree", "car")
_DAY = ((0.55, 0.70, 0.90), (0.40, 0.40, 0.42), (0.65, 0.45, 0.35), (0.25, 0.50, 0.25), (0.75, 0.20, 0.25))
_EVENING = ((0.75, 0.60, 0.60), (0.45, 0.40, 0.35), (0.45, 0.40, 0.55), (0.50, 0.45, 0.20), (0.45, 0.25, 0.50))
_OWN = 0.07
"""How much the colour of a class differs from picture to picture."""
_NOISE, _GRAIN = 0.05, 0.6
"""How much pixels differ by day, and how much more so in the evening."""


def draw(n: int, evening: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures (n, 3, 16, 16) in [0, 1] and the classes of their pixels (n, 16, 16); `evening` is 0 by day."""
    label = _scene(n, generator)
    colour = torch.lerp(torch.tensor(_DAY), torch.tensor(_EVENING), evening)
    own = colour + _OWN * torch.randn(n, len(CLASSES), 3, generator=generator)
    picture = own[torch.arange(n)[:, None, None], label].permute(0, 3, 1, 2)
    return (picture + (_NOISE + evening * _GRAIN) * torch.randn(picture.shape, generator=generator)).clamp(0, 1), label


def _scene(n: int, generator: torch.Generator) -> Tensor:
    """(n, 16, 16): a road below the sky, on the horizon two houses and two trees, on the road two cars."""

    def chance(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, generator=generator)

    at = torch.arange(SIDE, dtype=torch.float32)
    down, across = at.view(1, -1, 1), at.view(1, 1, -1)
    horizon = chance(7, 10)
    label = (down >= horizon).long().expand(n, SIDE, SIDE).clone()
    for _ in range(2):
        wide, high, place = chance(4, 8), chance(3, 7), chance(0, SIDE)
        label[((across - place).abs() < wide / 2) & (down > horizon - high) & (down < horizon)] = 2
    for _ in range(2):
        radius, place = chance(1.5, 3), chance(0, SIDE)
        crown = (across - place).square() + (down - horizon + radius + 1).square() < radius.square()
        trunk = ((across - place).abs() < 1) & (down < horizon) & (down > horizon - 3)
        label[crown | trunk] = 3
    for _ in range(2):
        wide, place, row = chance(3, 6), chance(0, SIDE), horizon + chance(1, 5)
        label[((across - place).abs() < wide / 2) & ((down - row).abs() < 1.6)] = 4
    return label


class StreetNet(nn.Module):
    """(B, 3, H, W) -> `features` (B, width, H, W), then logits (B, 5, H, W). A pixel sees 15 by 15 around it."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for narrow, dilation in ((3, 1), (width, 2), (width, 4)):
            layers += [nn.Conv2d(narrow, width, 3, padding=dilation, dilation=dilation)]
            layers += [nn.GroupNorm(3, width), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Conv2d(width, len(CLASSES), 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def by_pixel(maps: Tensor) -> Tensor:
    """(B, d, H, W) -> (B·H·W, d)."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


@torch.no_grad()
def mean_iou(net: nn.Module, x: Tensor, label: Tensor) -> float:
    """Mean over the classes of intersection over union, as segmentation is measured: all pixels counted together."""
    pairs = len(CLASSES) * label.flatten() + net(x).argmax(1).flatten()
    counts = torch.bincount(pairs, minlength=len(CLASSES) ** 2).view(len(CLASSES), -1).double()
    both = counts.diag()
    return float((both / (counts.sum(0) + counts.sum(1) - both).clamp_min(1)).mean())
