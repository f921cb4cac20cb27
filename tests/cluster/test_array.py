"""Many jobs as one array; what a batch makes of it is in test_batch.py."""

from __future__ import annotations

import queue
import time

import msgspec
from waiting import together, wait_for

from tlcourse.cluster.jobs import Pace
from tlcourse.cluster.pool import SlurmPool
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.shell import ConnectionLostError, Done
from tlcourse.errors import UnableError

FORTY = 40
PACE = Pace(first=0.2, slowest=1.0, gather=0.5, poll=0.5, grace=2.0)


def test_a_pool_sends_at_once_what_arrives_together_and_runs_identical_submissions_once(cluster, pool, job_for, told):
    """The last two are the same; each asks for its report."""
    jobs = [job_for(f"print(time.time()); told['me'] = {number}") for number in range(2)]
    ended: dict[int, object] = {}
    reports = together(pool, [*jobs, jobs[1]], lambda number, report: ended.update({number: report}))
    assert [told(report)["me"] for report in reports] == [0, 1, 1]
    assert reports[1] == reports[2]
    assert [ended[number] for number in range(3)] == reports
    assert pool.workers == FORTY
    assert len(cluster.jobs()) == 2
    assert len({line.split()[0].split("_")[0] for line in cluster.jobs()}) == 1


class Unreachable:
    """A shell that notes how often a round was begun."""

    name = "nowhere"
    profile = "bed"

    def __init__(self) -> None:
        self.asked = 0

    def run(self, command: str, stdin: bytes = b"", timeout: float = 60.0) -> Done:
        self.asked += 1
        raise ConnectionLostError("no network")

    def close(self) -> None: ...


class Slow(queue.Queue):
    """A queue on a busy machine: what takes from it is behind what puts into it."""

    def get(self, block=True, timeout=None):
        if block:
            time.sleep(0.01)
        return super().get(block, timeout)


def test_what_is_expected_goes_out_as_one_round_however_it_comes_in(watchers, job_for):
    """A hand-in that was left over ran alone, behind another sandbox than the rest of its class."""
    shell, one = Unreachable(), job_for()
    watcher = watchers(Profile(), shell=shell, pace=Pace(gather=60.0), chunk=10)
    watcher.expected = 40
    watcher.arriving = Slow()
    futures = [watcher.add(one) for _ in range(40)]
    assert {type(future.exception(30)) for future in futures} == {UnableError}
    assert shell.asked == 1


def test_a_batch_that_was_killed_goes_on_with_what_was_sent(cluster, profile, job_for, told, tmp_path):
    """Its jobs ran on; another process asks for one hand-in after the other, and none is trained again."""
    settings = msgspec.structs.replace(profile, at_once=2)
    jobs = [job_for(f"print(time.time()); told['me'] = {number}") for number in range(4)]
    first = SlurmPool("bed", settings, folder=tmp_path / "journal", chunk=2, sandbox_kind="bubblewrap")
    for job in jobs:
        first.watcher.add(msgspec.structs.replace(job, sandbox_kind="bubblewrap"))
    wait_for(lambda: len(cluster.jobs("RUNNING,COMPLETED")) == 2)
    first.leave()
    with SlurmPool(
        "bed", settings, folder=tmp_path / "journal", chunk=2, sandbox_kind="bubblewrap", pace=PACE
    ) as second:
        assert [told(second.run(job))["me"] for job in jobs] == list(range(4))
    assert len(cluster.jobs()) == 2
    with SlurmPool(
        "bed", settings, folder=tmp_path / "journal", chunk=2, sandbox_kind="bubblewrap", pace=PACE
    ) as third:
        third.run(jobs[0])  # all of that round was taken: asked for again, it is trained again
    assert len(cluster.jobs()) == 3
