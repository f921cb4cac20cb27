"""The whole course in one table: every number here is computed by hand, and found in each form of it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import result

from tlcourse.grading.gradebook.changes import note_class
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.result import CheckResult

EXAMPLE = Path(__file__).parent.parent / "example_course"
CLASS = [
    *[Person(f"p{n}", f"u{n}", "Navn", f"Efter{n}") for n in range(1, 7)],
    Person("p7", "=1+1", '=HYPERLINK("http://x")', "@Sum"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Exercises `line` (checks 2, a talk 3), `second` and `third` (checks 2 each)."""
    folder = tmp_path_factory.mktemp("course") / "c"
    shutil.copytree(EXAMPLE, folder)
    for name in ("second", "third"):
        shutil.copytree(folder / "exercises/line", folder / "exercises" / name)
        about = folder / "exercises" / name / "exercise.yaml"
        about.write_text(about.read_text().replace("id: line", f"id: {name}", 1))
    with (folder / "exercises/line/exercise.yaml").open("a") as stream:
        stream.write(
            "parts: [{id: lines, kind: model},"
            " {id: by-hand, kind: manual, rubric: [{id: talk, text: The talk, points: 3}]}]\n"
        )
    before, last, _ = (folder / "course.yaml").read_text().rpartition("exercises: [line]")
    listed = f"{before}{last[:-1]}, second, third]\n"
    (folder / "course.yaml").write_text(listed)
    return folder


def graded(y, z):
    """A verdict with so many points for each check; None: it crashed."""
    if y is None:
        return replace(result("crash", 0.0), checks=[])
    checks = [
        CheckResult(name, name, got == 1, 0.5, (0.4, 0.6), 0.1, 0.1, 9, got, 1.0)
        for name, got in (("y_error", y), ("z_error", z))
    ]
    return replace(result("pass" if y + z == 2 else "fail", y + z), checks=checks)


def begun(book, exercise, source, handins, people=()):
    """A batch: `handins` by owner, with members and points of the two checks."""
    batch = BatchRecord(
        *(0, exercise, "mini", source, "brightspace", 2.0, "secret", "s", "f", "g", {}),
        *({"notices": [], "unmatched": [], "missing": []}, "sofie", ""),
    )
    made = book.begin_batch(
        batch,
        [
            HandInRecord(0, 0, owner.lower(), owner, "group", members, f"1-2 - {owner}", "/p", "")
            for owner, (members, *_) in handins.items()
        ],
    )
    if people:
        note_class(book, made.id, people, {}, listed=None, who="", why="")
    for row in book.handins(made.id):
        _, *points = handins[row.owner]
        book.record(row.id, 0, graded(*points), "")


@pytest.fixture
def ta(course, tmp_path, here):
    """Three batches of seven people.

    `line`: A (p1, p2) 1 + 1, B (p3, p4) 1 + 0, S (p5) 1 + 1; p6 and p7 handed in nothing.
    `second`: X (p1, p3) 1 + 1 and Y (p2) crashed; then in a later download Z (p4) 0 + 1.
    """
    path = tmp_path / "g.sqlite"
    with Gradebook.writing(path, "a test") as book:
        begun(book, "line", "/a", {"A": (["p1", "p2"], 1, 1), "B": (["p3", "p4"], 1, 0), "S": (["p5"], 1, 1)}, CLASS)
        begun(book, "second", "/b", {"X": (["p1", "p3"], 1, 1), "Y": (["p2"], None, None)}, CLASS)
        begun(book, "second", "/late", {"Z": (["p4"], 0, 1)}, CLASS)

    def run(name, *arguments, fails=0):
        return here("ta", name, *arguments, "--gradebook", str(path), "--course", str(course), fails=fails)

    for whom, points in (("A", "2.5"), ("p2", "3"), ("B", "1")):
        run("mark", "line", whom, "talk", points)
    run("override", "second", "p5", "--excuse", "--why", "ill")
    run("override", "line", "p4", "--points", "0.5", "--why", "took no part")
    return run


LINE = {"p1": 4.5, "p2": 5, "p3": 2, "p4": 0.5, "p5": None, "p6": None, "p7": None}
SECOND = {"p1": 2, "p2": 0, "p3": 2, "p4": 1, "p5": None, "p6": None, "p7": None}
TOTAL = {"p1": (6.5, 7), "p2": (5, 7), "p3": (4, 7), "p4": (1.5, 7), "p5": (0, 5), "p6": (0, 7), "p7": (0, 7)}
LACKS = {
    **{name: {} for name in ("p1", "p2", "p3", "p4")},
    "p5": {"line": "waits for marks by hand"},
    **{name: {"line": "handed in nothing", "second": "handed in nothing"} for name in ("p6", "p7")},
}


def test_everybody_in_every_exercise_as_a_document(ta):
    document = json.loads(ta("report", "--all", "--json").stdout)
    people = {one["id"]: one for one in document["people"]}
    assert {name: one["exercises"]["line"]["points"] for name, one in people.items()} == LINE
    assert {name: one["exercises"]["second"]["points"] for name, one in people.items()} == SECOND
    assert {name: (one["total"], one["max_total"]) for name, one in people.items()} == TOTAL
    assert {name: one["lacks"] for name, one in people.items()} == LACKS
    assert people["p1"]["exercises"]["line"]["parts"] == {"y_error": 1, "z_error": 1, "talk": 2.5}
    assert people["p2"]["exercises"]["line"]["parts"] == {"y_error": 1, "z_error": 1, "talk": 3}
    assert people["p2"]["exercises"]["second"]["parts"] == {"y_error": 0, "z_error": 0}
    assert people["p4"]["exercises"]["second"]["batch"] == 3
    assert people["p1"]["exercises"]["second"]["batch"] == 2
    assert people["p5"]["exercises"]["second"]["state"] == "excused"
    assert document["not_graded"] == ["third"]
    assert [(one["exercise"], one["max_points"]) for one in document["exercises"]] == [("line", 5), ("second", 2)]


def test_the_table_is_strictly_formed_and_harmless_in_a_spreadsheet(ta):
    done = ta("export", "--all")
    assert "3 of 7 people lack a mark of some exercise" in done.stderr
    assert done.stdout.count("\n") == 8
    rows = list(csv.DictReader(io.StringIO(done.stdout), strict=True))
    assert list(rows[0]) == [
        *("id", "username", "last name", "first name"),
        *("line points", "line state", "line y_error", "line z_error", "line talk"),
        *("second points", "second state", "second y_error", "second z_error"),
        *("total", "max total", "lacks"),
    ]
    cells = {row["id"]: row for row in rows}

    def as_text(number):
        return "" if number is None else f"{number:g}"

    for name, row in cells.items():
        assert (row["line points"], row["second points"]) == (as_text(LINE[name]), as_text(SECOND[name])), name
        assert (row["total"], row["max total"]) == tuple(map(as_text, TOTAL[name]))
        assert row["lacks"] == " ".join(LACKS[name])
    assert [cells["p3"][f"line {part}"] for part in ("y_error", "z_error", "talk")] == ["1", "0", "1"]
    assert [cells["p5"][f"line {part}"] for part in ("y_error", "z_error", "talk")] == ["1", "1", ""]
    assert cells["p4"]["line state"] == "points set by hand"
    assert [cells["p7"][name] for name in ("username", "first name", "last name")] == [
        "'=1+1",
        '\'=HYPERLINK("http://x")',
        "'@Sum",
    ]
    zero = list(csv.DictReader(io.StringIO(ta("export", "--all", "--missing", "zero").stdout)))
    assert [row["second points"] for row in zero] == ["2", "0", "2", "1", "", "0", "0"]


def test_the_terminal_markdown_and_the_page_say_the_same(ta, tmp_path):
    lines = ta("report", "--all").stdout
    assert "Navn Efter1 (p1): 6.5 of 7: line 4.5, second 2" in lines
    assert "lacks: Navn Efter5 (p5): line (waits for marks by hand)" in lines
    assert "line: batch 1, 4 marks of 5 points: least 0.5," in lines
    assert "third: no batch was graded" in lines
    table = ta("report", "--all", "--markdown").stdout
    assert "| Navn Efter4 (p4) | 0.5 | 1 | 1.5 of 7 |" in table
    ta("report", "--all", "--html", "all.html")
    page = (tmp_path / "all.html").read_text()
    assert '<td class="number">6.5 of 7</td>' in page
    assert "talk: 2.5 of 3" in page
    assert "Navn Efter6 (p6): line (handed in nothing), second (handed in nothing)" in page


def test_the_table_of_one_exercise_has_the_points_of_each_check_and_part(ta):
    rows = list(csv.DictReader(io.StringIO(ta("export", "line", "--format", "csv", "--partial").stdout)))
    assert [[row[part] for part in ("points", "y_error", "z_error", "talk")] for row in rows] == [
        ["4.5", "1", "1", "2.5"],
        ["5", "1", "1", "3"],
        ["2", "1", "0", "1"],
        ["0.5", "1", "0", "1"],  # what staff decided of the sum changes no part
        ["", "1", "1", ""],
        ["", "", "", ""],
        ["", "", "", ""],
    ]


def test_who_left_the_class_is_named_and_in_no_table(ta, tmp_path):
    stay = CLASS[:6]
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        for batch in (1, 2, 3):
            note_class(book, batch, stay, {}, listed={one.id for one in stay}, who="", why="")
    document = json.loads(ta("report", "--all", "--json").stdout)
    assert [one["id"] for one in document["people"]] == [one.id for one in stay]
    assert [one for one in document["notices"] if "(p7)" in one and one.startswith("left the class, and not shown: ")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report",), "Name an exercise, or give --all."),
        (("report", "line", "--all"), "Name an exercise, or give --all."),
        (("report", "--all", "--batch", "1"), "--all shows the newest batch of each exercise."),
        (("export", "--all", "--format", "moodle"), "--all writes a plain table, which no platform imports."),
        (("export", "line"), "An export needs its --format."),
    ],
)
def test_what_does_not_go_together_is_refused(ta, arguments, words):
    assert words in ta(*arguments, fails=2).stderr
