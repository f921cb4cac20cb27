"""A backbone that serves an old task gets a second head for a new one. Frozen, or do its statistics move on?"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.digits import load
from tlcourse.labs.log import Log, show_features
from tlcourse.labs.training import POINTS, accuracy, fit
from tlcourse.methods.fine_tuning import freeze

SHOWN = 150


class BatchNormNet(nn.Module):
    """(B, 1, 8, 8) -> `features` (B, 64), then logits (B, 10). Batch norm, whose statistics can drift."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),  # (B, 16, 8, 8)
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),  # (B, 32, 4, 4)
            nn.Flatten(),
            nn.Linear(512, 64),
            nn.ReLU(),
        )
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))


def run_batch_norm(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy of the old head on the old task, after a head for the new one was trained on the same backbone."""
    x, y = load(seed)
    old = BatchNormNet()
    fit(old, x[:800], y[:800], arm="original", log=log, steps=300)
    n = int(settings["labels"])
    new = _other_light(x[800:], settings["light"])  # the new task: is it an odd digit, under another light?
    odd = y[800:] % 2
    test, truth = x[1300:], y[1300:]
    found = {"original": accuracy(old, test, truth)}
    for arm in ("drifting", "frozen", "full"):
        torch.manual_seed(seed)
        net = copy.deepcopy(old)
        if arm == "frozen":
            freeze(net)
        elif arm == "drifting":
            net.requires_grad_(False)
        else:
            net.fc.requires_grad_(False)  # the old head waits, and the backbone moves on
        head = nn.Linear(64, 2)
        _train(net, head, new[:n], odd[:n], (test, truth), arm, int(settings["steps"]), log)
        found[arm] = accuracy(net, test, truth)
        if arm == "drifting":
            _show(old, net, test, truth, log)
    return found


def _other_light(x: Tensor, light: float) -> Tensor:
    """The pictures with less contrast, on a background that is `light` bright."""
    return light + (1 - light) * x


def _train(net: BatchNormNet, head: nn.Linear, x: Tensor, y: Tensor, old: tuple[Tensor, Tensor], arm: str, steps: int,
           log: Log) -> None:  # fmt: skip
    parameters = [p for p in [*net.features.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, 3e-3)
    for step in range(1, steps + 1):
        net.train()  # as a training loop does; a network that is frozen for good stays as it is
        rows = torch.randint(len(x), (32,))
        loss = F.cross_entropy(head(net.features(x[rows])), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % max(steps // POINTS, 1) == 0 or step == steps:
            net.eval()
            log.metric(arm, step, loss=loss.item(), accuracy=accuracy(net, *old))
    net.eval()


@torch.no_grad()
def _show(before: BatchNormNet, after: BatchNormNet, x: Tensor, y: Tensor, log: Log) -> None:
    """The old task's features before and after the drift: no weight has changed between them."""
    both = torch.cat([before.features(x[:SHOWN]), after.features(x[:SHOWN])])
    domain = [0] * SHOWN + [1] * SHOWN
    show_features(log, "old task: before, and drifted", both, domain, [*y[:SHOWN], *y[:SHOWN]])
