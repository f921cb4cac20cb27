"""Code that tests mark and a report that people mark, from the ZIP of a class to exported marks."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from assignments import NBGRADER, OTTER, code, notebook, text

COURSE = Path(__file__).parents[1] / "assignments_course"
REFERENCE = (COURSE / "graders/references/descent.py").read_text()
HALF = REFERENCE.replace("return abs(1 - rate * a) > 1", "raise NotImplementedError")


def with_words(source: str, words: str) -> str:
    cell = text(words)
    cell["metadata"]["tags"] = ["why"]
    return notebook(code(source), cell)


def packed(path: Path | io.BytesIO, handins: dict[str, dict[str, str | bytes]]) -> str:
    with zipfile.ZipFile(path, "w") as made:
        for name, files in handins.items():
            for file, data in files.items():
                made.writestr(f"{name}/{file}", data)
    return str(path)


@pytest.fixture
def ta(tmp_path, here):
    """`ta("mark", …)` and `ta.batch(…)` about a class that handed in `descent`."""
    where = ["--gradebook", str(tmp_path / "g.sqlite"), "--course", str(COURSE)]

    def run(name, *arguments, fails=0, exercise="descent"):
        return here("ta", name, exercise, *arguments, *where, fails=fails)

    def batch(path, *arguments, exercise="descent", course=COURSE):
        seed = ["--seed", "5", "--public-marks", "--sandbox", "bubblewrap", "--trust-course", "--jobs", "1"]
        return here("batch", exercise, path, *arguments, *where[:2], "--course", str(course), *seed)

    run.batch = batch
    return run


def marks(ta, *more):
    rows = csv.DictReader(io.StringIO(ta("export", "--format", "csv", *more).stdout))
    return {row["id"]: row["points"] for row in rows}


@pytest.mark.slow
def test_a_class_from_its_zip_to_marks_with_one_unmarked_and_one_changed_since(ta, tmp_path):
    """Ann: 4 by tests, 2 + 2.5 + 1 by people: 9.5. Bo: 3 by tests. Cem: 4 by tests, no notebook: 1 + 3 + 0 = 8."""
    handins = {
        "ann": {"solution.ipynb": with_words(REFERENCE, "The factor is above 1."), "report.pdf": b"%PDF one"},
        "bo": {"solution.ipynb": with_words(HALF, "It \x1b[2Jgrows."), "report.pdf": b"%PDF"},
        "cem": {"solution.py": REFERENCE, "Report.pdf": b"%PDF cem"},
    }
    ta.batch(packed(tmp_path / "class.zip", handins))
    for who in ("ann", "cem"):
        sheet = ta("mark", who).stdout
        assert "[file] report.pdf\n  | PDF, 8 bytes" in sheet
        assert "report/figure: A figure of w over the steps: – of 2\n  1 for axes with names" in sheet
    assert "No cell has the tag why" in sheet
    assert "[markdown] cell 2\n  | It grows." in ta("mark", "bo").stdout
    for who, part, points in [
        *[("ann", "report/figure", "2"), ("ann", "reading", "2.5"), ("ann", "words", "1")],
        *[("cem", "figure", "1"), ("cem", "report/reading", "3"), ("cem", "words/words", "0"), ("bo", "figure", "2")],
    ]:
        ta("mark", who, part, points, "--comment", f"about {part}", "--who", "sofie")
    assert ta("mark", "--todo", "--plain").stdout == "todo: bo: reading, words\n"
    ta("feedback", "sooner")
    assert "– not all of the 10 points are given yet – bo" in (tmp_path / "sooner/feedback/bo/feedback.md").read_text()
    assert "bo" in ta("export", "--format", "csv", fails=2).stderr
    assert marks(ta, "--partial") == {"ann": "9.5", "bo": "", "cem": "8"}  # bo waits: that is no 0

    handins["ann"] = {**handins["ann"], "report.pdf": b"%PDF two, longer"}
    handins["cem"] = {"solution.py": HALF, "report.pdf": b"%PDF cem"}  # the code alone is another
    ta.batch(packed(tmp_path / "later.zip", handins), "--join")
    assert marks(ta, "--partial") == {"ann": "9.5", "bo": "", "cem": "7"}  # what people marked is kept
    todo = json.loads(ta("mark", "--todo", "--json").stdout)["todo"]
    assert {one["who"]: (one["unset"], one["changed"]) for one in todo} == {
        "ann": ([], ["figure", "reading"]),
        "bo": (["reading", "words"], []),
    }
    said = "ann: changed since it was marked by hand: figure, reading"
    assert f"note: {said}" in ta("report").stdout.splitlines()
    assert "Changed since they were marked by hand" in ta("export", "--format", "csv", "--partial").stderr
    assert "sofie – changed since it was marked" in ta("mark", "ann").stdout
    ta("mark", "ann", "figure", "1", "--why", "the new one has no axes", "--who", "lars")
    ta("mark", "ann", "reading", "2.5")  # looked at again, and the same
    assert ta("mark", "--todo", "--plain").stdout == "todo: bo: reading, words\n"
    ta("mark", "bo", "reading", "0")
    ta("mark", "bo", "words", "0.5")
    ta("regrade", "--only", "ann", "--why", "to see", "--seed", "5", "--public-marks", "--sandbox", "bubblewrap")
    assert marks(ta) == {"ann": "8.5", "bo": "5.5", "cem": "7"}
    ta("feedback", "out")
    told = (tmp_path / "out/feedback/ann/feedback.md").read_text()
    assert "| A figure of w over the steps | 1 of 2 |" in told
    assert "about reading" in told
    kept = json.loads(ta("report", "--json").stdout)["hand_marks"]
    assert [(one["item"], one["points"], one["why"]) for one in kept if one["who"] == "lars"] == [
        ("figure", 1.0, "the new one has no axes")
    ]


def test_a_report_alone_is_kept_for_people_and_its_code_gives_nothing(ta, tmp_path):
    """Dora: 0 by tests, 2 + 3 + 0 by people: 5. Of Emil nobody can tell which code is meant; Gro's is in a ZIP."""
    zipped = io.BytesIO()
    packed(zipped, {"work": {"solution.py": HALF}})
    handins = {
        "dora": {"Report.pdf": b"%PDF dora"},
        "emil": {"text/report.pdf": b"%PDF emil", "a.py": HALF, "b.py": HALF},
        "gro": {"report.pdf": b"%PDF gro", "code.zip": zipped.getvalue()},
        "finn": {"notes.txt": b"nothing"},
    }
    ta.batch(packed(tmp_path / "class.zip", handins))
    report = ta("report").stdout
    assert "2 × fail: No solution.py was handed in. (dora, emil)" in report
    assert "1 × invalid: " in report
    assert "dora: not compared: no code was handed in" in report
    for who in ("dora", "emil", "gro"):  # wherever it lies in the hand-in
        assert "[file] report.pdf\n  | PDF, " in ta("mark", who).stdout
    for item, points in [("figure", "2"), ("reading", "3"), ("words", "0")]:
        ta("mark", "dora", item, points)
    assert marks(ta, "--partial")["dora"] == "5"
    ta("feedback", "out")
    told = (tmp_path / "out/feedback/dora/feedback.md").read_text()
    assert "**FAIL** – 5 of 10 points" in told
    assert "**Do this next:** No solution.py was handed in. Hand in what the exercise asks for; " in told
    why = "None of its code is run: several files could be meant, and none is named so, or more than one is."
    assert f"- {why}\n- No solution.py was handed in." in (tmp_path / "out/feedback/emil/feedback.md").read_text()
    ta("regrade", "--only", "dora", "--why", "to see", "--seed", "5", "--public-marks", "--sandbox", "bubblewrap")
    assert marks(ta, "--partial")["dora"] == "5"


@pytest.mark.parametrize(
    ("name", "document", "by_hand", "total"),
    [("hw1", OTTER, {"q3": 3}, "10"), ("sums", NBGRADER, {"why": 1.5, "draw": 2.5}, "9")],
)
def test_an_imported_assignment_keeps_every_point_from_its_cells_to_the_export(
    ta, here, tmp_path, name, document, by_hand, total
):
    """One answers in the notebook that was handed out, the other in the Python file."""
    (tmp_path / f"{name}.ipynb").write_text(document, encoding="utf-8")
    here("author", "import", f"{name}.ipynb", "c")
    course = tmp_path / "c"
    starter = json.loads((course / "exercises" / name / "starter.ipynb").read_text())
    reference = (course / "graders" / "references" / f"{name}.py").read_text()
    answered, said = [], {item: f"My words about {item}." for item in by_hand}
    for cell in starter["cells"]:
        tags = cell["metadata"].get("tags", [])
        answered.append(cell | {"source": said[tags[0]]} if tags else cell)
    answered.append(code(reference))
    percents = "\n".join(f'# %% [markdown] tags=["{item}"]\n# {words}' for item, words in said.items())
    handins = {
        "ann": {"solution.ipynb": json.dumps(starter | {"cells": answered})},
        "bo": {"solution.py": f"{reference}\n{percents}\n"},
    }
    ta.batch(packed(tmp_path / "class.zip", handins), exercise=name, course=course)
    book = ["--gradebook", str(tmp_path / "g.sqlite"), "--course", str(course)]
    for who in handins:
        sheet = here("ta", "mark", name, who, *book).stdout
        assert all(f"  | {words}" in sheet for words in said.values())
        for item, points in by_hand.items():
            here("ta", "mark", name, who, f"{item}/{item}", str(points), *book)
    rows = csv.DictReader(io.StringIO(here("ta", "export", name, "--format", "csv", *book).stdout))
    found = {row["id"]: row for row in rows}
    assert {who: row["points"] for who, row in found.items()} == {"ann": total, "bo": total}
    assert {row["max points"] for row in found.values()} == {total}
    assert {item: float(found["ann"][item]) for item in by_hand} == by_hand


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("report", "The part report has 2 items, each with its points."),
        ("figrue", "did you mean figure"),
        ("report/figures", "did you mean report/figure"),
        ("words/figure", "use one of: report/figure (at most 2), report/reading (at most 3), words/words (at most 1)"),
    ],
)
def test_an_item_that_is_none_is_said_with_the_near_ones(part, said):
    from tlcourse.course.loader import load_course
    from tlcourse.errors import UsageError
    from tlcourse.grading.gradebook.by_hand import item_called

    with pytest.raises(UsageError) as error:
        item_called(load_course(COURSE).exercises["descent"].about, part)
    assert said in "\n".join(error.value.lines())
