"""Home is a map: what is done of each unit is drawn, beside it the next step, what is due, and the days."""

from __future__ import annotations

import datetime
import re
from collections import Counter

import pytest
from drawn import work_of_keys
from tour import STOPS, ended_run

from tlcourse.course.loader import load_course
from tlcourse.student.overview import ExerciseState, ObjectiveState, Overview, QuizState, UnitState
from tlcourse.student.record import Record
from tlcourse.tui.runs import Run
from tlcourse.tui.widgets import course_map

COURSE = "transfer-learning"


def unit(**what: object) -> UnitState:
    told = {
        "id": "lora", "number": 12, "title": "LoRA and QLoRA", "summary": "Two thin matrices.", "written": True,
        "minutes": 10, "read": False, "quizzes": [], "exercises": [], "objectives": [], **what,
    }  # fmt: skip
    return UnitState(**told)


QUIZ = QuizState("lora", "LoRA", 8, 4, 2, ["a", "b"])


def line(state: UnitState, labs: int, width: int, *, summary: bool = False):
    return course_map.line(state, labs, course_map.columns([state], width), summary=summary)


@pytest.mark.parametrize(
    ("state", "drawn"),
    [
        (unit(), "○ 12  LoRA and QLoRA"),
        (unit(read=True), "● 12  LoRA and QLoRA"),
        (unit(read=True, quizzes=[QUIZ]), "◐ 12  LoRA and QLoRA"),
        (unit(written=False), "· 12  LoRA and QLoRA"),
    ],
)
def test_a_unit_says_by_its_shape_whether_it_is_new_begun_done_or_only_announced(state, drawn):
    assert line(state, 0, 70).plain.startswith(drawn)


def test_a_quiz_is_a_bar_of_what_is_right_and_wrong():
    drawn = line(unit(quizzes=[QUIZ]), 0, 70)
    assert "━━━━━━────── " in drawn.plain  # 2 right, 2 wrong, of 8
    assert " 2/8" in drawn.plain
    colours = [(drawn.plain[span.start : span.end], span.style) for span in drawn.spans]
    assert ("━━━", "$done") in colours
    assert ("━━━", "$wrong") in colours


def test_labs_are_counted_and_exercises_say_their_points():
    tried = [ExerciseState("ex2", "Stars", 3, "fail", 6, 10), ExerciseState("ex3", "Quantiles", 0, "", 0, 10)]
    passed = [ExerciseState("ex1", "Insects", 1, "pass", 10, 10)]
    assert "▲ 2" in line(unit(exercises=tried), 2, 80).plain
    assert line(unit(exercises=tried), 0, 120).plain.endswith("ex2 6/10 ex3 –")
    assert line(unit(exercises=passed), 0, 80).plain.endswith("ex1 ✓10")


@pytest.mark.parametrize("width", [40, 54, 70, 100, 140])
def test_a_line_of_the_map_is_never_wider_than_the_map(width):
    many = [ExerciseState(f"ex{n}", "", 1, "fail", 12.5, 100) for n in range(5)]
    state = unit(title="A title that is much too long for any map of a course", quizzes=[QUIZ] * 9, exercises=many)
    drawn = line(state, 12, width, summary=True).plain
    assert max(map(len, drawn.split("\n"))) <= width
    assert set(f"{state.title} {state.summary}".split()) <= set(drawn.split())
    assert all(f"ex{n}" in drawn for n in range(5))


def test_other_columns_give_way_before_titles_do():
    units = [unit(title="x" * width) for width in range(15, 35)]
    given = {width: course_map.columns(units, width) for width in (54, 60, 66, 74, 80, 100)}
    assert [(at.bar, at.count > 0, at.read > 0, at.labs > 0) for at in given.values()] == [
        (5, False, False, False),
        (5, False, False, True),
        (5, False, True, True),
        (8, True, True, True),
        (8, True, True, True),
        (12, True, True, True),
    ]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_no_word_of_a_title_is_cut(visit, size):
    async with visit(*size) as person:
        units = person.app.screen.query_one("#units")
        width = units.scrollable_content_region.width
        drawn = [str(option.prompt) for option in units.options]
        assert max(len(line) for prompt in drawn for line in prompt.split("\n")) <= width
        words = set(" ".join(drawn).split())
        for told in person.app.state.units:
            assert set(told.title.split()) <= words, told.title
        if size[1] >= 54:
            assert all(set(told.summary.split()) <= words for told in person.app.state.units)
        assert not [word for word in words if word.endswith("…")]


@pytest.mark.parametrize(("key", "pane", "lines"), [("1", "#map", "#units"), ("5", "#labs-list", "#labs-choices")])
async def test_lines_fit_a_list_whose_width_came_after_the_size_of_the_screen(visit, key, pane, lines):
    async with visit(200, 60) as person:
        await person.press(key)
        before = person.app.screen.query_one(lines).size.width
        person.app.screen.query_one(pane).styles.width = 60
        await person.settled()
        found = person.app.screen.query_one(lines)
        width = found.scrollable_content_region.width
        assert width < 60 < before
        drawn = [str(option.prompt) for option in found.options]
        assert max(len(line) for prompt in drawn for line in prompt.split("\n")) <= width


def test_an_objective_is_all_right_only_when_its_questions_were_asked():
    def shape(questions: int, answered: int, right: int) -> str:
        return course_map.square(ObjectiveState("a", "A", questions, answered, right)).text

    assert [shape(4, 0, 0), shape(4, 4, 0), shape(4, 4, 3), shape(4, 4, 4), shape(4, 1, 1)] == ["·", "□", "▪", "■", "▪"]


def test_days_in_a_row_count_up_to_yesterday_while_today_is_young():
    today = datetime.date(2026, 11, 29)
    days = {today - datetime.timedelta(days=back): 1 for back in (1, 2, 3, 5)}
    assert Overview("c", "C", [], "", days=days).streak(today) == 3
    assert Overview("c", "C", [], "", days={**days, today: 2}).streak(today) == 4
    assert Overview("c", "C", [], "", days={}).streak(today) == 0


def test_the_week_shows_each_day_as_high_as_what_was_done_on_it():
    today = datetime.date(2026, 11, 29)
    days = {today: 8, today - datetime.timedelta(days=1): 4}
    names, bars, said = course_map.week(Overview("c", "C", [], "", days=days), today).plain.split("\n")
    assert names.split() == ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    assert bars.split() == ["·", "·", "·", "·", "·", "▅▅", "██"]
    assert said == "2 days in a row"


@pytest.mark.slow
async def test_the_cursor_stands_on_the_unit_to_continue_with_and_enter_goes_there(visit):
    with Record.open() as record:
        record.keep_place(COURSE, "quiz/lora")
    async with visit(120, 40) as person:
        assert "Continue: LoRA" in " ".join(person.screen.split())
        assert "╭─ Next ─" in person.screen
        assert "╭─ Unit 13 ─" in await person.press("down")
        assert "Question 1" in await person.press("up", "enter")


async def test_to_move_between_units_is_one_layout_and_one_paint(visit):
    async with visit(120, 40) as person:
        await person.press("down", "up")
        done = await work_of_keys(person, *["down"] * 6, *["up"] * 6)
        usual = Counter((one["layouts"], one["paints"], one["widgets"]) for one in done).most_common(1)
        assert usual[0][0] == (1, 1, 0)  # a busy machine may paint in between


@pytest.mark.slow
async def test_the_buttons_do_what_their_keys_do_for_the_unit_under_the_cursor(visit):
    async with visit(120, 40) as person:
        assert not person.app.screen.query_one("#key-lab").display  # the first unit has no lab
        await person.press(*["down"] * 9)  # FISH masks
        await person.pilot.click("#key-lab")
        await person.sees("› lab")


@pytest.mark.slow
async def test_a_click_on_an_area_opens_it(visit):
    async with visit(120, 40) as person:
        await person.pilot.click("#areas", offset=(15, 0))
        await person.sees("Practicalities › lesson")
        await person.sees("2 Lesson")


async def test_what_was_done_today_is_seen_and_what_is_due_is_counted(visit):
    with Record.open() as record:
        record.mark_read(COURSE, "practicalities")
        question = load_course().quizzes["lora"].questions[0]
        record.record_answer(COURSE, "lora", question.id, 0, correct=False)
    async with visit(200, 60) as person:
        shown = person.screen
        assert "1 day in a row" in shown
        assert "1 answered wrongly last" in shown
        assert "What you know, by objective" in shown


@pytest.mark.parametrize(("size", "least"), [((120, 40), 0.55), ((200, 60), 0.55)])
async def test_home_uses_the_room_that_there_is(visit, size, least):
    async with visit(*size) as person:
        lines = person.screen.splitlines()
        lines += [""] * (size[1] - len(lines))
        used = [line for line in lines if len(line.rstrip(" │")) >= size[0] * 0.3]
        assert len(used) / size[1] >= least


@pytest.mark.slow
async def test_a_unit_shows_a_figure_of_its_lesson_where_there_is_room(visit):
    async with visit(200, 60) as person:
        await person.press(*["down"] * 6)
        assert "What it looks like" in person.screen
        assert "frozen" in person.screen
    async with visit(80, 24) as person:
        assert "What it looks like" not in person.screen


async def test_ctrl_q_asks_as_q_does_while_something_runs(visit, monkeypatch):
    async with visit(100, 30) as person:
        await person.press("ctrl+c")
        await person.sees("q quits.")
        monkeypatch.setattr(Run, "going", property(lambda _: True))
        person.app.background.runs["ex2"] = ended_run()
        await person.press("ctrl+q")
        await person.sees("A run is going on")
        person.app.background.runs.clear()


@pytest.mark.slow
async def test_progress_shows_objectives_days_and_what_comes_back(visit):
    async with visit(120, 40) as person:
        await STOPS["progress"](person)
        shown = person.screen
        assert re.search(r"Last week: modern CNNs +■ ▪ · +━+─+ +\d+/\d+", shown)  # one all right, one partly
        assert "1 day in a row, 1 day in all" in shown
        assert "today ━" in shown
        assert "ex2  ━━━━━━━━━━━━━─── 8/10" in shown
        assert "⏎ Next" in shown.splitlines()[-1]


@pytest.mark.slow
async def test_after_a_round_enter_leads_on_and_the_change_is_seen(visit):
    async with visit(120, 40) as person:
        await STOPS["quiz-over"](person)
        assert "Next: Practicalities" not in person.screen  # it goes on in this unit
        assert "⏎ Next: " in person.screen
        assert re.search(r"━+[╸─]+ \d+/\d+ +Explain what a residual", person.screen)
        shown = await person.press("enter")
        assert "The round is over" not in shown
