"""macOS and Windows, as far as they can be known from here: tlcourse finds itself there, the rest of Python does not.

No such machine was tried. What a faked system shows: that nothing is imported that is not there, and what is said where
something is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.grading.test_editions import restored

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "--help": 0,
    "lesson list": 0,
    "lesson show lora": 0,
    "quiz list": 0,
    "quiz take lora": 0,
    "search covariate": 0,
    "progress": 0,
    "exercise show ex2": 0,
    "exercise samples ex2 --count 1": 0,
    "init ex2": 0,
    "lab list": 0,
    "lab play coral": 0,
    "write init lora": 0,
    "config path": 0,
    "config set mine host=cluster": 0,
    "jobs list": 0,
    "author new mine": 0,
    "author check mine": 0,
    "doctor --json": 0,
    "ta report line --gradebook kept.sqlite": 0,
    "start": 2,
    "batch line handins --public-marks --gradebook own.sqlite": 3,
}
GRADED, TRUSTING = "grade line solution.py --json", "batch line handins --public-marks --i-trust-these-submissions"
WINDOWS = "Windows itself runs no solution, and sends none to a cluster; WSL does."


@pytest.fixture(scope="module", params=["darwin", "win32"])
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """The system, and how each command ended on it: status, stdout, stderr."""
    here = tmp_path_factory.mktemp("here")
    restored("gradebook", here / "kept.sqlite")
    (here / "handins").mkdir()
    for path in (here / "solution.py", here / "handins" / "ann.py"):
        shutil.copyfile(ROOT / "tests" / "example_course" / "graders" / "references" / "line.py", path)
    course = ["--course", str(ROOT / "tests" / "example_course")]
    lines = [*COMMANDS, GRADED]
    lines += [TRUSTING, "config check mine --json"] if request.param == "win32" else []
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "support" / "many_commands.py", request.param],
        cwd=here,
        input=json.dumps([[*line.split(), *(course if " line " in line else [])] for line in lines]),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TLCOURSE_HOME": str(here / "home"), "TLCOURSE_CONFIG": str(here / "config.yaml")},
    )
    return request.param, dict(zip(lines, json.loads(done.stdout), strict=True))


@pytest.mark.slow
def test_what_needs_no_sandbox_works(elsewhere):
    _, outcomes = elsewhere
    wrong = {line: outcomes[line] for line, status in COMMANDS.items() if outcomes[line][0] != status}
    assert wrong == {}


@pytest.mark.slow
def test_doctor_says_which_sandboxes_there_are_and_what_would_help(elsewhere):
    system, outcomes = elsewhere
    found = {one["name"]: one for one in json.loads(outcomes["doctor --json"][1])["findings"]}
    name = {"darwin": "macOS", "win32": "Windows"}[system]
    assert found["bubblewrap"]["detail"] == found["fork-server"]["detail"] == f"bubblewrap needs Linux, this is {name}"
    assert found["landlock"]["detail"] == f"Landlock needs Linux, this is {name}"
    assert found["none"]["works"] == (system == "darwin")
    assert ("WSL" in found["bubblewrap"]["remedy"]) == (system == "win32")


@pytest.mark.slow
def test_a_solution_is_graded_on_macos_without_a_sandbox_and_not_at_all_on_windows(elsewhere):
    system, outcomes = elsewhere
    status, out, errors = outcomes[GRADED]
    document = json.loads(out)
    if system == "darwin":
        assert (status, document["outcome"], document["points"]) == (0, "pass", 2.0), errors
        assert [one["sandbox"] for one in document["runs"]] == ["none"]
        assert "Runs without a sandbox, for your own code only: bubblewrap needs Linux, this is macOS" in str(document)
        return
    assert (status, document["error"]["what"]) == (3, WINDOWS)
    assert document["error"]["remedy"] == "install WSL (wsl --install), and tlcourse in it"
    assert outcomes["config check mine --json"][0] == 3


@pytest.mark.slow
def test_a_class_needs_a_sandbox_there_or_trust(elsewhere):
    system, outcomes = elsewhere
    refused = outcomes["batch line handins --public-marks --gradebook own.sqlite"][2]
    said = "this machine builds none: bubblewrap needs Linux, this is macOS." if system == "darwin" else WINDOWS
    assert said in refused
    assert "--sandbox landlock" not in refused
    assert ("--i-trust-these-submissions" in refused) == (system == "darwin")
    assert system == "darwin" or outcomes[TRUSTING][0] == 3
