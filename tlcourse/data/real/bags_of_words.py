"""Bags of words of several domains, on which adaptation is measured: Amazon's reviews, Office-Caltech10's pictures.

Reviews of four kinds of goods are bags of 5,000 words (Blitzer et al. 2007; this form: Chen et al. 2012). Ten kinds of
objects from four sources are bags of 800 visual words, SURF features (Gong et al. 2012, CVPR).
"""

from __future__ import annotations

import io
from typing import Any, Literal

import numpy as np

from tlcourse.data.real.files import Files
from tlcourse.errors import UnableError

Goods = Literal["books", "dvd", "electronics", "kitchen"]
Part = Literal["train", "test"]
GOODS: tuple[Goods, ...] = ("books", "dvd", "electronics", "kitchen")
Counts = np.ndarray[Any, np.dtype[np.float32]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
REVIEWS = Files(
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
TEST_REVIEWS = {"books": 4465, "dvd": 3586, "electronics": 5681, "kitchen": 5945}
"""Test reviews of each domain; for training there are 2,000 of each."""


def load_reviews(domain: Goods, part: Part) -> tuple[Counts, Labels]:
    """How often each word occurs (n, 5000) float32, and whether the review praises (n,), 0 or 1.

    Raises UnableError where they are not on this machine, or not as they should be.
    """
    name = f"{domain}_{part}.svmlight"
    return parse_reviews(REVIEWS.read(name).decode("ascii"), 2000 if part == "train" else TEST_REVIEWS[domain], name)


def parse_reviews(text: str, count: int, name: str) -> tuple[Counts, Labels]:
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
            f"{name} is not a list of reviews.",
            cause=f"{error}.",
            remedy=f"tlcourse data verify – then {REVIEWS.remedy}",
        ) from None
    return x, y


def binary(x: Counts) -> Counts:
    """Whether a word occurs at all, each review divided by its length √(number of words)."""
    present = (x > 0).astype(np.float32)
    scaled: Counts = present / np.maximum(np.sqrt(present.sum(1, keepdims=True)), 1)
    return scaled


OfficeDomain = Literal["amazon", "caltech10", "dslr", "webcam"]
Features = np.ndarray[Any, np.dtype[np.float64]]
OFFICE = Files(
    name="office-caltech10",
    title="The SURF features of Office-Caltech10",
    source="Gong, Shi, Sha and Grauman 2012; published for research, no licence known",
    folder="office_caltech10",
    beside="surf",
    used_by=("lab run coral --data full",),
    sums={
        "surf/amazon.mat": "df32548b994e18d364c99e1f317e1fae100597259f0423a41b90f4f68187bb1f",
        "surf/caltech10.mat": "4f9334c8ced489d5054de97a5fd51a61f017f3bcd1f38c9a85c6d78cb9d7bda5",
        "surf/dslr.mat": "44d673c68e1d07b837893aa74dba3b986e4a6cc3fd66f0dd357683bdef059216",
        "surf/webcam.mat": "a6a9c78b4b7181dfbb58bcfd351d4ebd737f171c31247b8884948aa156d3f700",
    },
)
PICTURES: dict[OfficeDomain, int] = {"amazon": 958, "caltech10": 1123, "dslr": 157, "webcam": 295}
VISUAL_WORDS, CLASSES = 800, 10


def load_office(domain: OfficeDomain) -> tuple[Features, Labels]:
    """Counts of visual words (n, 800) float64, and the kind of object (n,) from 0 to 9.

    Raises UnableError where the features are missing or damaged, or SciPy, which reads them, is not installed.
    """
    found = _matlab(OFFICE.read(f"surf/{domain}.mat"))
    x, y = np.asarray(found["fts"], np.float64), np.asarray(found["labels"], np.int64).ravel() - 1
    if (
        x.shape != (PICTURES[domain], VISUAL_WORDS)
        or y.shape != (PICTURES[domain],)
        or set(y.tolist()) != set(range(CLASSES))
    ):
        raise UnableError(
            f"{domain}.mat holds features of shape {x.shape}, "
            f"not {(PICTURES[domain], VISUAL_WORDS)} of {CLASSES} classes.",
            remedy=OFFICE.remedy,
        )
    return x, y


def standardised(x: Features) -> Features:
    """Each picture's counts divided by their sum, then every word to mean 0 and standard deviation 1 in its domain.

    As in the experiments of Gong et al. 2012 and after them. A word that no picture of the domain has stays 0.
    """
    share = x / np.maximum(x.sum(1, keepdims=True), 1)
    std = share.std(0)
    scaled: Features = (share - share.mean(0)) / np.where(std > 0, std, 1)
    return scaled


def _matlab(data: bytes) -> dict[str, Any]:
    """The arrays of a MATLAB file; raises UnableError where SciPy is not installed."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise UnableError(
            "SciPy, which reads these files, is not installed.", remedy="python -m pip install 'tlcourse[lab]'"
        ) from None
    found: dict[str, Any] = loadmat(io.BytesIO(data))
    return found
