"""Amazon reviews of four kinds of goods as bags of 5,000 words (Blitzer et al. 2007; this form: Chen et al. 2012)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tlcourse.data.real.files import Files
from tlcourse.errors import UnableError

Domain = Literal["books", "dvd", "electronics", "kitchen"]
Part = Literal["train", "test"]
DOMAINS: tuple[Domain, ...] = ("books", "dvd", "electronics", "kitchen")
Counts = np.ndarray[Any, np.dtype[np.float32]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
SET = Files(
    name="amazon-reviews",
    title="The Amazon reviews",
    source="Blitzer, Dredze and Pereira 2007, prepared by Chen et al. 2012; published for research, no licence known",
    folder="amazon_reviews",
    used_by=("lab run feature-augmentation --data full",),
    sums={
        "books_test.svmlight": "fe4605c7dcf0e0a9410fd2a32f247caaf9abb352cc6e4c3e0f400853163ad9c4",
        "books_train.svmlight": "317f9a2ec34b81de770b63a84d8c5cc2dc16bd0be6e079d2ff5b5bad5213ea19",
        "dvd_test.svmlight": "4fe1b1a15010f78d8d0c49fe362d35fd4677463a45f1ac02a9f410ae1e638060",
        "dvd_train.svmlight": "95f602aa08bf6b55758f7b0b18df3882fe30acb11987ee60b6b4bb3c44cba733",
        "electronics_test.svmlight": "641783bc941839c3a111d3488a1b7e3bd820a61ec14a129e7429b47703aa961d",
        "electronics_train.svmlight": "7d0061f03ff3827e4f8036b051b5e5828fddc0cd115aa5b212cd28d624dc14e4",
        "kitchen_test.svmlight": "e1502b97a824eb12314be4447394fa736fecb781c0724e6529cd6733ac7ff6d8",
        "kitchen_train.svmlight": "a70b5ebfe1413e0e16280360905f5c3b64389c435cd20c0165dc9d7f293b31b5",
    },
)
WORDS = 5000
COUNT = {"books": 4465, "dvd": 3586, "electronics": 5681, "kitchen": 5945}
"""Test reviews of each domain; for training there are 2,000 of each."""


def load(domain: Domain, part: Part) -> tuple[Counts, Labels]:
    """How often each word occurs (n, 5000) float32, and whether the review praises (n,), 0 or 1.

    Raises UnableError where they are not on this machine, or not as they should be.
    """
    name = f"{domain}_{part}.svmlight"
    return parse(SET.read(name).decode("ascii"), 2000 if part == "train" else COUNT[domain], name)


def parse(text: str, count: int, name: str) -> tuple[Counts, Labels]:
    """Lines `±1 word:times …`, words counted from 0; raises UnableError unless there are `count` of them."""
    lines = text.splitlines()
    x, y = np.zeros((count, WORDS), np.float32), np.zeros(count, np.int64)
    try:
        if len(lines) != count:
            raise ValueError(f"{len(lines)} reviews, not {count}")
        for row, line in enumerate(lines):
            label, *pairs = line.split()
            y[row] = {"-1": 0, "1": 1, "+1": 1}[label]
            words, times = zip(*(pair.split(":") for pair in pairs), strict=True) if pairs else ((), ())
            place = np.array(words, np.int64)
            if place.size and not 0 <= place.min() <= place.max() < WORDS:
                raise ValueError(f"a word outside 0 to {WORDS - 1} in line {row + 1}")
            x[row, place] = np.array(times, np.float32)
    except (ValueError, KeyError) as error:
        raise UnableError(
            f"{name} is not a list of reviews.", cause=f"{error}.", remedy=f"tlcourse data verify – then {SET.remedy}"
        ) from None
    return x, y


def binary(x: Counts) -> Counts:
    """Whether a word occurs at all, each review divided by its length √(number of words)."""
    present = (x > 0).astype(np.float32)
    scaled: Counts = present / np.maximum(np.sqrt(present.sum(1, keepdims=True)), 1)
    return scaled
