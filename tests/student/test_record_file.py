"""A record that cannot be written goes on in memory: nothing that was read or answered is lost while it is open."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest
from disks import mounted

from tlcourse import paths
from tlcourse.errors import InfraError
from tlcourse.student.record import Record

BEFORE, AFTER = {"before"}, {"before", "after"}


def on_disk():
    with Record.open() as record:
        return record.read_units("c"), record.latest_answers("c", "quiz")


@pytest.fixture
def disk(tmp_path, monkeypatch):
    with mounted(tmp_path / "disk") as small:
        monkeypatch.setenv("TLCOURSE_HOME", str(small.folder))
        yield small


@contextlib.contextmanager
def held_by_another(*, alone: bool = False):
    """`alone`: nobody else may even read it."""
    with contextlib.closing(sqlite3.connect(paths.record_file(), isolation_level=None)) as other:
        if alone:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_full_disk_keeps_what_is_done_in_memory_and_writes_it_when_there_is_room(disk):
    told: list[str] = []
    with Record.open(tell=told.append) as record:
        record.mark_read("c", "before")
        disk.fill()
        for number in range(60):
            record.record_answer("c", "quiz", f"q{number}", "x" * 500, correct=True)
        assert len(told) == 1
        assert "Likely cause: the disk is full" in told[0]
        assert "Fix: make room" in told[0]
        assert record.unwritten == 60
        assert record.read_units("c") == BEFORE
        assert len(record.latest_answers("c", "quiz")) == 60
        assert not record.try_again()
        disk.make_room()
        assert record.try_again()
        assert record.unwritten == 0
        assert len(record.latest_answers("c", "quiz")) == 60
    units, answers = on_disk()
    assert units == BEFORE
    assert len(answers) == 60


def test_a_disk_that_is_full_from_the_beginning_is_said_and_what_was_done_on_it_is_written_at_the_end(disk):
    disk.fill()
    told: list[str] = []
    record = Record.open(tell=told.append)
    assert "the disk is full" in record.notice
    record.mark_read("c", "before")
    assert record.unwritten == 1
    disk.make_room()
    record.close()
    assert record.unwritten == 0
    assert on_disk()[0] == BEFORE


def test_what_could_not_be_written_until_the_end_is_counted(disk):
    disk.fill()
    record = Record.open(tell=lambda said: None)
    record.mark_read("c", "before")
    record.mark_read("c", "after")
    record.close()
    assert record.unwritten == 2
    assert "2 things that you did could not be recorded" in record.lost().what


def test_a_read_only_disk_shows_what_was_done_before(disk):
    with Record.open() as record:
        record.mark_read("c", "before")
    disk.read_only()
    with Record.open(tell=lambda said: None) as record:
        assert "may not be written to" in record.notice
        assert record.read_units("c") == BEFORE
        record.mark_read("c", "after")
        assert record.read_units("c") == AFTER


def test_a_damaged_file_that_cannot_be_moved_aside_costs_the_record_and_nothing_else(disk):
    (disk.folder / "progress.sqlite").write_bytes(b"no database" * 1000)
    disk.read_only()
    with Record.open() as record:
        assert "may not be written to" in record.notice
        record.mark_read("c", "after")
        assert record.read_units("c") == {"after"}


def test_a_file_that_another_process_holds_is_written_once_it_is_let_go():
    told: list[str] = []
    with Record.open(tell=told.append) as record:
        record.mark_read("c", "before")
        with held_by_another():
            record.mark_read("c", "after")
            record.mark_read("c", "after")
            assert record.read_units("c") == AFTER
            assert len(told) == 1
            assert "is in use" in told[0]
        assert record.try_again()
        assert on_disk()[0] == AFTER


def test_a_file_that_is_held_from_the_beginning_is_read_meanwhile():
    with Record.open() as record:
        record.mark_read("c", "before")
    with held_by_another(alone=True):
        record = Record.open(wait_s=0.05, tell=lambda said: None)
        assert "is in use" in record.notice
        assert record.read_units("c") == BEFORE
        record.mark_read("c", "after")
        with pytest.raises(InfraError, match="in use"):
            Record.open(wait_s=0.05)
    record.close()
    assert on_disk()[0] == AFTER


def test_what_another_process_wrote_meanwhile_stays(own_home):
    with Record.open(tell=lambda said: None) as record:
        record.record_answer("c", "quiz", "one", 0, correct=True)
        with contextlib.closing(sqlite3.connect(paths.record_file(), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            record.record_answer("c", "quiz", "two", 0, correct=True)
            other.execute("INSERT INTO answers VALUES (2, 'c', 'quiz', 'three', '0', 1, '2026-01-01')")
            other.execute("COMMIT")
        assert record.try_again()
        assert record.latest_answers("c", "quiz").keys() == {"one", "two", "three"}


def test_a_record_that_was_removed_with_its_folder_is_written_anew_with_all_it_held(own_home):
    told: list[str] = []
    with Record.open(tell=told.append) as record:
        seed = record.seed("c")
        record.mark_read("c", "before")
        shutil.rmtree(own_home)
        record.mark_read("c", "after")
        assert record.unwritten == 0
        assert on_disk()[0] == AFTER
        assert record.seed("c") == seed
    assert "removed or replaced" in told[0]


def test_a_record_that_was_replaced_by_an_older_one_gets_what_is_new(own_home):
    with Record.open() as record:
        record.mark_read("c", "before")
    shutil.copy(own_home / "progress.sqlite", own_home / "backup")
    with Record.open(tell=lambda said: None) as record:
        (own_home / "backup").replace(own_home / "progress.sqlite")
        for rest in own_home.glob("progress.sqlite-*"):
            rest.unlink()
        record.mark_read("c", "after")
    assert on_disk()[0] == AFTER


def test_a_folder_that_became_a_file_costs_nothing_that_is_open(own_home):
    with Record.open(tell=lambda said: None) as record:
        record.mark_read("c", "before")
        shutil.rmtree(own_home)
        own_home.write_text("")
        record.mark_read("c", "after")
        assert record.read_units("c") == AFTER
        assert record.unwritten == 1
        own_home.unlink()
    assert on_disk()[0] == AFTER


def test_a_file_that_is_damaged_while_it_is_open_is_said(own_home):
    told: list[str] = []
    with Record.open(tell=told.append) as record:
        record.mark_read("c", "before")
        for file in own_home.glob("progress.sqlite*"):
            size = file.stat().st_size
            with file.open("r+b") as stream:
                stream.write(b"\xff" * size)
        record.mark_read("c", "after")
        assert "after" in record.read_units("c")
    assert told
