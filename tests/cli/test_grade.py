"""`tlcourse init`, `run`, `grade` and `watch` as a student uses them."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from signals import heard

from tlcourse import Task
from tlcourse.course.author import write_starter_notebooks
from tlcourse.course.loader import load_course
from tlcourse.errors import UsageError
from tlcourse.grading.intake.submission import collect
from tlcourse.student.record import Record

EXAMPLE = Path(__file__).parent.parent / "example_course"
GRADE_LINE = [sys.executable, "-m", "tlcourse", "grade", "line", "--events", "--course", str(EXAMPLE)]
REFERENCE = str(EXAMPLE / "graders" / "references" / "line.py")


@pytest.mark.slow
def test_init_makes_a_starter_that_runs_and_does_not_pass(tl, graded_here, tmp_path):
    made = tl("init", "line")
    assert made.returncode == 0
    assert (tmp_path / "line" / "solution.py").is_file()
    graded = graded_here("grade", "line", "--json")
    assert graded.returncode == 1
    assert json.loads(graded.stdout)["outcome"] == "fail"
    with Record.open() as record:
        assert list(record.codes("example", "line").values()) == [(tmp_path / "line" / "solution.py").read_text()]
    again = graded_here("grade", "line", REFERENCE, "--plain")
    *_, code, first, second = again.stderr.splitlines()
    assert code.startswith("Since the attempt before: ")
    assert code.endswith("removed; 0 → 2 of 2 points")
    assert all(said.endswith("better, passed now") for said in (first, second))


def test_init_never_overwrites_a_solution_and_keeps_a_backup_when_told_to_begin_again(tl, tmp_path):
    tl("init", "line", "work")
    solution = tmp_path / "work" / "solution.py"
    solution.write_text("# mine")
    refused = tl("init", "line", "work")
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert solution.read_text() == "# mine"
    again = tl("init", "line", "work", "--force")
    assert again.returncode == 0
    assert (tmp_path / "work" / "solution.backup1.py").read_text() == "# mine"


def test_init_that_names_the_course_in_a_solution_that_is_there_gives_vs_code_its_task_too(tl, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "moved")
    for given, tasks in (([], False), (["--vscode"], True)):
        (tmp_path / "line").mkdir(exist_ok=True)
        (tmp_path / "line" / "solution.py").write_text('task = Task.local("line")\n')
        done = tl("init", "line", "--json", *given, course=tmp_path / "moved")
        assert (done.returncode, json.loads(done.stdout)["tasks"] is not None) == (0, tasks)
        assert str(tmp_path / "moved") in (tmp_path / "line" / "solution.py").read_text()
        assert (tmp_path / ".vscode" / "tasks.json").is_file() is tasks


def test_why_an_exercise_has_no_board_is_said_in_one_line(tl):
    done = tl("exercise", "board", "ex2", course=None)
    assert done.returncode == 2
    assert "Likely cause: a class is shown in order only where exercise.yaml says by which check." in done.stderr


@pytest.mark.slow
def test_grade_prints_one_document_and_nothing_else_on_stdout(tl):
    graded = tl("grade", "line", REFERENCE, "--json")
    document = json.loads(graded.stdout)
    assert graded.returncode == 0
    assert document["outcome"] == "pass"
    assert document["schema"] == 2
    assert list(document)[:3] == ["schema", "exercise", "variant"]
    assert {"id", "title", "passed", "value", "interval", "threshold", "n", "points", "max_points", "message"} <= set(
        document["checks"][0]
    )
    assert {"seed", "where", "device", "wall_time_s", "cpu_s", "peak_rss_mb", "fit_s", "log"} <= set(
        document["runs"][0]
    )
    assert {"tlcourse", "torch", "grader_sha256", "data_sha256"} <= set(document["provenance"])
    assert document["runs"][0]["sandbox"] in ("bubblewrap", "none")


@pytest.mark.slow
def test_a_verdict_in_plain_words_has_one_fact_a_line_and_names_the_sandbox(tl):
    graded = tl("grade", "line", REFERENCE, "--plain", "--sandbox", "none")
    lines = graded.stdout.splitlines()
    assert lines[:3] == ["exercise: line", "outcome: PASS", "points: 2 of 2"]
    assert any(line.startswith("check: y_error: passed:") for line in lines)
    assert "without a sandbox" in lines[-1]


@pytest.mark.slow
def test_a_verdict_from_in_the_landlock_sandbox_says_what_that_cannot_stop(tl):
    from tlcourse.sandbox import choose

    if not next(one for one in choose.findings() if one.name == "landlock").available:
        pytest.skip("no Landlock here")
    graded = tl("grade", "line", REFERENCE, "--json", "--sandbox", "landlock")
    document = json.loads(graded.stdout)
    assert (document["outcome"], document["runs"][0]["sandbox"]) == ("pass", "landlock")
    assert any("landlock sandbox" in message and "docs/security.md" in message for message in document["messages"])


def test_the_events_of_a_grading_are_json_lines_that_end_in_the_verdict(graded_here):
    graded = graded_here("grade", "line", REFERENCE, "--events")
    events = [json.loads(line) for line in graded.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "started"
    assert "metric" in kinds
    assert kinds[-1] == "verdict"
    assert events[-1]["result"]["outcome"] == "pass"


def test_run_trains_without_scoring(graded_here):
    ran = graded_here("run", "line", REFERENCE, "--json")
    document = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert document["outcome"] == "ran"
    assert document["checks"] == []
    assert document["points"] == 0
    assert "nothing was scored" in document["messages"][-1]


def test_run_needs_no_grader_where_the_exercise_names_a_generator(tl, tmp_path):
    import shutil

    course = tmp_path / "course"
    shutil.copytree(EXAMPLE, course, ignore=shutil.ignore_patterns("graders"))
    refused = tl("grade", "line", REFERENCE, course=course)
    assert refused.returncode == 3
    assert "tlcourse run line" in refused.stderr
    refused = tl("run", "line", REFERENCE, course=course)
    assert refused.returncode == 2
    assert "generator" in refused.stderr


def test_a_notebook_is_graded_as_its_code_cells(graded_here, tmp_path):
    import nbformat

    source = Path(REFERENCE).read_text()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Hello"), nbformat.v4.new_code_cell("!pip install x\n" + source)]
    )
    nbformat.write(notebook, tmp_path / "solution.ipynb")
    graded = graded_here("grade", "line", "--json")
    assert graded.returncode == 0
    assert any("dropped" in message for message in json.loads(graded.stdout)["messages"])


def test_watch_grades_now_and_says_what_it_waits_for(graded_here):
    watched = graded_here("watch", "line", REFERENCE, "--times", "1", "--plain")
    assert watched.returncode == 0
    assert "outcome: PASS" in watched.stdout


@contextlib.contextmanager
def grading_that_trains(
    folder: Path, sandbox_kind: str
) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A grading whose solution is in `fit`, and the processes below it."""
    (folder / "solution.py").write_text(
        "import os, time\nif os.fork() == 0:\n    time.sleep(500)\ndef fit(task): time.sleep(500)\n"
    )
    command = [*GRADE_LINE, "--sandbox", sandbox_kind]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as grading:
        try:
            assert grading.stdout is not None
            next(line for line in grading.stdout if json.loads(line).get("name") == "fit")
            yield grading, psutil.Process(grading.pid).children(recursive=True)
        finally:
            grading.kill()


def still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended within some seconds."""
    return [process for process in psutil.wait_procs(processes, timeout=60)[1] if process.status() != "zombie"]


OFTEN = {
    ("bubblewrap", signal.SIGINT),
    ("bubblewrap", signal.SIGTERM),
    ("bubblewrap", signal.SIGHUP),
    ("none", signal.SIGINT),
}
"""Tried by default; the sandboxes' own parts in it are tried by the kills below."""
SLOW = {("fork-server", signal.SIGINT), ("landlock", signal.SIGTERM), ("none", signal.SIGHUP)}
"""One of each other sandbox; what is left is tried nightly."""


def marks(kind: str, how: signal.Signals) -> list[pytest.MarkDecorator]:
    if (kind, how) in OFTEN:
        return []
    return [pytest.mark.slow] if (kind, how) in SLOW else [pytest.mark.slow, pytest.mark.nightly]


@pytest.mark.parametrize(
    ("sandbox_kind", "how"),
    [
        pytest.param(kind, how, marks=marks(kind, how), id=f"{kind}-{how.name}")
        for kind in ("bubblewrap", "fork-server", "landlock", "none")
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ],
)
def test_an_interrupted_grading_leaves_nothing_running(tmp_path, how, sandbox_kind):
    with grading_that_trains(tmp_path, sandbox_kind) as (grading, below):
        assert len(below) >= 2
        grading.send_signal(how)
        _, said = grading.communicate(timeout=60)
        assert grading.returncode == 130
        assert "interrupted" in said
        assert "Traceback" not in said
        assert still_there(below) == []


@pytest.mark.parametrize(
    "sandbox_kind",
    ["bubblewrap", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("fork-server", "landlock"))],
)
def test_a_grader_that_is_killed_takes_everything_in_its_sandbox_with_it(tmp_path, sandbox_kind):
    with grading_that_trains(tmp_path, sandbox_kind) as (grading, below):
        grading.kill()
        assert still_there(below) == []


def test_a_grader_that_is_killed_takes_the_worker_with_it_without_a_sandbox(tmp_path):
    with grading_that_trains(tmp_path, "none") as (grading, below):
        grading.kill()
        assert still_there(below[:1]) == []
        for process in below[1:]:  # a daemon of one's own code outlives it where there is no sandbox
            process.kill()


def test_a_solution_names_the_course_that_it_was_begun_with_also_once_that_was_moved(here, tmp_path, monkeypatch):
    course = Path(shutil.copytree(Path(__file__).parents[1] / "assignments_course", tmp_path / "course"))
    write_starter_notebooks(load_course(course))
    mine = tmp_path / "mine"
    mine.mkdir()
    for more in ((), ("--notebook",)):
        here("init", "pictures", str(mine), *more, "--course", str(course))
    assert f'Task.local("pictures", course="{course}")' in (mine / "solution.py").read_text()
    copy = collect(mine, tmp_path / "copy", starter=course / "exercises/pictures/starter.py")
    assert copy.notices == ["solution.ipynb was run: solution.py beside it is the starter as it was."]
    monkeypatch.chdir(mine)
    assert len(Task.local("pictures", course=str(course), device="cpu").train) == 500
    moved = course.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match=r"(?s)is not in .* any more.*tlcourse init pictures \. --course FOLDER"):
        Task.local("pictures", course=str(course), device="cpu")
    before = (mine / "solution.py").read_text().replace("nn.Linear(64, 4)", "nn.Linear(64, 4)  # mine")
    (mine / "solution.py").write_text(before)
    said = here("init", "pictures", str(mine), "--course", str(moved)).stdout
    assert said == f"{mine}/solution.py names the course in {moved} now; nothing else of it was changed.\n"
    here("init", "pictures", str(mine), "--notebook", "--course", str(moved))
    assert (mine / "solution.py").read_text() == before.replace(str(course), str(moved))
    cells = json.loads((mine / "solution.ipynb").read_text())["cells"]
    assert any(f'course="{moved}")' in "".join(cell["source"]) for cell in cells)
    assert "is there already" in here("init", "pictures", str(mine), "--course", str(moved), fails=2).stderr
    monkeypatch.chdir(moved)  # a solution within the course needs no path that holds
    assert len(Task.local("pictures", course=str(course), device="cpu").val) == 100
