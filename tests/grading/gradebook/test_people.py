"""Everybody of a class has a state, and a mark that is theirs, whatever happens to lists, groups and names."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import overridden, result

from tlcourse.errors import UsageError
from tlcourse.grading.batch.setup import ClassLists, begin, begun_as, resume, work_left
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.changes import decide, note_class
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import is_a_test_person, may_be_in, settles, targets_of
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.lms.handins import find_handins
from tlcourse.grading.lms.roster import Person, read_roster
from tlcourse.grading.secret import seed_from

TESTS = Path(__file__).parents[2]
SEED = seed_from("line", b"a secret that is long enough", None)
JANE = "9007-77 - Jane Doe - Oct 3, 2025 1108 AM"
A_FOLDER, B_FOLDER = (
    f"900{n}-77 - {name} - Navn{n} Efter{n} - Oct 3, 2025 1107 AM" for n, name in ((1, "A"), (3, "B"))
)


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """The class on disk."""
    spec = importlib.util.spec_from_file_location("a_class", TESTS / "fixtures" / "a_class.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["a_class"] = module
    spec.loader.exec_module(module)
    return module.build_changing(tmp_path_factory.mktemp("changing"))


@pytest.fixture
def graded(changing, line, tmp_path):
    """The path of a gradebook in which A has 2 points, B has 1, and the folder of a Jane Doe is nobody's."""
    lists = ClassLists(changing.roster, changing.groups)
    found = lists.find(changing.first, tmp_path / "into")
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
        begin(book, line, found, changing.first, options, SEED, who="sofie", settings=lists.settings())
        for handin in book.handins(1):
            book.record(handin.id, 0, result("pass", 2.0) if handin.owner == "A" else result("fail", 1.0), "")
    return tmp_path / "g.sqlite"


def states(path):
    with Gradebook.reading(path) as book:
        batch = book.batch(1)
        return {one.person.id[-1]: (one.state, one.points) for one in book.person_statuses(batch, book.statuses(batch))}


def go_on(path, lists, changing, line, into):
    found = lists.find(changing.first, into)
    with Gradebook.writing(path, "a test") as book:
        return resume(book, line, found, book.batch(1), SEED, source=changing.first, lists=lists, who="sofie")


def exported(tl, path, *more):
    return tl("ta", "export", "line", "--gradebook", str(path), *more)


def cells(text):
    return [row[2] for row in csv.reader(io.StringIO(text))][1:]


def test_everybody_of_the_lists_has_a_state(graded):
    assert states(graded) == {
        "1": ("graded", 2.0),
        "2": ("graded", 2.0),
        "3": ("graded", 1.0),
        "4": ("graded", 1.0),
        "5": ("nothing", None),
        "6": ("nothing", None),
        "7": ("unmatched", None),
        "8": ("unmatched", None),
    }


def test_an_export_is_refused_only_for_who_may_have_handed_in_and_the_message_settles_it(
    graded, changing, line, tl, tmp_path
):
    refused = exported(tl, graded, "--format", "brightspace", "--template", str(changing.template))
    assert refused.returncode == 2
    assert "2 people may have handed in" in refused.stderr
    assert f"tlcourse batch line SUBMISSIONS --resume --is '{JANE}=ID'" in refused.stderr
    assert "s100005" not in refused.stderr
    lists, _ = begun_as(graded, "line", changing.first)
    said = ClassLists(lists.roster, lists.groups, {}, {JANE: "u8"})
    assert "1 hand-in is new in it." in go_on(graded, said, changing, line, tmp_path / "into")
    with Gradebook.writing(graded, "a test") as book:
        book.record(3, 0, result("pass", 2.0), "")
    assert begun_as(graded, "line", changing.first)[0].known == {JANE: "u8"}
    assert (states(graded)["7"], states(graded)["8"]) == (("nothing", None), ("graded", 2.0))
    done = exported(tl, graded, "--format", "brightspace", "--template", str(changing.template), "--missing", "zero")
    assert cells(done.stdout) == ["2", "2", "1", "1", "0", "0", "0", "2", ""]
    assert "Demo Student (demo1) is in the template and not in the graded class" in done.stderr
    blank = exported(tl, graded, "--format", "brightspace")
    assert cells(blank.stdout) == ["2", "2", "1", "1", "", "", "", "2"]
    assert "handed in nothing: 3 are left blank" in blank.stderr


def test_a_folder_can_be_said_to_be_nobodys_and_one_that_is_not_there_is_refused(graded, changing, line, tmp_path):
    lists = ClassLists(changing.roster, changing.groups, {}, {JANE: "nobody"})
    go_on(graded, lists, changing, line, tmp_path / "into")
    assert states(graded)["7"] == ("nothing", None)
    for given, words in (({"no such": "u8"}, "no folder called no such"), ({JANE: "Jane Doe"}, "nobody for sure")):
        with pytest.raises(UsageError, match=words):
            ClassLists(changing.roster, changing.groups, {}, given).find(changing.first, tmp_path / "into")


@pytest.mark.parametrize(
    ("word", "means"),
    [
        *[(word, ["person:s100005"]) for word in ("s100005", "U5", "Navn5 Efter5", "Efter5, Navn5")],
        ("s100002", ["person:s100002"]),
        ("C", ["person:s100005", "person:s100006"]),
    ],
)
def test_staff_mean_anybody_of_the_lists_by_what_they_are_called(graded, word, means):
    with Gradebook.reading(graded) as book:
        assert targets_of(book.handins(1), book.people(1), book.groups(1), word) == means


@pytest.mark.parametrize("kept", ["jane-key", "person:s100008"])
@pytest.mark.parametrize("word", ["s100008", "U8", "mail", "key", JANE, "owner"])
def test_a_decision_about_a_person_replaces_every_earlier_one_however_either_was_written(kept, word, tmp_path):
    """Earlier gradebooks have the key of a hand-in for what was said of its one owner."""
    jane = Person("s100008", "u8", "Jane", "Doe", "jane@x.dk")
    word = {"mail": "jane@x.dk", "key": "jane-key", "owner": "Jane Doe"}.get(word, word)
    batch = BatchRecord(0, "line", "mini", "/s", "brightspace", 2.0, "given", "s", "f", "g", {}, {}, "sofie", "")
    handin = HandInRecord(0, 0, "jane-key", "Jane Doe", "person", ["s100008"], JANE, "/p", "")
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        begun = book.begin_batch(batch, [handin])
        note_class(book, 1, [jane], {}, listed=None, who="sofie", why="")
        book.record(1, 0, result("fail", 1.0), "")
        overridden(book, kept, 0.0, who="sofie", why="took no part")
        (before,) = book.statuses(begun)
        assert (before.points, before.points_of("s100008"), before.override.why) == (0.0, 0.0, "took no part")
        assert decide(book, begun, word, 1.5, who="sofie", why="a mistake").targets == ["person:s100008"]
        (then,) = book.statuses(begun)
        assert (then.points, then.points_of("s100008"), then.overrides_of_members) == (1.5, 1.5, {})
        decide(book, begun, word, None, who="sofie", why="no")
        (after,) = book.statuses(begun)
        assert (after.points, after.points_of("s100008"), book.overrides("line")) == (1.0, 1.0, {})


def test_what_was_decided_for_a_group_without_a_hand_in_is_replaced_when_it_has_one(graded):
    """And what was decided for one of them alone stays, and is said."""

    def decided(word, points):
        with Gradebook.writing(graded, "a test") as book:
            return decide(book, book.batch(1), word, points, who="sofie", why="a test")

    assert decided("C", 2.0).targets == ["person:s100005", "person:s100006"]
    decided("u6", 0.5)
    with Gradebook.writing(graded, "a test") as book:
        row = HandInRecord(0, 0, "c-key", "C", "group", ["s100005", "s100006"], "late", "/p", "")
        book.add_handins(1, [row])
        book.record(book.handins(1)[-1].id, 0, result("fail", 1.0), "")
    assert [states(graded)[one] for one in "56"] == [("by hand", 2.0), ("by hand", 0.5)]
    done = decided("c", None)
    assert done.targets == ["c-key"]
    assert [states(graded)[one] for one in "56"] == [("graded", 1.0), ("by hand", 0.5)]
    (said,) = done.said
    assert said.startswith(
        "s100006 keeps what was decided for them alone (0.5); if not: tlcourse ta override line s100006"
    )
    decided("C", 1.5)
    assert decided("u6", None).said == ["For s100006 counts what was decided for C: 1.5."]
    assert [states(graded)[one] for one in "56"] == [("by hand", 1.5), ("by hand", 1.5)]


def test_a_group_of_one_and_its_member_are_one_until_somebody_comes_in(graded):
    """Earlier versions kept what was said of the one member under the key of the hand-in."""
    with Gradebook.writing(graded, "a test") as book:
        book.add_handins(1, [HandInRecord(0, 0, "d-key", "D", "group", ["s100005"], "d", "/p", "")])
        book.record(3, 0, result("fail", 1.0), "")
        overridden(book, "d-key", 0.0, who="sofie", why="took no part")
        for word in ("u5", "D", "d-key"):
            assert decide(book, book.batch(1), word, 0.5, who="sofie", why="no").targets == ["person:s100005"]
            assert list(book.overrides("line")) == ["person:s100005"]
        book.move(1, "s100006", "D", who="sofie", why="worked with 5")
        *_, status = book.statuses(book.batch(1))
        assert [status.points_of(one) for one in ("s100005", "s100006")] == [0.5, 1.0]
        assert decide(book, book.batch(1), "D", 1.5, who="sofie", why="both").targets == ["d-key"]


def test_what_was_decided_for_a_group_stays_when_one_of_two_is_left(graded):
    with Gradebook.writing(graded, "a test") as book:
        assert decide(book, book.batch(1), "A", 1.5, who="sofie", why="late").targets != ["person:s100001"]
        book.move(1, "s100002", "B", who="sofie", why="the list was wrong")
        status, _ = book.statuses(book.batch(1))
        assert (status.handin.members, status.points, status.points_of("s100001")) == (["s100001"], 1.5, 1.5)


def shorter(file, tmp_path, *but):
    """A list without some."""
    rows = file.read_text(encoding="utf-8-sig").splitlines()
    path = tmp_path / f"new-{file.name}"
    path.write_text("\n".join(row for row in rows if not any(one in row for one in but)) + "\n")
    return path


def test_who_left_the_class_is_named_keeps_the_mark_and_is_in_no_export(graded, changing, line, tl, tmp_path):
    new = ClassLists(
        shorter(changing.roster, tmp_path, "s100002", "s100006"),
        shorter(changing.groups, tmp_path, "s100002", "s100006"),
    )
    (said,) = go_on(graded, new, changing, line, tmp_path / "into")
    assert said.startswith("2 people are no longer in the class list: Navn2 Efter2 (s100002), Navn6 Efter6 (s100006).")
    assert [states(graded)[one] for one in "126"] == [("graded", 2.0), ("left", 2.0), ("left", None)]
    stale = ClassLists(new.roster, changing.groups)  # the list of groups still has them
    assert not [
        one for one in go_on(graded, stale, changing, line, tmp_path / "into") if "no longer" in one
    ]  # said once
    done = exported(tl, graded, "--format", "csv", "--partial")
    assert [row["id"][-1] for row in csv.DictReader(io.StringIO(done.stdout))] == ["1", "3", "4", "5", "7", "8"]
    assert "left the class: 2 are left out: Navn2 Efter2 (s100002), Navn6 Efter6 (s100006)" in done.stderr
    report = tl("ta", "report", "line", "--gradebook", str(graded)).stdout
    assert "left the class: Navn2 Efter2 (s100002), 2 points: since 20" in report
    back = exported(tl, graded, "--format", "csv", "--partial", "--roster", str(changing.roster))
    assert [row["points"] for row in csv.DictReader(io.StringIO(back.stdout))] == ["2", "2", "1", "1", *[""] * 4]
    go_on(graded, ClassLists(changing.roster, changing.groups), changing, line, tmp_path / "into")
    assert [states(graded)[one] for one in "26"] == [("graded", 2.0), ("nothing", None)]


def test_another_id_of_the_same_person_is_refused_and_nothing_is_noted(graded, changing, line, tmp_path):
    text = changing.roster.read_text(encoding="utf-8-sig").replace("s100005", "s200005")
    (tmp_path / "new.csv").write_text(text)
    groups = changing.groups.read_text(encoding="utf-8-sig").replace("s100005", "s200005")
    (tmp_path / "groups.csv").write_text(groups)
    before = states(graded)
    with pytest.raises(UsageError, match="1 person has another id in the class list than in batch 1") as refused:
        go_on(graded, ClassLists(tmp_path / "new.csv", tmp_path / "groups.csv"), changing, line, tmp_path / "into")
    assert "Navn5 Efter5 (s100005) is s200005 in it" in refused.value.what
    assert states(graded) == before


def test_of_namesakes_nobody_is_meant(graded):
    with Gradebook.reading(graded) as book, pytest.raises(UsageError, match="means 2 people: Jane Doe"):
        targets_of(book.handins(1), book.people(1), book.groups(1), "Jane Doe")


def test_who_is_excused_or_has_points_by_hand_needs_no_hand_in(graded, changing, tl):
    common = ("--gradebook", str(graded), "--why", "ill")
    assert tl("ta", "override", "line", "u5", "--excuse", *common).returncode == 0
    assert tl("ta", "override", "line", "Navn6 Efter6", "--points", "1.5", *common).returncode == 0
    done = exported(tl, graded, "--format", "csv", "--partial", "--missing", "zero")
    assert {row["id"][-1]: row["points"] for row in csv.DictReader(io.StringIO(done.stdout))} == {
        "1": "2",
        "2": "2",
        "3": "1",
        "4": "1",
        "5": "",
        "6": "1.5",
        "7": "",
        "8": "",  # nobody who may have handed in gets 0
    }
    people = json.loads(tl("ta", "report", "line", "--gradebook", str(graded), "--json").stdout)["people"]
    assert [one["state"] for one in people] == [*["graded"] * 4, "excused", "by hand", "unmatched", "unmatched"]


def test_nobody_gets_zero_while_a_folder_may_be_anybodys_and_no_mark_set_by_hand_is_dropped(
    graded, changing, tl, tmp_path
):
    """Navn5 has no word in common with Jane's folder; the two of the shorter class list are in no hand-in."""
    done = exported(tl, graded, "--format", "csv", "--partial", "--missing", "zero")
    assert [row["points"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["2", "2", "1", "1", *[""] * 4]
    assert f"--missing zero gives nobody 0 while 1 folder may be anybody's: {JANE}" in done.stderr
    assert "handed in nothing: 2 are left blank: Navn5 Efter5 (s100005), Navn6 Efter6 (s100006)" in done.stderr
    rows = changing.roster.read_text(encoding="utf-8-sig").splitlines()
    (tmp_path / "five.csv").write_text("\n".join(rows[:6]) + "\n")
    (tmp_path / "nine.csv").write_text(
        "\n".join([*rows, rows[1].replace("100001", "100009").replace("Navn1 ", "")]) + "\n"
    )
    common = ("--format", "csv", "--partial", "--missing", "zero", "--roster")
    nine = exported(tl, graded, *common, str(tmp_path / "nine.csv"))
    assert [row["points"] for row in csv.DictReader(io.StringIO(nine.stdout))] == ["2", "2", "1", "1", *[""] * 5]
    five = exported(tl, graded, *common, str(tmp_path / "five.csv"))
    assert "s100006 has no mark, is not in the class list, and was left out." in five.stderr
    tl("ta", "override", "line", "u6", "--points", "1.5", "--why", "on paper", "--gradebook", str(graded))
    refused = exported(tl, graded, *common, str(tmp_path / "five.csv"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "s100006: marked, and not in the class list" in refused.stderr


def test_a_hand_in_that_everybody_left_is_nobodys_mark(graded, tl):
    for who in ("u1", "u2"):
        done = tl("ta", "move", "line", who, "B", "--gradebook", str(graded), "--why", "B's work")
        assert done.returncode == 0, done.stderr
    assert [states(graded)[one] for one in "12"] == [("graded", 1.0), ("graded", 1.0)]
    assert sorted(states(graded)) == list("12345678")  # and nobody is called A
    done = exported(tl, graded, "--format", "csv", "--partial")
    assert [row["id"] for row in csv.DictReader(io.StringIO(done.stdout))] == [f"s10000{n}" for n in range(1, 9)]
    report = tl("ta", "report", "line", "--gradebook", str(graded)).stdout
    assert "hand-in: A: PASS, 2 points  (counts for nobody)" in report


def test_who_changes_the_group_is_named_and_keeps_the_mark_they_handed_in_for(graded, changing, line, tl, tmp_path):
    moved = ClassLists(changing.roster, changing.regrouped)
    said = go_on(graded, moved, changing, line, tmp_path / "into")
    assert said[-1].startswith("Navn2 Efter2 (s100002) moved from A to B, handed in with A, and has its mark; if not: ")
    assert "tlcourse ta move line s100002 B --why" in said[-1]
    assert states(graded)["2"] == ("graded", 2.0)
    assert begun_as(graded, "line", changing.first)[0].groups == changing.regrouped.resolve()
    assert not go_on(graded, moved, changing, line, tmp_path / "into")  # said once
    done = tl("ta", "move", "line", "u2", "B", "--gradebook", str(graded), "--why", "the first list was wrong")
    assert done.returncode == 0, done.stderr
    assert states(graded)["2"] == ("graded", 1.0)
    with Gradebook.reading(graded) as book:
        assert [handin.members for handin in book.handins(1)] == [["s100001"], ["s100003", "s100004", "s100002"]]
        rows = [(m.person, m.group, m.counts, m.who) for m in book.memberships(1) if m.person == "s100002"]
    assert [row[1:3] for row in rows] == [("A", False), ("B", False), ("B", True)]
    report = tl("ta", "report", "line", "--gradebook", str(graded)).stdout
    assert "group changed: Navn2 Efter2 (s100002), A to B, sofie" in report
    assert "mark moved: Navn2 Efter2 (s100002) to B" in report


def test_the_same_submissions_graded_anew_are_no_other_batch(graded, changing, line, tmp_path):
    lists = ClassLists(changing.roster, changing.groups)
    found = lists.find(changing.first, tmp_path / "into")
    options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
    with Gradebook.writing(graded, "a test") as book:
        said = ClassLists(changing.roster, changing.groups, {}, {JANE: "u8"})
        settled = said.find(changing.first, tmp_path / "into")
        resume(book, line, settled, book.batch(1), SEED, source=changing.first, lists=said, who="sofie")
        again = begin(book, line, found, changing.first, options, SEED, who="sofie", settings=lists.settings())
        assert [h.owner for h in book.handins(1)] == ["A", "B", "Jane Doe"]
        assert book.elsewhere(again) == {}


def given_over(path, changing, line, into, **said):
    """A resume with `--is` for folders of the class: A's, B's and Jane's."""
    folders = {"a": f"{A_FOLDER}", "b": f"{B_FOLDER}", "jane": JANE}
    lists, _ = begun_as(path, "line", changing.first)
    given = {folders[name]: who for name, who in said.items()}
    return go_on(path, replace(lists, given=given), changing, line, into)


def test_a_folder_of_the_batch_that_is_said_to_be_somebody_elses_goes_over_with_its_mark(
    graded, changing, line, tl, tmp_path
):
    said = given_over(graded, changing, line, tmp_path / "into", a="C")
    assert said == [f"{A_FOLDER}, so far A's, is C's, and its mark goes along."]
    assert [states(graded)[one] for one in "1256"] == [("nothing", None)] * 2 + [("graded", 2.0)] * 2
    assert not given_over(graded, changing, line, tmp_path / "into")  # it is kept, and said once
    report = tl("ta", "report", "line", "--gradebook", str(graded)).stdout
    assert f"given over: {A_FOLDER} to C, sofie, 20" in report
    with Gradebook.writing(graded, "a test") as book:
        assert [(h.owner, h.key[:2]) for h in book.handins(1)] == [("C", "a-"), ("B", "b-")]
        decide(book, book.batch(1), A_FOLDER, 1.5, who="sofie", why="late")
    assert [states(graded)[one] for one in "156"] == [("nothing", None), ("by hand", 1.5), ("by hand", 1.5)]
    assert given_over(graded, changing, line, tmp_path / "into", a="nobody") == [
        f"{A_FOLDER}, so far C's, is nobody's, and its mark counts for nobody."
    ]
    assert [states(graded)[one] for one in "1256"] == [("nothing", None)] * 4


def test_two_folders_can_be_given_to_each_others_owners_and_one_person_never_has_two(graded, changing, line, tmp_path):
    with pytest.raises(UsageError, match="B has two hand-ins then") as refused:
        given_over(graded, changing, line, tmp_path / "into", a="B")
    assert f"--is '{B_FOLDER}=nobody'" in refused.value.remedy
    assert len(given_over(graded, changing, line, tmp_path / "into", a="B", b="A")) == 2
    assert [states(graded)[one] for one in "1234"] == [("graded", 1.0)] * 2 + [("graded", 2.0)] * 2
    assert given_over(graded, changing, line, tmp_path / "into", a="A", b="nobody")[1].endswith("counts for nobody.")
    assert [states(graded)[one] for one in "1234"] == [("graded", 2.0)] * 2 + [("nothing", None)] * 2


def test_what_else_the_former_owner_handed_in_comes_in_as_theirs(graded, changing, line, tmp_path):
    """A's older attempt, which did not count as long as the newer one was theirs."""
    older = tmp_path / "class" / "9001-70 - A - Navn1 Efter1 - Oct 1, 2025 1107 AM"
    shutil.copytree(changing.first, older.parent)
    shutil.copytree(older.parent / B_FOLDER, older)
    lists, _ = begun_as(graded, "line", changing.first)
    found = replace(lists, given={A_FOLDER: "C"}).find(older.parent, tmp_path / "into")
    with Gradebook.writing(graded, "a test") as book:
        said = resume(book, line, found, book.batch(1), SEED, source=changing.first, lists=lists, who="sofie")
        assert said == [f"{A_FOLDER}, so far A's, is C's, and its mark goes along.", "1 hand-in is new in it."]
        assert [(h.owner, h.folder_name) for h in book.open_handins(1)] == [("A", older.name)]
        assert [work.path.parent.name for work in work_left(book, book.batch(1), found)] == [older.name]


def test_who_was_graded_in_another_batch_gets_no_zero_in_a_later_ones_export(graded, changing, line, tl, tmp_path):
    """A later download of C alone, graded by itself."""
    late = tmp_path / "late" / "9005-77 - C - Navn5 Efter5 - Oct 5, 2025 1159 PM"
    late.mkdir(parents=True)
    (late / "solution.py").write_text("")
    lists = ClassLists(changing.roster, changing.groups)
    found = lists.find(late.parent, tmp_path / "into")
    options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
    with Gradebook.writing(graded, "a test") as book:
        begin(book, line, found, late.parent, options, SEED, who="sofie", settings=lists.settings())
        book.record(book.handins(2)[0].id, 0, result("fail", 1.0), "")
    refused = exported(tl, graded, "--format", "csv", "--missing", "zero")
    assert refused.returncode == 2
    assert "Navn1 Efter1 (s100001): handed in with batch 1, as A" in refused.stderr
    done = exported(tl, graded, "--format", "csv", "--missing", "zero", "--partial")
    assert [row["points"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["", "", "", "", "1", "1", "0", "0"]
    assert "graded in another batch: 4 are left as the platform has them" in done.stderr


def test_a_folder_in_doubt_is_somebodys_by_name_id_or_group_and_by_no_less():
    jane = Person("s100007", "u7", "Jane Maria", "Doe")
    for folder in ("x - Jane Doe - Oct 3", "doejanemaria_5501_9001_solution.py", "S100007", "ex2 Jane Maria Doe"):
        assert may_be_in(jane, "", [(folder, "why")]) == f"{folder}: why"
    assert may_be_in(jane, "Group 3", [("1-2 - Group 3 - Fremmed", "why")])
    assert not may_be_in(jane, "Group 3", [("1-2 - Group 31 - Jane Roe", "why"), ("u7", "why")])


def test_people_whom_a_platform_made_up_are_known_and_real_ones_are_not():
    made_up = [Person("1", "demo.student", "Demo", "Student"), Person("2", "", "Student", "Test")]
    assert [is_a_test_person(one) for one in made_up] == [True, True]
    assert not is_a_test_person(Person("3", "demonti", "Demo", "Nti"))


def test_a_gradebook_without_its_hand_ins_gives_no_all_clear(graded, tl):
    """As where it was copied without the folder beside it."""
    done = tl("ta", "similar", "line", "--gradebook", str(graded))
    assert "Of those that were compared: no pair shares more than the starter's code. Not compared: 2." in done.stdout
    for command in (("similar",), ("report",), ("export", "--format", "csv", "--partial")):
        name, *more = command
        said = tl("ta", name, "line", *more, "--gradebook", str(graded)).stderr
        assert f"2 of 2 kept hand-ins are not in {graded}.handins" in said
    again = tl("ta", "regrade", "line", "--only", "A", "--gradebook", str(graded), "--seed", "1")
    assert again.returncode == 2  # another seed than its secret
    assert "2 of 2 kept hand-ins" in again.stderr


def test_with_a_class_list_given_later_names_become_people(changing, tmp_path):
    from tlcourse.grading.lms.marks import Absent, Mark, one_mark_each

    found = find_handins(changing.first, tmp_path / "into")
    assert found.people == ()
    said: list[str] = []
    absent = Absent(0.0, lambda _: "", is_a_test_person, said.append)
    settled = one_mark_each([Mark("Navn1 Efter1", 2.0)], read_roster(changing.roster), None, absent)
    assert [(person.id[-1], mark.points) for person, mark in settled] == [
        ("1", 2.0),
        *((str(i), 0.0) for i in range(2, 9)),
    ]


def test_a_name_in_a_command_to_type_is_one_word_whatever_is_in_it():
    said = settles("9007-77 - Jane O'Doe $(rm) - Oct 3", "line")
    assert shlex.split(said) == [
        *"tlcourse batch line SUBMISSIONS --resume --is".split(),
        "9007-77 - Jane O'Doe $(rm) - Oct 3=ID",
    ]
