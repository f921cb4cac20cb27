"""The very first start: a look at the machine, once, which nobody has to wait for."""

from __future__ import annotations

import asyncio

import psutil
import pytest
from tour import FINDINGS

from tlcourse.presenting.machine import MachineFinding
from tlcourse.student.record import first_start
from tlcourse.tui.screens import machine


@pytest.fixture
def examined(monkeypatch):
    """The findings of a machine without torch; `cancelled` tells whether somebody left before they were there."""
    state = {"hold": False, "cancelled": False}

    async def found():
        try:
            while state["hold"]:
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            state["cancelled"] = True
            raise
        return [MachineFinding(*finding) for finding in FINDINGS]

    monkeypatch.setattr(machine, "examined", found)
    return state


@pytest.mark.parametrize("size", [(60, 40), (79, 40), (120, 40)])
async def test_what_does_not_work_names_the_command_that_mends_it(visit, examined, size):
    async with visit(*size, greet=True) as person:
        await person.sees("Welcome")
        await person.sees("torch: No module")
        column = person.app.screen.query_one("#machine-page").region.x  # beside the welcome where there is room
        shown = " ".join(word for line in person.screen.splitlines() for word in line[column:].strip("│").split())
        assert "✗ lacks torch: No module named 'torch'" in shown
        for name, works, _, remedy, _ in FINDINGS:
            if not works:
                assert f"fix: {remedy}" in shown, name
        assert ("✓ works terminal: 120×40" in shown) is (size == (120, 40))
        assert "24 units" not in shown
        assert "20 lessons" in person.screen  # what the course is, before what the machine is
        assert "memory limit" not in shown  # the screen of the machine has all
        assert "Continue" in await person.press("enter")


@pytest.mark.slow
@pytest.mark.parametrize("key", [pytest.param("enter", marks=pytest.mark.nightly), "escape", "3"])
async def test_it_is_left_at_once_and_not_shown_again(visit, examined, key):
    examined["hold"] = True
    async with visit(80, 24, greet=True) as person:
        await person.sees("Welcome")
        shown = await person.press(key)
        assert ("Question 1" if key == "3" else "Continue") in shown
        assert examined["cancelled"]
    async with visit(80, 24, greet=True) as person:
        assert "Continue" in person.screen


async def test_the_machine_is_seen_again_with_all_findings(visit, examined):
    async with visit(100, 40) as person:
        await person.press("7")
        await person.sees("memory limit")
        await person.sees("100×40")
        assert "Continue" in await person.press("enter")


async def test_a_doctor_that_says_nothing_is_said_with_its_command(visit, monkeypatch):
    async def found():
        raise machine.UnansweredError("MemoryError")

    monkeypatch.setattr(machine, "examined", found)
    async with visit(80, 24, greet=True) as person:
        await person.sees("could not be examined")
        await person.sees("tlcourse doctor")


def test_a_start_is_the_first_one_once_and_never_where_nothing_can_be_remembered(tmp_path, monkeypatch):
    assert first_start()
    assert not first_start()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path / "file" / "home"))
    assert not first_start()


def test_a_small_terminal_is_told_how_it_grows():
    assert machine.terminal(80, 24).works
    assert not machine.terminal(79, 24).works
    assert "8;24;80t" in machine.terminal(79, 24).remedy


async def test_who_leaves_before_the_doctor_has_answered_leaves_no_process_behind():
    others = set(psutil.Process().children(recursive=True))  # such as another test's cluster
    for seconds in (0.01, 0.5):
        asking = asyncio.create_task(machine.examined())
        await asyncio.sleep(seconds)
        below = [one for one in psutil.Process().children(recursive=True) if one not in others]
        assert below
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        _, alive = psutil.wait_procs(below, timeout=60)
        assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
async def test_the_doctors_own_answer_is_understood():
    found = {finding.name: finding for finding in await machine.examined()}
    assert found["Python"].works
    assert found["torch"].works
    assert all(finding.remedy for finding in found.values() if not finding.works)
