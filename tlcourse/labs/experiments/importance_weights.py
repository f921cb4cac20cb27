"""When a source helps; kinds of shift, and what weighting the source by importance repairs of them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.labs.training import Log, show_features

COUNTS = (4, 6, 10, 20, 40, 80, 160)
"""Target labels along the curves."""
DRAWS = 10
"""Of the few target labels, in each seed: by which ones they are, an accuracy of four changes by tens of points."""


def run_near_and_far(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Two sources for one target: a linear classifier of few target labels, alone or together with a source.

    Accuracy on new points of the target with `labels` of them. Two classes, each a round cloud of points; what differs
    between target and sources is the direction in which one class lies from the other.
    """
    generator = torch.Generator().manual_seed(seed)
    many, labels = int(settings["source"]), int(settings["labels"])
    test, truth = _clouds(4000, 0.0, generator)
    sources = {"near": _clouds(many, settings["near"], generator), "far": _clouds(many, settings["far"], generator)}
    drawn = [_clouds(max(*COUNTS, labels), 0.0, generator) for _ in range(DRAWS)]
    found: dict[str, float] = {}
    for arm in ("alone", "near", "far"):
        more_x, more_y = sources.get(arm, (test[:0], truth[:0]))
        for count in sorted({*COUNTS, labels}):
            several = []
            for x, y in drawn:
                both_x, both_y = torch.cat([x[:count], more_x]), torch.cat([y[:count], more_y])
                several.append(_right(_classifier(both_x, both_y, torch.ones(len(both_x))), test, truth))
            value = sum(several) / DRAWS
            log.metric(arm, count, accuracy=value)
            found[arm] = value if count == labels else found.get(arm, 0.0)
    for arm, (x, y) in sources.items():
        both, classes = torch.cat([x[:150], test[:150]]), torch.cat([y[:150], truth[:150]])
        show_features(log, f"{arm} source and target", both, [0] * 150 + [1] * 150, classes)
    return found


def _clouds(n: int, turned: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """n points in the plane, the two classes in turn; class 1 lies to the right, `turned` degrees anticlockwise."""
    y = torch.arange(n) % 2
    angle = torch.deg2rad(torch.tensor(turned))
    centre = 1.2 * torch.stack([angle.cos(), angle.sin()])
    return (2 * y[:, None] - 1) * centre + torch.randn(n, 2, generator=generator), y


def run_shifts(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Covariate shift with a model that is too simple: importance weights, estimated without a target label.

    Mean squared error of a straight line on the target; the truth is a curve, so that it matters where one fits.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(n: int, centre: float) -> tuple[Tensor, Tensor]:
        x = centre + 0.7 * torch.randn(n, 1, generator=generator)
        return x, torch.sin(x) * x + 0.2 * torch.randn(n, 1, generator=generator)

    n = int(settings["labels"])
    (xs, ys), (xt, yt), (test, truth) = draw(n, 0.0), draw(n, settings["shift"]), draw(4000, settings["shift"])
    weights = {
        "source": torch.ones(n, 1),
        "weighted": _importance(xs, xt, settings["cap"]),
        "random": _importance(xs, xt, settings["cap"])[torch.randperm(n, generator=generator)],
    }
    found = {}
    for arm, (x, y, w) in {
        **{k: (xs, ys, v) for k, v in weights.items()},
        "target": (xt, yt, torch.ones(n, 1)),
    }.items():
        found[arm] = float((_line(x, y, w)(test) - truth).square().mean())
        log.metric(arm, 0, error=found[arm])
    return found


def _importance(xs: Tensor, xt: Tensor, cap: float) -> Tensor:
    """p_t(x)/p_s(x) by a classifier that tells the domains apart: odds of "target"; capped, with mean 1."""
    x, domain = torch.cat([xs, xt]), torch.cat([torch.zeros(len(xs), 1), torch.ones(len(xt), 1)])
    net = nn.Linear(2, 1)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=50)
    features = torch.cat([x, x.square()], dim=1)  # enough for two normal distributions

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(features), domain)
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        odds = net(features[: len(xs)]).exp().clamp_max(cap)
    return odds / odds.mean()


def _line(x: Tensor, y: Tensor, weight: Tensor):  # type: ignore[no-untyped-def]
    design = torch.cat([x, torch.ones_like(x)], dim=1)
    solution = torch.linalg.solve(design.T @ (weight * design), design.T @ (weight * y))
    return lambda t: torch.cat([t, torch.ones_like(t)], dim=1) @ solution


SHIFTS = ("none", "covariate", "label", "concept")


def run_taxonomy(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """One fixed classifier, three changes of the data: what each does to it, and which of them importance weights fix.

    Points of accuracy on the target that importance weights, estimated from the inputs alone, add.
    """
    n = int(settings["labels"])
    found = {}
    for shift in SHIFTS:
        generator = torch.Generator().manual_seed(seed)  # the same source for each shift
        xs, ys = draw_shifted(n, "none", settings["size"], generator)
        xt, _ = draw_shifted(n, shift, settings["size"], generator)
        test, truth = draw_shifted(4000, shift, settings["size"], generator)
        plain = _right(_classifier(xs, ys, torch.ones(n)), test, truth)
        weighted = _right(_classifier(xs, ys, importance(xs, xt)), test, truth)
        log.metric(shift, 0, plain=plain, weighted=weighted)
        found[shift] = 100 * (weighted - plain)
    return found


def draw_shifted(n: int, shift: str, size: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """n points in the plane and their classes, 0 or 1; the boundary is a wave, which no straight line can follow.

    covariate: the points lie elsewhere, p(y|x) is the same. label: class 1 is rarer, p(x|y) is the same.
    concept: the points lie where they lay, the boundary has moved.
    """
    many = 8 * n  # a point is kept by its chance, so that p(x|y) or p(y|x) stays exactly what it was
    x = 1.5 * torch.randn(many, 2, generator=generator)
    if shift == "covariate":
        x[:, 0] += size
    lift = size if shift == "concept" else 0.0
    height = x[:, 1] - 1.2 * torch.sin(1.2 * x[:, 0]) - lift
    y = (torch.sigmoid(4 * height) > torch.rand(many, generator=generator)).long()
    if shift == "label":
        kept = (y == 0) | (torch.rand(many, generator=generator) < 0.5 / size if size > 0.5 else y >= 0)
        x, y = x[kept], y[kept]
    return x[:n], y[:n]


def importance(xs: Tensor, xt: Tensor) -> Tensor:
    """p_t(x)/p_s(x) for each source point by the odds of a classifier between the domains; capped, with mean 1."""
    x, domain = _curved(torch.cat([xs, xt])), torch.cat([torch.zeros(len(xs)), torch.ones(len(xt))])
    odds = _logistic(x, domain, torch.ones(len(x)))(_curved(xs)).exp().clamp_max(20)
    return odds / odds.mean()


def _curved(x: Tensor) -> Tensor:
    return torch.cat([x, x.square(), x[:, :1] * x[:, 1:]], dim=1)


def _classifier(x: Tensor, y: Tensor, weight: Tensor):  # type: ignore[no-untyped-def]
    return _logistic(x, y.float(), weight)


def _right(model, x: Tensor, y: Tensor) -> float:  # type: ignore[no-untyped-def]
    return float(((model(x) > 0).long() == y).float().mean())


def _logistic(x: Tensor, y: Tensor, weight: Tensor):  # type: ignore[no-untyped-def]
    """Weighted logistic regression, to its optimum; returns the log odds as a function of x."""
    net = nn.Linear(x.shape[1], 1)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        losses = F.binary_cross_entropy_with_logits(net(x)[:, 0], y, reduction="none")
        value = (weight * losses).mean() + 1e-4 * net.weight.square().sum()
        value.backward()
        return value

    optimizer.step(closure)
    weights, bias = net.weight.detach(), net.bias.detach()
    return lambda t: (t @ weights.T + bias)[:, 0]
