"""Two halves of the digits, one after the other: do paths that evolved serve the second better than random ones?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.digits import load
from tlcourse.labs.log import Log
from tlcourse.methods.sharing import Path, PathNet, random_path, tournament

DEPTH, MODULES, ACTIVE, WIDTH = 2, 8, 3, 16
POPULATION, BATCH = 6, 32


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
    start = PathNet(_modules(), [nn.Linear(WIDTH, 5) for _ in range(2)]).state_dict()
    found = {}
    for arm in ("alone", "random", "evolved"):
        net = PathNet(_modules(), [nn.Linear(WIDTH, 5) for _ in range(2)])
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
        [nn.Sequential(nn.Linear(WIDTH if depth else 64, WIDTH), nn.ReLU()) for _ in range(MODULES)]
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
        rows = torch.randint(len(x), (BATCH,), generator=generator)
        logits = net(x[rows], path, task)
        loss = F.cross_entropy(logits, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right += float((logits.argmax(1) == y[rows]).float().mean())
    return right / steps
