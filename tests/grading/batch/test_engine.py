"""A batch gives every hand-in exactly one final result, whatever single hand-ins, the grader or the disk do."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import msgspec
import pytest

from tlcourse.course.loader import load_course
from tlcourse.errors import InfraError, UnableError
from tlcourse.grading.batch.open_backend import OpenBackend
from tlcourse.grading.batch.run import regrade
from tlcourse.grading.batch.state import state_of
from tlcourse.grading.grade import further_seed
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.result import cause_of, without_run
from tlcourse.grading.secret import data_seed, seed_from
from tlcourse.presenting.report.report_files import write_all
from tlcourse.storage import connect

EXAMPLE = Path(__file__).parents[2] / "example_course"


def history(path, owner):
    """Outcomes of all results of a hand-in."""
    with Gradebook.reading(path) as book:
        (batch,) = book.batches()
        (handin,) = [h for h in book.handins(batch.id) if h.owner == owner]
        return [verdict.outcome for verdict in book.history(handin.id)]


def test_every_hand_in_ends_with_one_final_result(class_of, graded, book_path):
    verdicts = graded(class_of(anna="passes", bo="fails", cleo="crashes", dora=""))
    assert {owner: verdict.outcome for owner, verdict in verdicts.items()} == {
        "anna": "pass",
        "bo": "fail",
        "cleo": "crash",
        "dora": "invalid",
    }
    assert verdicts["anna"].points == 2
    assert verdicts["bo"].points == 1
    assert verdicts["bo"].cause == "missed: z_error"
    assert all(len(history(book_path, owner)) == 1 for owner in verdicts)


def test_hand_ins_that_cannot_be_read_are_grouped_by_the_cause_and_not_by_the_path(class_of, graded, book_path):
    folder = class_of(anna="passes", bo="", cleo="", dora="", emil="")
    for name, file in (("bo", "work.rar"), ("cleo", "solution.rar"), ("dora", "solution.7z"), ("emil", "report.pdf")):
        (folder / name / file).write_text("x")
    (folder / "emil" / "all.7z").write_text("x")
    verdicts = graded(folder)
    whole = "The hand-in is neither a .py, nor a .ipynb, nor a ZIP."
    assert {owner: verdict.cause for owner, verdict in verdicts.items() if verdict.cause} == {
        "bo": f"{whole} It is a RAR archive, which is not opened.",
        "cleo": f"{whole} It is a RAR archive, which is not opened.",
        "dora": f"{whole} It is a 7z archive, which is not opened.",
        "emil": "The hand-in holds no solution.py and no solution.ipynb. "
        "It may be in all.7z, which is a 7z archive and is not opened.",
    }
    with Gradebook.reading(book_path) as book:
        groups = [group.owners for group in state_of(book, book.batch(1)).failures]
    assert groups == [["bo", "cleo"], ["dora"], ["emil"]]


def test_a_cause_is_shared_whatever_its_numbers_are_and_a_name_keeps_its_figure(line):
    said = "Byte {} of solution.py is no UTF-8, nor {} of a 7z archive. Fix: another."
    texts = [said.format(*numbers) for numbers in (("17", "0.5"), ("3", "1,2"))]
    about = {"outcome": "invalid", "path": "p", "variant": "mini", "started": "", "sha256": ""}
    causes = {cause_of(without_run(line, message=text, **about)) for text in texts}
    assert causes == {"Byte # of solution.py is no UTF-8, nor # of a 7z archive."}


def test_nothing_is_graded_twice_when_a_batch_goes_on(class_of, graded, book_path):
    graded(class_of(anna="passes", bo="fails"))
    verdicts = graded(class_of(cleo="crashes"))
    assert set(verdicts) == {"anna", "bo", "cleo"}
    assert history(book_path, "anna") == ["pass"]


def test_a_fault_of_ours_is_tried_again_and_both_tries_are_kept(class_of, graded, book_path, tmp_path):
    verdicts = graded(class_of(anna=f"faults-once {tmp_path / 'mark'}", bo="passes"))
    assert verdicts["anna"].outcome == "pass"
    assert history(book_path, "anna") == ["infra", "pass"]


def test_a_fault_that_stays_costs_nobody_a_mark_and_ends_within_its_budget(class_of, graded, book_path):
    folder = class_of(anna="faults", bo="passes")
    verdicts = graded(folder)
    assert verdicts["anna"].outcome == "infra"
    assert history(book_path, "anna") == ["infra"] * 3
    with Gradebook.reading(book_path) as book:
        state = state_of(book, book.batch(1))
    assert (state.final, state.infra, state.waiting) == (1, 1, 0)
    (folder / "anna" / "solution.py").write_text("# passes")
    assert graded(folder)["anna"].outcome == "pass"


def test_a_hand_in_that_disappears_is_our_fault_and_graded_when_it_is_back(class_of, graded, quick, book_path):
    names = "anna bo cleo dora emil finn gry hans ida zoe".split()  # zoe's is not collected while anna's runs
    folder = class_of(**dict.fromkeys(names, "passes"))

    def vanishing(job, tell):
        shutil.rmtree(folder / "zoe", ignore_errors=True)
        return quick.run(job, tell)

    verdicts = graded(folder, jobs=1, runner=vanishing)
    assert {name: verdicts[name].outcome for name in names} == {**dict.fromkeys(names, "pass"), "zoe": "infra"}
    assert set(history(book_path, "zoe")) == {"infra"}
    (folder / "zoe").mkdir()
    (folder / "zoe" / "solution.py").write_text("# passes")
    assert {verdict.outcome for verdict in graded(folder).values()} == {"pass"}


def test_a_regrade_of_what_was_refused_and_is_no_longer_there_ends_as_it_ended(class_of, graded, quick, book_path):
    folder = class_of(anna="passes", bo="", cleo="")
    (folder / "bo" / "work.rar").write_text("x")
    before = graded(folder)
    shutil.rmtree(folder)  # as an unpacked download is, once all of it is graded

    class Here:
        profile = None

        def check(self, *_, **__): ...
        def words(self):
            return "here"

        def opened(self, *_, **__):
            return contextlib.nullcontext(OpenBackend("quick", "", quick.run, lambda: None))

        def leaving(self, *_):
            return contextlib.nullcontext()

    with Gradebook.writing(book_path, "a test") as book:
        how = {"go_on": False, "why": "", "who": "", "jobs": 2, "backend": Here(), "sandbox_kind": "none"}
        how |= {"trusted": True, "tell": lambda _: None, "display": quick.Quiet}
        line, seed = load_course(EXAMPLE).exercises["line"], seed_from("line", quick.SECRET, None)
        number, state = regrade(book, book.batch(1), line, seed, "all", **how)
        assert (number, state.infra, book.unfinished_regrade(1)) == (1, 0, None)
        after = {handin.owner: book.verdicts(1)[handin.id] for handin in book.handins(1)}
    assert {owner: (one.outcome, one.cause) for owner, one in after.items()} == {
        owner: (one.outcome, one.cause) for owner, one in before.items()
    }
    assert {one.round for one in after.values()} == {1}


def test_a_hand_in_gone_before_it_is_collected_is_not_the_students_fault(class_of, graded, monkeypatch):
    from tlcourse.grading.gradebook.submission_store import SubmissionStore

    folder = class_of(anna="passes", bo="passes")
    take = SubmissionStore.take
    monkeypatch.setattr(
        SubmissionStore, "take", lambda self, path, *how: shutil.rmtree(path.parent) or take(self, path, *how)
    )
    assert graded(folder)["anna"].outcome == "infra"


def test_a_grader_that_stumbles_ends_no_other_grading(class_of, graded, quick):
    def stumbling(job, tell):
        if "fails" in (job.submission / "solution.py").read_text():
            raise ZeroDivisionError("a mistake in the grader")
        return quick.run(job, tell)

    verdicts = graded(class_of(anna="passes", bo="fails"), runner=stumbling)
    assert verdicts["anna"].outcome == "pass"
    assert verdicts["bo"].outcome == "infra"
    assert "ZeroDivisionError" in verdicts["bo"].cause


@pytest.mark.parametrize("measured", ['exact(float("nan"))', 'exact(float("inf"))', "1.0", "mean(1)"])
def test_a_measurement_that_breaks_on_one_hand_in_is_a_fault_of_ours_and_the_others_are_marked(
    class_of, graded, quick, book_path, tmp_path, measured
):
    course = Path(shutil.copytree(EXAMPLE, tmp_path / "course"))
    grader = course / "graders" / "line.py"
    text = grader.read_text().replace("import mean", "import exact, mean")
    broken = f"        if not predictions['z'].any():\n            found['z_error'] = {measured}\n    return found"
    grader.write_text(text.replace("    return found", broken))
    verdicts = graded(class_of(anna="passes", bo="fails", cleo="crashes"), course=course)
    assert {owner: (verdict.outcome, verdict.points) for owner, verdict in verdicts.items()} == {
        "anna": ("pass", 2.0),
        "bo": ("infra", 0.0),
        "cleo": ("crash", 0.0),
    }
    exercise = load_course(course).exercises["line"]
    with Gradebook.reading(book_path) as book:
        write_all(book, book.batch(1), exercise, tmp_path / "out")
        result = book.document(verdicts["bo"].id)
    assert "The grader of line failed: `" in result.messages[-1]
    said = {path.parent.name: path.read_text() for path in (tmp_path / "out" / "feedback").glob("*/feedback.md")}
    assert "PASS" in said["anna"]
    assert "GRADER FAULT" in said["bo"]
    assert "The grader failed on this hand-in. That is our mistake, and nothing is counted." in said["bo"]
    assert "z_error" not in said["bo"]


def test_half_characters_in_what_a_submission_says_end_no_batch(class_of, graded, quick):
    def halves(job, tell):
        report = quick.run(job, tell)
        metrics = [{"step": 1, "values": {"\ud800": 1.0}}]
        return msgspec.structs.replace(
            report, message="ValueError in fit: \ud800\udc80x", metrics=metrics, log="\udcff"
        )

    verdicts = graded(class_of(anna="crashes", bo="passes"), runner=halves)
    assert verdicts["anna"].outcome == "crash"
    assert verdicts["anna"].cause == "ValueError in fit: ??x."
    assert verdicts["bo"].outcome == "pass"


def test_names_that_are_no_text_are_graded_like_any_other(class_of, graded):
    folder = class_of(anna="passes")
    odd = os.fsdecode(os.fsencode(folder) + b"/b\xf8rge")
    shutil.copytree(folder / "anna", odd)
    verdicts = graded(folder)
    assert [verdict.outcome for verdict in verdicts.values()] == ["pass", "pass"]


def test_a_hand_in_that_our_own_reading_stumbles_over_ends_no_batch(class_of, graded, monkeypatch):
    from tlcourse.grading.gradebook.submission_store import SubmissionStore

    take = SubmissionStore.take

    def stumbling(self, path, *how):
        if "bo" in str(path):
            raise RecursionError("nested too deeply for us")
        return take(self, path, *how)

    monkeypatch.setattr(SubmissionStore, "take", stumbling)
    verdicts = graded(class_of(anna="passes", bo="passes"))
    assert (verdicts["anna"].outcome, verdicts["bo"].outcome) == ("pass", "infra")


def test_as_many_run_side_by_side_as_there_are_jobs(class_of, graded, quick):
    together = threading.Barrier(3, timeout=60)

    def meeting(job, tell):
        together.wait()  # breaks unless three are here at once
        return quick.run(job, tell)

    verdicts = graded(class_of(**{f"s{i}": "passes" for i in range(6)}), jobs=3, runner=meeting)
    assert {verdict.outcome for verdict in verdicts.values()} == {"pass"}


def test_the_data_of_a_seed_are_drawn_once_for_all(class_of, graded, monkeypatch):
    from tlcourse.grading.grader import Grader

    drawn = []
    make = Grader.make
    monkeypatch.setattr(Grader, "make", lambda self, seed, variant: drawn.append(seed) or make(self, seed, variant))
    graded(class_of(**{f"s{i}": "passes" for i in range(8)}), jobs=4)
    assert drawn == [data_seed(b"a secret that is long enough for a test", "line")]


def test_what_is_kept_holds_no_seed_of_a_secret(class_of, graded, book_path, quick):
    graded(class_of(anna="passes", bo="fails"))
    seed = data_seed(quick.SECRET, "line")
    with sqlite3.connect(book_path) as db:
        everything = "\n".join(db.iterdump())
    assert "missed: z_error" in everything
    for number in (seed, *(further_seed(seed, i) for i in (1, 2))):
        assert str(number) not in everything
        assert f"{number:x}" not in everything
    assert quick.SECRET.decode() not in everything


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(errno.ENOSPC, "No space left on device"), InfraError), (UnableError("no such device"), UnableError)],
)
def test_a_full_disk_or_a_missing_device_ends_the_batch_with_one_message(class_of, graded, quick, error, raised):
    folder = class_of(anna="passes", bo="passes", cleo="passes")
    calls = []

    def ending(job, tell):
        calls.append(job)
        if len(calls) == 2:
            raise error
        return quick.run(job, tell)

    with pytest.raises(raised):
        graded(folder, jobs=1, runner=ending)
    verdicts = graded(folder)
    assert {owner: verdict.outcome for owner, verdict in verdicts.items()} == dict.fromkeys(
        ("anna", "bo", "cleo"), "pass"
    )


def test_a_gradebook_on_a_full_disk_loses_nothing_that_was_recorded(class_of, graded, book_path, monkeypatch):
    folder = class_of(**{f"s{i:02}": "crashes" for i in range(30)})
    with Gradebook.writing(book_path, "a test"):
        pass  # its tables are there

    def small(path, **rest):
        db = connect(path, **rest)
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 4}")  # SQLite itself then says that the disk is full
        return db

    monkeypatch.setattr("tlcourse.grading.gradebook.file.connect", small)
    with pytest.raises(InfraError) as found:
        graded(folder)
    assert "full" in found.value.what
    assert "--resume" in found.value.remedy
    monkeypatch.undo()
    with Gradebook.reading(book_path) as book:
        before = set(book.verdicts(1))
    assert before
    verdicts = graded(folder)
    assert len(verdicts) == 30
    assert all(len(history(book_path, owner)) == 1 for owner in verdicts)


@pytest.mark.slow
def test_a_disk_that_is_really_full_stops_the_batch_and_nothing_is_lost(class_of, graded, book_path, tmp_path):
    folder = class_of(**{f"s{i}": "passes" for i in range(8)})
    for one in folder.iterdir():
        (one / "weights.bin").write_bytes(os.urandom(2**20))
    book_path.parent.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(book_path.parent)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here: that needs root and the right to mount")
    try:
        with pytest.raises(InfraError, match="full") as found:
            graded(folder)
        assert "--resume" in found.value.remedy
        with Gradebook.reading(book_path) as book:
            before = book.verdicts(1)
        assert {verdict.outcome for verdict in before.values()} <= {"pass"}
        subprocess.run(["mount", "-o", "remount,size=50m", str(book_path.parent)], check=True)
        verdicts = graded(folder)
        assert [verdict.outcome for verdict in verdicts.values()] == ["pass"] * 8
        assert all(len(history(book_path, owner)) == 1 for owner in verdicts)
    finally:
        subprocess.run(["umount", str(book_path.parent)], check=True)


def test_an_interrupted_batch_records_nothing_of_what_was_under_way(class_of, graded, book_path, quick):
    folder = class_of(**{f"s{i}": "slow" for i in range(6)})

    class Impatient(quick.Quiet):
        def show(self, read):
            if read().final >= 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graded(folder, display=Impatient())
    with Gradebook.reading(book_path) as book:
        assert 2 <= len(book.verdicts(1)) < 6
        assert not state_of(book, book.batch(1)).going
    assert len(graded(folder)) == 6


def test_a_clock_that_jumps_changes_no_order_and_no_rate(class_of, graded, book_path, monkeypatch):
    from tlcourse.grading.gradebook import gradebook

    times = iter(f"20{year:02}-01-01T00:00:00+00:00" for year in range(90, 0, -1))
    monkeypatch.setattr(gradebook, "now", lambda: next(times))
    jumps = iter(range(0, -(10**12), -(10**6)))
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + next(jumps))  # eleven days back at every look
    folder = class_of(anna="faults", bo="passes")
    begin = time.monotonic()
    graded(folder)
    taken = time.monotonic() - begin
    with Gradebook.reading(book_path) as book:
        live = book.live(1)
    assert live["left"] == 0
    assert 0 < live["seconds"] <= taken
    assert 60 * live["graded"] / live["seconds"] >= 60 * live["graded"] / taken > 0
    (folder / "anna" / "solution.py").write_text("# passes")
    verdicts = graded(folder)
    assert verdicts["anna"].outcome == "pass"
    assert history(book_path, "anna") == ["infra", "infra", "infra", "pass"]


def test_the_state_groups_failures_by_cause_and_names_the_slowest(class_of, graded, book_path):
    graded(class_of(anna="fails", bo="fails", cleo="crashes", dora="passes"))
    with Gradebook.reading(book_path) as book:
        state = state_of(book, book.batch(1))
    assert state.counts == {"fail": 2, "crash": 1, "pass": 1}
    assert (state.failures[0].outcome, state.failures[0].cause) == ("fail", "missed: z_error")
    assert state.failures[0].owners == ["anna", "bo"]
    assert state.failures[1].cause == "it crashes after # s."
    assert len(state.slowest) == 3
