"""The life of a warm parent: what ends it, what follows, and that nothing piles up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tlcourse.execution.supervise import run
from tlcourse.execution.walls.warm import WarmWall


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


@pytest.fixture
def source(tells) -> str:
    return tells("pass")


@pytest.fixture(scope="module")
def wall() -> Iterator[WarmWall]:
    """One wall for the tests here that leave it fit to serve: a parent costs as much as forty runs."""
    with WarmWall() as one:
        yield one


def test_a_parent_that_was_killed_between_runs_is_replaced(job_for, source, wall):
    first = wall.warm().pid
    os.kill(first, signal.SIGKILL)
    assert run(job_for(source), wall, lambda _: None).ending == "done"
    assert wall.warm().pid != first


@pytest.mark.skipif(os.geteuid() != 0, reason="ldconfig is for root")
def test_a_parent_outlives_the_upgrade_of_a_package(job_for, source, wall):
    """Then `ldconfig` replaces a file that the outer wall had mounted."""
    first, replaced = wall.warm().pid, Path("/etc/ld.so.cache")
    before = replaced.stat().st_ino
    subprocess.run(["/sbin/ldconfig"], check=True)
    assert replaced.stat().st_ino != before
    assert run(job_for(source), wall, lambda _: None).ending == "done"
    assert wall.warm().pid == first


def test_a_parent_that_could_not_make_a_childs_walls_is_replaced(job_for, source, wall, monkeypatch):
    from tlcourse.execution.walls import warm_parent

    first, asked = wall.warm().pid, warm_parent._request
    with monkeypatch.context() as patch:
        patch.setattr(warm_parent, "_request", lambda start, _, program: asked(start, "not-there", program))
        report = run(job_for(source), wall, lambda _: None)
    assert report.ending == "infra"
    assert "/inputs" in report.message
    assert run(job_for(source), wall, lambda _: None).ending == "done"
    assert wall.warm().pid != first


def test_a_run_whose_parent_is_killed_is_not_counted_against_it(job_for, tells, source, wall):
    parent = wall.warm().pid

    def kill(event: dict[str, object]) -> None:
        if event["type"] == "metric":
            os.kill(parent, signal.SIGKILL)

    report = run(job_for(tells("task.log(1, a=1)\ntime.sleep(600)")), wall, kill)
    assert report.ending == "infra"
    assert report.message == "the warm parent was killed while it served this run"
    assert not psutil.pid_exists(parent)
    assert run(job_for(source), wall, lambda _: None).ending == "done"


def repeat(wall: WarmWall, job_for, source: str, times: int) -> None:
    for _ in range(times):
        assert run(job_for(source), wall, lambda _: None).ending == "done"


def test_fifty_runs_leave_nothing_behind(job_for, source, leftovers, wall):
    repeat(wall, job_for, source, 2)
    before = leftovers()
    repeat(wall, job_for, source, 50)
    assert within(5, lambda: leftovers() == before)


def test_a_retired_parent_sees_its_last_run_through(job_for, tells, told, wall):
    first, running, reports = wall.warm().pid, threading.Event(), []

    def go() -> None:
        job = job_for(tells("task.log(1, a=1)\ntime.sleep(1)\ntold['done'] = True"))
        reports.append(run(job, wall, lambda event: running.set() if event["type"] == "metric" else None))

    thread = threading.Thread(target=go)
    thread.start()
    assert running.wait(60)
    wall.recycle()
    assert psutil.pid_exists(first)
    thread.join()
    assert told(reports[0]) == {"done": True}
    assert within(5, lambda: not psutil.pid_exists(first))


@pytest.mark.slow
def test_a_parent_serves_its_share_of_runs_and_a_new_one_follows(job_for, source):
    with WarmWall(runs=2) as wall:
        parents = []
        for _ in range(4):
            assert run(job_for(source), wall, lambda _: None).ending == "done"
            parents.append(wall._parent.pid)
        assert parents[0] == parents[1] != parents[2] == parents[3]
        assert not psutil.pid_exists(parents[0])


@pytest.mark.slow
def test_a_parent_that_grows_is_replaced(job_for, source, monkeypatch):
    monkeypatch.setattr("tlcourse.execution.walls.warm._LOOK_EVERY", 1)
    monkeypatch.setattr("tlcourse.execution.walls.warm_parent.WarmParent.memory_mb", lambda self: 100.0 * self.runs)
    with WarmWall(creep_mb=150.0) as wall:
        first = wall.warm().pid
        assert run(job_for(source), wall, lambda _: None).ending == "done"
        assert wall.warm().pid == first
        assert run(job_for(source), wall, lambda _: None).ending == "done"
        assert wall.warm().pid != first


def test_a_closed_wall_leaves_nothing(job_for, source, leftovers):
    before = leftovers()
    with WarmWall() as wall:
        assert run(job_for(source), wall, lambda _: None).ending == "done"
        parent = wall.warm().pid
    assert leftovers() == before
    assert within(5, lambda: not psutil.pid_exists(parent))


GRADER = """
import sys, time
from tlcourse.execution.walls.warm import WarmWall
wall = WarmWall()
print(wall.warm().pid, flush=True)
time.sleep(600)
"""


def test_sigkill_of_the_grader_leaves_no_process():
    with subprocess.Popen([sys.executable, "-c", GRADER], stdout=subprocess.PIPE, cwd="/") as grader:
        assert grader.stdout is not None
        parent = int(grader.stdout.readline())
        below = psutil.Process(grader.pid).children(recursive=True)
        assert parent in [process.pid for process in below]
        grader.kill()
        assert within(5, lambda: not any(process.is_running() for process in below))
