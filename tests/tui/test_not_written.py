"""The app goes on when the machine refuses to write: what was done stays on the screen, and is written later."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest
from disks import mounted
from drawn import notices_of

from tlcourse import paths
from tlcourse.course.loader import load_course
from tlcourse.errors import ExitCode, InfraError
from tlcourse.student.record import Record
from tlcourse.tui import app as tui

COURSE, QUIZ = "transfer-learning", "residual-connections"


def told(person) -> str:
    return " ".join(" ".join(notices_of(person.app)).split())


def answers() -> dict[str, bool]:
    with Record.open() as record:
        return record.latest_answers(COURSE, QUIZ)


async def test_an_answer_on_a_full_disk_is_marked_kept_in_memory_and_written_when_there_is_room(
    visit, tmp_path, monkeypatch
):
    monkeypatch.setattr(tui, "_AGAIN_S", 0.1)
    with mounted(tmp_path / "disk") as disk:
        monkeypatch.setenv("TLCOURSE_HOME", str(disk.folder))
        async with visit(120, 40) as person:
            await person.go(f"quiz/{QUIZ}")
            disk.fill()
            assert "✗ Wrong" in await person.answer(rightly=False)
            assert "the disk is full" in told(person)
            assert "Fix: make room" in told(person)
            assert "1 not written" in person.screen
            await person.press("enter")
            assert "✓ Right" in await person.answer(rightly=True)
            assert "2 not written" in person.screen
            assert person.app.is_running
            disk.make_room()
            await person.until(lambda: person.app.record.unwritten == 0)
            assert sorted(answers().values()) == [False, True]


async def test_an_answer_while_another_process_holds_the_record_is_kept(visit):
    async with visit(120, 40) as person:
        await person.go(f"quiz/{QUIZ}")
        with contextlib.closing(sqlite3.connect(paths.record_file(), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert "✓ Right" in await person.answer(rightly=True)
            assert "is in use" in told(person)
            other.execute("ROLLBACK")
    assert list(answers().values()) == [True]


@pytest.mark.slow
async def test_every_screen_goes_on_when_the_folder_is_removed_and_its_place_taken(visit, own_home, no_doctor):
    async with visit(120, 40) as person:
        shutil.rmtree(own_home)
        own_home.write_text("no folder")
        for route, *keys in (
            ("lesson/fine-tuning", "end", "space"),
            (f"quiz/{QUIZ}", "a", "enter"),
            ("exercise/ex2", "i", "h", "enter", "escape"),
            ("lab/coral", "b"),
            ("review",),
            ("progress",),
            ("machine",),
            ("write/lora", "i"),
        ):
            await person.go(route)
            await person.press(*keys)
            assert person.app.is_running, route
        person.app.choose_theme("light")
        await person.settled()
        own_home.unlink()
        assert person.app.record.try_again()
    assert len(answers()) == 1


@pytest.mark.slow
async def test_a_run_that_cannot_begin_is_said(visit, own_home):
    async with visit(120, 40) as person:
        await person.go("exercise/ex3")
        await person.press("i")
        shutil.rmtree(own_home)
        own_home.write_text("no folder")
        await person.press("g")
        assert person.app.is_running
        assert "The run could not be started: Not a directory." in told(person)
        own_home.unlink()


async def test_a_fault_of_ours_ends_the_app_with_one_message_and_its_traceback_in_a_file(visit, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(ZeroDivisionError):  # the test's own driver raises it again
        async with visit(80, 24) as person:
            person.app.call_later(lambda: 1 // 0)
            await person.pilot.pause()
            await person.pilot.pause()
            (shown,) = person.app._exit_renderables  # noqa: SLF001
    words = "".join(segment.text for segment in shown.segments)
    assert "tlcourse itself failed (ZeroDivisionError)" in words
    assert "Traceback" not in words
    (log,) = tmp_path.glob("tlcourse-error-*.log")
    assert "1 // 0" in log.read_text()


def test_what_could_not_be_recorded_until_the_end_is_the_exit_status(own_home, monkeypatch):
    shutil.rmtree(own_home)
    own_home.write_text("no folder")

    def visited(app: tui.CourseApp) -> None:
        app.record.mark_read(COURSE, "fine-tuning")

    monkeypatch.setattr(tui.CourseApp, "run", visited)
    with pytest.raises(InfraError, match="1 thing that you did could not be recorded") as end:
        tui.run(load_course(None))
    assert end.value.exit_code == ExitCode.INFRA
