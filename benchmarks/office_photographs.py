"""What `papers.py` measures on the photographs of Office-Caltech10; both networks have ImageNet's weights.

The archive may not be passed on: figures alone are kept.
"""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.data.real import office
from tlcourse.data.real.bags_of_words import PICTURES
from tlcourse.labs.experiments import feature_alignment as alignment
from tlcourse.labs.experiments.fine_tuning import MEAN, STD, network
from tlcourse.methods.fine_tuning import freeze, layerwise_rates

SIDE = 112
"""Pixels for fine-tuning: a quarter of the work of 224."""
COUNTS = (3, 10, 40)
"""Pictures of each class to learn from."""
STEPS, RATE, HEAD, DECAY, BATCH = 120, 1e-2, 30.0, 0.7, 16
"""Rates of 0.003 and 0.01, and for the head up to 0.3, were compared on seed 101 alone, which no table has."""
WAYS = {
    "frozen": "new head, rest frozen",
    "partial": "head and last third",
    "layerwise": "all, rates by layer",
    "full": "all",
}
LAST = 10  # of SqueezeNet's 13 parts, the last three hold half of the weights


@cache
def features() -> dict[str, tuple[Tensor, Tensor]]:
    """MobileNetV2's last features (n, 1280) of every domain's pictures, and their classes."""
    net = freeze(network("mobilenet_v2", pretrained=True))
    found = {}
    for domain in PICTURES:
        x, y = office.photographs(domain)
        with torch.no_grad():
            parts = [
                net.features(normalised(torch.from_numpy(part))).mean((2, 3))
                for part in np.array_split(x, len(x) // 32 + 1)
            ]  # type: ignore[operator]
        found[domain] = torch.cat(parts), torch.from_numpy(y)
        print(domain, len(y), flush=True)
    return found


def normalised(x: Tensor) -> Tensor:
    """(n, 3, h, w) uint8 as ImageNet's networks want them."""
    mean, std = (torch.tensor(value)[:, None, None] for value in (MEAN, STD))
    return (x.float() / 255 - mean) / std


def half(y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Rows of one half and of the other, each with half of every class."""
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    taken = torch.cat([rows[: len(rows) // 2] for c in y.unique() if len(rows := order[y[order] == c])])
    rest = torch.ones(len(y), dtype=torch.bool)
    rest[taken] = False
    return taken, rest.nonzero().ravel()


def moved(source: str, target: str, seed: int) -> float:
    """Accuracy on `target` of a linear classifier of half of `source`; on `source` itself, on the other half."""
    from sklearn.linear_model import LogisticRegression

    x, y = features()[source]
    taken, rest = half(y, seed)
    scale = x.norm(dim=1).mean()
    model = LogisticRegression(C=10.0, max_iter=500).fit((x[taken] / scale).numpy(), y[taken].numpy())
    tested, truth = (x[rest], y[rest]) if source == target else features()[target]
    return float(model.score((tested / scale).numpy(), truth.numpy()))


def distance(one: str, other: str, seed: int) -> float:
    """The proxy A-distance 2·(1 − 2ε): ε is a linear domain classifier's error on halves that it has not seen.

    Of both domains as many pictures; 0: not to be told apart, 2: always (Ben-David et al. 2007).
    """
    from sklearn.linear_model import LogisticRegression

    generator = torch.Generator().manual_seed(seed)
    n = min(len(features()[one][1]), len(features()[other][1]))
    x = torch.cat(
        [features()[name][0][torch.randperm(PICTURES[name], generator=generator)[:n]] for name in (one, other)]
    )  # type: ignore[index]
    y = torch.tensor([0] * n + [1] * n)
    taken, rest = half(y, seed)
    scale = x.norm(dim=1).mean()
    model = LogisticRegression(C=10.0, max_iter=500).fit((x[taken] / scale).numpy(), y[taken].numpy())
    error = 1 - float(model.score((x[rest] / scale).numpy(), y[rest].numpy()))
    return 2 * (1 - 2 * error)


def adapted(source: str, target: str) -> dict[str, float]:
    """Accuracy on the target without adaptation, with subspace alignment, with CORAL; each domain standardised."""
    (xs, ys), (xt, yt) = (features()[name] for name in (source, target))
    xs, xt = (((x - x.mean(0)) / (x.std(0) + 1e-12)).double() for x in (xs, xt))
    return {arm: alignment.accuracy_of(arm, xs, ys, xt, yt) for arm in alignment.FULL_ARMS}


@cache
def small_pictures() -> tuple[Tensor, Tensor]:
    """caltech10's pictures of SIDE pixels, ready for a network, and their classes."""
    x, y = office.photographs("caltech10", SIDE)
    return normalised(torch.from_numpy(x)), torch.from_numpy(y)


def fine_tuned(way: str, count: int, seed: int) -> float:
    """Accuracy on pictures of caltech10 after learning from `count` of each class; pictures are the seed's choice."""
    x, y = small_pictures()
    pool, tested = half(y, seed)
    chosen = torch.cat([pool[y[pool] == c][:count] for c in range(len(office.OBJECTS))])
    torch.manual_seed(seed)
    net = copy.deepcopy(squeezenet())
    if way == "partial":
        freeze(net[:LAST])
    if way == "frozen":
        freeze(net[:-1])
    groups = layerwise_rates(net, RATE, DECAY if way == "layerwise" else 1.0)
    optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=1e-4)
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    if way == "frozen":
        rates = [HEAD * rate for rate in rates]  # the head alone bears, and needs, a larger rate
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=STEPS)
    seen = x[chosen]
    body = net
    if way == "frozen":  # what is frozen is computed once
        with torch.no_grad():
            seen = torch.cat([net[:-1](part) for part in seen.split(64)])
        body = net[-1:]
    for _ in range(STEPS):
        rows = torch.randperm(len(chosen))[:BATCH]
        batch = seen[rows].flip(3) if way != "frozen" and torch.rand(()) < 0.5 else seen[rows]
        loss = F.cross_entropy(body(batch).mean((2, 3)), y[chosen][rows])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in net.parameters() if p.requires_grad], 5.0)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        guess = torch.cat([net(part).mean((2, 3)).argmax(1) for part in x[tested].split(64)])
    return float((guess == y[tested]).double().mean())


@cache
def squeezenet() -> nn.Sequential:
    """SqueezeNet 1.1 as a row of its parts, the last a new layer of ten classes; it has no batch norm."""
    net = network("squeezenet1_1", pretrained=True)
    return nn.Sequential(*net.features, nn.Conv2d(512, len(office.OBJECTS), 1)).eval()  # type: ignore[misc]
