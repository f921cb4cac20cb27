"""Runs in processes of their own: found again, stopped for good, and never without an explanation."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

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
    run.stop(5.0)
    if run._process is not None:
        run._process.wait(60)


def test_a_run_ends_in_its_verdict(tmp_path):
    run = Run.start("line", EXAMPLE / "graders" / "references" / "line.py", scored=True, course=EXAMPLE)
    wait(run, lambda run: run.state.ended)
    assert run.state.result is not None
    assert run.state.result["outcome"] == "pass"
    assert run.state.metrics
    run._process.wait(60)


def test_a_run_that_went_on_is_found_by_the_next_visit_with_all_it_said(endless):
    wait(endless, lambda run: run.state.metrics)
    found = Run.find("line")
    assert found is not None
    wait(found, lambda run: run.state.metrics)
    assert found.pid == endless.pid
    assert found.going


def test_stopping_ends_every_process_of_it(endless):
    wait(endless, lambda run: run.state.metrics)
    family = [psutil.Process(endless.pid), *psutil.Process(endless.pid).children(recursive=True)]
    endless.stop()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive
    wait(endless, lambda run: run.state.ended)
    assert "Stopped" in endless.state.error["what"]
    assert Run.find("line") is None


def test_a_run_that_was_killed_from_outside_explains_itself(endless):
    wait(endless, lambda run: run.state.metrics)
    psutil.Process(endless.pid).kill()
    wait(endless, lambda run: run.state.ended)
    assert "without a verdict" in endless.state.error["what"]
    assert str(endless.file) in endless.state.error["remedy"]


def test_a_number_that_another_process_has_got_is_no_run(tmp_path, endless):
    wait(endless, lambda run: run.state.metrics)
    endless.stop()
    endless._process.wait(60)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    try:
        sidecar = endless.file.with_suffix(".json")
        sidecar.write_text(sidecar.read_text().replace(f'"pid": {endless.pid}', f'"pid": {other.pid}'))
        assert Run.find("line") is None
    finally:
        other.kill()
        other.wait()


def test_a_mistake_before_the_run_arrives_as_its_message(tmp_path):
    run = Run.start("line", tmp_path / "missing.py", scored=True, course=EXAMPLE)
    wait(run, lambda run: run.state.ended)
    assert "missing.py" in run.state.error["what"]
    assert run.state.error["remedy"]
    run._process.wait(60)


def test_lines_that_are_no_events_are_kept_for_the_explanation(tmp_path, own_home):
    folder = own_home / "runs"
    folder.mkdir()
    file = folder / "line.jsonl"
    file.write_bytes(b'[1, 2]\n{"type": 3}\n\xff\xfe\nSegmentation fault\n')
    run = Run("line", "x.py", True, file, 2**22 + 1, 0.0, 1.0)
    run.poll()
    assert "Segmentation fault" in run.state.error["cause"]
