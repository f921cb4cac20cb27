"""Commands say what they could not record, and end with the status that tells it; none shows a traceback."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tlcourse import paths
from tlcourse.errors import ExitCode
from tlcourse.student.record import Record


@pytest.fixture
def no_room(own_home):
    """No file grows beyond 6,000 bytes: to SQLite the disk is full."""
    with Record.open():
        pass
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_round_of_questions_goes_on_to_its_end_and_ends_as_a_fault_of_the_machine(here, monkeypatch, no_room):
    monkeypatch.setattr("sys.stdin", io.StringIO("a\n" * 60))
    ended = here("quiz", "take", "residual-connections", fails=ExitCode.INFRA)
    assert "of 11 right" in ended.stdout
    assert ended.stderr.count("the disk is full") == 1
    assert re.search(r"[1-9]\d* things that you did could not be recorded", ended.stderr)  # the first may still fit
    assert "Traceback" not in ended.stderr


def test_a_round_waits_for_another_process_at_its_end_and_then_all_of_it_is_written(here, monkeypatch):
    with Record.open():
        pass
    other = sqlite3.connect(paths.record_file(), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def answers() -> Iterator[str]:
        yield from ("a\n", "a\n")
        other.execute("ROLLBACK")
        yield ""

    given = answers()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=lambda: next(given), isatty=lambda: False))
    with contextlib.closing(other):
        ended = here("quiz", "take", "residual-connections", fails=ExitCode.OK)
    assert ended.stderr.count("is in use") == 1
    with Record.open() as record:
        assert len(record.latest_answers("transfer-learning", "residual-connections")) > 0


def test_a_lesson_is_shown_though_it_cannot_be_marked_as_read(here, own_home):
    shutil.rmtree(own_home)
    own_home.write_text("no folder")
    ended = here("lesson", "show", "fine-tuning", fails=ExitCode.OK)
    assert "Fine-tuning" in ended.stdout
    assert "cannot be written" in ended.stderr
    own_home.unlink()


@pytest.mark.parametrize(
    "command", ["lesson list", "progress", "quiz list", "quiz review --list", "lab list", "write list", "search lora"]
)
def test_what_only_shows_shows_it_where_nothing_can_be_written(here, own_home, command):
    shutil.rmtree(own_home)
    own_home.write_text("no folder")
    ended = here(*command.split(), fails=ExitCode.OK)
    assert ended.stdout
    assert "Traceback" not in ended.stderr
    own_home.unlink()


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        ("config theme light", "export TLCOURSE_CONFIG=FILE"),
        ("config set moon host=moon", "export TLCOURSE_CONFIG=FILE"),
        ("data get bsds500 --from .", "export TLCOURSE_HOME=FOLDER"),
        ("ta secret new", "--secret FILE"),
        ("ta extend ex1 A --days 2 --why ill", "--gradebook FILE"),
    ],
)
def test_what_is_kept_in_a_home_that_cannot_be_written_ends_with_3_and_says_where_else(
    here, own_home, monkeypatch, command, remedy
):
    shutil.rmtree(own_home)
    own_home.write_text("no folder")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(own_home / "config.yaml"))
    ended = here(*command.split(), fails=ExitCode.UNABLE)
    assert re.search("cannot be (written|made)|could not be written", ended.stderr)
    assert remedy in ended.stderr
    assert "itself failed" not in ended.stderr
    own_home.unlink()


def test_a_new_course_is_made_though_it_cannot_be_kept_that_its_programs_may_run(here, own_home, tmp_path):
    shutil.rmtree(own_home)
    own_home.write_text("no folder")
    here("author", "new", str(tmp_path / "mine"), fails=ExitCode.OK)
    assert (tmp_path / "mine" / "course.yaml").is_file()
    own_home.unlink()
