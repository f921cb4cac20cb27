"""The terminal app's own way to a cluster: a run is started there, followed from another visit, and cancelled."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tlcourse.tui.runs import Run

EXAMPLE = Path(__file__).parent.parent / "example_course"
REFERENCE = EXAMPLE / "graders" / "references" / "line.py"
ENDLESS = """
import time
def fit(task):
    for step in range(10_000):
        task.log(step, loss=1.0)
        time.sleep(0.1)
"""


def wait(run: Run, holds, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        run.poll()
        assert time.monotonic() < until, run.state
        time.sleep(0.05)


@pytest.mark.slow
def test_a_run_of_the_app_goes_to_the_cluster_and_its_curves_and_verdict_come_back(on_bed, own_home):
    run = Run.start("line", REFERENCE, scored=True, course=EXAMPLE, place="bed")
    wait(run, lambda: run.state.ended)
    assert run.state.error is None
    assert run.state.metrics
    assert run.state.result["outcome"] == "pass"
    assert all(one["where"].startswith("bed: ") for one in run.state.result["runs"])
    run._process.wait(20)


@pytest.mark.slow
def test_a_run_that_outlives_its_app_is_followed_by_number_and_a_stop_cancels_its_job(on_bed, own_home, tmp_path, tl):
    solution = tmp_path / "endless.py"
    solution.write_text(ENDLESS)
    run = Run.start("line", solution, scored=True, course=EXAMPLE, place="bed")
    wait(run, lambda: run.state.metrics)
    found = Run.find("line")  # the next visit
    assert found is not None
    assert found.place == "bed"
    listed = json.loads(tl("jobs", "list", "--json", course=None).stdout)["jobs"]
    assert [(one["state"], one["slurm"]) for one in listed] == [("open", "RUNNING")]
    run.ask_to_stop()
    run._process.wait(30)
    listed = json.loads(tl("jobs", "list", "--json", course=None).stdout)["jobs"]
    assert [one["state"] for one in listed] == ["cancelled"]
    follower = Run.start("line", solution, scored=True, course=EXAMPLE, place="bed", follows=listed[0]["run"])
    wait(follower, lambda: follower.state.ended)
    assert "was cancelled" in follower.state.error["what"]
    follower._process.wait(20)
