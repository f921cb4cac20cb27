"""Runs in processes of their own: found again, stopped for good, and never without an explanation."""

from __future__ import annotations

import asyncio
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
ENDLESS = """
import time
from torch import nn

def fit(task):
    while True:
        task.log(0, loss=1.0)
        time.sleep(0.05)
"""


def wait(run: Run, until, seconds: float = 60.0) -> None:
    """Read what it prints until `until(run)` holds."""
    end = time.monotonic() + seconds
    while not until(run):
        assert time.monotonic() < end, run.state
        run.poll()
        time.sleep(0.02)


@pytest.fixture
def endless(tmp_path):
    solution = tmp_path / "solution.py"
    solution.write_text(ENDLESS)
    run = Run.start("line", solution, scored=True, course=EXAMPLE)
    yield run
    run.ask_to_stop()
    if not run.child.wait(5.0):
        run.child.kill()
    assert run.child.wait(60)


@pytest.mark.slow
def test_a_run_ends_in_its_verdict(tmp_path):
    run = Run.start("line", EXAMPLE / "graders" / "references" / "line.py", scored=True, course=EXAMPLE)
    wait(run, lambda run: run.state.ended)
    assert run.state.result is not None
    assert run.state.result.outcome == "pass"
    assert run.state.metrics
    assert run.child.wait(60)


def test_a_run_that_went_on_is_found_by_the_next_visit_with_all_it_said(endless):
    wait(endless, lambda run: run.state.metrics)
    found = Run.find("line")
    assert found is not None
    wait(found, lambda run: run.state.metrics)
    assert found.child.pid == endless.child.pid
    assert found.going


@pytest.mark.slow
async def test_stopping_ends_every_process_of_it_and_holds_up_no_key(endless):
    wait(endless, lambda run: run.state.metrics)
    family = [psutil.Process(endless.child.pid), *psutil.Process(endless.child.pid).children(recursive=True)]
    keys = 0

    async def press():
        nonlocal keys
        while True:
            keys += 1
            await asyncio.sleep(0.001)

    typing = asyncio.create_task(press())
    await asyncio.sleep(0)
    before = keys
    await endless.stop(2.0)
    typing.cancel()
    assert keys > before  # the event loop ran meanwhile
    assert not endless.alive
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive
    wait(endless, lambda run: run.state.ended)
    assert "Stopped" in endless.state.error.what
    assert Run.find("line") is None


def test_a_run_that_was_killed_from_outside_explains_itself(endless):
    wait(endless, lambda run: run.state.metrics)
    psutil.Process(endless.child.pid).kill()
    wait(endless, lambda run: run.state.ended)
    assert "without a verdict" in endless.state.error.what
    assert str(endless.file) in endless.state.error.remedy


@pytest.mark.slow
def test_a_number_that_another_process_has_got_is_no_run(tmp_path, endless):
    wait(endless, lambda run: run.state.metrics)
    endless.ask_to_stop()
    assert endless.child.wait(60)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    try:
        sidecar = endless.file.with_suffix(".json")
        sidecar.write_text(sidecar.read_text().replace(f'"pid": {endless.child.pid}', f'"pid": {other.pid}'))
        assert Run.find("line") is None
    finally:
        other.kill()
        other.wait()


def test_a_mistake_before_the_run_arrives_as_its_message(tmp_path):
    run = Run.start("line", tmp_path / "missing.py", scored=True, course=EXAMPLE)
    wait(run, lambda run: run.state.ended)
    assert "missing.py" in run.state.error.what
    assert run.state.error.remedy
    assert run.child.wait(60)


def test_lines_that_are_no_events_are_kept_for_the_explanation(tmp_path, own_home):
    folder = own_home / "runs"
    folder.mkdir()
    file = folder / "line.jsonl"
    file.write_bytes(b'[1, 2]\n{"type": 3}\n\xff\xfe\nSegmentation fault\n')
    run = Run("line", "x.py", True, file, 0.0, ChildProcess(None, 2**22 + 1, 1.0, os.open(file, os.O_RDONLY)))
    run.poll()
    assert "Segmentation fault" in run.state.error.cause


# -- any child -----------------------------------------------------------------------------------------------------


async def test_what_ends_with_the_app_prints_into_a_pipe_and_everything_it_prints_arrives():
    child = ChildProcess.start("lesson", "list", "--json", ends_with_app=True)
    document = await child.document()
    assert document["schema"] == 1
    assert child.drained
    assert not child.alive


async def test_what_is_no_document_is_none_and_its_errors_are_kept():
    child = ChildProcess.start("no-such-command")
    assert await child.document() is None
    assert "no-such-command" in child.errors()


async def test_a_line_longer_than_a_pipe_holds_and_an_unfinished_last_one_arrive_whole(tmp_path):
    file = tmp_path / "lines"
    file.write_bytes(b"a" * 3_000_000 + b"\nend")
    child = ChildProcess(None, 2**22 + 1, 1.0, os.open(file, os.O_RDONLY))
    lines = [line async for line in child.lines()]
    assert [len(line) for line in lines] == [3_000_000, 3]


def test_only_the_owner_reads_what_it_prints_into_a_file(tmp_path):
    child = ChildProcess.start("--version", out=tmp_path / "printed")
    assert child.wait(60)
    assert (tmp_path / "printed").stat().st_mode & 0o777 == 0o600
    assert child.new_lines()[0].startswith(b"tlcourse ")


async def test_one_that_does_not_end_when_asked_is_killed(tmp_path):
    child = ChildProcess.start("prewarm", takes_input=True)
    os.kill(child.pid, signal.SIGSTOP)  # it hears nothing
    await child.end(0.1)
    assert child.wait(60)
