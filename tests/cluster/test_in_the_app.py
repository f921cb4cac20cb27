"""From the terminal app to a real Slurm over SSH: run there, metrics here, and the Jobs screen knows it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from drawn import lines_of
from waiting import HOLD

from tlcourse.course.loader import load_course
from tlcourse.student.record import Record
from tlcourse.tui.app import CourseApp

EXAMPLE = Path(__file__).parent.parent / "example_course"
# somebody watches it until it is told to go on; then what the reference of the example course returns
HELD = f"""{HOLD}
def fit(task):
    for step in range(20):
        task.log(step, loss=1.0 / (step + 1))
    hold(task)
    print("trained on the cluster")
    return reference(task)
"""


@pytest.fixture
def solution(slurm, tmp_path, monkeypatch) -> Path:
    """A solution that passes, in the folder where one works, and a profile `bed`."""
    config = tmp_path / "config.yaml"
    config.write_text(
        f"profiles:\n  bed:\n    host: slurmlogin\n    ssh_config: {slurm.ssh_config}\n    partition: main\n"
        f"    python: {sys.executable}\n    grace_s: 0.5\n    poll_s: 0.5\n"
    )
    monkeypatch.setenv("TLCOURSE_CONFIG", str(config))
    monkeypatch.chdir(tmp_path)
    reference = (EXAMPLE / "graders" / "references" / "line.py").read_text().replace("def fit(", "def reference(")
    path = tmp_path / "solution.py"
    path.write_text(reference + HELD)
    return path


def shown(app: CourseApp) -> str:
    return lines_of(app.screen)


async def test_run_from_the_exercise_screen_watch_its_curve_and_find_it_in_jobs(cluster, solution):
    app = CourseApp(load_course(EXAMPLE), course_folder=EXAMPLE)
    async with app.run_test(size=(120, 50)) as pilot:

        async def sees(words: str) -> None:
            until = time.monotonic() + 120
            while words not in shown(app):
                assert time.monotonic() < until, shown(app)
                await pilot.pause(0.1)

        app.go("exercise/line")
        await pilot.pause()
        await pilot.press("p", "g")
        await sees("Grading on bed, run 1")
        run = app.background.runs["line"]
        until = time.monotonic() + 120
        while not run.state.metrics:
            assert time.monotonic() < until, run.state
            await pilot.pause(0.1)
        assert not run.state.ended  # they came while it trained
        await pilot.press("o")
        await sees("▶ runs")
        await sees("node n")
        cluster.go_on()
        await sees("✓ PASS 2/2")
        await pilot.press("enter")
        await sees("trained on the cluster")
        await sees("2 of 2 points")
    assert run.child.wait(60)
    app.background.wait_for_left(30)
    app.record.close()
    with Record.open() as record:
        assert [attempt.outcome for attempt in record.attempts("example", "line")] == ["pass"]
    assert len(cluster.jobs()) == 1
