"""A repository that is graded on push: what the runner is told, whatever files are called and submissions print."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace
from results import result

from tlcourse.cli.github import note_at, summary
from tlcourse.course.exercise import MATCHER, begin_tasks
from tlcourse.presenting.verdict import Problem, problems

EXAMPLE = Path(__file__).parent.parent / "example_course"
CRASH = """\
import torch
import helper

def fit(task):
    print("::set-output name=points::10")
    return helper.go(task)
"""
HELPER = 'def go(task):\n    raise ValueError("50 % |\\n::error::no")\n'


def crashed(folder: Path, problem: str, *messages: str):
    submission = replace(result().submission, path=str(folder))
    return replace(result("crash", 0.0), checks=[], problem=problem, messages=list(messages), submission=submission)


def test_a_crash_is_marked_at_the_students_last_line_and_nowhere_else(tmp_path):
    (tmp_path / "solution.py").write_text(CRASH)
    (tmp_path / "helper.py").write_text(HELPER)
    trace = '  File "solution.py", line 6, in fit\n  File "helper.py", line 2, in go\n  File "torch/nn.py", line 9\n'
    (found,) = problems(crashed(tmp_path, trace, "ValueError in fit: no."))
    assert found == (tmp_path / "helper.py", 2, "CRASH", "ValueError in fit: no.")
    for name in ("../secret.py", str(tmp_path / "helper.py"), "no-such.py"):
        (found,) = problems(crashed(tmp_path, f'  File "{name}", line 7\n', "no"))
        assert found[:2] == (tmp_path / "solution.py", 1)
    syntax = '  File "solution.py", line 3\n    def fit(task)\n                 ^\nSyntaxError: expected a colon.'
    (found,) = problems(crashed(tmp_path, "", syntax))
    assert found[1:] == (3, "CRASH", "SyntaxError: expected a colon.")
    notebook = tmp_path / "solution.ipynb"
    (found,) = problems(crashed(notebook, trace.splitlines()[0], "no"))  # its cells have other lines
    assert found[:2] == (notebook, 1)


def test_each_check_that_failed_is_marked_and_what_is_no_fault_of_the_student_is_not(tmp_path):
    (found,) = problems(result("fail", 0.0))
    assert (found.path, found.line, found.title) == (Path("/somewhere"), 1, "Error of y")
    assert found.message.startswith("0.5 (95 %: 0.4 to 0.6, n = 9), required ≥ 0.1: 0.4 better")
    assert problems(result("pass")) == problems(result("infra", 0.0)) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("ex2/solution.py", "ex2/solution.py"),
        ("a,line=9::error::x/solution.py", "a%2Cline=9%3A%3Aerror%3A%3Ax/solution.py"),
        ("100%\r\n::error::/s.py", "100%25%0A%3A%3Aerror%3A%3A/s.py"),
    ],
)
def test_no_name_and_no_message_becomes_a_command_of_the_runner(monkeypatch, tmp_path, path, said):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    note = note_at(Problem(tmp_path / path, 7, "a: b, c", "50 %\n::error::no \x1b[2J\r"))
    assert note == f"::error file={said},line=7,title=a%3A b%2C c::50 %25%0A::error::no %0A"
    assert len(note.splitlines()) == 1


def test_no_message_breaks_the_table_of_the_summary(line):
    evil = "a | b\n\n# c <script> `d` [x](y)"
    shown = result("fail", 0.0)
    shown = replace(shown, checks=[replace(shown.checks[0], message=evil, title=evil)], messages=[evil])
    lines = "\n".join(summary(line, shown)).splitlines()
    assert lines[0] == "## ✗ line, Two lines: FAIL"
    rows = [one for one in lines if one.startswith("|")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert "<script" not in "\n".join(lines)
    assert not [one for one in lines[1:] if one.startswith("#")]


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A student's repository as `author ci` and a crash make it, with an environment that has tlcourse."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "line").mkdir()
    (folder / "line" / "solution.py").write_text(CRASH)
    (folder / "line" / "helper.py").write_text(HELPER)
    made = subprocess.run(
        [sys.executable, "-m", "tlcourse", "author", "ci", folder, "--course", EXAMPLE, "--json"],
        capture_output=True,
        check=True,
        env={**os.environ, "TLCOURSE_HOME": str(folder / "home")},
    )
    names = sorted(str(Path(one).relative_to(folder)) for one in json.loads(made.stdout)["written"])
    assert [*names[:1], *names[-1:]] == [".github/workflows/tlcourse.yml", names[-1]]
    assert re.fullmatch(r"\.tlcourse/tlcourse-[\d.]+-py3-none-any\.whl", names[-1])
    (folder / ".tlcourse" / "course").symlink_to(EXAMPLE)
    program = folder / "venv" / "bin" / "tlcourse"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tlcourse "$@" --threads 1\n')
    program.chmod(0o755)
    return folder


@pytest.mark.slow
def test_a_push_is_graded_and_the_runner_is_told_what_to_mend(repository):
    env = {**os.environ, "TLCOURSE_VENV": str(repository / "venv"), "GITHUB_ACTIONS": "true"}
    env |= {"GITHUB_STEP_SUMMARY": str(repository / "summary"), "GITHUB_OUTPUT": str(repository / "output")}
    env |= {"GITHUB_WORKSPACE": str(repository), "TLCOURSE_HOME": str(repository / "home")}
    workflow = yaml.safe_load((repository / ".github" / "workflows" / "tlcourse.yml").read_text())
    (step,) = [one for one in workflow["jobs"]["grade"]["steps"] if "run" in one]
    assert workflow["permissions"] == {"contents": "read"}
    (python,) = [one["with"] for one in workflow["jobs"]["grade"]["steps"] if "setup-python" in one.get("uses", "")]
    assert python == {"python-version": f"{sys.version_info.major}.{sys.version_info.minor}"}
    done = subprocess.run(step["run"], shell=True, cwd=repository, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")  # a runner reads two pipes in an order of its own
    lines = done.stderr.splitlines()
    stopped, commands = "", []
    for one in lines:  # as the runner reads them
        if stopped:
            stopped = "" if one == f"::{stopped}::" else stopped
        elif one.startswith("::stop-commands::"):
            stopped = one.removeprefix("::stop-commands::")
        elif one.lstrip().startswith("::") or "##[" in one:
            commands.append(one)
    assert "::set-output name=points::10" in done.stderr
    assert commands == [
        "::error file=line/helper.py,line=2,title=CRASH::ValueError in fit: 50 %25 |.",
    ]
    assert (
        repository / "output"
    ).read_text() == "line-outcome=crash\nline-passed=false\nline-points=0\nline-max_points=2\n"
    assert (repository / "summary").read_text().startswith("## ✗ line, Two lines: CRASH")


@pytest.mark.slow
def test_the_editors_matcher_finds_the_line_in_what_a_grading_prints(repository):
    path = begin_tasks("line", Path("line/solution.py"), EXAMPLE, repository)
    tasks = json.loads(path.read_text())["tasks"]
    assert begin_tasks("line", Path("line/solution.py"), EXAMPLE, repository) == path
    assert json.loads(path.read_text())["tasks"] == tasks
    (task,) = tasks
    command = [task["command"], *task["args"], "--threads", "1"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    pattern = task["problemMatcher"]["pattern"]
    found = [match for one in done.stdout.splitlines() if (match := re.search(pattern["regexp"], one))]
    assert [[match[pattern[name]] for name in ("file", "line", "message")] for match in found] == [
        ["line/helper.py", "2", "CRASH: ValueError in fit: 50 % |."]
    ]
    assert re.search(MATCHER["pattern"]["regexp"], "problem: course.yaml:3: what, and what was expected")
    path.write_text("// mine\n{}")
    assert begin_tasks("line", Path("line/solution.py"), None, repository) is None
    assert path.read_text() == "// mine\n{}"


def test_an_editor_is_set_up_for_a_course_and_what_stands_there_stays(tmp_path, here):
    (tmp_path / "mine" / ".vscode").mkdir(parents=True)
    settings = tmp_path / "mine" / ".vscode" / "settings.json"
    settings.write_text('{"editor.rulers": [76], "yaml.schemas": {"other.json": "other.yaml"}}')
    for _ in range(2):
        here("author", "schema", "--vscode", "mine")
    kept = json.loads(settings.read_text())
    assert kept["editor.rulers"] == [76]
    places = kept["yaml.schemas"]
    assert places["other.json"] == "other.yaml"
    assert places[".schemas/exercise.schema.json"] == "exercises/*/exercise.yaml"
    assert all((tmp_path / "mine" / schema).is_file() for schema in places if schema != "other.json")
    (task,) = json.loads((tmp_path / "mine" / ".vscode" / "tasks.json").read_text())["tasks"]
    (tmp_path / "mine" / "course.yaml").write_text("id: mine\ntitle: Mine\nunits: []\n")
    assert (task["command"], task["args"][:5]) == (sys.executable, ["-m", "tlcourse", "author", "check", "."])
    found = here("author", "check", "mine", *task["args"][5:], fails=2)
    pattern = task["problemMatcher"]["pattern"]["regexp"]
    (problem,) = [match for one in found.stdout.splitlines() if (match := re.search(pattern, one))]
    assert problem[1].endswith("mine/course.yaml")
    assert problem[2] == "3"
    tasks = tmp_path / "tasks" / ".vscode" / "tasks.json"
    tasks.parent.mkdir(parents=True)
    tasks.write_text('{"tasks": [{"type": "npm", "script": "test"}]}')  # a task needs no label
    assert begin_tasks("line", Path("solution.py"), None, tmp_path / "tasks") == tasks
    assert [one.get("label") for one in json.loads(tasks.read_text())["tasks"]] == [None, "tlcourse: grade line"]
    settings.write_text("// mine\n{}")
    assert "was left as it is" in here("author", "schema", "--vscode", "mine").stderr
    assert settings.read_text() == "// mine\n{}"
