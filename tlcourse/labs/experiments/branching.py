"""Eight tasks of two families share a thin trunk; which find the same samples hard says who should part from whom."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import nn

from tlcourse.labs.log import Log
from tlcourse.labs.related_tasks import draw, trunk
from tlcourse.labs.training import fit
from tlcourse.methods.branching import affinity, split

FAMILIES, EACH, THIN = 2, 4, 8


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """The share of all pairs of tasks that are rightly joined or rightly parted; 1 is finding the families."""
    generator = torch.Generator().manual_seed(seed)
    n, tasks = int(settings["labels"]), FAMILIES * EACH
    data = draw(FAMILIES, EACH, 2 * n, settings["related"], generator, hidden=1)
    net = nn.Sequential(trunk(THIN), nn.Linear(THIN, tasks))
    fit(net, data.x[:n], data.y[:n], arm="thin trunk", log=log, steps=int(settings["steps"]), loss=F.mse_loss)
    with torch.no_grad():  # on samples of which none was trained on: what is learnt by heart is hard for no task
        losses = (net(data.x[n:]) - data.y[n:]).square()
    shuffled = torch.stack([column[torch.randperm(n, generator=generator)] for column in losses.T], dim=1)
    true = [list(range(family * EACH, (family + 1) * EACH)) for family in range(FAMILIES)]
    chance = torch.randperm(tasks, generator=generator).tolist()
    found = {
        "random": pairs_right([chance[:EACH], chance[EACH:]], true),
        "shuffled": pairs_right(split(affinity(shuffled), FAMILIES), true),
        "found": pairs_right(split(affinity(losses), FAMILIES), true),
    }
    alike = affinity(losses)
    same = [float(alike[a, b]) for a, b in combinations(range(tasks), 2) if a // EACH == b // EACH]
    other = [float(alike[a, b]) for a, b in combinations(range(tasks), 2) if a // EACH != b // EACH]
    log.metric("affinity", 0, kin=sum(same) / len(same), strangers=sum(other) / len(other))
    return found


def pairs_right(groups: list[list[int]], true: list[list[int]]) -> float:
    """The Rand index of two groupings: the share of pairs on which both agree, "together" or "apart"."""
    place = {task: number for number, group in enumerate(groups) for task in group}
    truth = {task: number for number, group in enumerate(true) for task in group}
    pairs = list(combinations(sorted(truth), 2))
    return sum((place[a] == place[b]) == (truth[a] == truth[b]) for a, b in pairs) / len(pairs)
