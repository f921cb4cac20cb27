"""PathNet: which modules of a large network a task uses is found by evolution (Fernando et al. 2017, arXiv:1701.08734).

A network has L layers of M modules; a path uses at most N of them in each layer, and its layer's output is their sum.
Two paths train, the worse is overwritten by a mutated copy of the better (a binary tournament). Then the best path is
frozen, everything else begins anew, and the next task may use the frozen modules.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

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
