"""The prewarmed process: a run that it takes is like any other, and it never outlives the app unasked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.runs import Run

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
def prewarmed():
    child = ChildProcess.start("prewarm", takes_input=True)
    yield child
    child.ask_to_end()
    assert child.wait(60)


def ended(run: Run) -> bool:
    run.poll()
    return run.state.ended


@pytest.mark.slow
def test_a_run_that_it_takes_is_forked_and_ends_in_its_verdict(prewarmed, fork_server_works):
    run = Run.start("line", REFERENCE, scored=True, course=EXAMPLE, prewarmed=prewarmed)
    assert run.child.pid == prewarmed.pid
    wait(lambda: ended(run))
    assert run.state.result is not None, run.state.error
    assert run.state.result.outcome == "pass"
    assert run.state.result.runs[0].sandbox == "fork-server"
    assert run.child.wait(60)


@pytest.mark.slow
def test_a_run_that_it_took_is_found_again_and_stopped_with_all_its_processes(prewarmed, tmp_path):
    (tmp_path / "solution.py").write_text(ENDLESS)
    run = Run.start("line", tmp_path / "solution.py", scored=True, course=EXAMPLE, prewarmed=prewarmed)
    wait(lambda: run.poll() and run.state.metrics)
    found = Run.find("line")
    assert found is not None
    assert found.child.pid == prewarmed.pid
    below = family(run.child.pid)
    run.ask_to_stop()
    assert gone(below)
    wait(lambda: ended(run))
    assert "Stopped" in run.state.error.what


@pytest.mark.slow
def test_a_mistake_before_the_run_arrives_as_its_message(prewarmed, tmp_path):
    run = Run.start("line", tmp_path / "missing.py", scored=True, course=EXAMPLE, prewarmed=prewarmed)
    wait(lambda: ended(run))
    assert "missing.py" in run.state.error.what
    assert run.child.wait(60)


def test_where_it_has_gone_a_run_starts_as_it_would_without_it(prewarmed, tmp_path):
    os.kill(prewarmed.pid, signal.SIGKILL)
    wait(lambda: not prewarmed.alive)
    run = Run.start("line", tmp_path / "missing.py", scored=True, course=EXAMPLE, prewarmed=prewarmed)
    assert run.child.pid != prewarmed.pid
    wait(lambda: ended(run))
    assert "missing.py" in run.state.error.what
    assert run.child.wait(60)


@pytest.mark.parametrize("when", ["at once", "warm"])
def test_it_ends_with_its_sandbox_when_it_is_let_go(prewarmed, when):
    if when == "warm":
        wait(lambda: is_started(prewarmed.pid))
    below = family(prewarmed.pid)
    begin = time.monotonic()
    prewarmed.ask_to_end()
    assert time.monotonic() - begin < 5
    assert gone(below)


APP = """
import time
from tlcourse.tui.child_process import ChildProcess

child = ChildProcess.start("prewarm", takes_input=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("when", ["at once", "warm"])
def test_sigkill_of_the_app_leaves_no_process(when):
    with subprocess.Popen([sys.executable, "-c", APP], stdout=subprocess.PIPE) as app:
        assert app.stdout is not None
        pid = int(app.stdout.readline())
        if when == "warm":
            wait(lambda: is_started(pid))
        below = family(pid)
        app.kill()
        assert gone(below)


@pytest.mark.slow
async def test_one_is_ready_once_an_exercise_is_opened_a_grading_takes_it_and_the_next_ends_with_the_app(
    visit, tmp_path, fork_server_works
):
    (tmp_path / "solution.py").write_bytes(REFERENCE.read_bytes())
    async with visit(course=EXAMPLE, owns_process=True) as person:
        assert person.app.background.prewarmed is None
        await person.press("4")
        await person.until(lambda: person.app.background.prewarmed, "a prewarmed process")
        first = person.app.background.prewarmed.pid
        await person.press("g")
        assert person.app.background.runs["line"].child.pid == first
        await person.sees("PASS", 120)
        await person.until(lambda: person.app.background.prewarmed, "another one", 120)
        process = psutil.Process(person.app.background.prewarmed.pid)
        assert process.pid != first
    assert gone([process])
