"""A few streets by day have labels, many in the evening none. Two teachers with two bridges, with one, with none.

The streets are synthetic: sky, road, houses, trees and cars. In the evening colours are others, and pictures grainier.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.training import POINTS, Log
from tlcourse.methods import domain_mixing
from tlcourse.methods.domain_mixing import mix

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


BATCH, DRAWN, TESTED = 8, 200, 200
KEEPS = 0.95
"""How much of itself the network that guesses keeps in each step; the rest comes from the teacher in training."""
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(source pictures, their labels, target pictures) -> what is minimised."""
ARMS = {"guesses": ("none", "none"), "twins": ("cut", "cut"), "deliberated": ("cut", "class")}
"""The bridges of each arm's two teachers."""


class Streets:
    """What the arms share; no label of the target is in it."""

    def __init__(self, settings: Mapping[str, float], seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.seed, self.sure = seed, settings["sure"]
        self.steps, self.rounds = int(settings["steps"]), int(settings["rounds"])
        self.x, self.y = draw(int(settings["pictures"]), 0.0, generator)
        self.target, _ = draw(DRAWN, settings["evening"], generator)
        self.test = draw(TESTED, settings["evening"], generator)
        self.labelled = draw(DRAWN, settings["evening"], generator)  # for the oracle alone


def run_deliberated_bridging(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean intersection over union on new streets in the evening."""
    data, start = Streets(settings, seed), StreetNet()
    _train(start, data, _supervised(start), 3 * data.steps, "start", log)
    whole = 2 * data.rounds * data.steps  # of a teacher and a student in each round
    found = {}
    for arm, (x, y) in {"source": (data.x, data.y), "target": data.labelled}.items():
        net = copy.deepcopy(start)
        _train(net, data, _supervised(net), whole, arm, log, x, y)
        found[arm] = mean_iou(net, *data.test)
    for arm, bridges in ARMS.items():
        net = start
        for number in range(data.rounds):
            teachers = [_teacher(net, data, bridge, (number, place), arm, log) for place, bridge in enumerate(bridges)]
            net = _student(net, data, teachers, arm, log)
        found[arm] = mean_iou(net, *data.test)
    return found


def _supervised(net: StreetNet) -> Loss:
    return lambda x, y, other: F.cross_entropy(net(x), y)


def _teacher(
    start: StreetNet, data: Streets, bridge: str, which: tuple[int, int], arm: str, log: Log
) -> StreetNet:  # fmt: skip
    """A network that learns on mixed pictures; a slow copy of it guesses the target's labels."""
    torch.manual_seed(1000 * data.seed + 10 * which[0] + which[1])  # the same pictures for the same place in each arm
    net, slow = copy.deepcopy(start), copy.deepcopy(start)

    def loss(x: Tensor, y: Tensor, other: Tensor) -> Tensor:
        with torch.no_grad():
            for kept, new in zip(slow.parameters(), net.parameters(), strict=True):
                kept.lerp_(new, 1 - KEEPS)
            certainty, guess = torch.softmax(slow(other), dim=1).max(dim=1)  # (B, H, W) each
        mask = _mask(bridge, y)
        own = mask[:, 0].bool()
        label = torch.where(own, y, guess)
        believed = own | (certainty > data.sure)
        alone, mixed = net(torch.cat([x, mix(x, other, mask)])).chunk(2)
        return F.cross_entropy(alone, y) + (F.cross_entropy(mixed, label, reduction="none") * believed).mean()

    _train(net, data, loss, data.steps, f"{arm} teacher {which[1] + 1}", log)
    return net


def _mask(bridge: str, label: Tensor) -> Tensor:
    """(B, 1, H, W): 1 where a mixed picture shows the source."""
    if bridge == "cut":
        return domain_mixing.cut_mask(len(label), SIDE)
    return domain_mixing.class_mask(label) if bridge == "class" else torch.zeros(len(label), 1, SIDE, SIDE)


def _student(start: StreetNet, data: Streets, teachers: list[StreetNet], arm: str, log: Log) -> StreetNet:
    """A network that learns what both teachers say of the target, pixel by pixel."""
    torch.manual_seed(1000 * data.seed + 999)
    net, centres = copy.deepcopy(start), [_prototypes(teacher, data.target) for teacher in teachers]

    def loss(x: Tensor, y: Tensor, other: Tensor) -> Tensor:
        with torch.no_grad():
            maps = [teacher.features(other) for teacher in teachers]
            logits = [by_pixel(teacher.head(one)) for teacher, one in zip(teachers, maps, strict=True)]
            soft = domain_mixing.weighed_teachers(logits, [by_pixel(one) for one in maps], centres)
        own, guessed = net(torch.cat([x, other])).chunk(2)
        return F.cross_entropy(own, y) + domain_mixing.distillation_loss(by_pixel(guessed), soft)

    _train(net, data, loss, data.steps, arm, log)
    return net


@torch.no_grad()
def _prototypes(teacher: StreetNet, target: Tensor) -> Tensor:
    """The mean feature of each class on the target, the classes as the teacher sees them: (classes, d)."""
    maps = teacher.features(target)
    return domain_mixing.prototypes(by_pixel(maps), teacher.head(maps).argmax(1).flatten(), len(CLASSES))


def _train(net: StreetNet, data: Streets, loss: Loss, steps: int, curve: str, log: Log, x: Tensor | None = None,
           y: Tensor | None = None) -> None:  # fmt: skip
    """Adam, one cycle of the learning rate; the test is plotted, and nothing is chosen by it."""
    x, y = (data.x, data.y) if x is None or y is None else (x, y)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in range(1, steps + 1):
        rows, others = torch.randint(len(x), (BATCH,)), torch.randint(len(data.target), (BATCH,))
        value = loss(x[rows], y[rows], data.target[others])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // POINTS, 1) == 0 or step == steps:
            log.metric(curve, step, loss=value.item())
