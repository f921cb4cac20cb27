"""`tlcourse quiz export` and `import`, from file to file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

COURSE = Path(__file__).parent.parent / "question_course"


@pytest.mark.parametrize("form", ["gift", "brightspace", "json"])
def test_an_exported_quiz_is_imported_as_the_file_it_came_from(tl, tmp_path, form):
    target = tmp_path / "out" / "kinds.txt"
    written = tl("quiz", "export", "--format", form, "--out", str(target), "--json", course=COURSE)
    assert json.loads(written.stdout)["questions"] == 8
    read = tl("quiz", "import", str(target), "--format", form, "--to", str(tmp_path / "in"), course=None)
    assert read.returncode == 0, read.stderr
    original = yaml.safe_load((COURSE / "quizzes" / "kinds.yaml").read_text())
    imported = yaml.safe_load((tmp_path / "in" / "kinds.yaml").read_text())
    assert [q["prompt"] for q in imported["questions"]] == [q["prompt"] for q in original["questions"]]
    again = tl("quiz", "import", str(target), "--format", form, "--to", str(tmp_path / "in"), course=None)
    assert again.returncode == 2
    assert "already exists" in again.stderr


def test_what_the_other_program_will_do_otherwise_is_said(tl):
    written = tl("quiz", "export", "kinds", "--format", "brightspace", course=COURSE)
    assert "1 numeric question must be given exactly" in written.stderr
    assert "NewQuestion,MC" in written.stdout
    assert tl("quiz", "export", "nothing", "--format", "gift", course=COURSE).returncode == 2


def test_a_file_without_reasons_is_refused_and_nothing_is_written(tl, tmp_path):
    (tmp_path / "foreign.gift").write_text("What? {=a ~b}\n")
    refused = tl("quiz", "import", "foreign.gift", "--format", "gift", course=None)
    assert refused.returncode == 2
    assert "foreign.gift:1" in refused.stderr
    assert not list(tmp_path.glob("*.yaml"))
    assert tl("quiz", "import", "gone.gift", "--format", "gift", course=None).returncode == 2
