"""`tlcourse quiz export` and `import`, from file to file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import yaml

COURSE = Path(__file__).parent.parent / "question_course"


@pytest.mark.parametrize("form", ["gift", "brightspace", "json", "qti12", "qti21"])
def test_an_exported_quiz_is_imported_as_the_file_it_came_from(tl, tmp_path, form):
    target = tmp_path / "out" / "kinds.txt"
    written = tl("quiz", "export", "--format", form, "--out", str(target), "--json", course=COURSE)
    assert json.loads(written.stdout)["questions"] == 9
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


def test_another_format_is_named_and_utf_16_is_read(tl, tmp_path):
    aiken = "What?\nA. a\nB. b\nANSWER: A\n"
    (tmp_path / "quiz.txt").write_text(aiken, encoding="utf-16")
    refused = tl("quiz", "import", "quiz.txt", "--format", "gift", course=None)
    assert refused.returncode == 2
    assert "quiz.txt is Aiken, and was to be read as GIFT." in refused.stderr
    assert "--format aiken" in refused.stderr
    about = ("--objective", "o", "--section", "u#s", "--reason", "See there.", "--json")
    read = tl("quiz", "import", "quiz.txt", "--format", "aiken", *about, course=None)
    assert json.loads(read.stdout)["lost"] == []
    assert "What?" in (tmp_path / "quiz.yaml").read_text()


def test_with_strict_nothing_is_written_where_something_is_lost(tl, tmp_path):
    (tmp_path / "q.gift").write_text("Only a text.\n\nWhat? {=a#r ~b#r}\n")
    about = ("q.gift", "--format", "gift", "--objective", "o", "--section", "u#s")
    refused = tl("quiz", "import", *about, "--strict", course=None)
    assert refused.returncode == 2
    assert "q.gift:1: a question is left out: a description, which asks nothing" in refused.stderr
    assert not list(tmp_path.glob("*.yaml"))
    taken = tl("quiz", "import", *about, course=None)
    assert taken.returncode == 0
    assert "q.gift:1: a question is left out" in taken.stderr


def test_a_package_is_unpacked_as_warily_as_a_hand_in(tl, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.writestr("../../quiz.xml", "<questestinterop/>")
    refused = tl("quiz", "import", "evil.zip", "--format", "qti12", course=None)
    assert refused.returncode == 2
    assert "quiz.xml is refused" in refused.stderr
    assert tl("quiz", "export", "kinds", "--format", "qti12", course=COURSE).returncode == 2
