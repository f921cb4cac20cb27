"""The Batch screen: what the gradebook has, live, for those who have one."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
from pathlib import Path

import pytest
from assignments import code as code_cell
from assignments import notebook
from assignments import text as text_cell
from drawn import notices_of
from msgspec.structs import replace
from results import result

from tlcourse.grading.batch.setup import ClassLists, begin
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.by_hand import add_request, hand_marks, set_mark
from tlcourse.grading.gradebook.changes import decide
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.result import SubmissionRecord
from tlcourse.grading.secret import seed_from
from tlcourse.paths import gradebook_file
from tlcourse.tui.screens.batch_words import export_command

TESTS = Path(__file__).parents[1]
EXAMPLE = TESTS / "example_course"


def commands(person):
    """The titles of the palette."""
    return [command.title for command in person.app.get_system_commands(person.app.screen)]


async def test_students_without_a_gradebook_are_not_shown_a_batch(visit):
    async with visit(100, 30) as person:
        assert "Batch" not in commands(person)


@pytest.mark.parametrize(("columns", "rows"), [(140, 40), (90, 30), (60, 24)])
async def test_counts_causes_and_hand_ins_of_the_newest_batch(visit, graded, columns, rows):
    graded(anna="passes", bo="fails", cleo="crashes", dora="fails")
    async with visit(columns, rows, course=EXAMPLE) as person:
        assert "Batch" in commands(person)
        person.app.go("batch")
        await person.sees("4 of 4 graded, done")
        await person.sees("2 × fail: missed: z_error (bo, dora)")
        assert "✓ anna  PASS 2" in await person.sees("anna")


async def test_a_hand_in_opens_in_full_and_escape_leads_back(visit, graded):
    graded(anna="fails", bo="passes")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("anna")
        await person.press("enter")
        shown = await person.sees("1 of 2 points")
        assert "✗ failed  Mean absolute error of z" in shown
        assert "history: fail 1" in shown
        await person.press("escape")
        await person.sees("2 of 2 graded")


@pytest.mark.slow
async def test_comments_and_requests_of_a_hand_in_are_shown(visit, graded):
    graded(anna="fails", bo="passes")
    with Gradebook.writing(gradebook_file(), "a test") as book:
        anna = next(one.target for one in book.handins(1) if one.owner == "anna")
        set_mark(book, "line", anna, "", None, "Nearly [red]there.", who="sofie", why="")
        add_request(book, "line", anna, "Is z not right?", who="sofie")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("1 open request: tlcourse ta requests line")
        await person.press("enter")
        shown = await person.sees("comment: Nearly [red]there.")
        assert "request 1 (open): " in shown
        assert "Is z not right?" in shown


ASSIGNMENTS = TESTS / "assignments_course"
HOSTILE = "# Report\x1b[2J\n\nIt grows [red]<script>x</script> [here](http://x).\n```\nw = 1\n```"


@pytest.fixture
def to_mark(own_home, tmp_path):
    """Ann, Bo and Cem handed in code, a report and a cell; all is graded, nothing marked. Cem has no report."""
    store = SubmissionStore(gradebook_file())
    cell = text_cell("It [b]grows[/b].")
    cell["metadata"]["tags"] = ["why"]
    batch = BatchRecord(
        *(0, "descent", "mini", "/s", "folders", 4.0, "given", "s", "f", "g", {}),
        {"notices": [], "unmatched": [], "missing": []},
        *("sofie", ""),
    )
    names = ("ann", "bo", "cem")
    with Gradebook.writing(gradebook_file(), "a test") as book:
        book.begin_batch(batch, [HandInRecord(0, 0, name, name, "person", [], name, "/p", "") for name in names])
        for handin in book.handins(1):
            (folder := tmp_path / "in" / handin.owner).mkdir(parents=True)
            (folder / "solution.ipynb").write_text(notebook(code_cell("x = 1"), cell))
            if handin.owner != "cem":
                report = HOSTILE.encode() if handin.owner == "ann" else b"%PDF-1.7"
                (folder / "report.pdf").write_bytes(report)
            taken = store.take(folder)
            made = replace(result("pass", 4.0), submission=SubmissionRecord(str(folder), taken.sha256))
            book.record(handin.id, 0, made, "")
    return store


def marks_given():
    with Gradebook.reading(gradebook_file()) as book:
        return [(one.target, one.item, one.points, one.comment, bool(one.seen)) for one in hand_marks(book, "descent")]


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), pytest.param(120, 40, marks=pytest.mark.nightly)])
async def test_a_hand_in_is_marked_beside_its_checks_with_keys(visit, to_mark, columns, rows):
    async with visit(columns, rows, course=ASSIGNMENTS) as person:
        await person.go("batch")
        assert "3 waiting for marks by hand" in await person.sees("ann")
        await person.press("m")
        shown = await person.sees("The report: – of 5")
        assert "✓ passed  Error of y" in shown
        assert "○ A figure of w over the steps" in shown
        await person.press("pagedown")
        shown = await person.sees("It grows [red]<script>x</script> [here](http://x).")
        assert "\x1b" not in shown
        await person.press("plus")
        await person.sees("✓ A figure of w over the steps  2 of 2")
        await person.press("enter", "enter")  # nothing is given
        assert len(marks_given()) == 1
        await person.press("enter")
        await person.sees("Points, at most 3")
        await person.type("4")
        await person.press("enter")
        await person.sees("4 points are more than the 3 of reading.")
        await person.press("backspace")
        await person.type("2,5")
        await person.press("tab")
        await person.type("why three rates")
        await person.press("enter")
        await person.sees("What the figure shows  2.5 of 3")
        await person.press("plus")
        await person.sees("The report: 4.5 of 5")
        assert [one[1:] for one in marks_given()] == [
            ("figure", 2.0, "", True),
            ("reading", 2.5, "why three rates", True),
            ("words", 1.0, "", True),
        ]
        await person.press("right")
        await person.sees("report.pdf: PDF, 8 bytes")
        await person.press("right")
        await person.sees("report.pdf was not handed in.")
        await person.press("right")
        await person.sees("report.pdf: PDF, 8 bytes")
        await person.press("escape")
        shown = await person.sees("2 waiting for marks by hand")
        assert "ann  PASS 9.5" in shown


@pytest.mark.slow
async def test_a_mark_that_changes_needs_its_reason_and_what_changed_since_is_said(visit, to_mark, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with Gradebook.writing(gradebook_file(), "a test") as book:
        for item in ("figure", "reading", "words"):
            set_mark(book, "descent", "ann", item, 1.0, "", who="lars", why="", seen="another one")
    async with visit(120, 40, course=ASSIGNMENTS) as person:
        await person.go("batch")
        await person.press("m")
        await person.sees("changed since it was marked")
        await person.press("plus")
        await person.sees("A mark that changes needs its reason.")
        await person.press("enter")
        await person.sees("Why it changes")
        await person.press("backspace", "enter")
        await person.sees("Points that are set stay until others are")
        await person.press("2", "tab", "tab")
        await person.type("axes")
        await person.press("enter")
        await person.sees("✓ A figure of w over the steps  2 of 2")
        await person.press("o")
        await person.sees("copied to")
        (said,) = [one for one in notices_of(person.app) if "copied to" in one]
        folder = Path(said.split("copied to ")[1])
        assert {path.name for path in folder.iterdir()} == {"report.pdf", "solution.ipynb"}
        assert folder.stat().st_mode & 0o77 == 0


@pytest.fixture
def a_class(own_home, line, tmp_path):
    """A (2 points, of which u2 has 0.5) and B (1 point) of Brightspace; 5 is excused, 6 handed in nothing.

    A folder is of one of two Jane Does, and B asks for another look.
    """
    spec = importlib.util.spec_from_file_location("a_class", TESTS / "fixtures" / "a_class.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["a_class"] = module
    spec.loader.exec_module(module)
    made = module.build_changing(tmp_path / "class")
    lists = ClassLists(made.roster, made.groups)
    found = lists.find(made.first, tmp_path / "into")
    options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
    seed = seed_from("line", b"a secret that is long enough", None)
    with Gradebook.writing(gradebook_file(), "a test") as book:
        begun = begin(book, line, found, made.first, options, seed, who="sofie", settings=lists.settings())
        for handin in book.handins(1):
            book.record(handin.id, 0, result("pass", 2.0) if handin.owner == "A" else result("fail", 1.0), "")
        decide(book, begun, "u2", 0.5, who="sofie", why="took no part")
        decide(book, begun, "u5", None, who="sofie", why="ill", excused=True)
        add_request(book, "line", book.handins(1)[1].key, "Is z not right?", who="sofie")
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "rows"),
    [(80, 24), *(pytest.param(*size, marks=pytest.mark.nightly) for size in [(120, 40), (200, 60)])],
)
async def test_everybody_of_the_class_is_shown_with_a_state_and_what_settles_it(visit, a_class, columns, rows):
    async with visit(columns, rows, course=EXAMPLE) as person:
        person.app.go("batch")
        shown = await person.sees("8 people: 3 graded, ")
        assert "✓ A  PASS 2 (but s100002 0.5)" in shown
        assert "✗ B  FAIL 1 (a request)" in shown
        await person.press("t")
        shown = await person.sees("? Jane Doe (s100007)  not matched")
        for line in (
            "– Navn6 Efter6 (s100006)  C  handed in nothing",
            "✓ Navn2 Efter2 (s100002)  A  points set by hand 0.5",
            "✗ Navn3 Efter3 (s100003)  B  FAIL 1 (a request)",
            "Navn5 Efter5 (s100005)  C  excused",
        ):
            assert line in shown
        await person.press("enter")
        await person.sees("To say whose it is")
        assert "--resume --is" in person.screen
        await person.press("X")
        await person.sees("Export with")
        await person.loses("To say whose it is")
        assert "--template" in person.screen
        assert "It is refused while 2 people are" in person.screen
        await person.press("j", "j", "j", "enter")
        shown = await person.sees("Navn2 Efter2 (s100002): 0.5 points (set for them alone)")
        assert "Navn1 Efter1 (s100001): 2 points" in shown


def test_the_export_that_is_proposed_is_that_of_the_platform_and_the_batch(a_class):
    with Gradebook.reading(gradebook_file()) as book:
        batch = book.batch(1)
    commands = {
        "brightspace": "--format brightspace --template THEIR-EXPORT.csv --output marks.csv --batch 1",
        "gradescope": "--format gradescope --output results.zip --batch 1",
        "blackboard": "--format csv --output marks.csv --batch 1",
    }
    for platform, said in commands.items():
        made = export_command(replace(batch, platform=platform), newest=False, course=Path("/my courses/x"))
        assert made == f"tlcourse ta export line {said} --course '/my courses/x'"


@pytest.mark.slow
async def test_a_batch_of_an_older_version_is_not_said_to_go_on(visit, own_home):
    dump = (TESTS / "fixtures" / "edition_1" / "gradebook.sql").read_text(encoding="utf-8")
    with sqlite3.connect(gradebook_file()) as db:
        db.executescript(dump)
        db.execute("INSERT INTO handins VALUES (3, 1, 'g3', 'G3', 'person', '[]', 'G3', 'G3', '', '[]', '')")
    db.close()
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("2 of 3 graded")
        for key in ("r", "g"):
            await person.press(key)
            await person.sees("grade anew with --again")


async def test_what_is_graded_meanwhile_appears_without_a_key(visit, graded):
    graded(anna="passes", bo="passes")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("2 of 2 graded")
        graded(cleo="crashes")
        shown = await person.sees("3 of 3 graded")
        assert "✗ cleo  CRASH" in shown


@pytest.mark.slow
async def test_keys_that_can_do_nothing_say_why_and_export_names_its_command(visit, graded):
    graded(anna="passes", bo="passes")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("2 of 2 graded")
        await person.press("r")
        await person.sees("Nothing ended in an internal error")
        await person.press("left_square_bracket")
        await person.sees("no older batch")
        await person.press("X")
        await person.sees("tlcourse ta export line")


async def test_the_place_where_a_batch_goes_on_is_chosen_among_this_machine_and_the_profiles(
    visit, graded, tmp_path, monkeypatch
):
    graded(anna="passes", bo="passes")
    config = tmp_path / "config.yaml"
    config.write_text("profiles:\n  moon:\n    host: moon\n")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(config))
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("graded on this machine")
        await person.press("p")
        await person.sees("g continues it on moon")
        await person.press("p")
        await person.sees("g continues it on this machine")
        await person.press("g")
        await person.sees("All of it is graded")


async def test_hostile_names_and_a_damaged_gradebook_are_shown_as_words(visit, graded):
    graded(**{"anna [red]x": "passes", "bo": "passes"})
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("anna [red]x")
        gradebook_file().write_bytes(b"no database" * 1000)
        await person.sees("damaged")


@pytest.mark.slow
async def test_retry_grades_faults_again_in_a_process_of_its_own(visit, graded, monkeypatch):
    graded(anna="faults", bo="passes")
    with Gradebook.reading(gradebook_file()) as book:
        assert book.verdicts(1)[1].outcome == "infra"
    monkeypatch.setenv("TLCOURSE_SECRET", "a secret that is long enough for a test")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("1 of 2 graded, stopped")
        await person.press("r")
        shown = await person.sees("2 of 2 graded", 120)  # for real: a file that defines no `fit`
        assert "✗ anna  INVALID" in shown
