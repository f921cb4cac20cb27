"""Amazon reviews: 2,000 labelled reviews of one kind of goods, few of another; the mean over twelve pairs."""

from __future__ import annotations

from collections.abc import Mapping

from tlcourse.labs import amazon_reviews
from tlcourse.labs.log import Log


def run_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean accuracy over the twelve pairs. Of the settings, `labels` counts here; the seed chooses whose they are."""
    pairs = amazon_reviews.PAIRS
    log.note(f"Amazon reviews: {len(pairs)} pairs of domains, a minute or two")
    total = dict.fromkeys(amazon_reviews.ARMS, 0.0)
    for number, (source, target) in enumerate(pairs):
        found = amazon_reviews.with_few_labels(source, target, seed, int(settings["labels"]))
        for arm, value in found.items():
            total[arm] += value / len(pairs)
            log.metric(f"{source[0]}→{target[0]} {arm}", number, accuracy=value)
    return total
