"""Similar hand-ins by command: of this class, of an earlier one, and of what was found somewhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import result

from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.result import SubmissionRecord

EXAMPLE = Path(__file__).parent.parent / "example_course"
SHORT = "def fit(task):\n    return None\n"


def long(name):
    """A solution whose form no other name's has."""
    ops = [ord(letter) % 5 for letter in name * 40]
    forms = ["a = a + b", "b = [a * k for k in b]", "if a < b: return a", "while b: b -= a", "a, b = b / 2, a"]
    body = "\n".join(f"    {forms[op]}" for op in ops)
    return f"def fit(a, b):\n{body}\n"


def a_gradebook(path, handins):
    """One batch of `line`: `handins` gives a source by (owner, person)."""
    store = SubmissionStore(path)
    with Gradebook.writing(path, "a test") as book:
        batch = BatchRecord(
            *(0, "line", "mini", f"/{path.name}", "brightspace", 2.0, "secret", "s", "f", "g", {}),
            *({"notices": [], "unmatched": [], "missing": []}, "sofie", ""),
        )
        rows = [
            HandInRecord(0, 0, f"k{n}", owner, "group", [person, f"q{person}"], f"1-{n} - {owner}", "/p", "")
            for n, (owner, person) in enumerate(handins)
        ]
        book.begin_batch(batch, rows)
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


def test_a_solution_that_was_found_somewhere_is_a_known_one(years, here, tmp_path):
    (tmp_path / "from_the_web.py").write_text(long("copied"))
    common = ("ta", "similar", "line", "--gradebook", str(years[0]), "--course", str(EXAMPLE))
    said = here(*common, "--with", "from_the_web.py").stdout
    assert "A and the file from_the_web.py" in said
    (tmp_path / "notes.txt").write_text("x")
    assert "notes.txt is neither a gradebook nor a Python file." in here(*common, "--with", "notes.txt", fails=2).stderr
    same = here(*common, "--with", str(years[0]), fails=2).stderr
    assert "has no other batch of line." in same
