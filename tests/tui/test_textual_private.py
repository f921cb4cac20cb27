"""The parts of Textual that are not public are as the app needs them; an upgrade that changes one fails here first."""

from __future__ import annotations

import re
from pathlib import Path

from drawn import settle, work_done
from textual.app import App
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tlcourse.tui import textual_private
from tlcourse.tui.textual_private import PAINT_PERIOD_S, active_app, lay_out_once, paint_soon

PACKAGE = Path(textual_private.__file__).parent
PRIVATE = re.compile(r"(?:from|import) textual(?:\.[a-z]\w*)*\._|\b_compositor\b")


def test_one_file_alone_uses_what_is_not_public():
    users = {path.name for path in PACKAGE.rglob("*.py") if PRIVATE.search(path.read_text(encoding="utf-8"))}
    assert users == {"textual_private.py"}


async def test_the_active_app_is_the_one_that_runs():
    async with App[None]().run_test() as pilot:
        assert active_app.get() is pilot.app


class Page(App[None]):
    """A line, and a text that fills what is left and scrolls."""

    CSS = "#line, #text { height: auto; } #page { height: 1fr; }"

    def __init__(self):
        super().__init__()
        lay_out_once()

    def compose(self):
        yield Static("a", id="line")
        with Container(id="body"), VerticalScroll(id="page"):
            yield Static("b", id="text")


async def test_a_screen_that_was_just_painted_waits_at_most_two_periods_of_a_240th_second_for_its_next_paint(
    monkeypatch,
):
    periods = {}
    of_textual = Screen.set_interval

    def set_interval(screen, interval, *given, **named):
        periods[named.get("name")] = interval
        return of_textual(screen, interval, *given, **named)

    monkeypatch.setattr(Screen, "set_interval", set_interval)
    paint_soon()
    async with Page().run_test():
        assert periods["screen_update"] == PAINT_PERIOD_S == 1 / 240


async def test_other_sizes_take_one_layout_and_a_scroll_bar_that_comes_is_given_room():
    async with Page().run_test(size=(40, 12)) as pilot:
        line, page, text = (pilot.app.query_one(f"#{name}") for name in ("line", "page", "text"))
        await settle(pilot)
        with work_done() as done:
            line.update("a\n" * 4 + "a")
            await settle(pilot)
        assert (line.size.height, page.size.height) == (5, 7)
        assert done["layouts"] == 1
        text.update("b\n" * 20 + "b")
        await settle(pilot)
        assert page.max_scroll_y == text.size.height - page.size.height == 14
        assert text.size.width == 40 - page.scrollbar_size_vertical < 40
        text.update("b")
        await settle(pilot)
        assert (text.size.width, page.max_scroll_y) == (40, 0)
