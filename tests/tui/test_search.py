"""`/` from anywhere: words, hits with a snippet, enter opens the place."""

from __future__ import annotations

import json
import threading

import pytest

from tlcourse.errors import UnableError

SIZES = [(80, 24), *(pytest.param(one, marks=[pytest.mark.slow, pytest.mark.nightly]) for one in [(60, 20), (120, 40)])]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_words_find_a_lesson_and_enter_opens_it(visit, size):
    async with visit(*size) as person:
        shown = await person.press("slash")
        assert "Search" in shown
        await person.type("bottleneck")
        shown = await person.sees("found;")
        assert "lesson: Adapters: When adapters fail" in shown
        while person.app.screen.hits[person.app.screen.query_one("#hits").highlighted].kind != "lesson":
            await person.press("down")
        await person.press("enter")
        assert person.app.screen.__class__.__name__ == "LessonScreen"
        await person.press("escape")
        assert "bottleneck" in person.screen


async def test_what_nothing_has_says_so_and_no_text_breaks_it(visit):
    async with visit(80, 24) as person:
        await person.press("slash")
        await person.sees("the prompts of questions")
        await person.press("enter")
        await person.sees("Type words")
        field = person.app.screen.query_one("#words")
        for text in ('"', "NEAR(", "[bold]lora", "zzzz", "-", "x" * 5000):
            field.value = text
            await person.press()
        field.value = "zzzz"
        assert "Nothing has all these words" in await person.press()
        assert "Continue" in await person.press("escape")


async def test_words_can_be_typed_while_the_index_is_made_and_are_then_looked_for(visit, monkeypatch):
    from tlcourse.tui.screens import search

    may_begin, made_by = threading.Event(), []

    class Slow(search.Index):
        def __init__(self, *arguments):
            made_by.append(threading.current_thread())
            assert may_begin.wait(60)
            super().__init__(*arguments)

    monkeypatch.setattr(search, "Index", Slow)
    async with visit(80, 24) as person:
        await person.press("slash")
        shown = await person.type("lora")
        assert "lora" in shown
        assert "Reading the course" in shown
        await person.press("enter")
        await person.sees("still being read")
        may_begin.set()
        await person.sees("found;")
    assert made_by != [threading.main_thread()]


async def test_a_course_that_cannot_be_indexed_says_why_and_what_mends_it(visit, monkeypatch):
    from tlcourse.tui.screens import search

    def without_fts5(*arguments):
        raise UnableError("The course cannot be searched by this Python.", remedy="use another one.")

    monkeypatch.setattr(search, "Index", without_fts5)
    async with visit(80, 24) as person:
        await person.press("slash")
        assert "use another one" in await person.sees("cannot be searched")
        assert "cannot be searched" in await person.type("lora")


def test_the_command_finds_the_same(tl):
    ended = tl("search", "covariate", "shift", "--json", course=None)
    assert ended.returncode == 0
    hits = json.loads(ended.stdout)["hits"]
    assert any(hit["place"].startswith("lesson/") and hit["command"].startswith("tlcourse lesson show") for hit in hits)
    plain = tl("search", '"NEAR(', "--plain", course=None)
    assert plain.returncode == 0, plain.stderr
