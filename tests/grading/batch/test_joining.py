"""A later download comes into the batch of its class: what is new or newer is graded, and nothing else is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import result

from tlcourse.errors import UsageError
from tlcourse.grading.batch.joining import candidate, compare, earlier, place, said_of
from tlcourse.grading.batch.setup import ClassLists, begin, many_attempts, resume
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.attempts import attempts
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.lms.handins import find_handins
from tlcourse.grading.secret import seed_from

SEED = seed_from("line", b"a secret that is long enough", None)
OPTIONS = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
MORNING, NOON = "Oct 3, 2025 1107 AM", "Oct 3, 2025 1207 PM"


@pytest.fixture
def graded(line, tmp_path):
    """`graded("1-1 - Ann - Oct 3, 2025 1107 AM", …, Bo="x = 1")`: a gradebook with a batch of these, graded."""
    opened = Gradebook.writing(tmp_path / "g.sqlite", "a test")

    def made(*dated: str, platform: str = "", **texts: str) -> Gradebook:
        book = opened.__enter__()
        found = handins(tmp_path / "first", *dated, **texts)
        found = replace(found, platform=platform or found.platform)
        begin(book, line, found, tmp_path / "first", OPTIONS, SEED, who="ta", settings={})
        for row in book.handins(1):
            grade(book, row)
        return book

    yield made
    opened.__exit__(None, None, None)


def grade(book, row, outcome="pass"):
    """Record a verdict under the hash of what lies there."""
    from tempfile import TemporaryDirectory

    from tlcourse.grading.intake.submission import collect

    with TemporaryDirectory() as folder:
        sha256 = collect(Path(row.path), Path(folder)).sha256
    done = result(outcome)
    book.record(row.id, row.round, replace(done, submission=replace(done.submission, sha256=sha256)), "")


def handins(folder, *dated, **texts):
    """A download of Brightspace's folders, or of plain ones with these texts."""
    for name, text in {**dict.fromkeys(dated, "x = 0"), **texts}.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "solution.py").write_text(text)
    return find_handins(folder, folder.with_name("into"))


def kinds(found):
    """Of each owner what it is: `{"Ann": "newer"}`."""
    named = {"new": found.new, "newer": found.newer, "same": found.same, "older": found.older, "?": found.unclear}
    return {one.owner: kind for kind, listed in named.items() for one in listed} | {
        row.owner: "absent" for row in found.absent
    }


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        (f"1-1 - Ann - {MORNING}", f"1-1 - Ann - {MORNING}", "same"),
        (f"1-1 - Ann - {MORNING}", f"1-1 - Ann - {NOON}", "newer"),
        (f"1-1 - Ann - {NOON}", f"1-1 - Ann - {MORNING}", "older"),
        (f"1-1 - Ann - {NOON}", f"2-1 - Ann - {NOON}", "newer"),  # in one minute the numbers tell
        (f"2-1 - Ann - {NOON}", f"1-1 - Ann - {NOON}", "older"),
        # the hour that comes twice when summer time ends
        ("1-1 - Ann - Oct 26, 2025 250 AM", "2-1 - Ann - Oct 26, 2025 210 AM", "newer"),
        ("1-1 - Ann - Dec 31, 2025 1159 PM", "1-1 - Ann - Jan 1, 2026 1201 AM", "newer"),
        (f"1-1 - Ann - {MORNING}", f"1-1 - Bo - {MORNING}", "new"),
    ],
)
def test_of_two_downloads_the_dates_tell_which_attempt_is_newer(graded, line, tmp_path, before, now, kind):
    book = graded(before)
    found = compare(book, book.batch(1), handins(tmp_path / "later", now), line)
    expected = {"Bo": "new", "Ann": "absent"} if kind == "new" else {"Ann": kind}
    assert kinds(found) == expected


@pytest.mark.parametrize(("day", "kind"), [(3, "same"), (4, "newer"), (2, "older")])
def test_a_folder_that_is_called_the_same_each_time_is_as_new_as_the_worksheet_says(line, tmp_path, day, kind):
    def of(when, text):
        found = handins(tmp_path / f"{when}-{text}", Ann_81_assignsubmission_file=f"x = {text}")
        return replace(found, found=[replace(one, submitted_at=f"2025-10-0{when}T11:07:00") for one in found.found])

    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        begin(book, line, of(3, 1), tmp_path, OPTIONS, SEED, who="ta", settings={})
        grade(book, book.handins(1)[0])
        assert kinds(compare(book, book.batch(1), of(day, 2), line)) == {"Ann": kind}


def test_without_dates_the_content_tells_what_is_the_same_and_nothing_tells_what_is_newer(graded, line, tmp_path):
    book = graded(Ann="x = 1", Bo="x = 2", Cia="x = 3")
    batch, later = book.batch(1), handins(tmp_path / "later", Ann="x = 1", Bo="x = 4", Dan="x = 5")
    assert kinds(compare(book, batch, later, line)) == {"Ann": "same", "Bo": "?", "Dan": "new", "Cia": "absent"}
    assert kinds(compare(book, batch, later, line, take_unclear=True))["Bo"] == "newer"
    resume(book, line, later, batch, SEED, source=tmp_path / "later", who="ta", take_unclear=True)
    assert kinds(compare(book, batch, later, line))["Bo"] == "same"  # not graded yet: there it lies again
    for row in book.open_handins(1):
        grade(book, row)
    assert kinds(compare(book, batch, later, line)) == dict.fromkeys(("Ann", "Bo", "Dan"), "same") | {"Cia": "absent"}
    again = find_handins(tmp_path / "first", tmp_path / "into")
    expected = {"Ann": "same", "Bo": "older", "Cia": "same", "Dan": "absent"}
    assert kinds(compare(book, batch, again, line)) == expected
    assert kinds(compare(book, batch, again, line, take_unclear=True)) == expected


def test_a_join_cut_short_anywhere_is_taken_up_again_and_nothing_comes_in_twice(graded, line, tmp_path, monkeypatch):
    book = graded(f"1-1 - Ann - {MORNING}", f"1-2 - Bo - {MORNING}")
    later = handins(tmp_path / "later", f"1-1 - Ann - {NOON}", f"1-3 - Cia - {NOON}")

    def join():
        return resume(book, line, later, book.batch(1), SEED, source=tmp_path / "later", who="ta")

    setup = "tlcourse.grading.batch.setup"
    for step in (f"{setup}.Gradebook.add_handins", f"{setup}.add_attempts", f"{setup}.note_class"):
        with monkeypatch.context() as broken:
            broken.setattr(step, lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                join()
        assert earlier(book, "line", tmp_path / "later").id == 1  # so that --resume finds it
    join()
    assert join() == []
    assert [(row.owner, row.attempt) for row in book.handins(1)] == [("Ann", 2), ("Bo", 1), ("Cia", 1)]
    assert [row.owner for row in book.open_handins(1)] == ["Ann", "Cia"]
    assert [(one.owner, one.why) for one in attempts(book, 1)] == [("Ann", "later")]


def test_an_attempt_that_holds_nothing_to_grade_is_named_before_it_replaces_one_that_does(graded, line, tmp_path):
    book = graded(f"1-1 - Ann - {MORNING}")
    folder = tmp_path / "later" / f"1-1 - Ann - {NOON}"
    folder.mkdir(parents=True)
    (folder / "report.pdf").write_bytes(b"%PDF")
    found = find_handins(tmp_path / "later", tmp_path / "into")
    said = resume(book, line, found, book.batch(1), SEED, source=tmp_path / "later", who="ta")
    assert said[1] == (
        f"Ann: the newer attempt, {folder.name}, counts and holds no .py, .ipynb or ZIP; "
        f"the one before it is 1-1 - Ann - {MORNING}."
    )


def test_what_a_newer_attempt_holds_is_told_after_a_dry_run_took_its_files_away(graded, line, tmp_path):
    book = graded(f"1-1 - Ann - {MORNING}")
    folder = tmp_path / "later" / f"1-1 - Ann - {NOON}"
    folder.mkdir(parents=True)
    (folder / "report.pdf").write_bytes(b"%PDF")
    (folder / "solution.py").write_text("x = 1")
    found = compare(book, book.batch(1), find_handins(tmp_path / "later", tmp_path / "into"), line)
    shutil.rmtree(tmp_path / "later")
    assert list(said_of(found, book.handins(1))) == [
        "1 newer attempt, which counts: Ann (2025-10-03 12:07, graded so far: 2025-10-03 11:07)."
    ]


def test_attempts_that_are_graded_count_towards_what_an_exercise_allows(graded, line, tmp_path):
    book = graded(f"1-1 - Ann - {MORNING}")
    later = handins(tmp_path / "later", f"1-1 - Ann - {NOON}")
    found = compare(book, book.batch(1), later, line)
    assert list(many_attempts(later, 2, found)) == []
    assert list(many_attempts(later, 1, found)) == [
        "Ann has 2 graded attempts with this one, and the exercise allows 1; the newest is graded, "
        "and what follows is yours to decide (tlcourse ta override)"
    ]


@pytest.mark.parametrize(
    ("first", "later", "platform", "variant", "fit", "words"),
    [
        ("Ann Bo", "Ann Cia", "", "", "class", ""),
        ("Ann Bo", "Ann Bo Cia Dan", "", "", "class", ""),
        ("Ann Bo", "Cia Dan", "", "", "unclear", "without --roster or --groups nothing says"),
        ("Ann Bo", "Ann Cia", "canvas", "", "unclear", "that batch is of canvas, and this download of folders"),
        ("Ann Bo", "Ann Cia", "", "full", "unclear", "--variant full was asked for"),
        ("Ann Bo", "Ann Cia", "", "mini", "class", ""),
    ],
)
def test_without_lists_a_download_is_of_the_class_if_its_names_are(
    graded, line, tmp_path, first, later, platform, variant, fit, words
):
    book = graded(**dict.fromkeys(first.split(), "x = 1"), platform=platform)
    found = handins(tmp_path / "later", **dict.fromkeys(later.split(), "x = 1"))
    said = place(book, book.batch(1), found, tmp_path / "later", line, variant)
    assert (said.fit, words in said.why) == (fit, True)
    assert said.to_grade == len(set(later.split()) - set(first.split()))


def listed(tmp_path, name, *ids):
    path = tmp_path / name
    path.write_text("id,name\n" + "".join(f"{one},Person {one.upper()}\n" for one in ids))
    return ClassLists(roster=path)


@pytest.mark.parametrize(
    ("ids", "handed_in", "fit", "words"),
    [
        ("abcdef", "de", "class", ""),
        ("abcdef", "a", "unclear", "1 of its hand-ins differs from what was graded (Person A)"),
        ("cxyz", "cx", "unclear", "1 of its people are not in the class of that batch, such as Person X"),
        ("vwxyz", "vw", "other", ""),
    ],
)
def test_with_lists_its_people_must_be_those_of_the_batch(line, tmp_path, ids, handed_in, fit, words):
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        lists = listed(tmp_path, "class.csv", *"abcdef")
        for one in "abc":
            (tmp_path / "first" / f"Person {one}").mkdir(parents=True)
            (tmp_path / "first" / f"Person {one}" / "solution.py").write_text("x = 0")
        found = lists.find(tmp_path / "first", tmp_path / "into")
        begin(book, line, found, tmp_path / "first", OPTIONS, SEED, who="ta", settings=lists.settings())
        for row in book.handins(1):
            grade(book, row)
        for one in handed_in:
            (tmp_path / "later" / f"Person {one}").mkdir(parents=True)
            (tmp_path / "later" / f"Person {one}" / "solution.py").write_text("x = 1")
        later = listed(tmp_path, "later.csv", *ids).find(tmp_path / "later", tmp_path / "into")
        said = place(book, book.batch(1), later, tmp_path / "later", line, "")
        assert (said.fit, words in said.why) == (fit, True)


def test_a_batch_without_lists_takes_nobody_whom_lists_call_otherwise(graded, line, tmp_path):
    book = graded(Ann="x = 1")
    (tmp_path / "later" / "Person b").mkdir(parents=True)
    later = listed(tmp_path, "class.csv", "b").find(tmp_path / "later", tmp_path / "into")
    with pytest.raises(UsageError, match="begun without a class list"):
        resume(book, line, later, book.batch(1), SEED, source=tmp_path / "later", take_unclear=True)


def test_the_batch_that_is_meant_is_the_downloads_own_else_the_newest_or_the_one_named(graded, line, tmp_path):
    book = graded(Ann="x = 1")
    begin(book, line, handins(tmp_path / "b", Bo="x"), tmp_path / "b", OPTIONS, SEED, who="ta", settings={})
    assert candidate(book, "line", tmp_path / "first").id == 1
    assert candidate(book, "line", tmp_path / "first", join=True).id == 2
    assert candidate(book, "line", tmp_path / "elsewhere").id == 2
    assert candidate(book, "line", tmp_path / "elsewhere", join=True, number=1).id == 1
    assert candidate(book, "stars", tmp_path / "first") is None
    with pytest.raises(UsageError, match="of line, not of stars"):
        candidate(book, "stars", tmp_path / "first", number=1)


def test_a_folder_of_nobody_in_one_download_is_somebodys_once_a_later_one_brings_it_in(graded, line, tmp_path):
    book = graded(Ann="x = 1")
    found = handins(tmp_path / "later", Bo="x = 2", Dan="x = 3")
    nobodys = replace(found, found=[], unmatched=[_unmatched("Bo"), _unmatched("Cia")])
    resume(book, line, nobodys, book.batch(1), SEED, source=tmp_path / "first", who="ta")
    resume(book, line, found, book.batch(1), SEED, source=tmp_path / "later", who="ta")
    assert book.look(book.batch(1)).unmatched == [("Cia", "why")]


def _unmatched(name):
    from tlcourse.grading.lms.handins import Unmatched

    return Unmatched(name, "why")
