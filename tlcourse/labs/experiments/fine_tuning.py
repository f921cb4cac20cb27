"""A few drawn ants and bees, and a network that has learnt other animals: how much of it should be trained anew?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from tlcourse.data.synthetic import insects
from tlcourse.labs.log import Log
from tlcourse.labs.training import POINTS, accuracy
from tlcourse.methods.fine_tuning import freeze, layerwise_rates, replace_head
from tlcourse.methods.small_resnet import SmallResNet

TESTED = 400
WEIGHTS = Path(__file__).parents[2] / "content" / "weights" / "insects.safetensors"
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the channels, as in pretraining


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on new pictures of ants and bees."""
    n, steps, rate = int(settings["pictures"]), int(settings["steps"]), settings["rate"]
    x, y = _pictures(n, 2 * seed)
    test, truth = _pictures(TESTED, 2 * seed + 1)
    found = {}
    for arm in ("scratch", "full", "layerwise", "frozen"):
        torch.manual_seed(seed)  # the same batches for all
        net = _network(pretrained=arm != "scratch")
        groups = [{"params": list(net.parameters()), "lr": 2 * rate if arm == "scratch" else rate}]
        if arm == "layerwise":
            groups = layerwise_rates(net, rate, settings["decay"])
        if arm == "frozen":  # the head alone bears, and needs, a larger rate
            groups = [{"params": list(replace_head(freeze(net), 2).parameters()), "lr": 10 * rate}]
        _train(net, groups, x, y, steps, arm, log)
        found[arm] = accuracy(net, test, truth)
    return found


def _network(*, pretrained: bool) -> SmallResNet:
    """A network with two outputs; with the course's weights but for its last layer, or from chance."""
    if not pretrained:
        return SmallResNet(2)
    state = load_file(WEIGHTS)
    net = SmallResNet(len(state["fc.bias"]))
    net.load_state_dict(state)
    replace_head(net, 2)
    return net


def _pictures(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Normalised pictures (n, 3, 32, 32) and labels (n,), 0 ant, 1 bee."""
    arrays = insects.make(n, seed)
    x = torch.from_numpy(arrays["x"])
    return (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(SPREAD)[:, None, None], torch.from_numpy(
        arrays["label"]
    )


def _train(
    net: nn.Module, groups: list[dict[str, object]], x: Tensor, y: Tensor, steps: int, arm: str, log: Log
) -> None:
    """AdamW; every group's rate rises once and falls to zero. Batches of 16, mirrored at random."""
    optimizer = torch.optim.AdamW(groups, weight_decay=0.05)
    rates = [group["lr"] for group in optimizer.param_groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps)
    net.train()
    total, every = 0.0, max(steps // POINTS, 1)
    for step in range(1, steps + 1):
        rows = torch.randperm(len(x))[:16]
        batch = x[rows].flip(3) if torch.rand(()) < 0.5 else x[rows]
        loss = F.cross_entropy(net(batch), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % every == 0:
            log.metric(arm, step, loss=total / every)  # of one batch of 16 it would be mostly noise
            total = 0.0
    net.eval()
