"""Reports for the staff: the same facts on a terminal, in Markdown, as a page and as a document."""

from __future__ import annotations

import html.parser
import sqlite3
import zipfile

import msgspec
import pytest
from results import overridden

from tlcourse.course.exercise import solutions
from tlcourse.grading.gradebook.gradebook import UNREADABLE, Gradebook
from tlcourse.grading.gradebook.people import selected
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.result import CheckResult, Provenance, Result, SubmissionRecord
from tlcourse.grading.similarity import MAX_SOURCE
from tlcourse.presenting.report.as_html import report_page
from tlcourse.presenting.report.as_text import report_lines, report_markdown
from tlcourse.presenting.report.class_marks import marks_of, without_verdict
from tlcourse.presenting.report.report_data import document, five_numbers, gather, histogram
from tlcourse.presenting.report.report_files import write_all
from tlcourse.presenting.report.similar_handins import similar_of

OWNERS = {"a": "Group <1>", "b": "=Group 2", "c": "Ærø | 3", "d": "late"}


def result(outcome, points):
    checks = [
        CheckResult(
            name, f"Error of {name}", points > place, 0.1 * place, (0, 1), 0.1, 0.1, 9, float(points > place), 1.0
        )
        for place, name in enumerate(("y_error", "z_error"))
    ]
    return Result(
        exercise="line",
        variant="mini",
        submission=SubmissionRecord("/somewhere", ""),
        outcome=outcome,
        points=points,
        max_points=2.0,
        checks=checks if outcome in ("pass", "fail") else [],
        runs=[],
        messages=["used 900 MB"],
        provenance=Provenance("0", "0", "g", "d"),
        started_at="",
        finished_at="",
    )


@pytest.fixture
def book(tmp_path):
    """Four hand-ins: a passes, b fails, c needs too much memory, d is not graded; b has an override."""
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as opened:
        notices = {"notices": ["a notice"], "unmatched": ["<b>x</b>: nobody"], "missing": ["p9"]}
        handins = [
            HandInRecord(0, 0, key, owner, "group", [f"{key}1", f"{key}2"], f"1-{key} - {owner.strip('<>=')}", "/p", "")
            for key, owner in OWNERS.items()
        ]
        opened.begin_batch(
            BatchRecord(
                0, "line", "mini", "/s", "brightspace", 2.0, "secret", "s", "f00", "g", {}, notices, "sofie", ""
            ),
            handins,
        )
        opened.record(1, 0, result("pass", 2.0), "")
        opened.record(2, 0, result("fail", 1.0), "missed: z_error")
        opened.record(3, 0, result("memory", 0.0), "used # MB")
        overridden(opened, "b", 1.5, who="sofie", why="<i>the</i> right idea")
        yield opened


def test_a_solution_too_large_to_compare_is_named_and_holds_nobody_up(book, line, tmp_path):
    store = SubmissionStore(book.path)
    (tmp_path / "solution.py").write_text("match" + " " * MAX_SOURCE + "x")
    large = store.take(tmp_path / "solution.py")
    book.record(4, 0, msgspec.structs.replace(result("crash", 0.0), submission=SubmissionRecord("/", large.sha256)), "")
    report = gather(book, book.batch(1), line)
    said = "late: not compared: too large (more than 100 kB)"
    assert report.similar is not None
    assert report.similar.not_compared == [said]
    assert document(report)["not_compared"] == [said]
    for text in ("\n".join(report_lines(report, plain=True)), report_markdown(report), report_page(report)):
        assert said in text


def test_a_copy_that_was_moved_into_a_file_beside_the_solution_is_found(book, line, tmp_path):
    store = SubmissionStore(book.path)
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "solution.py").write_text("from helper import fit\n")
    (moved / "helper.py").write_text(next(solutions(line)).text)
    kept = store.take(moved)
    book.record(4, 0, msgspec.structs.replace(result("pass", 2.0), submission=SubmissionRecord("/", kept.sha256)), "")
    similar = gather(book, book.batch(1), line).similar
    assert similar is not None
    assert [(pair.owners, pair.share) for pair in similar.pairs] == [(("late", "the reference solution"), 1.0)]
    assert store.source(kept.sha256, 10_000) == f"from helper import fit\n\n# helper.py\n{next(solutions(line)).text}"
    assert store.source(kept.sha256, 100) is None


@pytest.fixture
def report(book, line):
    return gather(book, book.batch(1), line)


def test_every_form_of_the_report_has_the_same_facts(report):
    forms = ["\n".join(report_lines(report, plain=True)), report_markdown(report), report_page(report)]
    for text in forms:
        for fact in ("MEMORY", "1 of 2", "missed: z", "1.5", "right idea", "f00", "used", "a notice", "p9", "late"):
            assert fact in text.replace("\\_", "_"), (fact, text)


class Strict(html.parser.HTMLParser):
    """Tags that open and close in order, and what a page would load or run."""

    VOID = ("meta", "br", "line", "rect", "polyline", "circle")

    def __init__(self):
        super().__init__()
        self.open = []
        self.loads = []
        self.links = []
        self.ids = set()

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "srcset", "data") or name.startswith("on") or tag in ("script", "link", "iframe"):
                self.loads.append((tag, name, value))
            if name == "href":
                self.links.append(value)
            if name == "id":
                self.ids.add(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone_is_well_formed_and_its_links_lead_somewhere(book, line, report, tmp_path):
    written = write_all(book, book.batch(1), line, tmp_path / "out")
    assert [path.name for path in written] == ["feedback.zip", "report.html", "report.md", "feedback"]
    page = Strict()
    page.feed((tmp_path / "out" / "report.html").read_text())
    assert page.open == []
    assert page.loads == []
    assert "<script" not in (tmp_path / "out" / "report.html").read_text()
    from urllib.parse import unquote

    files = [link for link in page.links if not link.startswith("#")]
    assert len(files) == 4
    assert all((tmp_path / "out" / unquote(link)).is_file() for link in files)
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))


def test_feedback_lies_in_the_original_folders_and_is_written_for_the_owner_alone(book, line, tmp_path):
    write_all(book, book.batch(1), line, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out" / "feedback.zip") as packed:
        assert "1-a - Group <1/feedback.html" in packed.namelist()
        assert len(packed.namelist()) == 8
    assert (tmp_path / "out" / "report.html").stat().st_mode & 0o077 == 0


def test_a_groups_mark_goes_to_every_member_and_waiting_ones_are_named(book, line):
    statuses = book.statuses(book.batch(1))
    marks = {mark.person_id: mark.points for mark in marks_of(book, statuses, line)}
    assert marks == {"a1": 2, "a2": 2, "b1": 1.5, "b2": 1.5, "c1": 0, "c2": 0, "d1": None, "d2": None}
    assert without_verdict(statuses) == ["late"]


def test_the_document_can_be_read_by_a_program(report):
    found = msgspec.json.decode(msgspec.json.encode(document(report)))
    assert found["counts"] == {"pass": 1, "fail": 1, "memory": 1}
    assert found["handins"][1]["points"] == 1.5
    assert found["handins"][1]["graded_points"] == 1.0
    assert found["checks"][1] == {
        "id": "z_error",
        "title": "Error of z_error",
        "passed": 1,
        "of": 2,
        "self_reported": False,
    }


def test_distributions_in_words_and_bars():
    assert five_numbers([]) == "none"
    assert five_numbers([2.0]) == "2"
    assert five_numbers([0, 1, 2, 3, 4]) == "least 0, quartiles 1, 2 and 3, most 4; mean 2"
    assert histogram([2.0, 2.0, 0.0], 2.0) == [("0", 1), ("2", 2)]
    many = histogram([i / 10 for i in range(101)], 10.0)
    assert len(many) == 10
    assert sum(number for _, number in many) == 101


def notes(report) -> list[str]:
    return [check.note.strip() for check in report.checks]


def test_checks_that_rest_on_probes_are_marked_for_the_staff(book, line):
    checks = [msgspec.structs.replace(check, self_reported=check.id == "z_error") for check in result("pass", 2).checks]
    number = book.begin_regrade(1, [1, 2], selection="all", who="ta", why="a test")
    book.record(1, number, msgspec.structs.replace(result("pass", 2.0), checks=checks), "")
    assert notes(gather(book, book.batch(1), line)) == [
        "",
        "(self-reported by Group <1>, measured of all others: student code could forge it)",
    ]
    book.record(2, number, msgspec.structs.replace(result("fail", 1.0), checks=checks), "")
    report = gather(book, book.batch(1), line)
    said = "(self-reported: student code could forge it)"
    assert notes(report) == ["", said]
    assert [check["self_reported"] for check in document(report)["checks"]] == [False, True]
    for text in ("\n".join(report_lines(report, plain=True)), report_markdown(report), report_page(report)):
        assert said in text.replace("\\", "")


@pytest.mark.parametrize("broken", ["NaN", "infinite", "cut short", "not there"])
def test_one_broken_record_is_a_grader_fault_and_all_others_get_report_feedback_marks_and_pairs(
    book, line, tmp_path, broken
):
    kept = result("pass", 2.0)
    value = {"NaN": float("nan"), "infinite": float("inf")}.get(broken, 0.0)
    checks = [msgspec.structs.replace(check, value=value) for check in kept.checks]
    book.record(4, 0, msgspec.structs.replace(kept, checks=checks), "")
    if value == 0.0:
        with sqlite3.connect(book.path) as db:
            db.executescript("DROP TRIGGER documents_stay_update; DROP TRIGGER documents_stay_delete")
            how = "DELETE FROM documents" if broken == "not there" else "UPDATE documents SET document = '{\"schema\":'"
            db.execute(f"{how} WHERE result = 4")
        db.close()
    report = gather(book, book.batch(1), line)
    assert {one.handin.key: one.outcome for one in report.statuses} == {
        "a": "pass",
        "b": "fail",
        "c": "memory",
        "d": "infra",
    }
    assert ("infra", UNREADABLE, ["late"]) in [(one.outcome, one.cause, one.owners) for one in report.state.failures]
    page, text = report_page(report), report_markdown(report)
    assert UNREADABLE in page
    assert UNREADABLE in text
    assert not any("inf" in str(value) or "nan" in str(value) for check in report.checks for value in check.values)
    written = write_all(book, book.batch(1), line, tmp_path / "out")
    assert [path.name for path in written] == ["feedback.zip", "report.html", "report.md", "feedback"]
    with zipfile.ZipFile(tmp_path / "out" / "feedback.zip") as packed:
        assert len(packed.namelist()) == 8
        late = next(name for name in packed.namelist() if "late" in name and name.endswith(".md"))
        assert "you will hear from us" in packed.read(late).decode()
    statuses = book.statuses(book.batch(1))
    assert without_verdict(statuses) == ["late"]
    assert {mark.person_id: mark.points for mark in marks_of(book, statuses, line)} == {
        f"{key}{number}": points
        for key, points in {"a": 2.0, "b": 1.5, "c": 0.0, "d": None}.items()
        for number in (1, 2)
    }
    assert similar_of(book, statuses, line).pairs == []
    assert [one.handin.key for one in selected(statuses, "infra")] == ["d"]
