"""No empty halves: how much of a large terminal lessons, labs and slides use (other screens: `test_sweep.py`)."""

from __future__ import annotations

import pytest
from drawn import LEAST, used


@pytest.mark.slow
async def test_a_lesson_uses_a_large_terminal(visit):
    async with visit(200, 60) as person:
        await person.go("lesson/source-and-target")
        await person.sees("minutes")
        await person.press("space")
        for size in ((200, 60), (120, 40)):
            await person.pilot.resize_terminal(*size)
            assert used(await person.settled(), *size) >= LEAST, person.screen


SOME_LABS = ("pinball", "dann", "prototypes")
"""Nightly all of them. The first of these has least to show."""


@pytest.mark.slow
@pytest.mark.parametrize("labs", [SOME_LABS, pytest.param((), marks=pytest.mark.nightly)], ids=["some", "all"])
async def test_every_lab_uses_a_usual_terminal_before_its_run_and_after_it(visit, labs):
    async with visit(120, 40) as person:
        for lab in labs or person.app.labs:
            before = await person.go(f"lab/{lab}")
            assert used(before, 120, 40) >= LEAST, before
            await person.press("escape")
            await person.go(f"play/{lab}")
            after = await person.press("end")
            assert used(after, 120, 40) >= LEAST, after
            await person.press("escape")


@pytest.mark.slow
async def test_a_lab_before_its_run_shows_what_it_is_about_and_nothing_of_how_it_comes_out(visit):
    async with visit(200, 60) as person:
        for lab in ("pinball", "anchoring"):  # the one with least to show; one whose paper has numbers
            shown = await person.go(f"lab/{lab}")
            assert used(shown, 200, 60) >= LEAST, shown
        for words in (
            "The idea",
            "0.774 in the paper",
            "some 5 s",
            "labels of each new subject (4 to 1000, default 12)",
        ):
            assert words in shown
        assert "CE(p₀, p)" in shown  # the formula
        assert "0.796" not in shown  # what the paper reports of the method would answer the prediction
        assert "79.6" not in shown
        await person.go("play/anchoring")
        assert "What decides" not in await person.press("end")


@pytest.mark.slow
async def test_text_alone_on_a_slide_stands_in_the_middle_beside_a_figure(visit):
    async with visit(200, 60) as person:
        await person.go("present/dann")
        screen = person.app.screen
        number = next(n for n, one in enumerate(screen.slides, 1) if one.text.startswith("```python") and not one.more)
        lines = (await person.press(*str(number), "enter")).splitlines()
        told = [n for n, line in enumerate(lines) if "import math" in line or "assert torch.allclose(f.grad" in line]
        room = screen.query_one("#page").region
        assert told[-1] - told[0] > 20
        assert abs((told[0] - room.y) - (room.bottom - 1 - told[-1])) <= 6, (told, room)  # as much above as below
        assert any("domain head" in line for line in lines[told[0] : told[-1]])


WITHOUT_THE_APP = {
    "exercise/ex2": "exercise show ex2",
    "write/lora": "write show lora",
    "present/lora": "lesson show lora",
    "labs": "lab list",
}
"""Of places of the app the command for a terminal in which it has no room."""


@pytest.mark.slow
async def test_too_small_a_terminal_is_told_what_is_enough_and_a_command(visit):
    async with visit(120, 40) as person:
        for route, command in WITHOUT_THE_APP.items():
            await person.go(route)
            for size in ((39, 30), (90, 11)):
                await person.pilot.resize_terminal(*size)
                shown = " ".join((await person.settled()).split())
                assert shown == f"Too small: 40×12 is the least. Or use: tlcourse {command}"
            await person.pilot.resize_terminal(40, 12)
            assert "Too small" not in await person.settled()


@pytest.mark.slow
@pytest.mark.parametrize("command", WITHOUT_THE_APP.values())
def test_that_command_needs_nothing_that_a_beginner_lacks(tl, command):
    assert tl(*command.split(), course=None).returncode == 0
