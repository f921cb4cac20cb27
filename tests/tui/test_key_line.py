"""The last line is one widget: what it says, what a click on it does, and when it is written."""

from __future__ import annotations

import pytest

from tlcourse.tui.widgets.key_line import KeyLine


def column(line: KeyLine, what: str) -> int:
    """Where a key begins that says this."""
    place = [key.what for key in line.keys].index(what)
    return line.ends[place] - len(what)


async def test_a_click_on_a_key_presses_it(visit):
    async with visit(120, 40) as person:
        line = person.app.screen.query_one(KeyLine)
        await person.pilot.click(KeyLine, offset=(column(line, "Keys"), 0))
        assert "Keys that work here" in await person.settled()


async def test_a_click_behind_the_last_key_does_nothing(visit):
    async with visit(120, 40) as person:
        line, before = person.app.screen.query_one(KeyLine), person.screen
        assert line.ends[-1] < 119
        await person.pilot.click(KeyLine, offset=(119, 0))
        assert await person.settled() == before


@pytest.mark.slow
async def test_the_key_under_the_mouse_stands_out_and_says_more(visit):
    async with visit(120, 40) as person:
        await person.go("lab/dann")
        line = person.app.screen.query_one(KeyLine)
        plain = line.content.spans
        await person.pilot.hover(KeyLine, offset=(column(line, "Play"), 0))
        assert str(line.tooltip) == "A recorded run, or one of yours"
        pointed = [span.style for span in line.content.spans if "$block-hover-background" in str(span.style)]
        assert len(pointed) == 2, "the key and what it does"
        await person.pilot.hover("#lab-line")
        assert line.tooltip is None
        assert line.content.spans == plain


@pytest.mark.parametrize(("width", "shown"), [(120, 7), (60, 6), (44, 5)])
async def test_what_does_not_fit_goes_from_the_end_but_never_help_and_quit(visit, width, shown):
    async with visit(width, 24) as person:
        line = person.app.screen.query_one(KeyLine)
        assert len(line.keys) == shown
        assert {"help", "leave_app"} <= {key.action for key in line.keys}
        assert line.ends[-1] <= width


async def test_a_dialog_that_opens_and_closes_leaves_the_line_as_it_is(visit, monkeypatch):
    async with visit(120, 40) as person:
        await person.go("lab/dann")
        line, written = person.app.screen.query_one(KeyLine), []
        monkeypatch.setattr(line, "update", lambda *words, **how: written.append(words))
        await person.press("question_mark", "escape")
        assert written == []
