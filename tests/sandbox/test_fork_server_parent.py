"""The life of a fork server: what ends it, what follows, and that nothing piles up."""

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
from tlcourse.sandbox.fork_server import ForkServerSandbox


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


@pytest.fixture
def source(tells) -> str:
    return tells("pass")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ForkServerSandbox]:
    """One sandbox for the tests here that leave it fit to serve: a parent costs as much as forty runs."""
    with ForkServerSandbox() as one:
        yield one


@pytest.mark.slow
def test_a_parent_that_was_killed_between_runs_is_replaced(job_for, source, sandbox):
    first = sandbox.prewarm().pid
    os.kill(first, signal.SIGKILL)
    assert run(job_for(source), sandbox, lambda _: None).status == "done"
    assert sandbox.prewarm().pid != first


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="ldconfig is for root")
def test_a_parent_outlives_the_upgrade_of_a_package(job_for, source, sandbox):
    """Then `ldconfig` replaces a file that the outer sandbox had mounted."""
    first, replaced = sandbox.prewarm().pid, Path("/etc/ld.so.cache")
    before = replaced.stat().st_ino
    subprocess.run(["/sbin/ldconfig"], check=True)
    assert replaced.stat().st_ino != before
    assert run(job_for(source), sandbox, lambda _: None).status == "done"
    assert sandbox.prewarm().pid == first


@pytest.mark.slow
def test_a_parent_that_could_not_make_a_childs_sandbox_is_replaced(job_for, source, sandbox, monkeypatch):
    from tlcourse.sandbox import fork_server_parent

    first, asked = sandbox.prewarm().pid, fork_server_parent.start_request
    with monkeypatch.context() as patch:
        patch.setattr(fork_server_parent, "start_request", lambda start, _, program: asked(start, "not-there", program))
        report = run(job_for(source), sandbox, lambda _: None)
    assert report.status == "infra"
    assert "/inputs" in report.message
    assert run(job_for(source), sandbox, lambda _: None).status == "done"
    assert sandbox.prewarm().pid != first


@pytest.mark.slow
def test_a_submission_that_ends_with_the_status_of_a_failed_start_has_crashed(job_for, tells, sandbox):
    first = sandbox.prewarm().pid
    report = run(job_for(tells("os._exit(125)")), sandbox, lambda _: None)
    assert (report.status, "exit status 125" in report.message) == ("crash", True)
    assert sandbox.prewarm().pid == first


@pytest.mark.slow
def test_a_run_whose_parent_is_killed_is_not_counted_against_it(job_for, tells, source, sandbox):
    parent = sandbox.prewarm().pid

    def kill(event: dict[str, object]) -> None:
        if event["type"] == "metric":
            os.kill(parent, signal.SIGKILL)

    report = run(job_for(tells("task.log(1, a=1)\ntime.sleep(600)")), sandbox, kill)
    assert report.status == "infra"
    assert report.message == "the fork server was killed while it served this run"
    assert not psutil.pid_exists(parent)
    assert run(job_for(source), sandbox, lambda _: None).status == "done"


def repeat(sandbox: ForkServerSandbox, job_for, source: str, times: int) -> None:
    for _ in range(times):
        assert run(job_for(source), sandbox, lambda _: None).status == "done"


@pytest.mark.slow
@pytest.mark.parametrize("runs", [10, pytest.param(50, marks=pytest.mark.nightly)])
def test_many_runs_leave_nothing_behind(runs, job_for, source, leftovers, sandbox):
    repeat(sandbox, job_for, source, 2)
    before = leftovers()
    repeat(sandbox, job_for, source, runs)
    assert within(5, lambda: leftovers() == before)


def test_a_retired_parent_sees_its_last_run_through(job_for, tells, told, sandbox):
    first, running, reports = sandbox.prewarm().pid, threading.Event(), []

    def go() -> None:
        job = job_for(tells("task.log(1, a=1)\ntime.sleep(1)\ntold['done'] = True"))
        reports.append(run(job, sandbox, lambda event: running.set() if event["type"] == "metric" else None))

    thread = threading.Thread(target=go)
    thread.start()
    assert running.wait(60)
    sandbox.recycle(sandbox.server)
    assert psutil.pid_exists(first)
    thread.join()
    assert told(reports[0]) == {"done": True}
    assert within(5, lambda: not psutil.pid_exists(first))


@pytest.mark.slow
def test_a_parent_serves_its_share_of_runs_a_new_one_follows_and_a_closed_sandbox_leaves_nothing(
    job_for, source, leftovers
):
    before = leftovers()
    with ForkServerSandbox(runs=2) as sandbox:
        parents = []
        for _ in range(4):
            assert run(job_for(source), sandbox, lambda _: None).status == "done"
            parents.append(sandbox.server.pid)
        assert parents[0] == parents[1] != parents[2] == parents[3]
        assert not psutil.pid_exists(parents[0])
    assert leftovers() == before
    assert within(5, lambda: not psutil.pid_exists(parents[3]))


@pytest.mark.slow
def test_a_parent_that_grows_is_replaced(job_for, source, monkeypatch):
    monkeypatch.setattr("tlcourse.sandbox.fork_server._LOOK_EVERY", 1)
    monkeypatch.setattr(
        "tlcourse.sandbox.fork_server_parent.ForkServerParent.memory_mb", lambda self: 100.0 * self.runs
    )
    with ForkServerSandbox(creep_mb=150.0) as sandbox:
        first = sandbox.prewarm().pid
        assert run(job_for(source), sandbox, lambda _: None).status == "done"
        assert sandbox.prewarm().pid == first
        assert run(job_for(source), sandbox, lambda _: None).status == "done"
        assert sandbox.prewarm().pid != first


GRADER = """
import sys, time
from tlcourse.sandbox.fork_server import ForkServerSandbox
sandbox = ForkServerSandbox()
print(sandbox.prewarm().pid, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_sigkill_of_the_grader_leaves_no_process():
    with subprocess.Popen([sys.executable, "-c", GRADER], stdout=subprocess.PIPE, cwd="/") as grader:
        assert grader.stdout is not None
        parent = int(grader.stdout.readline())
        below = psutil.Process(grader.pid).children(recursive=True)
        assert parent in [process.pid for process in below]
        grader.kill()
        assert within(5, lambda: not any(process.is_running() for process in below))
