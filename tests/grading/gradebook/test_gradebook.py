"""The gradebook: appended and never changed, one writer, and one message for each thing that can go wrong."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import overridden, result

from tlcourse.errors import InfraError, UnableError, UsageError
from tlcourse.grading.batch.state import state_of
from tlcourse.grading.gradebook import file
from tlcourse.grading.gradebook.attempts import add_attempts, attempts
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import selected, targets_of
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord


def batch(exercise="line"):
    return BatchRecord(0, exercise, "mini", "/somewhere", "folders", 2.0, "given", "s", "f", "g", {}, {}, "sofie", "")


def handin(key, *members, owner="", kind="group"):
    return HandInRecord(0, 0, key, owner or key.title(), kind, list(members), f"folder of {key}", "/somewhere", "")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "gradebook.sqlite"


@pytest.fixture
def book(path):
    with Gradebook.writing(path, "a test") as opened:
        opened.begin_batch(batch(), [handin("red", "p1", "p2"), handin("blue", "p3", "p4")])
        yield opened


def test_nothing_that_was_recorded_can_be_changed_or_removed(book, path):
    book.record(1, 0, result("fail", 1.0), "missed: y")
    overridden(book, "red", 2.0, who="sofie", why="late")
    with sqlite3.connect(path) as db:
        for statement in (
            "UPDATE results SET points = 9",
            "DELETE FROM results",
            "UPDATE overrides SET points = 9",
            "DELETE FROM documents",
            "UPDATE batches SET fingerprint = ''",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                db.execute(statement)


def test_a_second_final_result_in_one_round_is_refused_and_leaves_nothing_behind(book):
    book.record(1, 0, result(), "")
    with pytest.raises(sqlite3.IntegrityError):
        book.record(1, 0, result("fail", 0.0), "")
    assert [verdict.outcome for verdict in book.history(1)] == ["pass"]
    assert book.pass_rates(1) == [("y", "Error of y", 1, 1, [0.5])]


def test_the_latest_final_round_counts_and_a_fault_of_ours_replaces_no_verdict(book):
    book.record(1, 0, result("fail", 1.0), "")
    number = book.begin_regrade(1, [1], selection="fail", who="sofie", why="the bar was wrong")
    book.record(1, number, result("infra", 0.0), "")
    assert book.verdicts(1)[1].outcome == "fail"
    assert [one.id for one in book.open_handins(1, number)] == [1]
    book.record(1, number, result("pass", 2.0), "")
    assert book.verdicts(1)[1].outcome == "pass"
    assert book.open_handins(1, number) == []
    assert book.regrades(1)[0].why == "the bar was wrong"


def test_a_batch_that_goes_on_leaves_alone_what_a_regrade_has_settled(book):
    book.record(1, 0, result("infra", 0.0), "")
    number = book.begin_regrade(1, [1], selection="infra", who="sofie", why="")
    book.record(1, number, result("pass", 2.0), "")
    assert [one.id for one in book.open_handins(1)] == [2]


def second_attempt(book):
    """Red's, which came with a later download; its round."""
    (red, _) = book.handins(1)
    newer = replace(red, folder_name="red again", path="/later", submitted_at="2025-10-04T09:07:00", twins=["red too"])
    return add_attempts(book, 1, [newer], who="sofie", why="late.zip")


def test_a_newer_attempt_counts_from_when_it_comes_in_and_the_earlier_one_stays_in_the_history(book):
    book.record(1, 0, result("fail", 1.0), "missed: y")
    book.record(2, 0, result("pass", 2.0), "")
    number = second_attempt(book)
    (red, blue) = book.statuses(book.batch(1))
    assert (red.outcome, red.points, blue.points) == ("waiting", None, 2.0)
    assert (red.handin.folder_name, red.handin.path, red.handin.twins) == ("red again", "/later", ["red too"])
    assert (red.handin.attempt, red.handin.round, red.handin.members) == (2, number, ["p1", "p2"])
    assert [one.id for one in book.open_handins(1)] == [1]
    assert state_of(book, book.batch(1)).waiting == 1
    book.record(1, number, result("infra", 0.0), "")
    assert (book.verdicts(1)[1].outcome, [one.id for one in book.open_handins(1)]) == ("infra", [1])
    book.record(1, number, result("pass", 2.0), "")
    assert (book.statuses(book.batch(1))[0].points, book.open_handins(1)) == (2.0, [])
    assert [verdict.outcome for verdict in book.history(1)] == ["fail", "infra", "pass"]
    (one,) = attempts(book, 1)
    assert (one.owner, one.number, one.folder_name, one.before, one.points_before, one.who, one.why) == (
        *("Red", 2, "red again", "fail", 1.0, "sofie", "late.zip"),
    )
    assert book.pass_rates(1) == [("y", "Error of y", 2, 2, [0.5, 0.5])]


def test_a_regrade_counts_over_the_attempt_that_it_graded_and_not_over_a_newer_one(book):
    book.record(1, 0, result("fail", 1.0), "")
    before = book.begin_regrade(1, [1], selection="red", who="sofie", why="")
    number = second_attempt(book)
    assert book.unfinished_regrade(1).id == before
    book.record(1, before, result("pass", 2.0), "")
    assert book.statuses(book.batch(1))[0].outcome == "waiting"
    book.record(1, number, result("fail", 0.5), "")
    assert (book.statuses(book.batch(1))[0].points, book.statuses(book.batch(1))[0].regrade) == (0.5, 0)
    after = book.begin_regrade(1, [1], selection="red", who="sofie", why="")
    book.record(1, after, result("fail", 1.5), "")
    assert (book.statuses(book.batch(1))[0].points, book.statuses(book.batch(1))[0].regrade) == (1.5, after)
    assert [one.id for one in book.regrades(1)] == [before, after]


def test_an_override_survives_a_regrade_and_can_be_withdrawn(book):
    book.record(1, 0, result("fail", 1.0), "")
    overridden(book, "red", 1.5, who="sofie", why="the right idea")
    number = book.begin_regrade(1, [1], selection="red", who="sofie", why="")
    book.record(1, number, result("fail", 0.0), "")
    (red, _) = book.statuses(book.batch(1))
    assert red.points == 1.5
    assert (red.override.who, red.override.why) == ("sofie", "the right idea")
    assert red.override.at
    overridden(book, "red", None, who="sofie", why="no")
    assert book.statuses(book.batch(1))[0].points == 0.0


def test_one_members_override_leaves_the_others_the_groups_points(book):
    book.record(1, 0, result("pass", 2.0), "")
    handins = book.handins(1)
    (target,) = targets_of(handins, [], {}, "P2")
    overridden(book, target, 0.5, who="sofie", why="did not take part")
    red = book.statuses(book.batch(1))[0]
    assert (red.points_of("p1"), red.points_of("p2")) == (2.0, 0.5)


def test_batches_and_exercises_stand_side_by_side(book):
    book.begin_batch(batch("stars"), [handin("red", "p1", "p2")])
    book.begin_batch(batch(), [handin("red", "p1", "p2")])
    assert [b.exercise for b in book.batches()] == ["line", "stars", "line"]
    assert book.latest_batch("line").id == 3
    with pytest.raises(UsageError, match="No batch of moons"):
        book.latest_batch("moons")


@pytest.mark.parametrize(
    ("word", "means"), [("red", "red"), ("RED", "red"), ("folder of blue", "blue"), ("p3", "blue")]
)
def test_a_word_of_the_staff_means_one_hand_in(book, word, means):
    statuses = selected(book.statuses(book.batch(1)), word)
    assert [status.handin.key for status in statuses] == [means]


def test_a_word_that_means_nobody_says_who_was_near(book):
    with pytest.raises(UsageError) as found:
        targets_of(book.handins(1), [], {}, "re")
    assert "Red" in found.value.cause
    with pytest.raises(UsageError, match="ended as crash"):
        selected(book.statuses(book.batch(1)), "crash")


def test_a_second_writer_is_told_who_writes_and_a_reader_is_not_kept_out(book, path):
    with pytest.raises(InfraError, match=r"in use by a test \(process \d+\)"), Gradebook.writing(path, "me", 0.1):
        pass
    with Gradebook.reading(path) as reader:
        assert len(reader.batches()) == 1


def test_another_program_that_holds_the_file_is_named_as_the_cause(path):
    with Gradebook.writing(path, "a test", wait_s=0.1) as book:
        book.begin_batch(batch(), [handin("red", "p1", "p2")])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InfraError, match="in use"):
            book.record(1, 0, result(), "")
        other.rollback()
        other.close()
        book.record(1, 0, result(), "")


def test_a_damaged_gradebook_is_left_as_it_is_and_the_message_brings_the_copy_back(path, tmp_path):
    with Gradebook.writing(path, "a test") as book:
        book.begin_batch(batch(), [handin("red", "p1")])
        book.keep_copy()
    data = bytearray(path.read_bytes())
    data[100:6000] = b"\xff" * 5900
    path.write_bytes(data)
    for opened in (Gradebook.reading(path), Gradebook.writing(path, "a test")):
        with pytest.raises(InfraError, match="damaged") as found, opened as book:
            book.batches()
    assert path.read_bytes() == bytes(data)
    import subprocess

    commands = found.value.remedy.split(" – ")[0]
    subprocess.run(["sh", "-c", commands], check=True)
    with Gradebook.writing(path, "a test") as book:
        assert book.handins(1)[0].key == "red"


def test_a_file_that_is_no_gradebook_is_never_written_to(tmp_path):
    other = tmp_path / "progress.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE reads (x)")
    with pytest.raises(UsageError, match="not a gradebook"), Gradebook.writing(other, "a test"):
        pass
    text = tmp_path / "notes.txt"
    text.write_text("no database at all, and long enough to be looked at by SQLite" * 20)
    with pytest.raises(InfraError), Gradebook.writing(text, "a test"):
        pass
    assert text.read_text().startswith("no database")


def test_a_gradebook_of_a_newer_version_is_left_alone(book, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(UsageError, match="newer"), Gradebook.reading(path):
        pass


def test_marks_are_for_their_owners_eyes_alone(book, path):
    book.keep_copy()
    for name in ("gradebook.sqlite", "gradebook.sqlite-wal", "gradebook.sqlite.copy", "gradebook.sqlite.lock"):
        assert path.with_name(name).stat().st_mode & 0o077 == 0, name


def test_looking_into_a_gradebook_needs_one(tmp_path):
    with pytest.raises(UsageError, match="no gradebook"):
        file.must_exist(tmp_path / "h")


def test_who_may_not_write_reads_it_as_it_stands_and_leaves_nothing_beside_it(path, monkeypatch):
    with Gradebook.writing(path, "a test") as opened:
        opened.begin_batch(batch(), [handin("red", "p1")])
    beside = sorted(one.name for one in path.parent.iterdir())
    monkeypatch.setattr("os.access", lambda _, mode: mode == os.R_OK)
    with Gradebook.reading(path) as book:
        assert [one.owner for one in book.handins(1)] == ["Red"]
        assert sorted(one.name for one in path.parent.iterdir()) == beside
    path.with_name(path.name + "-wal").write_bytes(b"what came last")
    with pytest.raises(UnableError, match="cannot be read by this account") as caught, Gradebook.reading(path):
        pass
    assert "ended without closing it" in caught.value.cause
    assert "ta merge" in caught.value.remedy


def test_a_lock_of_another_account_is_named(path, monkeypatch):
    path.with_name(path.name + ".lock").touch()

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refused)
    with pytest.raises(InfraError, match="Permission denied") as caught, Gradebook.writing(path, "a test"):
        pass
    assert f"{path}.lock belongs to another account" in caught.value.cause


def test_a_gradebook_in_a_groups_folder_says_that_its_hand_ins_are_not_shared(book, path, monkeypatch):
    """The file itself may be the group's to write: then each hand-in would fail alone, one after another."""
    handins = path.with_name(path.name + ".handins")
    handins.mkdir(mode=0o700)
    access = os.access
    monkeypatch.setattr("os.access", lambda name, mode: Path(name) != handins and access(name, mode))
    with pytest.raises(InfraError, match="could not be opened for writing") as caught, Gradebook.writing(path, "b"):
        pass
    assert f"{handins} belongs to another account" in caught.value.cause
    assert "tlcourse ta merge" in caught.value.remedy
