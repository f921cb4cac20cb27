"""The walk of docs/authoring.md, done: its commands and changes in order, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WALK = Path(__file__).parents[2] / "docs" / "authoring.md"
FENCED = re.findall(r"^```(\w+)\n(.*?)^```$", WALK.read_text(encoding="utf-8"), re.M | re.S)
DRAWN = {"figure", "latex", "text"}
"""What a lesson may hold, and what is drawn of it: `tests/presenting` draws each and compares."""
BLOCKS = [(kind, text) for kind, text in FENCED if kind not in DRAWN]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder after the walk; each step must end with 0."""
    if shutil.which("patch") is None:
        pytest.skip("no patch on this machine: apt-get install patch")
    here = tmp_path_factory.mktemp("walk")
    home = tmp_path_factory.mktemp("home")
    shell = f'set -e\ntlcourse() {{ "{sys.executable}" -m tlcourse "$@"; }}\n'
    for kind, text in BLOCKS:
        text = re.sub(r"--seeds \d+", "--seeds 1", text)  # each trains the same once more
        command = ["patch", "-p0", "--fuzz=0"] if kind == "diff" else ["bash", "-s"]
        done = subprocess.run(
            command,
            input=text if kind == "diff" else shell + text,
            cwd=here,
            env={**os.environ, "TLCOURSE_HOME": str(home), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return here


def test_it_has_commands_and_changes_and_nothing_that_is_not_done():
    assert {kind for kind, _ in FENCED} == {"sh", "diff", *DRAWN}
    assert len(BLOCKS) >= 12


def test_a_lecturer_who_follows_it_has_changed_each_part_and_graded_a_class(walked, tl):
    assert "breakdown" in (walked / "robust" / "lessons" / "outliers.md").read_text()
    assert "0.3, 8.0" in (walked / "robust" / "graders" / "outliers.py").read_text()
    assert not list((walked / "handout").rglob("references"))
    book = walked / "marks.sqlite"
    report = tl("ta", "report", "outliers", "--gradebook", str(book), "--json", course=walked / "robust")
    rows = json.loads(report.stdout)
    text = json.dumps(rows)
    assert "first" in text
    assert "second" in text
    assert (walked / "feedback" / "feedback.zip").is_file()
