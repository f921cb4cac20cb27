"""Tasks that come in families: a trunk for each family, a trunk for strangers, a network for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.log import Log
from tlcourse.labs.related_tasks import WIDTH, Families, draw, error, trunk
from tlcourse.labs.training import fit
from tlcourse.methods.shared_trunk import SharedTrunk

FAMILIES, EACH = 3, 3


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Error on new inputs, in units of the outputs' variance, averaged over all nine tasks."""
    data = draw(FAMILIES, EACH, int(settings["labels"]), settings["related"], torch.Generator().manual_seed(seed))
    kin = [[family * EACH + member for member in range(EACH)] for family in range(FAMILIES)]
    strangers = [[family * EACH + member for family in range(FAMILIES)] for member in range(EACH)]
    alone = [[task] for task in range(FAMILIES * EACH)]
    return {
        "separate": trained(data, alone, "separate", settings, log),
        "strangers": trained(data, strangers, "strangers", settings, log),
        "shared": trained(data, kin, "shared", settings, log),
    }


def trained(
    data: Families, groups: Sequence[Sequence[int]], arm: str, settings: Mapping[str, float], log: Log
) -> float:
    """The error when each group of tasks has a trunk of its own."""
    found = torch.zeros_like(data.y_test)
    for group in groups:
        net = SharedTrunk(trunk(WIDTH), {str(task): nn.Linear(WIDTH, 1) for task in group})
        columns = _Columns(net)
        fit(
            columns,
            data.x,
            data.y[:, list(group)],
            arm=arm,
            log=log,
            steps=int(settings["steps"]),
            loss=lambda guess, y: F.mse_loss(guess, y),
        )
        with torch.no_grad():
            found[:, list(group)] = columns(data.x_test)
    return error(found, data.y_test)


class _Columns(nn.Module):
    """What the heads say, side by side: (B, 10) -> (B, tasks)."""

    def __init__(self, net: SharedTrunk) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(list(self.net(x).values()), dim=1)
