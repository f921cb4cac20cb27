"""Fine-tuning: how much of a network should be trained anew, and what becomes of an old task on a shared backbone.

Few pictures of ants and bees, and a network that has learnt others. On real photographs: the first of NETWORKS whose
ImageNet weights are here; minutes on two cores, and each trained arm says after its first epoch what it expects.

A backbone that serves an old task gets a second head for a new one. Frozen, or do its batch norm's statistics move on?
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from tlcourse.data.real import hymenoptera, weights
from tlcourse.data.synthetic import Arrays, insects
from tlcourse.errors import UnableError
from tlcourse.labs.digits import load
from tlcourse.labs.training import POINTS, Log, accuracy, fit, show_features
from tlcourse.methods.fine_tuning import freeze, layerwise_rates, replace_head
from tlcourse.methods.small_resnet import SmallResNet

TESTED = 400
WEIGHTS = Path(__file__).parents[2] / "content" / "weights" / "insects.safetensors"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the channels, as in pretraining


def run_fine_tuning(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on new pictures of ants and bees."""
    n, steps, lr = int(settings["pictures"]), int(settings["steps"]), settings["learning_rate"]
    x, y = _pictures(n, 2 * seed)
    test, truth = _pictures(TESTED, 2 * seed + 1)
    found = {}
    for arm in ("scratch", "full", "layerwise", "frozen"):
        torch.manual_seed(seed)  # the same batches for all
        net = _network(pretrained=arm != "scratch")
        groups = [{"params": list(net.parameters()), "lr": 2 * lr if arm == "scratch" else lr}]
        if arm == "layerwise":
            groups = layerwise_rates(net, lr, settings["decay"])
        if arm == "frozen":  # the head alone bears, and needs, a larger learning rate
            groups = [{"params": list(replace_head(freeze(net), 2).parameters()), "lr": 10 * lr}]
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
    return (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None], torch.from_numpy(arrays["label"])


def _train(
    net: nn.Module, groups: list[dict[str, object]], x: Tensor, y: Tensor, steps: int, arm: str, log: Log
) -> None:
    """AdamW; every group's learning rate rises once and falls to zero. Batches of 16, mirrored at random."""
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


NETWORKS = ("resnet18", "squeezenet1_1", "mobilenet_v2")
EPOCHS = 8


def run_fine_tuning_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on the tutorial's 153 validation photographs. `settings` are those for synthetic data."""
    del settings
    name = _available()
    train, val, test = (_tensors(arrays) for arrays in hymenoptera.make(seed))
    x, y = torch.cat([train[0], val[0]]), torch.cat([train[1], val[1]])
    log.note(f"{name}, {len(x)} photographs: {EPOCHS} epochs for each of three arms")
    return {
        "scratch": _retrained(name, x, y, test, log, "scratch", pretrained=False),
        "frozen": _frozen(name, x, y, test, log),
        "full": _retrained(name, x, y, test, log, "full", pretrained=True),
        "layerwise": _retrained(name, x, y, test, log, "layerwise", pretrained=True),
    }


def _available() -> str:
    here = weights.listed()
    name = next((name for name in NETWORKS if name in here), None)
    if name is None:
        raise UnableError(
            "No ImageNet weights are on this machine.",
            cause=f"none of {', '.join(NETWORKS)} was found.",
            remedy="tlcourse data get pretrained squeezenet1_1",
        )
    return name


def network(name: str, *, pretrained: bool) -> nn.Module:
    """A torchvision network, with ImageNet weights or without; in `eval` mode."""
    import torchvision

    net: nn.Module = torchvision.models.get_model(name, weights=None)
    if pretrained:
        path = weights.find(name)
        assert path is not None, "only a network whose weights are here is chosen"
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        net.load_state_dict(state)
    return net.eval()


def _frozen(name: str, x: Tensor, y: Tensor, test: tuple[Tensor, Tensor], log: Log) -> float:
    """A new linear layer on the features before the old one, each computed once."""
    net = freeze(network(name, pretrained=True))
    features, tested = _features(net, x), _features(net, test[0])
    head = nn.Linear(features.shape[1], len(hymenoptera.CLASSES))
    fit(head, features, y, arm="frozen", log=log, steps=300, lr=1e-3)
    return accuracy(head, tested, test[1])


@torch.no_grad()
def _features(net: nn.Module, x: Tensor) -> Tensor:
    """What reaches the classifier, averaged over the picture: (n, 3, 224, 224) -> (n, d)."""
    parts = []
    body = net.features if hasattr(net, "features") else nn.Sequential(*list(net.children())[:-2])
    for part in x.split(32):
        parts.append(body(part).mean((2, 3)))
    return torch.cat(parts)


def _retrained(
    name: str, x: Tensor, y: Tensor, test: tuple[Tensor, Tensor], log: Log, arm: str, *, pretrained: bool
) -> float:
    """Every layer trained; in the arm `layerwise` the earlier ones with smaller rates.

    The batch norm of a pretrained network keeps its statistics.
    """
    net = network(name, pretrained=pretrained)
    replace_head(net, len(hymenoptera.CLASSES))
    rates = layerwise_rates(net, 3e-3, 0.3) if arm == "layerwise" else [{"params": list(net.parameters()), "lr": 3e-3}]
    optimizer = torch.optim.SGD(rates, momentum=0.9, weight_decay=1e-4)
    steps, step, begin = EPOCHS * (len(x) // 16), 0, time.monotonic()
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [group["lr"] for group in rates], total_steps=steps)
    for epoch in range(EPOCHS):
        if not pretrained:
            net.train()
        for rows in torch.randperm(len(x))[: len(x) // 16 * 16].split(16):
            pictures = x[rows].flip(3) if torch.rand(()) < 0.5 else x[rows]
            loss = F.cross_entropy(net(pictures).flatten(1), y[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            step += 1
            log.metric(arm, step, loss=loss.item())
        if epoch == 0:
            took = time.monotonic() - begin
            log.note(f"{arm}: about {took * EPOCHS / 60:.0f} min at the pace of the first epoch")
    net.eval()
    with torch.no_grad():
        guess = torch.cat([net(part).flatten(1).argmax(1) for part in test[0].split(32)])
    return float((guess == test[1]).double().mean())


def _tensors(arrays: Arrays) -> tuple[Tensor, Tensor]:
    """Pictures as ImageNet's networks want them, (n, 3, 224, 224), and labels."""
    x = torch.from_numpy(arrays["x"])
    mean, std = (torch.tensor(value)[:, None, None] for value in (MEAN, STD))
    return (x - mean) / std, torch.from_numpy(arrays["label"])


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
        _train_second_head(net, head, new[:n], odd[:n], (test, truth), arm, int(settings["steps"]), log)
        found[arm] = accuracy(net, test, truth)
        if arm == "drifting":
            _show_drift(old, net, test, truth, log)
    return found


def _other_light(x: Tensor, light: float) -> Tensor:
    """The pictures with less contrast, on a background that is `light` bright."""
    return light + (1 - light) * x


def _train_second_head(
    net: BatchNormNet, head: nn.Linear, x: Tensor, y: Tensor, old: tuple[Tensor, Tensor], arm: str, steps: int, log: Log
) -> None:
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
def _show_drift(before: BatchNormNet, after: BatchNormNet, x: Tensor, y: Tensor, log: Log) -> None:
    """The old task's features before and after the drift: no weight has changed between them."""
    both = torch.cat([before.features(x[:SHOWN]), after.features(x[:SHOWN])])
    domain = [0] * SHOWN + [1] * SHOWN
    show_features(log, "old task: before, and drifted", both, domain, [*y[:SHOWN], *y[:SHOWN]])
