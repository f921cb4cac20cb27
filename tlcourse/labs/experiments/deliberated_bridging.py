"""A few streets by day have labels, many in the evening none. Two teachers with two bridges, with one, with none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from tlcourse.labs.log import Log
from tlcourse.labs.streets import CLASSES, SIDE, StreetNet, by_pixel, draw, mean_iou
from tlcourse.labs.training import POINTS
from tlcourse.methods import deliberated_bridging as ddb
from tlcourse.methods.patch_mix import mix

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
        return ddb.cut_mask(len(label), SIDE)
    return ddb.class_mask(label) if bridge == "class" else torch.zeros(len(label), 1, SIDE, SIDE)


def _student(start: StreetNet, data: Streets, teachers: list[StreetNet], arm: str, log: Log) -> StreetNet:
    """A network that learns what both teachers say of the target, pixel by pixel."""
    torch.manual_seed(1000 * data.seed + 999)
    net, centres = copy.deepcopy(start), [_prototypes(teacher, data.target) for teacher in teachers]

    def loss(x: Tensor, y: Tensor, other: Tensor) -> Tensor:
        with torch.no_grad():
            maps = [teacher.features(other) for teacher in teachers]
            logits = [by_pixel(teacher.head(one)) for teacher, one in zip(teachers, maps, strict=True)]
            soft = ddb.weighed_teachers(logits, [by_pixel(one) for one in maps], centres)
        own, guessed = net(torch.cat([x, other])).chunk(2)
        return F.cross_entropy(own, y) + ddb.distillation_loss(by_pixel(guessed), soft)

    _train(net, data, loss, data.steps, arm, log)
    return net


@torch.no_grad()
def _prototypes(teacher: StreetNet, target: Tensor) -> Tensor:
    """The mean feature of each class on the target, the classes as the teacher sees them: (classes, d)."""
    maps = teacher.features(target)
    return ddb.prototypes(by_pixel(maps), teacher.head(maps).argmax(1).flatten(), len(CLASSES))


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
