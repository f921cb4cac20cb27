"""A pool of warm workers: side by side, as many as asked for, and a harmed run is judged behind a wall of its own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import psutil
import pytest

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution import pool as pools
from tlcourse.execution import supervise
from tlcourse.execution.gpu_card import Card
from tlcourse.execution.job import Job
from tlcourse.execution.pool import Pool, cores
from tlcourse.execution.walls import warm
from tlcourse.execution.walls.warm import WarmWall


@pytest.fixture(scope="module")
def two() -> Iterator[Pool]:
    """A pool of two workers, for tests that leave them as they are."""
    with Pool(workers=2) as pool:
        yield pool


def test_many_threads_share_two_workers_and_each_gets_its_own_report(job_for, tells, told, two):
    jobs = [job_for(tells(f"told['me'] = {number}, torch.rand(1).item()"), seed=number) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        reports = list(threads.map(two.run, jobs))
    assert len({wall._parent.pid for wall in two._walls if wall._parent}) == 2
    assert [told(report)["me"][0] for report in reports] == list(range(8))
    assert {report.wall for report in reports} == {"warm"}


def test_as_many_run_at_once_as_there_are_workers(job_for, tells, told, two):
    jobs = [job_for(tells("told['from'] = time.time(); time.sleep(0.5); told['to'] = time.time()")) for _ in range(6)]
    two.warm()
    with ThreadPoolExecutor(6) as threads:
        spans = [told(report) for report in threads.map(two.run, jobs)]
    at_once = [sum(other["from"] <= span["from"] < other["to"] for other in spans) for span in spans]
    assert max(at_once) == 2


def test_workers_start_when_they_are_needed_and_end_with_the_pool(job_for, tells):
    below = psutil.Process().children
    with Pool(workers=3) as pool:
        assert not [wall for wall in pool._walls if wall._parent]
        for _ in range(3):
            pool.run(job_for(tells("pass")))
        started = [wall._parent.pid for wall in pool._walls if wall._parent]
        assert len(started) == 1
    assert not [child for child in below(recursive=True) if child.pid in started]


def test_cores_are_those_that_this_process_may_use():
    assert cores() == len(os.sched_getaffinity(0))
    with Pool() as pool:
        assert pool.workers == cores()


def test_a_run_whose_parent_was_killed_runs_once_more_behind_a_wall_of_its_own(job_for, tells, told):
    """A bystander of what killed the parent gets its due; what does it by its own doing is judged by the cold wall."""
    said = []
    with Pool(workers=1) as pool:
        pool.warm()
        parent = pool._walls[0].warm().pid

        def harm(event: dict[str, object]) -> None:
            said.append(str(event.get("text", "")))
            if event["type"] == "metric" and psutil.pid_exists(parent):
                os.kill(parent, signal.SIGKILL)

        report = pool.run(job_for(tells("task.log(1, a=1)\ntime.sleep(1)\ntold['fine'] = True")), harm)
        assert (report.ending, report.wall) == ("done", "cold")
        assert told(report) == {"fine": True}
        assert any("it runs once more, behind a wall of its own" in text for text in said)
        assert pool.run(job_for(tells("pass"))).wall == "warm"


def test_a_fault_of_its_own_is_not_run_again(job_for, tells, two):
    report = two.run(job_for(tells("os.kill(os.getpid(), signal.SIGKILL)")))
    assert (report.ending, report.wall) == ("crash", "warm")
    assert "SIGKILL" in report.message


def test_a_run_for_a_gpu_starts_cold_and_says_so(job_for, tells, monkeypatch):
    monkeypatch.setattr(pools, "uses_gpu", lambda device: device == "cuda")
    said = []
    with Pool(workers=1) as pool:
        job = job_for(tells("pass"))
        job = msgspec.structs.replace(job, brief=msgspec.structs.replace(job.brief, device="cuda"))
        report = pool.run(job, lambda event: said.append(event.get("text", "")))
    assert report.wall == "cold"
    assert "[a run on a GPU starts cold]\n" in said


def test_a_warm_wall_by_itself_refuses_a_gpu(job_for, tells, monkeypatch, warm_wall):
    monkeypatch.setattr(warm, "has_gpu", lambda: True)
    monkeypatch.setattr(supervise, "card_of", lambda device: Card(f"test{os.getpid()}", ()))
    from tlcourse.execution.supervise import run

    with pytest.raises(UnableError, match="cold"):
        run(job_for(tells("pass"), device="auto"), warm_wall, lambda _: None)


def test_closing_ends_what_is_under_way(job_for, tells):
    reports, running = [], threading.Event()
    pool = Pool(workers=1)

    def go() -> None:
        job = job_for(tells("task.log(1, a=1)\ntime.sleep(600)"))
        reports.append(pool.run(job, lambda event: running.set() if event["type"] == "metric" else None))

    thread = threading.Thread(target=go)
    thread.start()
    assert running.wait(60)
    pool.close()
    thread.join(60)
    assert not thread.is_alive(), "it would sleep for ten minutes"
    assert reports[0].ending == "infra"
    with pytest.raises(InfraError):
        pool.run(job_for(tells("pass")))


def soon(holds, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def run_many(pool: Pool, jobs: list[Job]) -> None:
    with ThreadPoolExecutor(pool.workers) as threads:
        reports = list(threads.map(pool.run, jobs))
    assert [(report.ending, report.wall) for report in reports] == [("done", "warm")] * len(jobs)


@pytest.mark.slow
def test_a_thousand_submissions_through_one_pool_leave_nothing_and_need_no_more_memory(job_for, tells, leftovers):
    """No parent is replaced on the way: a new one would hide what an old one had gathered."""
    jobs = [job_for(tells("pass"), seed=number) for number in range(50)]
    outside = leftovers()
    with Pool(workers=2, wall=lambda: WarmWall(runs=10_000)) as pool:
        run_many(pool, jobs[:20])
        parents, before, sizes = [wall._parent for wall in pool._walls], leftovers(), []
        for _ in range(20):
            run_many(pool, jobs)
            assert soon(lambda: leftovers() == before), (leftovers(), before)
            sizes.append(psutil.Process().memory_info().rss / 2**20 + sum(one.memory_mb() for one in parents))
        assert [wall._parent for wall in pool._walls] == parents
        assert sum(one.runs for one in parents) == 1020
    assert sum(sizes[-2:]) / sum(sizes[:2]) < 1.05, sizes
    assert soon(lambda: leftovers() == outside), (leftovers(), outside)
