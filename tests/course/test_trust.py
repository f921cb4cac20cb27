"""A course is code: whoever gives its folder agrees once, and again when somebody else has written to it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
import typer

from tlcourse.cli.main import main
from tlcourse.course import trust

EXAMPLE = Path(__file__).parent.parent / "example_course"


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """A course of somebody, which nobody agreed to."""
    monkeypatch.delenv("TLCOURSE_TRUST_COURSE")
    return Path(shutil.copytree(EXAMPLE, tmp_path / "course"))


@pytest.fixture
def tlcourse(monkeypatch, capsys):
    """`tlcourse("lesson", "list")`: exit status, what was printed, and what was said to a person."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tlcourse", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def answers(monkeypatch):
    """A person at a terminal, who gives these answers; the questions that they were asked."""
    asked: list[str] = []

    def sits_there(*given: bool) -> list[str]:
        remaining = list(given)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question) or remaining.pop(0))
        return asked

    return sits_there


def test_the_hand_out_of_a_course_that_was_agreed_to_is_looked_at_without_being_asked_again(course, tlcourse, tmp_path):
    copy = tmp_path / "copy"
    assert tlcourse("author", "hand-out", course, copy, "--trust-course")[0] == 0
    assert tlcourse("lesson", "list", "--course", copy)[0] == 0


@pytest.mark.parametrize(
    "command", [["lesson", "list", "--course"], ["author", "check"], ["ta", "fairness", "--course"]]
)
def test_where_nobody_can_be_asked_it_is_refused_before_anything_of_it_runs(course, tlcourse, command):
    (course / "graders" / "line.py").write_text(f"open({str(course / 'ran')!r}, 'w')")
    code, printed, said = tlcourse(*command, course, "--json")
    assert code == 2
    assert f"{course} is a course with graders of its own" in said
    assert "A course is code: its graders run as you, outside every sandbox" in said
    assert "--trust-course" in json.loads(printed)["error"]["remedy"]
    assert not (course / "ran").exists()


def test_a_person_is_asked_once_for_each_course(course, tlcourse, answers, tmp_path):
    asked = answers(True, False)
    assert tlcourse("lesson", "list", "--course", course)[0] == 0
    assert tlcourse("author", "check", course)[0] == 0
    assert asked == ["Do you trust who wrote it?"]
    other = shutil.copytree(course, tmp_path / "other")
    assert tlcourse("lesson", "list", "--course", other)[0] == 2
    assert len(asked) == 2


def test_a_script_says_it_beforehand_by_an_option_or_a_variable(course, tlcourse, monkeypatch):
    assert tlcourse("lesson", "list", "--course", course, "--trust-course")[0] == 0
    assert tlcourse("lesson", "list", "--course", course)[0] == 0
    shutil.rmtree(course.parent / "course" / "graders")
    shutil.copytree(EXAMPLE, course.parent / "other")
    assert tlcourse("lesson", "list", "--course", course.parent / "other")[0] == 2
    monkeypatch.setenv("TLCOURSE_TRUST_COURSE", "1")
    assert tlcourse("lesson", "list", "--course", course.parent / "other")[0] == 0


def test_ones_own_course_and_one_without_programs_need_no_agreement(tlcourse, course, tmp_path):
    assert tlcourse("author", "new", tmp_path / "mine")[0] == 0
    assert tlcourse("lesson", "list", "--course", tmp_path / "mine")[0] == 0
    shutil.rmtree(course / "graders")  # what students get
    assert tlcourse("lesson", "list", "--course", course)[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to somebody else")
def test_it_is_asked_again_once_somebody_else_has_put_a_program_there(course):
    trust.agree(course)
    (course / "graders" / "more.py").write_text("")
    assert trust.is_agreed(course)
    below = course / "graders" / "beside" / "imported.py"
    below.parent.mkdir()
    below.write_text("")
    assert trust.is_agreed(course)
    for path in (below, course / "graders" / "more.py"):
        os.chown(path, 64999, 64999)
        assert not trust.is_agreed(course)
        assert "user 64999" in trust.question(course)
        os.chown(path, 0, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
def test_graders_that_cannot_be_listed_are_asked_about_as_they_can_be_run(course):
    with tempfile.TemporaryDirectory() as folder:
        hidden = Path(shutil.copytree(course, Path(folder) / "course"))
        Path(folder).chmod(0o755)
        (hidden / "graders").chmod(0o711)
        os.seteuid(64999)
        try:
            assert (hidden / "graders" / "line.py").read_text()
            assert not trust.is_agreed(hidden)
        finally:
            os.seteuid(0)


def test_an_interrupted_question_ends_as_interrupted_and_what_it_names_is_harmless(
    course, tlcourse, monkeypatch, answers
):
    answers()

    def interrupted(*_, **__):
        raise typer.Abort

    monkeypatch.setattr("typer.confirm", interrupted)
    odd = shutil.copytree(course, course.parent / "a\x1b[2Jcourse")
    code, _, said = tlcourse("lesson", "list", "--course", odd)
    assert code == 130
    assert "acourse is a course with graders of its own" in said
