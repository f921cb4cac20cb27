"""Two kinds of text whose words mean nearly, but not quite, the same: three copies of the features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from tlcourse.labs.log import Log
from tlcourse.labs.training import accuracy
from tlcourse.methods.feature_augmentation import augment

WORDS = 200


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy of a linear classifier on the target."""
    generator = torch.Generator().manual_seed(seed)
    common = torch.randn(WORDS, generator=generator)
    own = torch.randn(2, WORDS, generator=generator)
    often = torch.rand(WORDS, generator=generator) * 0.2
    share = settings["own"]

    def draw(n: int, domain: int) -> tuple[Tensor, Tensor]:
        x = (torch.rand(n, WORDS, generator=generator) < often).float()
        meaning = (1 - share) * common + share * own[domain]
        score = x @ meaning - x.mean(0) @ meaning
        return x, (torch.sigmoid(2 * score) > torch.rand(n, generator=generator)).long()

    n = int(settings["labels"])
    (xs, ys), (xt, yt), (test, truth) = draw(2000, 0), draw(n, 1), draw(3000, 1)
    both_x, both_y = torch.cat([xs, xt]), torch.cat([ys, yt])
    balance = torch.cat([torch.full((2000,), 1.0), torch.full((n,), settings["weight"])])
    source: Literal["source"] = "source"
    arms = {
        "source": (xs, ys, torch.ones(2000), test),
        "target": (xt, yt, torch.ones(n), test),
        "all": (both_x, both_y, balance, test),
        "augmented": (
            torch.cat([augment(xs, source), augment(xt, "target")]),
            both_y,
            balance,
            augment(test, "target"),
        ),
    }
    found = {}
    for number, (arm, (x, y, weight, tested)) in enumerate(arms.items()):
        model = _logistic(x, y, weight, settings["ridge"])
        found[arm] = accuracy(lambda t, m=model: torch.stack([-m(t), m(t)], dim=1), tested, truth)
        log.metric(arm, number, accuracy=found[arm])
    return found


def _logistic(x: Tensor, y: Tensor, weight: Tensor, ridge: float):  # type: ignore[no-untyped-def]
    """Logistic regression with an L2 penalty, to its optimum."""
    w = torch.zeros(x.shape[1] + 1, requires_grad=True)
    ones = torch.ones(len(x), 1)
    optimizer = torch.optim.LBFGS([w], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        losses = F.binary_cross_entropy_with_logits(torch.cat([x, ones], 1) @ w, y.float(), reduction="none")
        value = (weight * losses).sum() + ridge * w[:-1].square().sum()
        value.backward()
        return value

    optimizer.step(closure)
    fitted = w.detach()
    return lambda t: t @ fitted[:-1] + fitted[-1]
