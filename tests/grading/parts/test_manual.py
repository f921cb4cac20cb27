"""What people mark is shown as text: nothing of a hand-in is run, decoded or followed, and all of it is bounded."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from assignments import code, notebook, text
from msgspec.structs import replace

from tlcourse.course.loader import load_course
from tlcourse.errors import SubmissionError
from tlcourse.grading.grade import Options, grade, run
from tlcourse.grading.parts import marked_cells
from tlcourse.grading.parts.manual import MAX_PIECES, MAX_SHOWN, MAX_TEXT, bounded_text, laid_out, materials, seen
from tlcourse.presenting.verdict import problems

HOSTILE = "\x1b[2Jred\x1b]8;;http://x\x07link\x1b]8;;\x07 \u202egnp.exe <script>alert(1)</script> [x](javascript:y)"
PLAIN = "redlink gnp.exe <script>alert(1)</script> [x](javascript:y)"
PICTURE = base64.b64encode(b"\x89PNG and no picture").decode()


@pytest.fixture(scope="module")
def about():
    return load_course(Path(__file__).parents[2] / "assignments_course").exercises["descent"].about


@pytest.fixture
def shown(about, tmp_path):
    """`shown(part, name=bytes)`: kinds, titles and texts of what is shown of a hand-in with these files."""

    def of(part, **files):
        for name, data in files.items():
            (tmp_path / name.replace("__", ".")).write_bytes(data if isinstance(data, bytes) else data.encode())
        return [(one.kind, one.title, one.text) for one in materials(about, tmp_path)[part].pieces]

    return of


def tagged(cell, *tags):
    cell["metadata"]["tags"] = list(tags)
    return cell


@pytest.mark.parametrize(
    ("data", "piece"),
    [
        (b"%PDF-1.7 \x00", ("file", "PDF, 10 bytes")),
        (b"PK\x03\x04", ("file", "ZIP or office document, 4 bytes; it does not begin as a PDF does")),
        (b"", ("note", "report.pdf is empty.")),
        (b"\xff" * 2000, ("file", "no text, 2 kB; it does not begin as a PDF does")),
        (HOSTILE.encode(), ("text", PLAIN)),
    ],
)
def test_a_file_is_text_or_is_named_with_its_kind_and_size(shown, data, piece):
    assert shown("report", report__pdf=data) == [(piece[0], "report.pdf", piece[1])]


def test_a_file_of_another_case_is_taken_a_missing_one_is_said_and_a_link_is_nobodys(shown, tmp_path):
    (tmp_path / "report.pdf").symlink_to("/etc/passwd")
    ((kind, _, said),) = shown("report", Bericht__pdf=b"%PDF")
    assert (kind, said) == ("note", "report.pdf was not handed in. Beside it lie: Bericht.pdf, report.pdf.")
    assert shown("report", Report__PDF=b"%PDF") == [("file", "report.pdf", "PDF, 4 bytes")]
    (tmp_path / "elsewhere").write_text(notebook(tagged(text("a secret"), "why")))
    (tmp_path / "solution.ipynb").symlink_to(tmp_path / "elsewhere")
    assert shown("words") == [("note", "", "No cell has the tag why: no notebook is there.")]


@pytest.mark.parametrize(
    "cell",
    [
        tagged(text(HOSTILE), "x", "why"),
        tagged(text(HOSTILE), "part:why"),
        tagged(text(HOSTILE), "part:words"),
        text(HOSTILE, grade_id="Why", grade=True, solution=True, points=1),
        text(HOSTILE, grade_id="why", task=True, points=1),
    ],
)
def test_a_cell_is_found_by_its_tag_and_by_the_id_that_nbgrader_gave_it(shown, cell):
    assert shown("words", solution__ipynb=notebook(code("x = 1"), text("# why"), cell)) == [
        ("markdown", "cell 3", PLAIN)
    ]


def test_cells_of_otter_are_found_by_their_place_and_that_is_said(shown):
    begun = text("<!-- BEGIN QUESTION -->\n\n**Question 1.** Why?")
    cells = [begun, text("Because."), text("<!-- END QUESTION -->"), text("else")]
    assert shown("words", hw__ipynb=notebook(*cells)) == [
        ("note", "", "No cell has the tag why: question 1 of 1 is taken by its place."),
        ("markdown", "cell 1", "**Question 1.** Why?"),
        ("markdown", "cell 2", "Because."),
    ]


def test_a_python_file_has_tagged_cells_too(shown):
    source = '# %% [markdown] tags=["why"]\n# Since the\n# factor is above 1.\n\n# %%\nx = 1\n'
    assert shown("words", solution__py=source) == [("markdown", "cell 1", "Since the\nfactor is above 1.")]


def test_outputs_are_text_and_pictures_are_files(shown, about, tmp_path):
    cell = tagged(code("plot()", prints=HOSTILE), "why")
    cell["outputs"] += [
        {"output_type": "display_data", "data": {"image/png": PICTURE, "text/plain": "<Figure>", "text/html": "<b>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='x'/>"}},
        {"output_type": "error", "ename": "E\x1b[1m", "evalue": "v"},
    ]
    assert shown("words", solution__ipynb=notebook(cell)) == [
        ("code", "cell 1", "plot()"),
        ("output", "output of cell 1", PLAIN),
        ("output", "output of cell 1", "E: v"),
        ("file", "output of cell 1", "picture (PNG), 19 bytes"),
    ]
    (into := tmp_path / "out").mkdir()
    assert laid_out(about, tmp_path, into) == ["words-cell-1-1.png", "solution.ipynb"]
    assert (into / "words-cell-1-1.png").read_bytes() == b"\x89PNG and no picture"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"nbformat": "4", "cells": []}',
        b'{"nbformat": 4}',
        b'{"nbformat": 4, "cells": 3}',
        b'{"nbformat": 4, "cells": [1, {"metadata": 3}, {"metadata": {"tags": 3, "nbgrader": {"grade_id": []}}}]}',
        b'{"nbformat": 4, "cells": [{"metadata": {"tags": ["why"]}, "source": [3], "outputs": [{"data": {}}, 4]}]}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_notebook_is_a_note_and_no_traceback(shown, data):
    assert shown("words", solution__ipynb=data)


def test_what_is_shown_is_bounded_and_says_so(shown, about, tmp_path, monkeypatch):
    long = bounded_text("x" * (2 * MAX_TEXT))
    assert len(long) < MAX_TEXT
    assert long.endswith("[… the rest is not shown …]")
    many = shown("words", solution__ipynb=notebook(*(tagged(text("a"), "why") for _ in range(MAX_PIECES + 5))))
    assert many[-1] == ("note", "", "5 more pieces are not shown.")
    large = shown("words", solution__ipynb=notebook(*(tagged(text("a" * 3000 + "\n" + "b"), "why") for _ in range(59))))
    assert len(large) == 59
    large = shown("words", solution__ipynb=notebook(*(tagged(text("line\n" * 3000), "why") for _ in range(15))))
    assert large[-1] == ("note", "", "2 more pieces are not shown.")
    assert sum(len(words) for *_, words in large) <= MAX_SHOWN
    monkeypatch.setattr(marked_cells, "MAX_WHOLE", 1000)
    cell = tagged(code("x", prints="y" * 2000), "why")
    assert shown("words", solution__ipynb=notebook(cell)) == [
        ("note", "solution.ipynb", "Its outputs are too large to be shown."),
        ("code", "cell 1", "x"),
    ]
    parts = [replace(part, files=("solution.ipynb",)) if part.id == "report" else part for part in about.parts]
    (first, *_) = materials(replace(about, parts=tuple(parts)), tmp_path)["report"].pieces
    assert first.text == "Its outputs are too large to be shown."


def test_what_a_mark_has_seen_is_its_own_part_and_nothing_else(about, tmp_path):
    def hashes():
        return {item: one.split()[1] for item, one in seen(about, "s", tmp_path).items()}

    (tmp_path / "report.pdf").write_bytes(b"%PDF one")
    (tmp_path / "solution.ipynb").write_text(notebook(tagged(text("a"), "why"), code("x")))
    first = hashes()
    assert set(first) == {"figure", "reading", "words"}
    (tmp_path / "solution.ipynb").write_text(notebook(tagged(text("a"), "why"), code("y")))
    assert hashes() == first
    (tmp_path / "report.pdf").write_bytes(b"%PDF two")
    assert [item for item, one in hashes().items() if one != first[item]] == ["figure", "reading"]
    assert seen(about, "s", None) == {}  # nothing of it is kept any more: nobody can tell


def test_a_part_without_files_or_cells_has_nothing_to_change(about, tmp_path):
    document = json.loads('{"id": "talk", "rubric": [{"id": "talk", "text": "The talk", "points": 2}]}')
    import msgspec

    from tlcourse.course.parts import ManualPart

    talk = msgspec.convert({"kind": "manual", **document}, ManualPart)
    alone = msgspec.structs.replace(about, parts=(talk,))
    assert seen(alone, "s", tmp_path) == {}
    assert materials(alone, tmp_path)["talk"].pieces[0].text == "Nothing is handed in here for this part."


def test_missing_code_gives_its_parts_nothing_and_is_said_where_an_editor_looks(tmp_path):
    exercise = load_course(Path(__file__).parents[2] / "assignments_course").exercises["descent"]
    (tmp_path / "report.pdf").write_bytes(b"%PDF")
    result = grade(exercise, tmp_path, Options())
    assert (result.outcome, result.points, result.checks, result.runs) == ("fail", 0.0, [], [])
    assert [(one.id, one.outcome, one.points, one.message) for one in result.parts] == [
        ("code", "fail", 0.0, "No solution.py was handed in."),
        ("report", "ran", None, ""),
        ("words", "ran", None, ""),
    ]
    (problem,) = problems(result)
    assert (problem.title, problem.message) == ("FAIL", "No solution.py was handed in.")
    with pytest.raises(SubmissionError, match=r"holds no solution\.py"):
        run(exercise, tmp_path, Options())  # which is about the code alone


@pytest.mark.parametrize("name", ["solution.ipynb", "hw1.ipynb"])
@pytest.mark.parametrize("damaged", [b"{", b'{"cells": "none"}', b"\xff\xfe\x00", b""])
def test_a_damaged_notebook_beside_a_report_costs_its_own_parts_and_the_report_is_marked(tmp_path, name, damaged):
    exercise = load_course(Path(__file__).parents[2] / "assignments_course").exercises["descent"]
    folder = tmp_path / "handed-in"
    folder.mkdir()
    (folder / "report.pdf").write_bytes(b"%PDF-1.7")
    (folder / name).write_bytes(damaged)
    result = grade(exercise, folder, Options())
    assert (result.outcome, result.points) == ("fail", 0.0)
    assert [(part.id, part.points) for part in result.parts] == [("code", 0.0), ("report", None), ("words", None)]
    assert any(text.startswith("None of its code is run: ") for text in result.messages), result.messages
    (folder / "report.pdf").unlink()
    with pytest.raises(SubmissionError):  # a notebook alone can be handed in again
        grade(exercise, folder, Options())
