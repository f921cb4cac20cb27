"""Many submissions as one array over four nodes: each gets its own report, equal to that of this machine."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tlcourse.execution.cluster.item import Pace
from tlcourse.execution.cluster.pool import SlurmPool
from tlcourse.execution.pool import Pool
from tlcourse.grading.grade import Grading, Options
from tlcourse.grading.submission import collect

FORTY = 40
PACE = Pace(first=0.2, slowest=1.0, gather=0.5, grace=1.0)
# z is off by more and more: some pass, some fail; y is off by what chance draws, from the task's seed
HAND_IN = """
import torch
class Model(torch.nn.Module):
    def __init__(self, noise):
        super().__init__()
        self.noise = noise
    def forward(self, x):
        return 2 * x[:, 0] + 1 + self.noise, 3 * x[:, 1] - 1 + {number} / 200
def fit(task):
    model = Model(torch.rand(1).item() / 50)
    task.log(1, noise=model.noise)
    return model
"""


@pytest.fixture
def hand_ins(tmp_path) -> list:
    """Forty that differ, collected as a batch collects them."""
    found = []
    for number in range(FORTY):
        source, folder = tmp_path / f"{number}.py", tmp_path / f"collected-{number}"
        source.write_text(HAND_IN.format(number=number))
        folder.mkdir()
        found.append(collect(Path(source), folder))
    return found


def verdicts(line, hand_ins, run, threads: int) -> list[dict]:
    """What a batch's engine does with them, from as many threads."""
    grading = Grading(line, Options(threads=1, device="cpu"), run)
    with ThreadPoolExecutor(threads) as workers:
        results = workers.map(lambda one: grading.result(one, lambda _: None, started="now"), hand_ins)
        return [msgspec.to_builtins(result) for result in results]


def without_where(verdict: dict) -> dict:
    """What must be the same wherever it ran."""
    volatile = ("where", "wall_s", "cpu_s", "peak_rss_mb", "fit_s")
    runs = [{key: value for key, value in run.items() if key not in volatile} for run in verdict["runs"]]
    return {**verdict, "runs": runs, "finished_at": ""}


def test_a_batch_of_forty_over_four_nodes_gives_the_verdicts_of_this_machine(cluster, pool, line, hand_ins):
    there = verdicts(line, hand_ins, pool.run, pool.workers)
    with Pool(workers=2) as local:
        here = verdicts(line, hand_ins, local.run, 2)
    assert [without_where(verdict) for verdict in there] == [without_where(verdict) for verdict in here]
    assert {verdict["outcome"] for verdict in there} == {"pass", "fail"}
    assert len({verdict["metrics"][0]["values"]["noise"] for verdict in there}) == 1  # one seed, drawn there as here
    places = [verdict["runs"][0]["where"] for verdict in there]
    assert {place.split()[1] for place in places} == set(cluster.nodes)  # `bed: n3 (job 17_2)`
    assert {verdict["runs"][0]["isolation"] for verdict in there} == {"warm"}
    arrays = {line.split()[0].split("_")[0] for line in cluster.jobs()}
    assert len(arrays) == 1
    assert len(cluster.jobs()) == 4


def test_a_pool_sends_at_once_what_arrives_together(cluster, pool, job_for, told):
    jobs = [job_for(f"told['me'] = {number}") for number in range(6)]
    ended: dict[int, object] = {}
    reports = pool.run_array(jobs, lambda number, report: ended.update({number: report}))
    assert [told(report)["me"] for report in reports] == list(range(6))
    assert [ended[number] for number in range(6)] == reports
    assert pool.workers == FORTY
    assert len({line.split()[0].split("_")[0] for line in cluster.jobs()}) == 1


def test_identical_submissions_run_once_and_both_get_the_report(cluster, pool, job_for):
    one = job_for("print(time.time())")
    first, second = pool.run_array([one, one])
    assert first == second
    assert len(cluster.jobs()) == 1


def test_a_batch_that_was_killed_goes_on_with_what_was_sent(cluster, profile, job_for, told, tmp_path):
    """Its jobs ran on; another process asks for one hand-in after the other, and none is trained again."""
    settings = msgspec.structs.replace(profile, at_once=2)
    jobs = [job_for(f"print(time.time()); told['me'] = {number}") for number in range(4)]
    first = SlurmPool("bed", settings, folder=tmp_path / "journal", chunk=2, isolation="cold")
    for job in jobs:
        first._attendant.add(msgspec.structs.replace(job, isolation="cold"))
    wait_until(lambda: len(cluster.jobs("RUNNING,COMPLETED")) == 2)
    first.leave()
    with SlurmPool("bed", settings, folder=tmp_path / "journal", chunk=2, isolation="cold", pace=PACE) as second:
        assert [told(second.run(job))["me"] for job in jobs] == list(range(4))
    assert len(cluster.jobs()) == 2
    with SlurmPool("bed", settings, folder=tmp_path / "journal", chunk=2, isolation="cold", pace=PACE) as third:
        third.run(jobs[0])  # all of that round was taken: asked for again, it is trained again
    assert len(cluster.jobs()) == 3


def wait_until(holds) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
