"""Three copies of the features: two kinds of text whose words mean nearly the same, and the Amazon reviews.

On the reviews: many labels of one kind of goods and few of another; and none at all, for CORAL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from tlcourse.data.real import bags_of_words
from tlcourse.labs.training import Log, accuracy
from tlcourse.methods.feature_alignment import align_covariances, augment

WORDS = 200
DOMAINS = bags_of_words.GOODS
PAIRS = [(s, t) for s in DOMAINS for t in DOMAINS if s != t]
LABELS = 200
"""Labelled reviews of the target; the source has 2,000."""
RIDGE = 1.0
CORAL_WORDS = 400
"""CORAL uses the words that occur most in both domains' training reviews: covariances of 5,000 would need more."""
ARMS = ("source", "target", "all", "augmented")


def run_feature_augmentation(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
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


def run_feature_augmentation_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean accuracy over the twelve pairs. Of the settings, `labels` counts here; the seed chooses whose they are."""
    pairs = PAIRS
    log.note(f"Amazon reviews: {len(pairs)} pairs of domains, a minute or two")
    total = dict.fromkeys(ARMS, 0.0)
    for number, (source, target) in enumerate(pairs):
        found = with_few_labels(source, target, seed, int(settings["labels"]))
        for arm, value in found.items():
            total[arm] += value / len(pairs)
            log.metric(f"{source[0]}→{target[0]} {arm}", number, accuracy=value)
    return total


def reviews(domain: bags_of_words.Goods, part: bags_of_words.Part) -> tuple[Tensor, Tensor]:
    """Which words occur, (n, 5000) float32 with rows of length 1, and whether the review praises, (n,)."""
    x, y = bags_of_words.load_reviews(domain, part)
    return torch.from_numpy(bags_of_words.binary(x)), torch.from_numpy(y)


def with_few_labels(
    source: bags_of_words.Goods, target: bags_of_words.Goods, seed: int, labels: int = LABELS
) -> dict[str, float]:
    """Accuracy on the target's test reviews of four linear models; the seed chooses which target labels are known."""
    (xs, ys), (xt, yt) = reviews(source, "train"), reviews(target, "train")
    test, truth = reviews(target, "test")
    few = torch.randperm(len(xt), generator=torch.Generator().manual_seed(seed))[:labels]
    xt, yt = xt[few], yt[few]
    own: Literal["source"] = "source"
    both = torch.cat([ys, yt])
    arms = {
        "source": (xs, ys, test),
        "target": (xt, yt, test),
        "all": (torch.cat([xs, xt]), both, test),
        "augmented": (torch.cat([augment(xs, own), augment(xt, "target")]), both, augment(test, "target")),
    }
    return {arm: _right(logistic(x, y), tested, truth) for arm, (x, y, tested) in arms.items()}


def without_labels(source: bags_of_words.Goods, target: bags_of_words.Goods) -> dict[str, float]:
    """Accuracy on the target's test reviews without any target label: as it is, and after CORAL."""
    (xs, ys), (xt, _) = reviews(source, "train"), reviews(target, "train")
    test, truth = reviews(target, "test")
    chosen = ((xs > 0).sum(0) + (xt > 0).sum(0)).topk(CORAL_WORDS).indices
    centre_s, centre_t, std_s, std_t = xs.mean(0), xt.mean(0), xs.std(0), xt.std(0)
    xs, xt, test = (
        ((x - centre) / std.clamp_min(1e-6))[:, chosen]
        for x, centre, std in ((xs, centre_s, std_s), (xt, centre_t, std_t), (test, centre_t, std_t))
    )
    scale = CORAL_WORDS**0.5
    return {
        "source": _right(logistic(xs / scale, ys), test / scale, truth),
        "coral": _right(logistic(align_covariances(xs, xt) / scale, ys), test / scale, truth),
    }


def logistic(x: Tensor, y: Tensor, ridge: float = RIDGE) -> Tensor:
    """Weights (d + 1,), the bias last, of logistic regression with an L2 penalty, at its optimum."""
    w = torch.zeros(x.shape[1] + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=60, line_search_fn="strong_wolfe")
    wanted = y.float()

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(x @ w[:-1] + w[-1], wanted, reduction="sum")
        value = value + 0.5 * ridge * w[:-1].square().sum()
        value.backward()
        return value

    optimizer.step(closure)
    return w.detach()


def _right(w: Tensor, x: Tensor, truth: Tensor) -> float:
    return float(((x @ w[:-1] + w[-1] > 0).long() == truth).double().mean())
