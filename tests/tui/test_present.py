"""Slides on the projector: a clicker's keys, answers one click later, a blank screen, a lab that plays."""

from __future__ import annotations

import pytest

from tlcourse.cli.start import route_of
from tlcourse.errors import UsageError


async def test_a_clicker_goes_through_a_lesson_and_back(visit):
    async with visit(200, 60) as person:
        shown = await person.go("present/dann")
        assert "██████      ████" in shown  # in large letters
        assert "1 / 20" in shown.splitlines()[-1]
        assert "?" not in shown.splitlines()[-1]  # no key line
        shown = await person.press("pagedown")
        assert "2 / 20" in shown
        line = next(line for line in shown.splitlines() if "label head" in line)
        assert "network for the first fails" in line or "(MNIST-M)" in line  # figure and text side by side
        assert "1 / 20" in await person.press("pageup")


async def test_an_answer_comes_with_the_next_click(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        shown = await person.press("6", "enter")
        assert "▸ answer  6 / 20" in shown
        assert "The features get the same gradient" not in shown
        shown = await person.press("right")
        assert "Answer. The features get the same gradient" in shown
        assert "6 / 20" in shown
        assert "7 / 20" in await person.press("right")
        assert "Answer. The features get the same gradient" in await person.press("left")


async def test_a_small_terminal_scrolls_a_slide_before_it_goes_on(visit):
    async with visit(80, 24) as person:
        await person.go("present/dann")
        shown = await person.press("space")
        assert "label head G_y" in shown
        shown = await person.press("space")
        assert "2 / 20" in shown
        assert "the domain of every example is known for free." in " ".join(shown.split())
        assert "3 / 20" in await person.press("space")


async def test_b_blanks_until_the_next_key_and_a_number_is_a_slide(visit):
    async with visit(80, 24) as person:
        await person.go("present/dann")
        assert (await person.press("b")).strip() == ""
        assert "1 / 20" in await person.press("pagedown")
        assert "to 1_" in await person.press("1")
        assert "18 / 20" in await person.press("8", "enter")
        assert "20 / 20" in await person.press("end")
        assert "CORAL" not in await person.press("1", "escape")  # the number first, then the slides
        assert "20 / 20" in person.screen
        before = await person.press("pagedown")  # after the last one, the next lesson
        assert "1 / " in before
        assert "20 / 20" not in before


async def test_a_labs_recorded_run_plays_on_its_slide_without_torch(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        await person.press("1", "7", "enter")
        await person.sees("plays")
        stage = person.app.screen.query_one("#lab-stage")
        assert "paused" in await person.press("y")
        stage.timeline.seek(1.0)
        stage.hold()
        shown = await person.sees("As claimed: DANN +0.118")
        assert "Features" in shown


async def test_f5_presents_a_lesson_and_esc_returns_to_it(visit):
    async with visit(120, 40) as person:
        await person.go("lesson/lora")
        assert "1 / 2" in await person.press("f5")
        assert "› lesson" in await person.press("escape")


async def test_without_half_blocks_a_title_is_in_plain_letters(visit):
    async with visit(120, 40, ascii_only=True) as person:
        shown = await person.go("present/dann")
        assert shown.isascii()
        await person.press("right")
        assert "Features without an accent" in person.screen.splitlines()[1]


def test_start_begins_with_a_lesson_or_its_slides():
    assert route_of(None, "12", present=True) == "present/lora"
    assert route_of(None, "dann", present=False) == "lesson/dann"
    assert route_of(None, "", present=True) == "present/practicalities"  # where one is
    with pytest.raises(UsageError, match="There is no unit 'dan'") as told:
        route_of(None, "dan", present=True)
    assert told.value.cause == "did you mean dann?"
