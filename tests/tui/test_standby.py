"""The process that stands by: a run that it takes is like any other, and it never outlives the app unasked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tlcourse.tui.runs import Run
from tlcourse.tui.standby import StandBy

EXAMPLE = Path(__file__).parent.parent / "example_course"
REFERENCE = EXAMPLE / "graders" / "references" / "line.py"
ENDLESS = """
import time

def fit(task):
    while True:
        task.log(0, loss=1.0)
        time.sleep(0.05)
"""


def wait(holds, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def family(pid: int) -> list[psutil.Process]:
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def is_started(pid: int) -> bool:
    """Whether a parent that imported torch is below it, and only waits."""
    return any("bwrap" in process.name() for process in psutil.Process(pid).children(recursive=True))


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=60)[1]


@pytest.fixture
def standby():
    made = StandBy()
    process = made._process
    yield made
    made.end()
    assert process is not None
    process.wait(60)


def ended(run: Run) -> bool:
    run.poll()
    return run.state.ended


@pytest.mark.slow
def test_a_run_that_it_takes_is_forked_and_ends_in_its_verdict(standby, fork_server_works):
    run = Run.start("line", REFERENCE, scored=True, course=EXAMPLE, standby=standby)
    assert run.pid == standby.pid
    wait(lambda: ended(run))
    assert run.state.result is not None, run.state.error
    assert run.state.result["outcome"] == "pass"
    assert run.state.result["runs"][0]["sandbox"] == "fork-server"
    run._process.wait(60)


@pytest.mark.slow
def test_a_run_that_it_took_is_found_again_and_stopped_with_all_its_processes(standby, tmp_path):
    (tmp_path / "solution.py").write_text(ENDLESS)
    run = Run.start("line", tmp_path / "solution.py", scored=True, course=EXAMPLE, standby=standby)
    wait(lambda: run.poll() and run.state.metrics)
    found = Run.find("line")
    assert found is not None
    assert found.pid == standby.pid
    below = family(run.pid)
    run.stop()
    assert gone(below)
    wait(lambda: ended(run))
    assert "Stopped" in run.state.error["what"]


def test_a_mistake_before_the_run_arrives_as_its_message(standby, tmp_path):
    run = Run.start("line", tmp_path / "missing.py", scored=True, course=EXAMPLE, standby=standby)
    wait(lambda: ended(run))
    assert "missing.py" in run.state.error["what"]
    run._process.wait(60)


def test_where_it_has_gone_a_run_starts_as_it_would_without_it(standby, tmp_path):
    os.kill(standby.pid, signal.SIGKILL)
    wait(lambda: not standby.waits)
    run = Run.start("line", tmp_path / "missing.py", scored=True, course=EXAMPLE, standby=standby)
    assert run.pid != standby.pid
    wait(lambda: ended(run))
    assert "missing.py" in run.state.error["what"]
    run._process.wait(60)


@pytest.mark.parametrize("when", ["at once", "warm"])
def test_it_ends_with_its_sandbox_when_it_is_let_go(standby, when):
    if when == "warm":
        wait(lambda: is_started(standby.pid))
    below = family(standby.pid)
    begin = time.monotonic()
    standby.end()
    assert time.monotonic() - begin < 5
    assert gone(below)


APP = "import time\nfrom tlcourse.tui.standby import StandBy\nprint(StandBy().pid, flush=True)\ntime.sleep(600)\n"


@pytest.mark.parametrize("when", ["at once", "warm"])
def test_sigkill_of_the_app_leaves_no_process(when):
    with subprocess.Popen(
        [sys.executable, "-c", APP.replace("StandBy().pid", "(s := StandBy()).pid")], stdout=-1
    ) as app:
        assert app.stdout is not None
        pid = int(app.stdout.readline())
        if when == "warm":
            wait(lambda: is_started(pid))
        below = family(pid)
        app.kill()
        assert gone(below)


async def test_one_stands_by_from_when_an_exercise_is_opened_until_the_app_ends(visit):
    async with visit(course=EXAMPLE, warm=True) as person:
        assert person.app._standby is None
        await person.press("4")
        until = time.monotonic() + 60
        while person.app._standby is None:
            assert time.monotonic() < until
            await person.pilot.pause(0.05)
        process = psutil.Process(person.app._standby.pid)
    assert gone([process])


@pytest.mark.slow
async def test_a_grading_takes_it_and_another_one_follows(visit, tmp_path, fork_server_works):
    (tmp_path / "solution.py").write_bytes(REFERENCE.read_bytes())
    async with visit(course=EXAMPLE, warm=True) as person:
        await person.press("4")
        until = time.monotonic() + 60
        while person.app._standby is None:
            assert time.monotonic() < until
            await person.pilot.pause(0.05)
        first = person.app._standby.pid
        await person.press("g")
        assert person.app.runs["line"].pid == first
        await person.sees("PASS", 120)
        while person.app._standby is None:
            assert time.monotonic() < until + 120
            await person.pilot.pause(0.05)
        assert person.app._standby.pid != first
