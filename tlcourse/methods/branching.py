"""Branching found while training: which tasks leave the shared trunk together (Lu et al. 2017, arXiv:1611.05377).

Training begins with a thin network in which all tasks share everything but their heads. From the top down each layer is
then split: tasks whose errors go together stay on one branch. Tasks are alike when they find the same samples hard.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor


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
