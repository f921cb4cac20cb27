"""A whole visit: read, be quizzed, run, be graded, leave while it trains. Nightly at the other sizes of terminals."""

from __future__ import annotations

import psutil
import pytest

from tlcourse.student.record import Record

COURSE = "transfer-learning"
SIZES = [(80, 24), *(pytest.param(size, marks=pytest.mark.nightly) for size in [(120, 40), (60, 20)])]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_whole_visit(visit, size):
    async with visit(*size) as person:
        assert "Continue" in person.screen
        # read the third unit to its end
        await person.press("down", "down")
        assert "What is transfer learning?" in await person.press("enter")
        await person.sees("minutes")
        assert "End of the lesson" in await person.press("end")
        assert "1/20 read" in person.screen
        # the quiz of the second unit: one wrong, one right
        await person.press("escape", "up")
        assert "Question 1 of 11" in await person.press("n")
        assert "✗ Wrong" in await person.answer(rightly=False)
        assert "Question 2 of 11" in await person.press("enter")
        assert "✓ Right" in await person.answer(rightly=True)
        # an exercise that trains in a second: make a file, see that it runs, be graded
        await person.press("escape")
        await person.go("exercise/ex3")
        await person.sees("Quantiles")
        assert "none yet" in await person.press("t") or size[0] >= 110
        await person.press("i")
        await person.press("r")
        await person.sees("RUNS", 120)
        await person.press("g")
        await person.sees("FAIL", 120)
        await person.sees("of 10 points")
        # one that trains for longer: leave meanwhile
        await person.go("exercise/ex2")
        await person.sees("Stars")
        await person.press("i")
        await person.press("g")
        await person.sees("training", 120)
        assert "A run is going on" in await person.press("q")
        grading = psutil.Process(person.app.background.runs["ex2"].child.pid)
        below = [grading, *grading.children(recursive=True)]
        await person.press("s")
    _, alive = psutil.wait_procs(below, timeout=60)
    assert not alive
    with Record.open() as record:
        assert record.read_units(COURSE) == {"what-is-transfer-learning"}
        assert record.latest_answers(COURSE, "residual-connections") == {
            "residual-what-is-learnt": False,
            "residual-degradation": True,
        }
        assert [attempt.outcome for attempt in record.attempts(COURSE, "ex3")] == ["fail"]
        assert record.attempts(COURSE, "ex2") == []


@pytest.mark.slow
async def test_the_next_visit_goes_on_where_the_last_one_ended(visit):
    async with visit(80, 24) as person:
        await person.press("down", "n")
        await person.press("a", "enter")
    async with visit(80, 24) as person:
        assert "Continue: Residual connections (quiz)" in person.screen
        assert "Question 2 of 11" in await person.press("enter")


@pytest.mark.slow
async def test_a_lesson_opens_where_it_was_left(visit):
    async with visit(80, 24) as person:
        await person.press("down", "enter")
        await person.sees("minutes")
        await person.press("space", "space", "space")
        page = person.app.screen.query_one("#page")
        left_at = page.scroll_y
        assert left_at > 20
    async with visit(80, 24) as person:
        await person.press("enter")
        await person.until(lambda: abs(person.app.screen.query_one("#page").scroll_y - left_at) <= 1, "the old place")


@pytest.mark.parametrize(("size", "shown"), [((39, 24), False), ((80, 11), False), ((40, 12), True)])
async def test_below_40_by_12_one_line_names_the_command_that_does_the_same(visit, size, shown):
    async with visit(*size) as person:
        assert ("Continue" in person.screen) is shown
        assert ("tlcourse lesson list" in " ".join(person.screen.split())) is not shown


@pytest.mark.slow
async def test_ascii_means_that_no_other_character_is_shown_on_any_screen(visit):
    async with visit(100, 30, ascii_only=True) as person:
        seen = [person.screen]
        for keys in ("2", "6", "3", "a", "enter", "question_mark", "escape", "4", "t", "h"):
            await person.press(keys)
            await person.pilot.pause(0.2)
            seen.append(person.screen)
    odd = {character for screen in seen for character in screen if not character.isascii()}
    assert odd == set()
