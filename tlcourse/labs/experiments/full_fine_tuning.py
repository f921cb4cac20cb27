"""Photographs of ants and bees: a new head on frozen ImageNet features, everything retrained, and from scratch.

Retrained with one rate for all layers, or with smaller rates for earlier ones.

Minutes on two cores; each trained arm says after its first epoch what it expects.
Which network: the first of NETWORKS whose weights are here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.data.real import hymenoptera, weights
from tlcourse.data.synthetic.generators import Arrays
from tlcourse.errors import UnableError
from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy, fit
from tlcourse.methods.fine_tuning import freeze, layerwise_rates, replace_head

NETWORKS = ("resnet18", "squeezenet1_1", "mobilenet_v2")
EPOCHS = 8
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def run_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on the tutorial's 153 validation photographs. `settings` are those of the drawn lab."""
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
    fit(head, features, y, arm="frozen", log=log, steps=300, rate=1e-3)
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
    mean, spread = (torch.tensor(value)[:, None, None] for value in (_MEAN, _SPREAD))
    return (x - mean) / spread, torch.from_numpy(arrays["label"])
