"""A lab in the app: predict, run, read what came of it, change a setting, stop, replay."""

from __future__ import annotations

import psutil
import pytest


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_a_lab_is_predicted_run_and_explained(visit, size):
    async with visit(*size) as person:
        person.app.go("lab/shifts")
        await person.sees("Predict first")
        assert "enter." in await person.press("r")
        await person.press("down", "enter")
        assert "Your prediction is" in person.screen
        await person.press("r")
        await person.sees("Done in", 120)
        await person.press("b", "space")
        table = person.app.screen.query_one("#lab-table").render()
        assert "importance weights" in str(table)
        assert "cannot tell chance" in str(table)
        assert "your prediction" in str(person.app.screen.query_one("#lab-explanation").render())


async def test_settings_are_changed_in_a_line_and_what_cannot_be_is_said(visit):
    async with visit(100, 30) as person:
        person.app.go("lab/shifts")
        await person.sees("Predict first")
        await person.press("enter", "p")
        assert "is the default" in await person.press(*"labels=1", "enter")
        await person.press(*"00", "enter")
        assert "labels=100" in person.screen
        await person.press("p", "escape")
        assert "Claim" in person.screen


@pytest.mark.slow
async def test_leaving_a_lab_stops_what_it_started(visit):
    async with visit(100, 30) as person:
        person.app.go("lab/in-context")
        await person.sees("Predict first")
        await person.press("enter", "r")
        await person.sees("Training", 120)
        started = psutil.Process(person.app.screen._run._process.pid)
        below = [started, *started.children(recursive=True)]
        await person.press("escape")
        await person.pilot.pause(0.3)
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not [one for one in alive if one.status() != "zombie"]


async def test_a_lesson_leads_to_its_lab_and_says_so_where_there_is_none(visit):
    async with visit(100, 30) as person:
        person.app.go("lesson/coral")
        await person.sees("minutes")
        assert "Predict first" in await person.press("x")
        await person.press("escape")
        person.app.go("lesson/practicalities")
        await person.sees("minutes")
        assert "has no lab" in await person.press("x")
