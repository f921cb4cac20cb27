"""The same submission, seed, device and number of threads give the same verdict, bit for bit."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tlcourse.course.exercise import solutions
from tlcourse.course.model import LoadedExercise
from tlcourse.grading import solutions_check
from tlcourse.grading.grade import Options
from tlcourse.grading.grader import Grader
from tlcourse.grading.result import Result
from tlcourse.grading.solutions_check import ReferenceCheck, check_references

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


def checked(exercises: list[LoadedExercise], seeds: int, workers: int) -> list[ReferenceCheck]:
    found = check_references(exercises, Options(device="cpu", threads=1), seeds=seeds, workers=workers)
    return [replace(check, seconds=0.0) for check in found]


@pytest.fixture(scope="module")
def beside(line, tmp_path_factory) -> tuple[list[ReferenceCheck], list[int]]:
    """What three side by side find of two exercises that are the same, and the seeds of the data that were drawn."""
    drawn: list[int] = []
    given = Grader.draw
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLCOURSE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(
            Grader, "draw", lambda self, sizes, seed, variant: drawn.append(seed) or given(self, sizes, seed, variant)
        )
        return checked([line, line], seeds=3, workers=3), drawn


@pytest.mark.slow
def test_reference_checks_do_not_depend_on_how_many_run_side_by_side_and_draw_the_data_of_a_seed_once(line, beside):
    three, drawn = beside
    one = checked([line], seeds=3, workers=1)
    assert three == one * 2
    assert [check.solution for check in one[:4]] == ["starter.py", *["reference line.py"] * 3]
    seeds = {check.seed for check in one[1:4]}
    assert len(seeds) == 3
    assert Counter(drawn) == dict.fromkeys(seeds, 2)  # of two exercises


@pytest.mark.slow
def test_without_a_fork_server_they_run_one_after_another(line, beside, monkeypatch):
    from tlcourse.errors import UnableError
    from tlcourse.execution.pool import Pool

    def unable(self):
        raise UnableError("no fork server here")

    monkeypatch.setattr(Pool, "prewarm", unable)
    monkeypatch.setattr(
        solutions_check, "solutions", lambda exercise: [next(solutions(exercise))]
    )  # each imports torch
    starter, reference = checked([line], seeds=1, workers=2)
    assert [starter, reference] == beside[0][:2]
