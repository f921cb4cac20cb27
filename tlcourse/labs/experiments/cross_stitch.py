"""Two pairs of related tasks: stitched to their kin, stitched to a stranger, and not stitched at all."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.log import Log
from tlcourse.labs.related_tasks import FEATURES, WIDTH, Families, draw, error
from tlcourse.methods.cross_stitch import CrossStitchNet


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Error on new inputs, in units of the outputs' variance, averaged over the four tasks."""
    data = draw(2, 2, int(settings["labels"]), settings["related"], torch.Generator().manual_seed(seed))
    kin, strangers = [[0, 1], [2, 3]], [[0, 2], [1, 3]]
    starts = [nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh()) for _ in kin]
    arms = {"identity": (kin, False), "strangers": (strangers, True), "stitched": (kin, True)}
    found = {}
    for arm, (pairs, learnt) in arms.items():
        guess = torch.zeros_like(data.y_test)
        for pair, start in zip(pairs, starts, strict=True):
            net = _net(start, settings["own"] if learnt else 1.0)
            guess[:, pair] = _trained(net, data, pair, learnt, arm, settings, log)
        found[arm] = error(guess, data.y_test)
    return found


def _net(start: nn.Sequential, own: float) -> CrossStitchNet:
    """Two equal columns, so that their units mean the same when training begins – in the paper both are pretrained."""
    columns = [[copy.deepcopy(start[:2]), copy.deepcopy(start[2:])] for _ in range(2)]
    return CrossStitchNet(columns, [nn.Linear(WIDTH, 1) for _ in range(2)], own)


def _trained(
    net: CrossStitchNet,
    data: Families,
    pair: Sequence[int],
    learnt: bool,
    arm: str,
    settings: Mapping[str, float],
    log: Log,
) -> Tensor:
    """What the trained pair says of the test inputs, (2000, 2)."""
    lr, steps, faster = 3e-3, int(settings["steps"]), settings["times"]
    if not learnt:
        for stitch in net.stitches:
            stitch.alpha.requires_grad_(False)
    optimizer = torch.optim.Adam(net.groups(lr, faster))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [lr, lr * faster], total_steps=steps)
    y = data.y[:, list(pair)]
    for step in range(1, steps + 1):
        rows = torch.randint(len(y), (min(64, len(y)),))
        loss = F.mse_loss(torch.cat(net(data.x[rows]), dim=1), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            others = torch.stack([1 - stitch.alpha.diagonal().mean() for stitch in net.stitches]).mean()
            log.metric(arm, step, loss=loss.item(), share=others.item())
    with torch.no_grad():
        return torch.cat(net(data.x_test), dim=1)
