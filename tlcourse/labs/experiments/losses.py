"""Losses: several in one network, by learnt weights or for parts of its output, and the pinball loss for quantiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.experiments.sharing import draw, error, trunk
from tlcourse.labs.training import Log, fit
from tlcourse.methods.losses import NonCrossingHead, SplitLoss, UncertaintyWeighting, pinball_loss


def run_loss_weighting(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Two outputs on one small trunk; one is given in a small unit, and so has a loss hundreds of times as large.

    Error on new inputs, in units of each output's variance, averaged over both outputs.
    """
    generator = torch.Generator().manual_seed(seed)
    data = draw(2, 1, int(settings["labels"]), 1.0, generator)
    scale = torch.tensor([1.0, settings["scale"]])
    y, width = data.y * scale, int(settings["width"])
    found = {}
    for arm in ("equal", "uncertainty", "oracle"):
        net = nn.Sequential(trunk(width), nn.Linear(width, 2))
        weighting = UncertaintyWeighting({"small": "regression", "large": "regression"})

        def loss(guess: Tensor, true: Tensor, arm: str = arm, learnt: UncertaintyWeighting = weighting) -> Tensor:
            parts = (guess - true).square().mean(0)
            if arm == "equal":
                return parts.sum()
            if arm == "oracle":
                return (parts / scale.square()).sum()
            return learnt({"small": parts[0], "large": parts[1]})

        _train(net, weighting, data.x, y, loss, arm, int(settings["steps"]), log)
        with torch.no_grad():
            found[arm] = error(net(data.x_test), data.y_test * scale)
    return found


def _train(
    net: nn.Module,
    weighting: UncertaintyWeighting,
    x: Tensor,
    y: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    arm: str,
    steps: int,
    log: Log,
) -> None:
    """Adam; the two learnt log variances move 30 times as fast as the weights, for they have far to go."""
    lr, faster = 5e-3, 30
    groups = [{"params": net.parameters()}, {"params": weighting.parameters(), "lr": faster * lr}]
    optimizer = torch.optim.Adam(groups, lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [lr, faster * lr], total_steps=steps)
    for step in range(1, steps + 1):
        rows = torch.randint(len(x), (min(64, len(x)),))
        value = loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            ratio = weighting.log_variance["large"] - weighting.log_variance["small"]
            log.metric(arm, step, loss=value.item(), **({"log ratio": ratio.item()} if arm == "uncertainty" else {}))


SIDE, KINDS = 16, 3
NEAR = 0.5
"""The least intersection over union of a box that counts as found."""


def run_split_loss(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """A detector in small: is there a mark, which one, and where? Each part has its own loss, or all have one.

    The share of right answers – nothing where nothing is, else the kind and the place – mean of both halves.
    """
    generator = torch.Generator().manual_seed(seed)
    n = int(settings["labels"])
    train = draw_marks(n, settings["share"], settings["noise"], generator)
    test = draw_marks(2000, settings["share"], settings["noise"], generator)
    start = _network()
    state = {name: value.clone() for name, value in start.state_dict().items()}
    split = SplitLoss(KINDS, (1.0, 1.0, settings["place"]))
    found = {}
    for arm in ("one_mse", "unmasked", "split"):
        start.load_state_dict(state)
        _train_detector(start, train, arm, split, int(settings["steps"]), log)
        found[arm] = answered(start, test, by_logit=arm != "one_mse")
    return found


def draw_marks(n: int, share: float, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pictures (n, 1, 16, 16) that hold a square, a cross or a ring – or nothing; there (n,), kind (n,), box (n, 4).

    A box is the middle and the size, each from 0 to 1; it is zero where nothing is, and the kind is 0.
    """
    size = 5 + 4 * torch.rand(n, 2, generator=generator)
    middle = size / 2 + (SIDE - size) * torch.rand(n, 2, generator=generator)
    kind = torch.randint(KINDS, (n,), generator=generator)
    there = (torch.rand(n, generator=generator) < share).long()
    steps = torch.arange(SIDE) + 0.5
    u = ((steps - middle[:, :1]) / (size[:, :1] / 2))[:, None, :]  # (n, 1, 16), −1 to 1 inside
    v = ((steps - middle[:, 1:]) / (size[:, 1:] / 2))[:, :, None]  # (n, 16, 1)
    inside = (u.abs() <= 1) & (v.abs() <= 1)
    radius = torch.maximum(u.abs(), v.abs())
    shapes = torch.stack([inside, inside & ((u.abs() < 0.4) | (v.abs() < 0.4)), inside & (radius > 0.5)], dim=1)
    marks = shapes[torch.arange(n), kind].float() * there[:, None, None]
    pictures = marks + noise * torch.randn(n, SIDE, SIDE, generator=generator)
    box = torch.cat([middle, size], dim=1) / SIDE * there[:, None]
    return pictures.unsqueeze(1), there, kind * there, box


def _network() -> nn.Module:
    """(B, 1, 16, 16) -> (B, 1 + kinds + 4)."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.ReLU(),  # (B, 8, 8, 8)
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.ReLU(),  # (B, 16, 4, 4)
        nn.Flatten(),
        nn.Linear(256, 64),
        nn.ReLU(),
        nn.Linear(64, 1 + KINDS + 4),
    )


def _loss(arm: str, output: Tensor, there: Tensor, kind: Tensor, box: Tensor, split: SplitLoss) -> Tensor:
    if arm == "split":
        return split(output, there, kind, box)
    if arm == "unmasked":  # the same three losses, but the box and the kind count where there is none, too
        presence, logits, place = output.split([1, KINDS, 4], dim=1)
        is_there = F.binary_cross_entropy_with_logits(presence[:, 0], there.float())
        parts = F.cross_entropy(logits, kind), F.smooth_l1_loss(place, box)
        return split.weights[0] * is_there + split.weights[1] * parts[0] + split.weights[2] * parts[1]
    what = F.one_hot(kind, KINDS) * there[:, None]
    return F.mse_loss(output, torch.cat([there[:, None], what, box], dim=1))


def _train_detector(net: nn.Module, data: tuple[Tensor, ...], arm: str, split: SplitLoss, steps: int, log: Log) -> None:
    lr = 3e-3
    optimizer = torch.optim.Adam(net.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    order = torch.Generator().manual_seed(0)  # all arms see the same batches
    for step in range(1, steps + 1):
        rows = torch.randint(len(data[0]), (64,), generator=order)
        x, there, kind, box = (part[rows] for part in data)
        loss = _loss(arm, net(x), there, kind, box, split)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            log.metric(arm, step, loss=loss.item())


@torch.no_grad()
def answered(net: nn.Module, data: tuple[Tensor, Tensor, Tensor, Tensor], by_logit: bool) -> float:
    """The mean of the shares of right answers with and without a mark.

    An output that was trained on 0 and 1 says "there" from ½ on, a logit from 0 on.
    """
    x, there, kind, box = data
    presence, logits, place = net(x).split([1, KINDS, 4], dim=1)
    said = presence[:, 0] > (0.0 if by_logit else 0.5)
    right = (logits.argmax(1) == kind) & (iou(place, box) >= NEAR)
    marked = there.bool()
    return float(((said & right)[marked].float().mean() + (~said)[~marked].float().mean()) / 2)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes given by middle and size, (B, 4) each -> (B,)."""
    low = torch.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = torch.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    both = (high - low).clamp_min(0).prod(1)
    return both / (a[:, 2:].clamp_min(0).prod(1) + b[:, 2:].prod(1) - both).clamp_min(1e-9)


LEVELS = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])


def run_pinball(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Pinball loss on new data, in units of the lowest that any model can reach (1 is perfect)."""
    generator = torch.Generator().manual_seed(seed)

    def draw(n: int) -> tuple[Tensor, Tensor, Tensor]:
        x = 4 * torch.rand(n, 1, generator=generator) - 2
        middle, width = torch.sin(2 * x[:, 0]), 0.2 + 0.4 * (x[:, 0] + 2) / 4 * settings["growth"]
        tail = -torch.log(torch.rand(n, generator=generator))
        return x, middle + width * tail, (middle[:, None] - width[:, None] * torch.log(1 - LEVELS))

    n, steps = int(settings["labels"]), int(settings["steps"])
    (x, y, _), (x_test, y_test, true) = draw(n), draw(5000)
    lowest = pinball_loss(true, y_test, LEVELS)
    quantiles = nn.Sequential(*_body(), NonCrossingHead(64, len(LEVELS)), nn.Flatten())
    fit(quantiles, x, y, arm="quantiles", log=log, steps=steps, loss=lambda q, t: pinball_loss(q, t, LEVELS))
    mean = nn.Sequential(*_body(), nn.Linear(64, 1))
    fit(mean, x, y, arm="mean", log=log, steps=steps, loss=lambda m, t: (m[:, 0] - t).square().mean())
    with torch.no_grad():
        std = (y - mean(x)[:, 0]).std()
        constant = mean(x_test) + std * torch.distributions.Normal(0.0, 1.0).icdf(LEVELS)
        everywhere = torch.quantile(y, LEVELS).expand(len(x_test), -1)
        return {
            "quantiles": float(pinball_loss(quantiles(x_test), y_test, LEVELS) / lowest),
            "mean": float(pinball_loss(constant, y_test, LEVELS) / lowest),
            "marginal": float(pinball_loss(everywhere, y_test, LEVELS) / lowest),
        }


def _body() -> list[nn.Module]:
    return [nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()]
