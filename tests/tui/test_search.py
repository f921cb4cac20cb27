"""`/` from anywhere: words, hits with a snippet, enter opens the place."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=str)
async def test_words_find_a_lesson_and_enter_opens_it(visit, size):
    async with visit(*size) as person:
        shown = await person.press("slash")
        assert "Search" in shown
        shown = await person.type("bottleneck")
        assert "found" in shown
        assert "lesson: Adapters: When adapters fail" in shown
        while person.app.screen._hits[person.app.screen.query_one("#hits").highlighted].kind != "lesson":
            await person.press("down")
        await person.press("enter")
        assert person.app.screen.__class__.__name__ == "LessonScreen"
        await person.press("escape")
        assert "bottleneck" in person.screen


async def test_what_nothing_has_says_so_and_no_text_breaks_it(visit):
    async with visit(80, 24) as person:
        await person.press("slash")
        await person.press("enter")
        await person.sees("Type words", 10)
        field = person.app.screen.query_one("#words")
        for text in ('"', "NEAR(", "[bold]lora", "zzzz", "-", "x" * 5000):
            field.value = text
            await person.press()
        field.value = "zzzz"
        assert "Nothing has all these words" in await person.press()
        assert "Continue" in await person.press("escape")


def test_the_command_finds_the_same(tl):
    ended = tl("search", "covariate", "shift", "--json", course=None)
    assert ended.returncode == 0
    hits = json.loads(ended.stdout)["hits"]
    assert any(hit["place"].startswith("lesson/") and hit["command"].startswith("tlcourse lesson show") for hit in hits)
    plain = tl("search", '"NEAR(', "--plain", course=None)
    assert plain.returncode == 0, plain.stderr
