"""Similar hand-ins by command: of this class, of an earlier one, and of what was found somewhere."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import result

from tlcourse.course.deadline import LateRule, read_due
from tlcourse.grading.gradebook.changes import note_class
from tlcourse.grading.gradebook.deadlines import Kept, extend, keep_deadline
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.lateness import Until
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.result import SubmissionRecord

EXAMPLE = Path(__file__).parent.parent / "example_course"
SHORT = "def fit(task):\n    return None\n"


def long(name):
    """A solution whose form no other name's has."""
    ops = [ord(letter) % 5 for letter in name * 40]
    forms = ["a = a + b", "b = [a * k for k in b]", "if a < b: return a", "while b: b -= a", "a, b = b / 2, a"]
    body = "\n".join(f"    {forms[op]}" for op in ops)
    return f"def fit(a, b):\n{body}\n"


def a_gradebook(path, handins, people=()):
    """One batch of `line`: `handins` gives a source by (owner, person)."""
    store = SubmissionStore(path)
    with Gradebook.writing(path, "a test") as book:
        batch = BatchRecord(
            *(0, "line", "mini", f"/{path.name}", "brightspace", 2.0, "secret", "s", "f", "g", {}),
            *({"notices": [], "unmatched": [], "missing": []}, "sofie", ""),
        )
        rows = [
            HandInRecord(
                0, 0, f"k{n}", owner, "group", [person, f"q{person}"], f"1-{n} - {owner}", "/p", "2026-11-23T12:00"
            )
            for n, (owner, person) in enumerate(handins)
        ]
        book.begin_batch(batch, rows)
        note_class(book, 1, people, {}, listed=None, who="", why="")
        for row, source in zip(book.handins(1), handins.values(), strict=True):
            solution = path.parent / "solution.py"
            solution.write_text(source)
            sha256 = store.take(solution).sha256
            book.record(row.id, 0, replace(result("pass", 2.0), submission=SubmissionRecord("/", sha256)), "")
    return path


@pytest.fixture
def years(tmp_path):
    """This year A copied Old of last year, and C hands in again what C handed in then."""
    for year in ("now", "then"):
        (tmp_path / year).mkdir()
    now = a_gradebook(
        tmp_path / "now/g.sqlite", {("A", "p1"): long("copied"), ("B", "p2"): long("bbcbd"), ("C", "p3"): long("again")}
    )
    then = a_gradebook(
        tmp_path / "then/2025.sqlite",
        {("Old", "o1"): long("copied"), ("C", "p3"): long("again"), ("Short", "o2"): SHORT},
    )
    return now, then


def test_hand_ins_of_an_earlier_year_are_compared_and_those_of_the_same_person_are_said(years, here, tmp_path):
    now, then = years
    common = ("ta", "similar", "line", "--gradebook", str(now), "--course", str(EXAMPLE))
    assert "No pair shares more" in here(*common).stdout
    said = here(*common, "--with", str(then), "--html", "s.html").stdout.splitlines()
    assert len(said) == 3
    assert said[0].startswith("100% of the smaller one (")
    ends = sorted(line.partition("): ")[2].partition(", batch")[0] for line in said[:2])
    assert ends == ["A and Old of 2025.sqlite", "C and C of 2025.sqlite"]
    assert [
        line.endswith(", handed in by the same person") for line in sorted(said[:2], key=lambda x: "C and" in x)
    ] == [
        False,
        True,
    ]
    assert "<mark>" in (tmp_path / "s.html").read_text()
    hidden = here(*common, "--with", str(then), "--anonymous").stdout
    assert "earlier-" in hidden
    assert "2025" not in hidden
    assert "Old" not in hidden
    assert hidden.count(", handed in by the same person") == 1
    pairs = json.loads(here(*common, "--with", str(then), "--json").stdout)["pairs"]
    assert [(one["earlier"], one["known"], one["share"]) for one in pairs] == [(True, False, 1.0)] * 2


def test_a_gradebook_that_came_without_its_hand_ins_gives_no_all_clear(years, here):
    now, then = years
    shutil.rmtree(then.with_name("2025.sqlite.handins"))
    said = here("ta", "similar", "line", "--gradebook", str(now), "--course", str(EXAMPLE), "--with", str(then)).stdout
    assert (
        "3 hand-ins of 2025.sqlite: not compared: their copies are not beside 2025.sqlite, in 2025.sqlite.handins"
        in said
    )
    assert "Of those that were compared: no pair shares more than the starter's code. Not compared: 3." in said


def test_an_earlier_years_gradebook_stays_as_it_was(years, here, tmp_path):
    """Of the first edition, in a folder that holds nothing else."""
    archive = tmp_path / "archive"
    archive.mkdir()
    with sqlite3.connect(archive / "old.sqlite") as db:
        db.executescript((EXAMPLE.parent / "fixtures/edition_1/gradebook.sql").read_text(encoding="utf-8"))
    db.close()
    before = (archive / "old.sqlite").read_bytes()
    common = ("ta", "similar", "line", "--gradebook", str(years[0]), "--course", str(EXAMPLE))
    said = here(*common, "--with", str(archive / "old.sqlite")).stdout
    assert "2 hand-ins of old.sqlite: not compared: their copies are not beside old.sqlite" in said
    assert (archive / "old.sqlite").read_bytes() == before
    assert [path.name for path in archive.iterdir()] == ["old.sqlite"]


def test_what_is_not_graded_yet_is_not_said_to_be_unlike_all_others(years, here):
    with Gradebook.writing(years[0], "a test") as book:
        book.add_handins(1, [HandInRecord(0, 1, "k9", "Late", "group", ["p9"], "1-9 - Late", "/p", "")])
    said = here("ta", "similar", "line", "--gradebook", str(years[0]), "--course", str(EXAMPLE)).stdout
    assert "Late: not compared: it is not graded yet" in said
    assert "Of those that were compared: no pair" in said


def test_a_solution_that_was_found_somewhere_is_a_known_one(years, here, tmp_path):
    (tmp_path / "from_the_web.py").write_text(long("copied"))
    common = ("ta", "similar", "line", "--gradebook", str(years[0]), "--course", str(EXAMPLE))
    said = here(*common, "--with", "from_the_web.py").stdout
    assert "A and the file from_the_web.py" in said
    (tmp_path / "notes.txt").write_text("x")
    assert "notes.txt is neither a gradebook nor a Python file." in here(*common, "--with", "notes.txt", fails=2).stderr
    same = here(*common, "--with", str(years[0]), fails=2).stderr
    assert "has no other batch of line." in same


PEOPLE = [
    Person("s400123", "janedoe", "Jane", "Dørum", "jane.dorum@example.org"),
    Person("s400124", "bo7", "Bo-Erik", "Tomat"),
    Person("s400125", "ceciliab", "Cecilia", "Berg"),
]
NAMED = f'''"""By Jane Dørum and her friend Pelle."""
# Jane wrote this, s400123, in /home/janedoe/solutions
class JanesNet: pass
class DørumNet: pass
def netcecilia(janedoe_rate=1): pass
def model_of_jane(path="/home/pelle/data", author="Dorum, ceciliab"): return path
{long("named")}'''
SAYS = ("jane", "dørum", "dorum", "s400123", "pelle", "tomat", "erik", "s400124", "cecilia", "berg", "rakket")


@pytest.fixture
def named(tmp_path):
    """Jane Dørum and Bo-Erik Tomat are the group Rakket, and Cecilia Berg copied them; all are named everywhere."""
    path = a_gradebook(
        tmp_path / "g.sqlite",
        {("Rakket", "s400123"): NAMED, ("Cecilia Berg", "s400125"): NAMED.replace("JanesNet", "Mine")},
        PEOPLE,
    )
    with Gradebook.writing(path, "a test") as book:
        due = read_due("2026-11-20 23:59", "Europe/Copenhagen", LateRule(penalty=10))
        keep_deadline(book, 1, Kept(due), who="sofie")
        for target in ("person:s400124", "group:Rakket", "named:Jane"):
            extend(book, "line", target, Until(days=1), who="sofie", why="Tomat was ill")
    return path, ("--gradebook", str(path), "--course", str(EXAMPLE))


def test_no_form_of_an_anonymous_report_names_anybody_and_each_says_what_it_cannot_hide(named, here, tmp_path):
    _, common = named
    for arguments in (
        *(("override", "line", "s400125", "--points", "1", "--why", "Cecilia copied"),),
        *(("override", "line", "s400125", "--withdraw", "--why", "Cecilia did not"),),
        *(("override", "line", "s400124", "--points", "1", "--why", "Bo-Erik took no part"),),
        *(("mark", "line", "Rakket", "--comment", "Well done, Jane"),),
        *(("requests", "line", "--add", "s400125", "--text", "I am Cecilia"),),
        *(("move", "line", "s400124", "Rakket", "--why", "Tomat was there"),),
    ):
        here("ta", *arguments, *common)
    forms = []
    for arguments in ((), ("--json",), ("--markdown",), ("--html", "r.html"), ("--json", "--html", "r.html")):
        for which in ("line", "--all"):
            said = here("ta", "report", which, "--anonymous", *arguments, *common)
            page = (tmp_path / "r.html").read_text() if "--html" in arguments else ""
            forms.append((which, arguments, said.stdout + page))
    said = here("ta", "similar", "line", "--anonymous", "--html", "s.html", *common)
    assert "What this cannot hide: nicknames, misspelt names" in said.stderr
    shown = said.stdout + (tmp_path / "s.html").read_text()
    forms.append(("similar", (), shown))
    for which, arguments, text in forms:
        for word in SAYS:
            assert word not in text.casefold(), (which, arguments, word)
        if which != "similar" and arguments != ("--html", "r.html"):
            assert "What this cannot hide" in text, (which, arguments)
        if which == "line":
            assert "late" in text
            assert "2026-11-23" not in text  # platforms show when somebody handed in
    assert "<mark>" in shown  # the code itself is shown, beside pseudonyms
    assert "a = a + b" in shown


def test_pseudonyms_are_the_same_in_every_report_of_a_gradebook_and_others_in_another(named, here, tmp_path):
    _, common = named

    def people(*arguments):
        document = json.loads(here("ta", "report", *arguments, "--anonymous", "--json").stdout)
        return [one["id"] for one in document["people"]]

    first = people("line", *common)
    assert first == people("line", *common) == people("--all", *common) == sorted(first)
    assert all(one.startswith("person-") and len(one) == 15 for one in first)
    other = tmp_path / "other"
    other.mkdir()
    again = a_gradebook(other / "g.sqlite", {("Rakket", "s400123"): SHORT}, PEOPLE)
    theirs = people("line", "--gradebook", str(again), "--course", str(EXAMPLE))
    assert not set(first) & set(theirs)


def test_an_anonymous_report_tells_the_same_as_one_with_names(named, here):
    _, common = named
    plain, hidden = (
        json.loads(here("ta", "report", "line", *more, "--json", *common).stdout) for more in ((), ("--anonymous",))
    )
    for key in ("counts", "total", "checks"):
        assert plain[key] == hidden[key]
    assert sorted(one["points"] for one in plain["handins"]) == sorted(one["points"] for one in hidden["handins"])
    assert [pair["share"] for pair in plain["similar"]] == [pair["share"] for pair in hidden["similar"]]
