"""Office-Caltech10, SURF features, the mean over twelve pairs of domains: no adaptation, subspace alignment, CORAL."""

from __future__ import annotations

from collections.abc import Mapping

from tlcourse.labs import office_caltech
from tlcourse.labs.log import Log


def run_full(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Mean accuracy over the twelve pairs. `settings` are those of the drawn lab; no seed changes these figures.

    Here the features of `source` are standardised in each domain, as in the published experiments: both arms that do
    without adaptation are one and the same.
    """
    del settings, seed
    log.note("Office-Caltech10: twelve pairs of domains, about a minute; every seed gives the same figures")
    total = dict.fromkeys(office_caltech.ARMS, 0.0)
    for number, (source, target) in enumerate(office_caltech.PAIRS):
        found = office_caltech.accuracies(source, target)
        for arm, value in found.items():
            total[arm] += value / len(office_caltech.PAIRS)
            log.metric(f"{source}→{target} {arm}", number, accuracy=value)
    return {**total, "standardised": total["source"]}
