"""Amazon reviews: many labelled reviews of one kind of goods, few of another; and none at all, for CORAL."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from tlcourse.data.real import amazon_reviews
from tlcourse.methods import coral
from tlcourse.methods.feature_augmentation import augment

DOMAINS = amazon_reviews.DOMAINS
PAIRS = [(s, t) for s in DOMAINS for t in DOMAINS if s != t]
LABELS = 200
"""Labelled reviews of the target; the source has 2,000."""
RIDGE = 1.0
CORAL_WORDS = 400
"""CORAL uses the words that occur most in both domains' training reviews: covariances of 5,000 would need more."""
ARMS = ("source", "target", "all", "augmented")


def reviews(domain: amazon_reviews.Domain, part: amazon_reviews.Part) -> tuple[Tensor, Tensor]:
    """Which words occur, (n, 5000) float32 with rows of length 1, and whether the review praises, (n,)."""
    x, y = amazon_reviews.load(domain, part)
    return torch.from_numpy(amazon_reviews.binary(x)), torch.from_numpy(y)


def with_few_labels(
    source: amazon_reviews.Domain, target: amazon_reviews.Domain, seed: int, labels: int = LABELS
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


def without_labels(source: amazon_reviews.Domain, target: amazon_reviews.Domain) -> dict[str, float]:
    """Accuracy on the target's test reviews without any target label: as it is, and after CORAL."""
    (xs, ys), (xt, _) = reviews(source, "train"), reviews(target, "train")
    test, truth = reviews(target, "test")
    chosen = ((xs > 0).sum(0) + (xt > 0).sum(0)).topk(CORAL_WORDS).indices
    centre_s, centre_t, spread_s, spread_t = xs.mean(0), xt.mean(0), xs.std(0), xt.std(0)
    xs, xt, test = (
        ((x - centre) / spread.clamp_min(1e-6))[:, chosen]
        for x, centre, spread in ((xs, centre_s, spread_s), (xt, centre_t, spread_t), (test, centre_t, spread_t))
    )
    scale = CORAL_WORDS**0.5
    return {
        "source": _right(logistic(xs / scale, ys), test / scale, truth),
        "coral": _right(logistic(coral.align(xs, xt) / scale, ys), test / scale, truth),
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
