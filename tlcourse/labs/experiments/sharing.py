"""What tasks should share: a trunk, branches of one, networks stitched together, or paths that evolved.

The related tasks are synthetic regressions that come in families: those of one family are sums of the same hidden
functions. PathNet learns two halves of the digits, one after the other.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
import torch.nn.functional as F
from msgspec import Struct
from torch import Tensor, nn

from tlcourse.labs.digits import load
from tlcourse.labs.training import Log, fit
from tlcourse.methods.sharing import (
    CrossStitchNet,
    Path,
    PathNet,
    SharedTrunk,
    affinity,
    random_path,
    split,
    tournament,
)

FEATURES, HIDDEN, NOISE = 10, 4, 0.3
WIDTH = 32


class Families(Struct, frozen=True):
    """Inputs (n, 10) and the outputs of all tasks (n, tasks), family after family; a task has variance 1 on average."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    """Without noise."""


def draw(
    families: int, each: int, labels: int, related: float, generator: torch.Generator, hidden: int = HIDDEN
) -> Families:
    """`families` times `each` tasks; `related` is the share of a task's variance that its family's functions make."""
    own_or_common = []
    shared = [_functions(hidden, generator) for _ in range(families)]
    for family in range(families):
        for _ in range(each):
            mix = F.normalize(torch.randn(hidden, generator=generator), dim=0)
            alone = F.normalize(torch.randn(hidden, generator=generator), dim=0)
            own_or_common.append((shared[family], mix, _functions(hidden, generator), alone))

    def outputs(x: Tensor) -> Tensor:
        columns = [
            related**0.5 * torch.sin(x @ common) @ mix + (1 - related) ** 0.5 * torch.sin(x @ own) @ alone
            for common, mix, own, alone in own_or_common
        ]
        return 2**0.5 * torch.stack(columns, dim=1)  # the variance of a sine is about one half

    x, x_test = torch.randn(labels, FEATURES, generator=generator), torch.randn(2000, FEATURES, generator=generator)
    y = outputs(x)
    return Families(x, y + NOISE * torch.randn(y.shape, generator=generator), x_test, outputs(x_test))


def _functions(hidden: int, generator: torch.Generator) -> Tensor:
    """(10, hidden): the directions along which the hidden functions wave."""
    return 1.2 * F.normalize(torch.randn(FEATURES, hidden, generator=generator), dim=0)


def trunk(width: int = WIDTH) -> nn.Sequential:
    """(B, 10) -> (B, width)."""
    return nn.Sequential(nn.Linear(FEATURES, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())


@torch.no_grad()
def error(found: Tensor, true: Tensor) -> float:
    """Mean squared error in units of the outputs' variance, averaged over tasks: 1 is knowing nothing."""
    return float(((found - true).square().mean(0) / true.var(0)).mean())


FAMILIES, EACH = 3, 3


def run_multi_task(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Tasks that come in families: a trunk for each family, a trunk for strangers, a network for each task.

    Error on new inputs, in units of the outputs' variance, averaged over all nine tasks.
    """
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


GROUPS, MEMBERS, THIN = 2, 4, 8


def run_branching(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Eight tasks of two families share a thin trunk; which find the same samples hard says who should part from whom.

    The share of all pairs of tasks that are rightly joined or rightly parted; 1 is finding the families.
    """
    generator = torch.Generator().manual_seed(seed)
    n, tasks = int(settings["labels"]), GROUPS * MEMBERS
    data = draw(GROUPS, MEMBERS, 2 * n, settings["related"], generator, hidden=1)
    net = nn.Sequential(trunk(THIN), nn.Linear(THIN, tasks))
    fit(net, data.x[:n], data.y[:n], arm="thin trunk", log=log, steps=int(settings["steps"]), loss=F.mse_loss)
    with torch.no_grad():  # on samples of which none was trained on: what is learnt by heart is hard for no task
        losses = (net(data.x[n:]) - data.y[n:]).square()
    shuffled = torch.stack([column[torch.randperm(n, generator=generator)] for column in losses.T], dim=1)
    true = [list(range(family * MEMBERS, (family + 1) * MEMBERS)) for family in range(GROUPS)]
    chance = torch.randperm(tasks, generator=generator).tolist()
    found = {
        "random": pairs_right([chance[:MEMBERS], chance[MEMBERS:]], true),
        "shuffled": pairs_right(split(affinity(shuffled), GROUPS), true),
        "found": pairs_right(split(affinity(losses), GROUPS), true),
    }
    alike = affinity(losses)
    same = [float(alike[a, b]) for a, b in combinations(range(tasks), 2) if a // MEMBERS == b // MEMBERS]
    other = [float(alike[a, b]) for a, b in combinations(range(tasks), 2) if a // MEMBERS != b // MEMBERS]
    log.metric("affinity", 0, kin=sum(same) / len(same), strangers=sum(other) / len(other))
    return found


def pairs_right(groups: list[list[int]], true: list[list[int]]) -> float:
    """The Rand index of two groupings: the share of pairs on which both agree, "together" or "apart"."""
    place = {task: number for number, group in enumerate(groups) for task in group}
    truth = {task: number for number, group in enumerate(true) for task in group}
    pairs = list(combinations(sorted(truth), 2))
    return sum((place[a] == place[b]) == (truth[a] == truth[b]) for a, b in pairs) / len(pairs)


def run_cross_stitch(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Two pairs of related tasks: stitched to their kin, stitched to a stranger, and not stitched at all.

    Error on new inputs, in units of the outputs' variance, averaged over the four tasks.
    """
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


DEPTH, MODULES, ACTIVE, MODULE_WIDTH = 2, 8, 3, 16
POPULATION, PATH_BATCH = 6, 32


def run_pathnet(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on the digits 5 to 9, after 0 to 4 were learnt."""
    x, y = load(seed)
    x = x.flatten(1)
    first, second = y < 5, y >= 5
    n = int(settings["labels"])
    xs, ys = x[first][:600], y[first][:600]
    xt, yt = x[second][:n], y[second][:n] - 5
    test, truth = x[second][300:], y[second][300:] - 5
    generator = torch.Generator().manual_seed(seed)
    start = PathNet(_modules(), [nn.Linear(MODULE_WIDTH, 5) for _ in range(2)]).state_dict()
    found = {}
    for arm in ("alone", "random", "evolved"):
        net = PathNet(_modules(), [nn.Linear(MODULE_WIDTH, 5) for _ in range(2)])
        net.load_state_dict(start)
        if arm != "alone":
            path = _learn(net, xs, ys, 0, arm, settings, generator, log)
            net.freeze(path)
            net.restart(path, _modules)
        path = _learn(net, xt, yt, 1, arm, settings, generator, log)
        with torch.no_grad():
            found[arm] = float((net(test, path, 1).argmax(1) == truth).float().mean())
    return found


def _modules() -> list[list[nn.Module]]:
    """`MODULES` linear modules with a rectifier in each of `DEPTH` layers."""
    return [
        [nn.Sequential(nn.Linear(MODULE_WIDTH if depth else 64, MODULE_WIDTH), nn.ReLU()) for _ in range(MODULES)]
        for depth in range(DEPTH)
    ]


def _learn(
    net: PathNet,
    x: Tensor,
    y: Tensor,
    task: int,
    arm: str,
    settings: Mapping[str, float],
    generator: torch.Generator,
    log: Log,
) -> Path:
    """Train a task; the path that it ends with: the last winner of the tournaments, or the one that was drawn.

    Both arms take as many steps. In a tournament the steps are shared by many paths, which is the price of searching.
    """
    rounds, steps = int(settings["rounds"]), int(settings["steps"])

    def train(path: Path) -> float:
        return _train(net, path, x, y, task, steps, generator)

    if arm != "evolved":
        path = random_path(DEPTH, MODULES, ACTIVE, generator)
        for number in range(2 * rounds):
            right = train(path)
            log.metric(f"{arm} task {task + 1}", number // 2, training=right)
        return path
    paths = [random_path(DEPTH, MODULES, ACTIVE, generator) for _ in range(POPULATION)]
    winner = 0
    for number in range(rounds):
        winner, right = tournament(paths, train, MODULES, generator)
        log.metric(f"{arm} task {task + 1}", number, training=right)
    return paths[winner]


def _train(net: PathNet, path: Path, x: Tensor, y: Tensor, task: int, steps: int, generator: torch.Generator) -> float:
    """So many steps along a path; its fitness, as in the paper: the accuracy on what it was trained on meanwhile."""
    parts = [net.heads[task], *net.on_path(path)]
    free = [p for part in parts for p in part.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(free, 0.1)
    right = 0.0
    for _ in range(steps):
        rows = torch.randint(len(x), (PATH_BATCH,), generator=generator)
        logits = net(x[rows], path, task)
        loss = F.cross_entropy(logits, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right += float((logits.argmax(1) == y[rows]).float().mean())
    return right / steps
