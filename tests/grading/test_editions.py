"""What an older tlcourse wrote is read: a gradebook and a student's record of the first edition, kept as SQL."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from pathlib import Path

import pytest

from tlcourse.cli.main import main
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.result import SCHEMA, read_result

TESTS = Path(__file__).parents[1]
KEPT, EXAMPLE = TESTS / "fixtures" / "edition_1", TESTS / "example_course"


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


@pytest.fixture
def begun(tmp_path, monkeypatch, capsys):
    """`begun("export", …)`: commands about a class of the first edition, whose words it returns.

    G1 (s1 and s2) passes, G2 (s3) crashes, G3 (s4) has no verdict; s5 handed in nothing; a folder is s7's or s8's.
    """
    dump = (KEPT / "gradebook.sql").read_text(encoding="utf-8")
    for old, new in (
        ("'G1','person','[]'", """'G1','group','["s1","s2"]'"""),
        ("'G2','person','[]'", """'G2','person','["s3"]'"""),
        ('"unmatched":[],"missing":[]', '"unmatched":["Jane Doe: perhaps (s7) or (s8)"],"missing":["s5","s7","s8"]'),
    ):
        assert old in dump
        dump = dump.replace(old, new)
    path = tmp_path / "class.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript(dump)
        db.execute("""INSERT INTO handins VALUES (3, 1, 'g3', 'G3', 'group', '["s4"]', 'G3', 'G3', '', '[]', '')""")
    db.close()

    def run(*arguments: str, fails: int = 0) -> str:
        command = ["tlcourse", "ta", *arguments, "--gradebook", str(path), "--course", str(EXAMPLE)]
        monkeypatch.setattr(sys, "argv", command)
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert int(end.value.code or 0) == fails, said.err
        return said.out or said.err

    return run


def test_what_a_message_says_to_type_works_in_a_class_of_the_first_edition(begun):
    """Its data cannot be drawn any more: what has no verdict is graded anew with `--again`, or marked by hand."""
    anew = "tlcourse batch line SUBMISSIONS --again"
    assert f"{anew} --is 'Jane Doe=ID'" in begun("report", "line")
    by_hand = "tlcourse ta override line WHO --points N --why …"
    for command in (("regrade", "line", "--only", "infra"), ("export", "line", "--format", "csv")):
        said = begun(*command, fails=2)
        assert anew in said
        assert by_hand in said
        assert "--resume" not in said
    assert "s3,,,,G2,0,2,crash" in begun("export", "line", "--format", "csv", "--partial")
    begun("override", "line", "G3", "--points", "1", "--why", "on paper")
    unclear = begun("export", "line", "--format", "csv", fails=2)
    assert "2 people may have handed in" in unclear
    assert f"{anew} --is 'Jane Doe=ID'" in unclear
    assert "tlcourse ta override line WHO" in unclear
    begun("override", "line", "s7", "--points", "1.5", "--why", "Jane's is hers")
    begun("override", "line", "s8", "--excuse", "--why", "ill")
    exported = begun("export", "line", "--format", "csv", "--missing", "zero")
    points = {row["id"]: row["points"] for row in csv.DictReader(exported.splitlines())}
    assert points == {"s1": "2", "s2": "2", "s3": "0", "s4": "1", "s5": "", "s7": "1.5", "s8": ""}


def test_in_a_gradebook_without_people_a_move_says_how_they_come_in(gradebook, tl):
    said = tl("ta", "move", "line", "s1", "G1", "--why", "no", "--gradebook", str(gradebook))
    assert said.returncode == 2
    assert "knows nobody's name" in said.stderr
    assert "--roster FILE --groups FILE, with --resume or --again" in said.stderr


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
