"""At 80 columns a lesson's listings are seen whole; on less, the arrows move them. Links open what they name.

One lesson in `.ci/run`, the others nightly: `tests/content/test_lessons.py` has how wide their listings may be.
"""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.widgets import Label, Markdown
from textual.widgets.markdown import MarkdownFence

from tlcourse.course.loader import load_course
from tlcourse.tui.screens.lab import LabScreen
from tlcourse.tui.widgets.lesson_text import DRAWN

LESSONS = [
    pytest.param(name, marks=[] if name == "source-and-target" else pytest.mark.nightly)
    for name in sorted(load_course().lessons)
]


def hidden(person) -> list[str]:
    """Listings of which a part lies beyond the right edge."""
    found = []
    for fence in person.app.screen.query(MarkdownFence):
        if fence.lexer in DRAWN:  # these fit by another test
            continue
        room = fence.scrollable_content_region.width - fence.query_one(Label).gutter.width
        if max((cell_len(line) for line in fence.code.splitlines()), default=0) > room:
            found.append(fence.code)
    return found


async def shown(visit, name: str, columns: int) -> list[str]:
    async with visit(columns, 24) as person:
        await person.go(f"lesson/{name}")
        await person.sees("minutes")
        await person.press("end")
        return hidden(person)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", LESSONS)
async def test_no_lesson_hides_a_part_of_a_listing(visit, name, columns):
    assert await shown(visit, name, columns) == []


@pytest.mark.slow
async def test_on_60_columns_the_arrows_move_wide_listings(visit):
    async with visit(60, 20) as person:
        await person.go("lesson/lora")
        await person.sees("minutes")
        listings = [fence for fence in person.app.screen.query(MarkdownFence) if fence.lexer not in DRAWN]
        fence = max(listings, key=lambda listing: max(map(len, listing.code.splitlines())))
        await person.press("right")
        assert fence.scroll_x == 8
        await person.press("left", "left")
        assert fence.scroll_x == 0


@pytest.mark.slow
async def test_the_contents_open_over_the_text_at_80_columns_and_close_again(visit):
    async with visit(80, 24) as person:
        await person.go("lesson/anchoring")
        await person.sees("minutes")
        contents = person.app.screen.query_one("#contents")
        assert not contents.display or not contents.size.width
        await person.press("c")
        assert contents.size.width > 10
        await person.press("c")
        assert not contents.size.width


@pytest.mark.slow
async def test_a_link_opens_its_lab_and_a_lesson_its_section(visit):
    async with visit(100, 30) as person:
        await person.go("lesson/coral")
        await person.sees("minutes")
        text = person.app.screen.query_one(Markdown)
        person.app.screen.post_message(Markdown.LinkClicked(text, "lab/deep-coral"))
        await person.until(lambda: isinstance(person.app.screen, LabScreen), "the lab", 20)
        await person.press("escape")
        person.app.screen.post_message(Markdown.LinkClicked(text, "dann#what-was-reported"))
        await person.until(lambda: getattr(person.app.screen, "unit", "") == "dann", "the other lesson", 20)
