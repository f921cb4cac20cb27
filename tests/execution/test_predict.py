"""What a module may return for an output of each form, and what is said of anything else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tlcourse.course.spec import Output
from tlcourse.execution.arrays import pack, read_predictions
from tlcourse.execution.worker.predict import predict
from tlcourse.execution.worker.solution import SolutionError

X = {"image": torch.zeros(300, 1, 2, 2, dtype=torch.uint8), "words": [b"w" * (i % 4) for i in range(300)]}
TAGS, SAID = Output("tags", (), dtype="int64", rows=3, rows_of="x.words"), Output("said", dtype="bytes", rows=5)
BOTH = (Output("mean"), TAGS)


class Gives(torch.nn.Module):
    """Returns whatever a function makes of a batch."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x)


def predicted(make, outputs):
    """Handed out by the worker, and read as the staff side does."""
    flat = predict(Gives(make), X, outputs, torch.device("cpu"))
    return read_predictions(pack(flat), 300, outputs)


def tags(x, dtype=torch.int32):
    return [torch.full((len(one),), len(one), dtype=dtype) for one in x["words"]]


def mean(x):
    return x["image"].float().mean((1, 2, 3)).half()


@pytest.mark.parametrize(
    "make",
    [
        lambda x: (mean(x), tags(x)),
        lambda x: [mean(x), tuple(tags(x))],
        lambda x: {"tags": tags(x), "mean": mean(x)},
        lambda x: (torch.zeros(1).expand(len(x["words"])), [one[:].flip(0)[::1] for one in tags(x)]),
    ],
)
def test_a_tuple_and_a_table_are_as_good_and_batches_come_together(make):
    found = predicted(make, BOTH)
    assert [one.tolist() for one in found["tags"]] == [[i % 4] * (i % 4) for i in range(300)]
    assert (found["mean"].dtype, found["mean"].shape, found["tags"][3].dtype) == (np.float32, (300,), np.int64)


@pytest.mark.parametrize("make", [lambda x: x["words"], lambda x: (x["words"],), lambda x: {"said": [*x["words"]]}])
def test_one_output_may_stand_for_itself(make):
    assert predicted(make, (SAID,))["said"] == X["words"]


@pytest.mark.parametrize(
    ("make", "outputs", "said"),
    [
        (lambda x: {"mean": mean(x)}, BOTH, "returned a table of mean, expected exactly mean, tags"),
        (lambda x: {"mean": mean(x), "tags": tags(x), "x": 1}, BOTH, "a table of mean, tags, x, expected exactly"),
        (lambda x: (mean(x), mean(x)), BOTH, "`tags` is a Tensor, expected a list with a tensor for each item"),
        (lambda x: (mean(x), tags(x)[1:]), BOTH, "`tags` has 149 entries for a batch of 150, expected one for each"),
        (lambda x: (mean(x), tags(x)[::-1]), BOTH, "`tags` of item 0 has 1 rows, expected 0, as many as its `x.words`"),
        (lambda x: (mean(x), tags(x, torch.float32)), BOTH, "item 0 has dtype torch.float32, expected torch.int64"),
        (lambda x: (mean(x), [one[:, None] for one in tags(x)]), BOTH, r"has shape \(0, 1\), expected \(rows,\)"),
        (lambda x: (mean(x), [[0]] * len(tags(x))), BOTH, "`tags` of item 0 is a list, expected a tensor"),
        (lambda x: (mean(x).to(torch.int64), tags(x)), BOTH, "`mean` has dtype torch.int64, expected torch.float32"),
        (lambda x: [one + b"xyz" for one in x["words"]], (SAID,), "`said` of item 3 has 6 rows, expected at most 5"),
        (lambda x: ["w"] * 150, (SAID,), "`said` of item 0 is a str, expected bytes"),
        (lambda x: [np.zeros(3)] * 150, (SAID,), "`said` of item 0 is a ndarray, expected bytes"),
        (lambda x: None, (SAID,), "`said` is None, expected a list with bytes for each item"),
        (lambda x: 255 - mean(x), (Output("n", dtype="uint8"),), "`n` has dtype torch.float16, expected torch.uint8"),
        (lambda x: mean(x) > 0, (Output("n", dtype="int64"),), "`n` has dtype torch.bool, expected torch.int64"),
    ],
)
def test_anything_else_is_said_in_one_sentence(make, outputs, said):
    with pytest.raises(SolutionError, match=said):
        predicted(make, outputs)
