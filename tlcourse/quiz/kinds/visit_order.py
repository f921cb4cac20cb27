"""In which order the options of a question stand: another one at each visit, and some of them always in place."""

from __future__ import annotations

import itertools
import re

# texts, which `re` compiles when they are first used: to show a course needs neither
_SPEAKS_OF_OTHERS = (
    r"(all|any|both|either|each|neither|none|one|two|three) (of|the) (these|those|them|above|others?|rest)\b"
    r"|(both|neither|none)\b *([.;,:]|\Z)|.*\babove\.?\Z"
)
_NUMBER = r"(?:about|some|at (?:most|least)|nearly)? *([-−+]?[\d.,]*\d)"


def shuffled(name: str, count: int) -> list[int]:
    """Indices in another order than the right one; the same name gives the same order."""
    import random

    order = list(range(count))
    found = order.copy()
    dice = random.Random(name)  # noqa: S311 - an order to look at, not a secret
    while found == order and count > 1:
        dice.shuffle(found)
    return found


def visit_order(texts: list[str], name: str, seed: int, *, ordered: bool = False) -> list[int]:
    """Indices of options in the order of one visit: by chance, so that where an answer stands is never learnt."""
    import random

    places = list(range(len(texts)))
    fixed = fixed_places(texts, ordered=ordered)
    free = [place for place in places if place not in fixed]
    drawn = random.Random(f"{name}/{seed}").sample(free, len(free))  # noqa: S311 - an order to look at, not a secret
    for place, index in zip(free, drawn, strict=True):
        places[place] = index
    return places


def fixed_places(texts: list[str], *, ordered: bool = False) -> set[int]:
    """Options that stand at every visit where the file has them.

    Those that speak of others ("both", "none of these"); all of them where they are numbers that ascend or descend, and
    where the author says `ordered`.
    """
    if ordered or _monotonic(texts):
        return set(range(len(texts)))
    return {place for place, text in enumerate(texts) if re.match(_SPEAKS_OF_OTHERS, text.strip(), re.IGNORECASE)}


def _monotonic(texts: list[str]) -> bool:
    found = [re.match(_NUMBER, text.strip().lower()) for text in texts]
    try:
        numbers = [float(match[1].replace("−", "-").replace(",", "")) for match in found if match]
    except ValueError:
        return False
    up = all(one < other for one, other in itertools.pairwise(numbers))
    down = all(one > other for one, other in itertools.pairwise(numbers))
    return len(numbers) == len(texts) > 2 and (up or down)
