"""`-v` and TLCOURSE_DEBUG: what was decided and why, on stderr alone; without them nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tlcourse.cli import verdict

EXAMPLE = Path(__file__).parent.parent / "example_course"
REFERENCE = str(EXAMPLE / "graders" / "references" / "line.py")
ASSIGNMENTS = EXAMPLE.parent / "assignments_course"
WITHOUT_TORCH = ["descent", str(ASSIGNMENTS / "graders" / "references" / "descent.py")]
"""An exercise whose runs need no torch: to import it takes most of a short run."""
ENDLESS = "def fit(task):\n    while True:\n        pass\n"
QUICK_BATCH = Path(__file__).parents[1] / "grading" / "batch" / "quick_batch.py"


@pytest.mark.slow
def test_a_run_logs_its_limits_and_how_it_ended_and_stdout_stays_one_document(tl):
    graded = tl("grade", "line", REFERENCE, "--json", "-v")
    assert json.loads(graded.stdout)["outcome"] == "pass"
    log = [line for line in graded.stderr.splitlines() if " tlcourse.execution.supervise: " in line]
    assert "memory_mb=" in log[0]
    assert ": done (predictions came out); exit status 0, " in log[-1]


@pytest.mark.slow
def test_a_limit_that_was_hit_is_logged_with_its_reason(tl, tmp_path):
    (tmp_path / "solution.py").write_text(ENDLESS)
    stopped = tl("run", "line", "solution.py", "--seconds", "3", "--verbose")
    assert stopped.returncode == 4
    assert ": stopped as timeout: " in stopped.stderr


@pytest.mark.slow
def test_nothing_is_logged_unasked_and_the_environment_asks_as_well(tl, monkeypatch):
    assert "tlcourse.execution.supervise" not in tl("run", *WITHOUT_TORCH, course=ASSIGNMENTS).stderr
    monkeypatch.setenv("TLCOURSE_DEBUG", "0")
    assert "tlcourse.execution.supervise" not in tl("run", *WITHOUT_TORCH, course=ASSIGNMENTS).stderr
    monkeypatch.setenv("TLCOURSE_DEBUG", "1")
    assert "tlcourse.execution.supervise" in tl("run", *WITHOUT_TORCH, course=ASSIGNMENTS).stderr


def test_help_loads_no_logging():
    code = "import sys; sys.argv = ['tlcourse', '--help']\nfrom tlcourse.cli.main import main\ntry:\n    main()\n"
    code += "except SystemExit:\n    assert 'tlcourse.logs' not in sys.modules\n    assert 'logging' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_batch_logs_what_is_resumed_skipped_and_tried_again_and_why(tmp_path):
    for name, word in (("anna", "passes"), ("bo", f"faults-once {tmp_path / 'mark'}")):
        (tmp_path / "handins" / name).mkdir(parents=True)
        (tmp_path / "handins" / name / "solution.py").write_text(f"# {word}")
    arguments = [str(QUICK_BATCH), str(tmp_path / "book.db"), str(tmp_path / "handins"), str(EXAMPLE)]
    code = (
        "import runpy, sys; from tlcourse import logs; logs.start()\n"
        f"sys.argv = {arguments!r}\n"
        f"runpy.run_path({str(QUICK_BATCH)!r}, run_name='__main__')"
    )

    def batch() -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
        return done.stderr

    first = batch()
    assert "2 to grade, 2 at a time" in first
    assert "hand-in 2: tried again, 1 of " in first
    assert "hand-in 2 of bo: infra: " in first
    second = batch()
    assert "of 2 hand-ins 0 new, 0 newer, 2 the same" in second
    assert second.count("skipped, since it has a final result") == 2


@pytest.mark.slow
def test_the_app_logs_into_a_file_that_its_first_line_names_and_its_processes_append_to_it(tmp_path):
    file = tmp_path / "data" / "app.log"
    code = (
        "import subprocess, sys; from pathlib import Path; from tlcourse import logs\n"
        f"logs.into(Path({str(file)!r}))\n"
        f"command = [sys.executable, '-m', 'tlcourse', 'run', *{WITHOUT_TORCH}, '--course', {str(ASSIGNMENTS)!r}]\n"
        "subprocess.run(command, check=True)"
    )
    environment = {**os.environ, "TLCOURSE_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    first, *others = file.read_text().splitlines()
    assert first.endswith(f" in {file}")
    assert any("tlcourse.execution.supervise" in line for line in others)
    assert "tlcourse.execution.supervise" not in done.stderr
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", ["", "0"])
def test_an_empty_variable_asks_for_nothing(monkeypatch, value):
    from tlcourse import logs

    monkeypatch.setenv("TLCOURSE_DEBUG", value)
    assert not logs.wanted()


def test_off_a_terminal_a_run_tells_that_it_starts_and_now_and_then_its_metrics(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(verdict, "time", SimpleNamespace(monotonic=lambda: now[0]))
    live = verdict.Live(plain=True)
    for step, seconds in ((1, 0.0), (2, 4.0), (3, 6.0), (4, 7.0), (5, 12.0)):
        now[0] = 100.0 + seconds
        live.show({"type": "metric", "step": step, "values": {"loss": 0.5}})
    assert capsys.readouterr().err.splitlines() == [
        "   0.0 s  starting",
        "   6.0 s  starting  step 3  loss 0.5",
        "  12.0 s  starting  step 5  loss 0.5",
    ]
