"""The student's record: nothing is lost by a crash, a damaged file, a full disk, or two commands at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tlcourse import paths
from tlcourse.course.loader import load_course
from tlcourse.errors import InfraError, UsageError
from tlcourse.presenting.overview import lines, markdown
from tlcourse.student.overview import overview
from tlcourse.student.record import Record

RESULT = {
    "exercise": "line",
    "outcome": "fail",
    "points": 1.0,
    "max_points": 2.0,
    "submission": {"path": "solution.py", "sha256": "0" * 64},
}


def test_what_was_recorded_is_there_the_next_time():
    with Record.open() as record:
        record.mark_read("c", "unit")
        record.keep_position("c", "unit", 0.5)
        record.keep_place("c", "lesson/unit")
        record.record_answer("c", "quiz", "one", [0, 2], correct=True)
        record.record_attempt("c", RESULT)
        record.take_hint("c", "line", 2)
    with Record.open() as record:
        assert record.read_units("c") == {"unit"}
        assert record.position("c", "unit") == 0.5
        assert record.place("c") == "lesson/unit"
        assert record.latest_answers("c", "quiz") == {"one": True}
        assert [attempt.result for attempt in record.attempts("c", "line")] == [RESULT]
        with Record.open() as other:  # another process grades meanwhile
            other.record_attempt("c", {**RESULT, "outcome": "pass"})
        assert [attempt.outcome for attempt in record.attempts("c", "line")] == ["fail", "pass"]
        assert record.hints_taken("c", "line") == 2
        assert record.read_units("another course") == set()


def test_of_two_gradings_at_once_each_attempt_keeps_its_own_code():
    begin = threading.Barrier(4)

    def grades(own: int) -> None:
        with Record.open() as record:
            begin.wait()
            for number in range(25):
                record.record_attempt("c", {**RESULT, "points": own + number / 100}, f"code = {own + number / 100}")

    graders = [threading.Thread(target=grades, args=(own,)) for own in range(4)]
    for one in graders:
        one.start()
    for one in graders:
        one.join()
    with Record.open() as record:
        points = {one.number: one.points for one in record.attempts("c", "line")}
        codes = record.codes("c", "line", last=100)
    assert len(points) == 100
    assert codes == {number: f"code = {got}" for number, got in points.items()}


def test_the_latest_answer_counts_and_earlier_ones_are_kept():
    with Record.open() as record:
        for correct in (True, False):
            record.record_answer("c", "quiz", "one", 0, correct=correct)
        assert record.latest_answers("c", "quiz") == {"one": False}
    with contextlib.closing(sqlite3.connect(paths.record_file())) as file:
        assert file.execute("SELECT COUNT(*) FROM answers").fetchone() == (2,)


def test_the_best_attempt_counts_and_our_own_faults_do_not():
    with Record.open() as record:
        for outcome, points in (("fail", 1.0), ("pass", 2.0), ("crash", 0.0), ("infra", 0.0)):
            record.record_attempt("c", {**RESULT, "outcome": outcome, "points": points})
        assert record.best_attempts("c") == {"line": ("pass", 2.0, 2.0, 3)}


def test_a_kill_at_any_moment_loses_no_answer_that_was_acknowledged(own_home):
    script = (
        "import sys\nfrom tlcourse.student.record import Record\nrecord = Record.open()\n"
        "for number in range(10**6):\n"
        "    record.record_answer('c', 'quiz', f'q{number}', 0, correct=True)\n    print(number, flush=True)\n"
    )
    for round_ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, env={**os.environ, "TLCOURSE_HOME": str(own_home)}
        )
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(5 + 17 * round_)]
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        last = int((b"".join(said) + rest).split(b"\n")[-2])
        with Record.open() as record:
            assert len(record.latest_answers("c", "quiz")) >= last + 1


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_moved_aside_and_said_so(own_home, damage):
    path = own_home / "progress.sqlite"
    path.write_bytes(damage)
    with Record.open() as record:
        assert "moved to" in record.notice
        record.mark_read("c", "unit")
    assert (own_home / "progress.sqlite.damaged1").read_bytes() == damage
    with Record.open() as record:
        assert record.notice == ""
        assert record.read_units("c") == {"unit"}


def test_a_folder_that_cannot_be_made_costs_the_record_and_not_the_lesson(tmp_path):
    (tmp_path / "file").write_text("")
    with Record.open(tmp_path / "file" / "progress.sqlite") as record:
        assert "cannot be written" in record.notice
        record.mark_read("c", "unit")
        assert record.read_units("c") == {"unit"}


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_an_older_record_is_brought_forward_and_keeps_what_it_knows(own_home, version):
    with Record.open() as record:
        record.mark_read("c", "unit")
    with sqlite3.connect(own_home / "progress.sqlite") as db:
        for table in ("codes", "predictions", "student", "cards")[: 5 - version]:
            db.execute(f"DROP TABLE {table}")
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    with Record.open() as record:
        assert record.read_units("c") == {"unit"}
        assert record.seed("c") >= 0
        record.record_prediction("c", "dann", "More", correct=False)
        record.record_prediction("c", "dann", "As many", correct=True)
        assert record.predictions("c") == {"dann": ("As many", True)}
        assert record.cards("c") == []


def test_a_record_of_a_newer_version_is_left_alone(own_home):
    with Record.open():
        pass
    with sqlite3.connect(own_home / "progress.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(UsageError, match="newer"):
        Record.open()


def test_a_record_that_another_process_holds_gives_one_message(own_home):
    with Record.open(wait_s=0.1) as record:
        other = sqlite3.connect(own_home / "progress.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InfraError, match="in use"):
            record.mark_read("c", "unit")
        other.execute("ROLLBACK")
        other.close()
        record.mark_read("c", "unit")


def test_many_first_commands_at_once_make_one_record(own_home):
    failures: list[BaseException] = []

    def visit(number: int) -> None:
        try:
            with Record.open() as record:
                record.mark_read("c", f"unit{number}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Record.open() as record:
        assert len(record.read_units("c")) == 8


def test_the_overview_counts_what_is_done_and_names_what_comes_next():
    course = load_course(None)
    name = course.about.id
    with Record.open() as record:
        assert overview(course, record).next == "lesson/practicalities"
        record.mark_read(name, "practicalities")
        for quiz in ("pre-test", "practicalities"):
            for question in course.quizzes[quiz].questions:
                record.record_answer(name, quiz, question.id, 0, correct=True)
        record.mark_read(name, "modern-cnns")
        record.record_answer(name, "residual-connections", "residual-shapes", 0, correct=False)
        record.record_attempt(name, {**RESULT, "exercise": "ex2"})
        state = overview(course, record)
    assert state.next == "quiz/residual-connections"
    assert state.lessons == (2, len(course.lessons))
    assert state.questions[0] == sum(len(course.quizzes[quiz].questions) for quiz in ("pre-test", "practicalities"))
    text = "\n".join(lines(state))
    assert "1 missed in Residual connections: tlcourse quiz take residual-connections" in text
    assert "ex2: fail, 1 of" in text
    assert "| 2. Last week: modern CNNs | read |" in markdown(state)


def test_the_path_may_be_named(tmp_path):
    path = Path(tmp_path / "deep" / "record.sqlite")
    with Record.open(path) as record:
        record.mark_read("c", "unit")
    assert path.is_file()
