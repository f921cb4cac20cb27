"""Several tasks in one network: what they share, and how much of it.

Hard sharing, one trunk for all tasks, is Caruana's (1997). In cross-stitch networks the tasks learn, layer by layer,
how much to share (Misra et al. 2016, arXiv:1604.03539):

    [x̃_A; x̃_B] = [[α_AA, α_AB], [α_BA, α_BB]] [x_A; x_B]        (equation 1)

α = identity is two networks side by side, α = ½ everywhere one network twice. Here each layer has one matrix; published
code often has one for every channel.

Branching finds while training which tasks leave the trunk together (Lu et al. 2017, arXiv:1611.05377). Training begins
with a thin network in which all tasks share everything but their heads. From the top down each layer is then split:
tasks whose errors go together stay on one branch. Tasks are alike when they find the same samples hard. Groups are made
here by complete linkage, and their price is within-group unlikeness; the paper's clustering and price are others.

PathNet finds by evolution which modules of a large network a task uses (Fernando et al. 2017, arXiv:1701.08734). A
network has L layers of M modules; a path uses at most N of them in each layer, and its layer's output is their sum.
Two paths train, the worse is overwritten by a mutated copy of the better (a binary tournament). Then the best path is
frozen, everything else begins anew, and the next task may use the frozen modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn


class SharedTrunk(nn.Module):
    """One trunk, and one head for each task; what one task teaches the trunk, the others may use."""

    def __init__(self, trunk: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict(heads)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(B, …) -> what each head makes of the same features."""
        features = self.trunk(x)
        return {task: head(features) for task, head in self.heads.items()}


class CrossStitch(nn.Module):
    """Mixes the activations of all tasks at one layer by a learnt matrix, (tasks, tasks)."""

    def __init__(self, tasks: int, own: float = 0.9) -> None:
        super().__init__()
        others = (1 - own) / (tasks - 1) if tasks > 1 else 0.0
        start = torch.full((tasks, tasks), others)
        start.fill_diagonal_(own)
        self.alpha = nn.Parameter(start)

    def forward(self, activations: Sequence[Tensor]) -> list[Tensor]:
        """One (B, …) a task -> as many of the same shape."""
        stacked = torch.stack(list(activations))  # (tasks, B, …)
        return list(torch.einsum("ij,j...->i...", self.alpha, stacked))


class CrossStitchNet(nn.Module):
    """As many equal columns as tasks, stitched after every layer; each ends in its own head."""

    def __init__(self, columns: Sequence[Sequence[nn.Module]], heads: Sequence[nn.Module], own: float = 0.9) -> None:
        super().__init__()
        if len({len(column) for column in columns}) != 1 or len(columns) != len(heads):
            raise ValueError("expected columns of equal depth, and a head for each")
        self.columns = nn.ModuleList(nn.ModuleList(column) for column in columns)
        self.heads = nn.ModuleList(heads)
        self.stitches = nn.ModuleList(CrossStitch(len(heads), own) for _ in columns[0])

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, …) -> one output a task."""
        activations = [x] * len(self.heads)
        for depth, stitch in enumerate(self.stitches):
            activations = stitch([column[depth](h) for column, h in zip(self.columns, activations, strict=True)])
        return [head(h) for head, h in zip(self.heads, activations, strict=True)]

    def groups(self, lr: float, times: float = 100.0) -> list[dict[str, object]]:
        """Parameter groups for an optimiser: the few α learn `times` faster, as in the paper, for SGD.

        Adam scales every step already; there 100 times as fast does harm (the lab `cross-stitch`).
        """
        alphas = [stitch.alpha for stitch in self.stitches]
        known = {id(alpha) for alpha in alphas}
        weights = [parameter for parameter in self.parameters() if id(parameter) not in known]
        return [{"params": weights, "lr": lr}, {"params": alphas, "lr": lr * times}]


def affinity(losses: Tensor) -> Tensor:
    """How often two tasks agree on which samples are hard: (n, tasks) losses -> (tasks, tasks), from 0 to 1.

    A sample is hard for a task when its loss is above that task's mean loss (their equation for sample-wise errors).
    """
    hard = (losses > losses.mean(0)).float()
    return (hard.T @ hard + (1 - hard).T @ (1 - hard)) / len(losses)


def split(alike: Tensor, branches: int) -> list[list[int]]:
    """Group the tasks into `branches` by affinity: the two groups that are most alike are joined, again and again.

    The affinity of two groups is that of their least alike members, so that a branch holds no strangers.
    """
    if not 1 <= branches <= len(alike):
        raise ValueError(f"{branches} branches of {len(alike)} tasks")
    groups = [[task] for task in range(len(alike))]
    while len(groups) > branches:
        first, second = max(combinations(range(len(groups)), 2), key=lambda pair: _of_groups(alike, groups, *pair))
        groups[first] += groups.pop(second)
    return [sorted(group) for group in groups]


def best_split(alike: Tensor, cost: float) -> list[list[int]]:
    """The number of branches that weighs affinity against size: within-group unlikeness plus `cost` a branch."""

    def price(groups: Sequence[Sequence[int]]) -> float:
        worst = sum(1 - float(alike[list(group)][:, list(group)].min()) for group in groups)
        return worst + cost * len(groups)

    return min((split(alike, k) for k in range(1, len(alike) + 1)), key=price)


def _of_groups(alike: Tensor, groups: Sequence[Sequence[int]], first: int, second: int) -> float:
    return float(alike[torch.tensor(groups[first])][:, torch.tensor(groups[second])].min())


Path = list[list[int]]
"""For each layer the modules in use, in ascending order."""


class PathNet(nn.Module):
    """`layers[l][m]` maps what layer l gets to what layer l + 1 gets; every task has a head of its own."""

    def __init__(self, layers: list[list[nn.Module]], heads: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleList(layer) for layer in layers)
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor, path: Path, task: int) -> Tensor:
        """(B, …) -> what the head of `task` makes of it along `path`."""
        for layer, active in zip(self.layers, path, strict=True):
            x = torch.stack([layer[m](x) for m in active]).sum(0)
        return self.heads[task](x)

    def on_path(self, path: Path) -> list[nn.Module]:
        """The modules of a path."""
        return [layer[m] for layer, active in zip(self.layers, path, strict=True) for m in active]

    def freeze(self, path: Path) -> None:
        """Keep what a task has learnt; the modules may still be used by other tasks."""
        for module in self.on_path(path):
            module.requires_grad_(False)

    def restart(self, path: Path, make: Callable[[], list[list[nn.Module]]]) -> None:
        """Begin every module anew but those on `path`."""
        fresh = make()
        kept = {(depth, m) for depth, active in enumerate(path) for m in active}
        for depth, layer in enumerate(self.layers):
            for m in range(len(layer)):
                if (depth, m) not in kept:
                    layer[m].load_state_dict(fresh[depth][m].state_dict())


def random_path(depth: int, modules: int, active: int, generator: torch.Generator) -> Path:
    """`active` different modules in each of `depth` layers."""
    return [sorted(torch.randperm(modules, generator=generator)[:active].tolist()) for _ in range(depth)]


def mutate(path: Path, modules: int, generator: torch.Generator) -> Path:
    """Each entry moves by −2 to 2 (round the end) with probability 1/(L·N), as in the paper; doubles fall together."""
    chance = 1 / sum(map(len, path))
    changed = []
    for active in path:
        moved = [
            (m + int(torch.randint(-2, 3, (), generator=generator))) % modules
            if float(torch.rand((), generator=generator)) < chance
            else m
            for m in active
        ]
        changed.append(sorted(set(moved)))
    return changed


def tournament(
    paths: list[Path], fitness: Callable[[Path], float], modules: int, generator: torch.Generator
) -> tuple[int, float]:
    """One round, in place: two paths are trained and judged by `fitness`, the loser becomes a mutant of the winner.

    Returns the winner's number and fitness.
    """
    first, second = torch.randperm(len(paths), generator=generator)[:2].tolist()
    judged = {number: fitness(paths[number]) for number in (first, second)}
    winner, loser = (first, second) if judged[first] >= judged[second] else (second, first)
    paths[loser] = mutate(paths[winner], modules, generator)
    return winner, judged[winner]
