"""Two sensors record the same moments; the old one has a trained pipeline, the new one has no labels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods.feature_alignment import MatchedPipelines

STATE, CLASSES, WIDTH = 4, 3, 8


def run_feature_matching(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy of the new sensor on new moments."""
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.randn(STATE, 12, generator=generator), torch.randn(STATE, 16, generator=generator)
    rule = torch.randn(STATE, CLASSES, generator=generator)

    def record(n: int) -> tuple[Tensor, Tensor, Tensor]:
        state = torch.randn(n, STATE, generator=generator)
        y = (torch.tanh(2 * state) @ rule).argmax(1)
        noise = settings["noise"]
        old = torch.tanh(state @ a) + noise * torch.randn(n, 12, generator=generator)
        new = torch.sin(state @ b * 0.7) + noise * torch.randn(n, 16, generator=generator)
        return old, new, y

    old, _, y = record(3000)
    features = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, WIDTH))
    head = nn.Sequential(nn.ReLU(), nn.Linear(WIDTH, CLASSES))
    fit(nn.Sequential(features, head), old, y, arm="source", log=log, steps=800)
    both_old, both_new, labels = record(2000)
    _, test, truth = record(3000)
    steps, few = int(settings["steps"]), int(settings["labels"])
    found = {}
    for arm, order in (("matching", torch.arange(2000)), ("shuffled", torch.randperm(2000, generator=generator))):
        pipelines = MatchedPipelines(features, head, _pipeline(WIDTH))
        _match(pipelines, both_old[order], both_new, arm, steps, log)
        found[arm] = accuracy(pipelines, test, truth)
    for arm, n in (("few", few), ("oracle", 2000)):
        net = nn.Sequential(_pipeline(WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES))
        fit(net, both_new[:n], labels[:n], arm=arm, log=log, steps=steps if n > 500 else 300)
        found[arm] = accuracy(net, test, truth)
    return found


def _pipeline(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, width))


def _match(pipelines: MatchedPipelines, old: Tensor, new: Tensor, arm: str, steps: int, log: Log) -> None:
    optimizer = torch.optim.Adam(pipelines.target.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in range(1, steps + 1):
        rows = torch.randint(len(old), (128,))
        loss = pipelines.loss(old[rows], new[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            log.metric(arm, step, loss=loss.item())
