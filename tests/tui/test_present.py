"""Slides on the projector: a clicker's keys, answers one click later, a blank screen, a lab that plays."""

from __future__ import annotations

from collections import Counter

import pytest
from drawn import work_of_keys
from tour import ended_run

from tlcourse.cli.start import route_of
from tlcourse.course.loader import load_course
from tlcourse.errors import UsageError
from tlcourse.presenting.slides import slides
from tlcourse.tui.widgets.slide_view import SlideView

DANN = slides(load_course().lessons["dann"], ["dann"])
END = len(DANN)
ASKED, ASKED_OF_THE_QUIZ, LAB = (
    next(number for number, slide in enumerate(DANN, 1) if holds(slide))
    for holds in (
        lambda one: one.more.startswith("**Answer.**"),
        lambda one: one.question,
        lambda one: one.kind == "lab",
    )
)
SCHEDULES, COVARIATE = (
    next(number for number, slide in enumerate(DANN, 1) if slide.title.startswith(word))
    for word in ("Schedules", "Covariate shift and")
)
"""Numbers of the first question, one from the quiz, the lab, a short and a long title: lessons are written on."""


async def test_a_clicker_goes_through_a_lesson_and_back(visit):
    async with visit(200, 60) as person:
        shown = await person.go("present/dann")
        assert "██████      ████" in shown  # in large letters
        assert f"1 / {END}" in shown.splitlines()[-1]
        assert "?" not in shown.splitlines()[-1]  # no key line
        shown = await person.press("pagedown")
        assert f"2 / {END}" in shown
        line = next(line for line in shown.splitlines() if "label head" in line)
        assert "network for the first fails" in line or "(MNIST-M)" in line  # figure and text side by side
        assert f"1 / {END}" in await person.press("pageup")


async def test_an_answer_comes_with_the_next_click(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        shown = await person.press(*str(ASKED), "enter")
        assert f"▸ answer  {ASKED} / {END}" in shown
        assert "The features get the same gradient" not in shown
        shown = await person.press("right")
        assert "Answer. The features get the same gradient" in shown
        assert f" {ASKED} / {END}" in shown
        assert f" {ASKED + 1} / {END}" in await person.press("right")
        assert "Answer. The features get the same gradient" in await person.press("left")


async def test_a_question_of_the_quiz_is_a_slide_and_what_is_right_comes_with_the_next_click(visit):
    async with visit(120, 40) as person:
        await person.go("present/lora")
        lora = person.app.screen.slides
        number = next(number for number, slide in enumerate(lora, 1) if slide.question == "lora-rank")
        shown = await person.press(*str(number), "enter")
        assert "which of these can (α/r)·BA not be?" in shown
        assert "right:" not in shown
        assert f"▸ answer  {number} / {len(lora)}" in shown
        shown = await person.press("right")
        assert shown.count("✓ right:") == 1
        assert shown.count("✗ wrong:") == 3
        assert f" {number + 1} / {len(lora)}" in await person.press("right")
        assert person.app.record.latest_answers("transfer-learning", "lora") == {}  # nobody has answered


async def test_a_small_terminal_scrolls_a_slide_before_it_goes_on(visit):
    async with visit(80, 24) as person:
        await person.go("present/dann")
        shown = await person.press("space")
        assert "label head G_y" in shown
        shown = await person.press("space")
        assert f"2 / {END}" in shown
        assert "the domain of every example is known for free." in " ".join(shown.split())
        assert f"3 / {END}" in await person.press("space")


@pytest.mark.slow
async def test_b_blanks_until_the_next_key_and_a_number_is_a_slide(visit):
    async with visit(80, 24) as person:
        await person.go("present/dann")
        assert (await person.press("b")).strip() == ""
        assert f"1 / {END}" in await person.press("pagedown")
        assert "to 1_" in await person.press("1")
        assert f"18 / {END}" in await person.press("8", "enter")
        assert f"{END} / {END}" in await person.press("end")
        assert "CORAL" not in await person.press("1", "escape")  # the number first, then the slides
        assert f"{END} / {END}" in person.screen
        before = await person.press("pagedown")  # after the last one, the next lesson
        assert "1 / " in before
        assert f"{END} / {END}" not in before


@pytest.mark.slow
async def test_a_labs_recorded_run_plays_on_its_slide_without_torch(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        await person.pilot.press(*str(LAB), "enter")  # it goes on while a screen that moves settles
        await person.until(lambda: "plays" in person.screen)
        stage = person.app.screen.query_one("#lab-stage")
        await person.pilot.press("y")
        await person.until(lambda: "paused" in person.screen)
        stage.timeline.seek(1.0)
        stage.hold()
        shown = await person.sees("As claimed: DANN +0.118")
        assert "Features" in shown


@pytest.mark.slow
async def test_f5_presents_a_lesson_and_esc_returns_to_it(visit):
    async with visit(120, 40) as person:
        await person.go("lesson/lora")
        assert "1 / 2" in await person.press("f5")
        assert "› lesson" in await person.press("escape")


@pytest.mark.slow
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


@pytest.mark.slow
async def test_a_clicker_comes_back_from_a_lesson_that_it_entered_too_soon(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        await person.press("end")
        shown = await person.press("pagedown")
        assert "Feature matching" in shown
        assert f"{END} / {END}" in await person.press("pageup")
        await person.press(*str(ASKED + 1), "enter", "pageup")
        assert "Answer. The features get the same gradient" in person.screen  # as it was left
        await person.go("present/practicalities")
        assert "This is the first lesson." in await person.press("pageup")


async def test_a_clickers_start_key_leaves_the_slides_and_finds_the_slide_again(visit):
    async with visit(120, 40) as person:
        await person.go("present/lora")
        await person.go("present/dann")
        await person.press("1", "2", "enter")
        assert f"12 / {END}" in await person.press("b", "f5")  # these are the slides: it shows them
        assert "› lesson" not in await person.press("escape", "escape")
        assert f"12 / {END}" in await person.press("f5")  # from Home, too
        await person.press("end", "escape")
        assert f" 1 / {END}" in await person.press("f5")  # what was shown to its end begins anew


async def test_a_lab_is_opened_from_its_slide_and_left_for_it(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        await person.press(*str(LAB), "enter")
        assert "› lab" in (await person.press("x")).splitlines()[0]
        assert f"{LAB} / {END}" in await person.press("escape")


@pytest.mark.slow
async def test_titles_of_a_lesson_have_one_size(visit):
    for size in ((120, 40), (100, 30)):
        async with visit(*size) as person:
            await person.go("present/dann")
            for number in (2, SCHEDULES, ASKED, ASKED_OF_THE_QUIZ):
                rows = (await person.press(*str(number), "enter")).splitlines()[:8]
                assert any("▀" in row for row in rows), number
                assert not any("██" in row for row in rows), number
    async with visit(200, 60) as person:
        await person.go("present/dann")
        for number in (2, SCHEDULES, ASKED_OF_THE_QUIZ, COVARIATE):
            title = "\n".join((await person.press(*str(number), "enter")).splitlines()[:14])
            assert ("██" in title) == (number != COVARIATE), number  # that one would take three lines


@pytest.mark.slow
async def test_a_figure_takes_the_room_of_its_slide(visit):
    async with visit(200, 60) as person:
        shown = await person.go("lesson/dann")
        shown = await person.go("present/dann/2")
        line = next(line for line in shown.splitlines() if "features G_f" in line)
        assert line.index("features G_f") - line.index("x") > 12


async def test_what_a_run_came_to_is_not_said_on_a_projector(visit):
    async with visit(120, 40) as person:
        run = ended_run()
        await person.go("present/dann")
        person.app._announce(run)  # noqa: SLF001 - as when its process says so
        assert "ex2: " not in await person.settled()
        await person.press("escape")
        person.app._announce(run)  # noqa: SLF001
        assert "ex2: " in await person.settled()


async def test_no_listing_is_cut_at_80_columns(visit):
    async with visit(80, 24) as person:
        await person.go("present/lora")
        number = next(n for n, one in enumerate(person.app.screen.slides, 1) if "self.frozen.out_features)" in one.text)
        await person.press(*str(number), "enter")
        assert "self.frozen.out_features)" in await person.press("pagedown")


@pytest.mark.slow
async def test_the_first_slide_says_where_letters_are_small_for_a_room(visit):
    for size, said in (((200, 60), True), ((160, 45), False), ((120, 36), False)):
        async with visit(*size) as person:
            await person.go("present/dann")
            assert ("larger letters (ctrl and +), 120×36" in person.screen.splitlines()[-1]) == said
            assert "larger letters" not in await person.press("pagedown")


@pytest.mark.slow
async def test_the_figure_of_a_section_stays_below_the_text_where_there_is_room_and_beside_it_in_a_wide_one(visit):
    async with visit(120, 36) as person:
        await person.go("present/coral/2")
        figure = "re-coloured"
        assert figure in person.screen
        shown = (await person.press("pagedown")).splitlines()
        assert figure in person.screen
        line = next(number for number, one in enumerate(shown) if figure in one)
        assert line > next(number for number, one in enumerate(shown) if "Then train any classifier" in one)
        assert not person.app.screen.query_one("#page").max_scroll_y  # nothing is scrolled for it
        await person.pilot.resize_terminal(200, 60)
        line = next(one for one in (await person.settled()).splitlines() if "With C the covariance" in one)
        assert line.index("With C") < 10  # two columns of text leave no room beside them
        await person.go("present/dann/3")
        line = next(one for one in (await person.settled()).splitlines() if "label head" in one)
        assert line.index("label head") < 90
        await person.go("present/coral/3")
        await person.pilot.resize_terminal(80, 24)
        assert figure not in await person.settled()


OTHER_KEYS = ["f", "j", "7", "x", "home", "end", "left_square_bracket", "right_square_bracket"]


@pytest.mark.parametrize("keys", [["y"], pytest.param(OTHER_KEYS, marks=pytest.mark.slow)], ids=["y", "others"])
async def test_any_key_of_a_blank_screen_shows_the_slide_and_does_nothing_else(visit, keys):
    async with visit(120, 36) as person:
        before = await person.go("present/dann/7")
        for key in keys:
            assert (await person.press("b")).strip() == ""
            assert await person.press(key) == before, key


def slide_views(person) -> dict[int, SlideView]:
    """What is made, by the number of its slide, from 1."""
    screen = person.app.screen
    return {screen.slides.index(view.slide) + 1: view for view in screen.query(SlideView)}


async def test_the_next_slide_is_made_before_it_is_asked_for_and_those_far_away_go(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        for number in range(1, 10):
            await person.until(lambda following=number + 1: following in slide_views(person))
            following = slide_views(person)[number + 1]
            await person.press(*str(number + 1), "enter")
            assert [view for view in slide_views(person).values() if view.display] == [following]
        await person.until(lambda: not {1, 2, 3} & slide_views(person).keys())


async def test_a_slide_that_is_made_takes_one_layout_and_one_paint(visit):
    async with visit(120, 36) as person:
        person.app.motion_wanted = False
        await person.go("present/dann")
        await person.press("pagedown", "pagedown", "pageup", "pageup")
        done = await work_of_keys(person, *(["pagedown", "pagedown", "pageup", "pageup"] * 3))
        usual = Counter((one["layouts"], one["paints"], one["widgets"]) for one in done).most_common(1)
        assert usual[0][0] == (1, 1, 0)  # those ahead are made now and then, and a busy machine paints in between


async def test_who_jumps_to_a_slide_again_finds_its_answer_folded(visit):
    async with visit(120, 40) as person:
        await person.go("present/dann")
        answer = "Answer. The features get the same gradient"
        await person.press(*str(ASKED), "enter")
        assert answer in await person.press("right")
        assert answer not in await person.press(*str(ASKED), "enter")
        assert answer in await person.press("right")


@pytest.mark.slow
async def test_a_figure_below_a_text_stays_where_it_is_when_the_answer_comes(visit):
    async with visit(120, 40) as person:
        shown = []
        for rows in (40, 17, 14):
            await person.pilot.resize_terminal(120, rows)
            await person.go("present/practicalities/6")
            before = figure_at(person.screen)
            assert "Answer." in await person.press("right")
            assert figure_at(person.screen) == before
            assert not person.app.screen.query_one("#page").max_scroll_y
            shown.append(before > 0)
        assert shown == [True, True, False]


def figure_at(screen: str) -> int:
    """The line in which the figure of that slide begins; 0: nowhere."""
    return next((number for number, line in enumerate(screen.splitlines()) if "│ data," in line), 0)
