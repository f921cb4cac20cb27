"""What an older tlcourse wrote is read: a gradebook and a student's record of the first edition, kept as SQL."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.result import SCHEMA, read_result

KEPT = Path(__file__).parents[1] / "fixtures" / "edition_1"


def restored(name: str, path: Path) -> Path:
    """The database whose dump is kept under this name."""
    with sqlite3.connect(path) as db:
        db.executescript((KEPT / f"{name}.sql").read_text(encoding="utf-8"))
    db.close()
    return path


@pytest.fixture
def gradebook(tmp_path: Path) -> Path:
    """Batch 1 of exercise `line`: G1 passes, G2 crashes."""
    return restored("gradebook", tmp_path / "g.sqlite")


def passed(book: Gradebook) -> GradeStatus:
    """The hand-in of G1."""
    return next(one for one in book.statuses(book.latest_batch("line")) if one.handin.owner == "G1")


def version(path: Path) -> int:
    db = sqlite3.connect(path)
    (number,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return int(number)


def test_a_gradebook_of_the_first_edition_is_read_with_all_its_marks(gradebook):
    with Gradebook.reading(gradebook) as book:
        statuses = {status.handin.owner: status for status in book.statuses(book.latest_batch("line"))}
    assert {owner: (one.outcome, one.points) for owner, one in statuses.items()} == {
        "G1": ("pass", 2.0),
        "G2": ("crash", 0.0),
    }
    assert version(gradebook) == 4


def test_its_documents_are_in_todays_words(gradebook):
    with Gradebook.reading(gradebook) as book:
        result = book.document(passed(book).verdict.id)
    (run,) = result.runs
    assert (result.schema, run.sandbox, run.probes["parameters"]) == (SCHEMA, "fork-server", 6.0)
    assert run.wall_time_s > 0
    assert [check.status for check in result.checks] == ["met", "met"]


def test_a_regrade_goes_into_the_same_gradebook(gradebook):
    with Gradebook.writing(gradebook, "a test") as book:
        batch, before = book.latest_batch("line"), passed(book)
        regrade = book.begin_regrade(batch.id, [before.handin.id], selection="all", who="ta", why="a test")
        book.record(before.handin.id, regrade, book.document(before.verdict.id), "")
        newest = passed(book)
    assert newest.verdict is not None
    assert (newest.verdict.round, newest.points) == (1, 2.0)


def test_a_report_and_the_marks_can_be_made_of_it(gradebook, tl):
    reported = tl("ta", "report", "line", "--gradebook", str(gradebook), "--json")
    assert (reported.returncode, json.loads(reported.stdout)["schema"]) == (0, 1), reported.stderr


def test_a_doubt_of_the_first_edition_stays_one(gradebook):
    with Gradebook.reading(gradebook) as book:
        document = json.loads(book.raw_document(passed(book).verdict.id))
    document["checks"][0]["standing"] = "in doubt"
    assert read_result(json.dumps(document).encode()).checks[0].status == "in doubt"


def test_a_students_record_of_the_first_edition_is_shown(own_home, tl):
    restored("record", own_home / "progress.sqlite")
    shown = tl("progress", "--json")
    assert shown.returncode == 0, shown.stderr
    (exercise,) = json.loads(shown.stdout)["overview"]["units"][0]["exercises"]
    assert (exercise["attempts"], exercise["outcome"], exercise["points"]) == (1, "pass", 2.0)
