"""The same submission, seed, device and number of threads give the same verdict, bit for bit."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tlcourse.grading.grade import Options
from tlcourse.grading.grader import Grader
from tlcourse.grading.result import Result
from tlcourse.grading.solutions_check import check_references

TRAINED = """
import random
import numpy, torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Dropout(0.05), nn.Linear(32, 2))
    def forward(self, x):
        return self.layers(x).unbind(1)

def fit(task):
    x, y, z = task.train.tensors
    net = Net()
    net.register_buffer("luck", torch.tensor([random.random(), numpy.random.random(), torch.rand(()).item()]))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(8):
        for batch in torch.randperm(len(x)).split(20):
            first, second = net(x[batch])
            loss = (first - y[batch]).square().mean() + (second - z[batch]).square().mean()
            optimizer.zero_grad(); loss.backward(); optimizer.step()
        task.log(epoch, loss=loss.item(), luck=net.luck.sum().item())
    return net
"""


def without_times(result: Result) -> dict[str, Any]:
    """The result document, without what a clock or the memory of the machine says."""
    document: dict[str, Any] = msgspec.to_builtins(result)
    for name in ("started_at", "finished_at"):
        del document[name]
    for run in document["runs"]:
        for name in ("wall_time_s", "cpu_s", "reference_s", "fit_reference_s", "speed", "fit_s", "peak_rss_mb"):
            del run[name]
    return document


@pytest.mark.slow
def test_two_gradings_of_a_trained_network_are_equal_bit_for_bit(grade_text):
    first, second = (without_times(grade_text(TRAINED, sandbox_kind="bubblewrap")) for _ in range(2))
    assert first == second
    assert [check["n"] for check in first["checks"]] == [400, 400]
    assert all(check["value"] > 0 for check in first["checks"])
    assert len(first["metrics"]) == 8
    assert {"tlcourse", "torch", "grader_sha256", "data_sha256", "seed_source"} <= first["provenance"].keys()
    assert {"seed", "device", "threads", "sandbox"} <= first["runs"][0].keys()


@pytest.mark.slow
def test_reference_checks_do_not_depend_on_how_many_run_side_by_side_and_draw_the_data_of_a_seed_once(
    line, monkeypatch
):
    options = Options(device="cpu", threads=1)
    drawn: list[int] = []
    given = Grader.draw
    monkeypatch.setattr(
        Grader, "draw", lambda self, sizes, seed, variant: drawn.append(seed) or given(self, sizes, seed, variant)
    )
    one, three = (
        [replace(check, seconds=0.0) for check in check_references([line, line], options, seeds=3, workers=workers)]
        for workers in (1, 3)
    )
    assert one == three
    assert [check.solution for check in one[:4]] == ["starter.py", *["reference line.py"] * 3]
    seeds = {check.seed for check in one[1:4]}
    assert len(seeds) == 3
    assert Counter(drawn) == dict.fromkeys(seeds, 4)  # of two exercises, twice


@pytest.mark.slow
def test_without_a_fork_server_they_run_one_after_another(line, monkeypatch):
    from tlcourse.errors import UnableError
    from tlcourse.execution.pool import Pool

    def unable(self):
        raise UnableError("no fork server here")

    options = Options(device="cpu", threads=1)
    beside = [replace(check, seconds=0.0) for check in check_references([line], options, seeds=1, workers=2)]
    monkeypatch.setattr(Pool, "prewarm", unable)
    alone = [replace(check, seconds=0.0) for check in check_references([line], options, seeds=1, workers=2)]
    assert alone == beside
