"""Two assistants' gradebooks of one class become one: nothing twice, nothing lost, and no decision in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from results import overridden, result

from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.file import APPENDED
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.merge import ADDED, DECIDED, Choice, merge
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.intake.submission import hash_folder


def batch(source: str, salt: str, grader: str = "g") -> BatchRecord:
    return BatchRecord(0, "line", "mini", source, "folders", 2.0, "secret", salt, f"f{salt}", grader, {}, {}, "ada", "")


def handin(key: str, *members: str) -> HandInRecord:
    return HandInRecord(0, 0, key, key.title(), "group", list(members), f"folder of {key}", "/somewhere", "")


RED, BLUE, GREEN = handin("red", "p1", "p2"), handin("blue", "p3"), handin("green", "p4")


def begun(path: Path, salt: str, *handins: HandInRecord, grader: str = "g") -> Path:
    with Gradebook.writing(path, "a test") as book:
        book.begin_batch(batch(f"/{salt}/class.zip", salt, grader), handins)
    return path


@pytest.fixture
def pair(tmp_path):
    """Mine has red and blue, red graded; theirs blue and green, both graded."""
    mine, theirs = begun(tmp_path / "m.sqlite", "1", RED, BLUE), begun(tmp_path / "t.sqlite", "2", BLUE, GREEN)
    with Gradebook.writing(mine, "a test") as book:
        book.record(1, 0, result("pass", 2.0), "")
    with Gradebook.writing(theirs, "a test") as book:
        book.record(1, 0, result("fail", 1.0), "missed: y")
        book.record(2, 0, result("pass", 2.0), "")
        overridden(book, "green", 1.0, who="bo", why="copied")
    return mine, theirs


def merged(pair, prefer=None, same=True, **one):
    with Gradebook.reading(pair[1]) as theirs, Gradebook.writing(pair[0], "a test") as mine:
        return merge(mine, theirs, who="ada", choice=Choice(prefer, one), same_secret=lambda salt, known: same)


def points(path: Path) -> dict[str, float | None]:
    with Gradebook.reading(path) as book:
        assert len(book.batches()) == 1
        return {one.handin.key: one.points for one in book.statuses(book.latest_batch("line"))}


def counts(path: Path) -> list[int]:
    with Gradebook.reading(path) as book:
        return [book.rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in APPENDED]


def test_one_batch_of_two_assistants_has_all_hand_ins_and_decisions_and_a_second_time_changes_nothing(pair):
    done = merged(pair)
    assert done.rows == {"handins": 1, "results": 2, "checks": 2, "documents": 2, "overrides": 1}
    assert points(pair[0]) == {"red": 2.0, "blue": 1.0, "green": 1.0}
    before = counts(pair[0])
    again = merged(pair)
    assert (again.rows, again.conflicts, counts(pair[0])) == ({}, [], before)


def test_rows_keep_who_and_when(pair):
    merged(pair)
    said = []
    for path in pair:
        with Gradebook.reading(path) as book:
            said.append(book.rows("SELECT who, at, why, points FROM overrides"))
    assert said[0] == said[1]


@pytest.mark.parametrize(("prefer", "blue", "green"), [("mine", 2.0, 2.0), ("theirs", 1.0, 1.0)])
def test_what_differs_stops_it_until_it_is_said_what_holds(pair, prefer, blue, green):
    with Gradebook.writing(pair[0], "a test") as book:
        book.record(2, 0, result("pass", 2.0), "")
        book.add_handins(1, [GREEN])
        overridden(book, "green", 2.0, who="ada", why="fine")
    before = counts(pair[0])
    with pytest.raises(UsageError, match="Nothing was merged: 2 decisions differ") as caught:
        merged(pair)
    assert "overrides of line green: mine points 2.0 (by ada" in caught.value.what
    assert "verdict of Blue: mine pass 2; theirs fail 1" in caught.value.what
    assert counts(pair[0]) == before
    assert len(merged(pair, prefer).conflicts) == 2
    assert points(pair[0]) == {"red": 2.0, "blue": blue, "green": green}
    after = counts(pair[0])
    assert merged(pair).conflicts == []
    assert (counts(pair[0]), points(pair[0])["blue"]) == (after, blue)


def by_rules(cpu_s: float, outcome: str = "pass"):
    done = result(outcome, 2.0)
    return replace(done, provenance=replace(done.provenance, rules={"limits.cpu_s": cpu_s}))


def test_marks_by_other_rules_do_not_come_together_until_one_is_regraded_by_those_of_the_other(tmp_path):
    pair = begun(tmp_path / "m.sqlite", "1", RED, BLUE), begun(tmp_path / "t.sqlite", "2", BLUE, GREEN)
    with Gradebook.writing(pair[0], "a test") as book:
        book.record(1, 0, by_rules(20), "")
    with Gradebook.writing(pair[1], "a test") as book:
        book.record(1, 0, by_rules(10), "")
    before = counts(pair[0])
    with pytest.raises(UsageError, match=r"by different rules: limits\.cpu_s 20, there 10\.") as refused:
        merged(pair)
    assert "tlcourse ta regrade line --batch 1 --only all --gradebook FILE" in refused.value.remedy
    assert counts(pair[0]) == before
    with Gradebook.writing(pair[1], "a test") as book:
        book.record(1, book.begin_regrade(1, [1], selection="all", who="bo", why="one limit"), by_rules(20), "")
    merged(pair)
    assert points(pair[0]) == {"red": 2.0, "blue": 2.0, "green": None}


def test_each_conflict_has_an_id_by_which_it_is_settled_alone(pair):
    with Gradebook.writing(pair[0], "a test") as book:
        book.record(2, 0, result("pass", 2.0), "")
        book.add_handins(1, [GREEN])
        overridden(book, "green", 2.0, who="ada", why="fine")
    with pytest.raises(UsageError) as caught:
        merged(pair)
    green, blue = (line.split()[0] for line in caught.value.what.splitlines()[1:])
    assert f"--prefer {green}=mine" in caught.value.remedy
    with pytest.raises(UsageError, match="1 decision differs") as caught:
        merged(pair, **{green: "mine"})
    assert (blue in caught.value.what, green in caught.value.what) == (True, False)
    with pytest.raises(UsageError, match="no decisions that differ are called 000000") as caught:
        merged(pair, "mine", **{"000000": "theirs"})
    assert f"{green}, {blue}" in caught.value.remedy
    done = merged(pair, "mine", **{blue: "theirs"})
    assert {one.id: one.holds for one in done.conflicts} == {green: "mine", blue: "theirs"}
    assert points(pair[0]) == {"red": 2.0, "blue": 1.0, "green": 2.0}
    assert merged(pair).conflicts == []


def test_a_copy_that_went_on_is_no_conflict(pair, tmp_path):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(pair[1].read_bytes())
    with Gradebook.writing(copy, "a test") as book:
        overridden(book, "green", 0.5, who="cy", why="asked them")
        regrade = book.begin_regrade(1, [1], selection="blue", who="cy", why="again")
        book.record(1, regrade, result("pass", 2.0), "")
    assert merged((pair[1], copy)).conflicts == []
    assert points(pair[1]) == {"blue": 2.0, "green": 0.5}
    assert merged((copy, pair[1])).rows == {}


def test_two_graders_and_two_secrets_are_refused(pair, tmp_path):
    with pytest.raises(UsageError, match="are not known to be of one secret"):
        merged(pair, same=False)
    other = begun(tmp_path / "o.sqlite", "1", BLUE, grader="h")
    with pytest.raises(UsageError, match="were graded by different graders"):
        merged((pair[0], other))


def test_kept_hand_ins_come_along_and_spoilt_ones_do_not(pair):
    kept = pair[1].with_name("t.sqlite.handins") / "half"
    kept.mkdir(parents=True)
    (kept / "solution.py").write_text("x = 1\n")
    sha256 = hash_folder(kept)
    for name in (sha256, "00" + sha256[2:]):
        (kept.parent / name[:2]).mkdir(exist_ok=True)
        (kept.parent / name[:2] / name).mkdir()
        (kept.parent / name[:2] / name / "solution.py").write_text("x = 1\n")
    assert merged(pair).handins == 1
    come = pair[0].with_name("m.sqlite.handins")
    assert (come / sha256[:2] / sha256 / "solution.py").read_text() == "x = 1\n"
    assert come.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in come.glob("*/*")] == [sha256]


def test_every_table_that_is_appended_to_comes_along(tmp_path):
    """A new table needs nothing here, but to be listed by what a further row of it does: `DECIDED` or `ADDED`."""
    assert sorted([*DECIDED, *ADDED]) == sorted(APPENDED)
    mine, theirs = begun(tmp_path / "m.sqlite", "1", RED), tmp_path / "t.sqlite"
    with Gradebook.writing(theirs, "a test") as book, book.appending() as db:
        for table in set(APPENDED):
            names = [(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")]
            values = [{"INTEGER": 1, "REAL": 1.0}.get(kind, f"{table} {name}") for name, kind in names]
            json = {"settings": "{}", "notices": "{}", "members": "[]", "twins": "[]", "selection": "[]"}
            values = [json.get(name, value) for (name, _), value in zip(names, values, strict=True)]
            db.execute("PRAGMA defer_foreign_keys = ON")
            db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
    done = merged((mine, theirs))
    assert done.rows == dict.fromkeys(APPENDED, 1)
    assert merged((mine, theirs)).rows == {}
