"""What each screen does with the keys of a person, right and wrong ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from answers import right_letters, wrong_letter

from tlcourse.presenting.board import Board, Row, keep_board
from tlcourse.presenting.lesson import placed
from tlcourse.student.record import Record
from tlcourse.tui.widgets.lab_stage import Stage
from tlcourse.tui.widgets.question_pane import QuestionPane

COURSE = "transfer-learning"
UNFINISHED = Path(__file__).parent.parent / "question_course"


async def test_the_filter_narrows_the_units_and_escape_brings_all_back(visit):
    async with visit(100, 30) as person:
        narrowed = await person.press("f", *"lora")
        assert "LoRA and QLoRA" in narrowed
        assert "Practicalities" not in narrowed
        assert "Practicalities" in await person.press("escape")


@pytest.mark.slow
async def test_the_filter_knows_objectives_and_exercises_and_hands_other_words_to_the_search(visit):
    async with visit(100, 30) as person:
        assert "Multi-task learning" in await person.press("f", *"quantile")
        await person.press("escape", "f", *"kettle")
        assert "enter looks for them in all texts" in person.screen
        await person.press("enter")
        assert "lesson: Combinations of source and target" in await person.sees("found;")
        assert "No unit's outline" in await person.press("escape")
        assert "Continue" in await person.press("escape")


async def test_a_key_that_can_do_nothing_says_why(visit):
    async with visit(100, 30, course=UNFINISHED) as person:
        await person.press("down", "n")
        await person.sees("This unit has no quiz")
        await person.press("enter")
        await person.sees("not written yet")
        await person.press("escape")
        await person.sees("q quits")


async def test_help_lists_the_keys_of_the_screen_below_and_is_searched(visit):
    async with visit(100, 30) as person:
        shown = await person.press("question_mark")
        assert "Exercise" in shown
        assert "tlcourse lesson list" in shown
        assert "Review" in shown
        searched = await person.press(*"filter")
        assert "Filter" in searched
        assert str(person.app.screen.query_one("#keys").render()).count("\n") < 5
        assert "Continue" in await person.press("escape")


@pytest.mark.parametrize("kind", [QuestionPane, Stage])
async def test_a_widget_that_goes_before_its_own_widgets_come_ends_nothing(visit, monkeypatch, kind):
    """As where a lesson is left at once: Textual mounts what it has begun to mount, but without what is in it."""
    mount = kind.mount_composed_widgets

    async def goes_meanwhile(self, widgets):
        self.remove()
        await mount(self, widgets)
        went.append(not self.children)

    went = []
    monkeypatch.setattr(kind, "mount_composed_widgets", goes_meanwhile)
    async with visit(80, 24) as person:
        app = person.app
        question = next(iter(placed(app.course, "lora", 0).values()))
        made = (
            QuestionPane(lambda: question, None, str) if kind is QuestionPane else Stage(app.labs["dann"], motion=False)
        )
        app.screen.mount(made)
        await person.until(lambda: went and not made.is_attached, "it is gone")
        assert went == [True]
        assert "Keys that work here" in await person.press("question_mark")


PLACES = (
    "lesson/coral quiz/fine-tuning exercise/ex2 lab/dann labs progress machine present/dann search review jobs batch"
)


@pytest.mark.parametrize("moments", [0, 3, 10])
async def test_a_screen_that_is_left_while_it_is_being_opened_ends_nothing(visit, moments):
    async with visit(120, 40) as person:
        for place in PLACES.split():
            person.app.go(place)
            for _ in range(moments):
                await asyncio.sleep(0)
            person.app.back()
            assert "Continue" in await person.settled(), place


async def test_panes_are_as_high_as_their_text_after_the_terminal_grew(visit):
    async with visit(80, 24) as person:
        await person.go("progress")
        await person.pilot.resize_terminal(120, 40)
        await person.press()
        exercises = person.app.screen.query_one("#exercises")
        assert exercises.size.height == len(str(exercises.render()).split("\n")) == 4


@pytest.mark.slow
async def test_a_lesson_is_walked_by_brackets_and_contents_and_leads_to_its_quiz(visit):
    async with visit(120, 40) as person:
        await person.press("2")
        await person.sees("Practicalities › lesson")
        await person.press("left_square_bracket")
        await person.sees("This is the first lesson")
        await person.press("right_square_bracket")
        await person.sees("Last week: modern CNNs › lesson")
        await person.press("c", "down", "down", "enter")
        assert person.app.screen.query_one("#page").scroll_y > 10
        assert "Question 1 of 11" in await person.press("n")


@pytest.mark.slow
async def test_nothing_is_marked_before_something_is_chosen(visit):
    async with visit(100, 30) as person:
        await person.go("quiz/residual-connections")
        await person.press("enter")
        await person.sees("Choose first")
        await person.press("l")
        await person.sees("Answer first")
    with Record.open() as record:
        assert record.latest_answers(COURSE, "residual-connections") == {}


@pytest.mark.slow
async def test_a_number_is_typed_and_plain_letters_do_nothing_else_meanwhile(visit):
    async with visit(100, 30) as person:
        await person.go("quiz/residual-connections")
        for _ in range(2):
            await person.answer(rightly=True)
            await person.press("enter")
        await person.sees("Question 3 of 11")
        await person.press(*"q1", "enter")
        await person.sees("is not a number")
        await person.press("backspace", "backspace")
        await person.type(f"{person.question.answer:.6f}".replace(".", ","))
        assert "✓ Right" in await person.press("enter")
        assert "Question 4 of 11" in await person.press("enter")


@pytest.mark.slow
async def test_several_answers_are_chosen_and_taken_back(visit):
    async with visit(100, 40) as person:
        await person.go("quiz/residual-connections")
        for _ in range(2):
            await person.answer(rightly=True)
            await person.press("enter")
        await person.type(f"{person.question.answer:.6f}")
        await person.press("enter", "enter")
        assert person.screen.count("[ ]") == 4
        right, wrong = right_letters(person.question), wrong_letter(person.question)
        assert (await person.press(right[0], wrong)).count("[x]") == 2
        assert (await person.press(wrong, *right[1:])).count("[x]") == len(right)
        assert "✓ Right" in await person.press("enter")


@pytest.mark.slow
async def test_a_round_ends_in_what_was_missed_and_another_round_asks_only_that(visit):
    async with visit(120, 40) as person:
        course = person.app.course
        for question in course.quizzes["residual-connections"].questions:
            right = question.id != "residual-shapes"
            person.app.record.record_answer(COURSE, "residual-connections", question.id, 0, correct=right)
        await person.go("quiz/residual-connections")
        await person.sees("10 of 11 right")
        assert "Missed: 1" in person.screen
        assert "Question 5 of 11 · the last one" in await person.press("r")
        await person.answer(rightly=True)
        await person.press("enter")
        assert "Nothing is missed" in person.screen
        assert "Question 1 of 11" in await person.press("a")


@pytest.mark.slow
async def test_every_option_gets_its_reason_after_the_answer(visit):
    async with visit(160, 50) as person:
        await person.go("quiz/residual-connections")
        await person.press("c", "enter")
        question = person.app.course.quizzes["residual-connections"].questions[0]
        words = " ".join(person.screen.split())
        for option in question.options:
            assert " ".join(option.reason.split())[:60] in words
        await person.press("l")
        await person.sees("Residual blocks")


@pytest.mark.slow
async def test_the_exercise_says_what_to_press_while_there_is_no_solution(visit, tmp_path):
    async with visit(120, 40) as person:
        await person.go("exercise/ex2")
        assert "none yet" in person.screen
        await person.press("g")
        await person.sees("There is no solution yet")
        await person.press("s")
        await person.sees("Nothing is running")
        await person.press("i")
        assert (tmp_path / "ex2" / "solution.py").is_file()
        await person.press("i")
        await person.sees("is there already")
        await person.press("R")
        assert (tmp_path / "ex2" / "solution.backup1.py").is_file()


@pytest.mark.slow
async def test_the_handout_ends_with_how_chance_is_dealt_with(visit):
    async with visit(120, 40) as person:
        await person.press("4", "t", "t")
        person.app.screen.query_one("#handout-page").scroll_end(animate=False)
        await person.sees("the doubt is yours")


@pytest.mark.slow
async def test_the_explanation_is_for_those_who_have_passed(visit):
    async with visit(120, 40) as person:
        await person.go("exercise/ex2")
        await person.press("a")
        await person.sees("shown once you have passed it")
        app = person.app
        submission = {"path": "solution.py", "sha256": "0" * 64}
        passed = {"exercise": "ex2", "outcome": "pass", "points": 10.0, "max_points": 10.0, "submission": submission}
        app.record.record_attempt(app.course.about.id, passed)
        assert "One trunk, two linear heads" in await person.press("a")
        assert "The explanation and the reference" not in await person.press("escape")


@pytest.mark.slow
async def test_a_board_that_was_given_shows_where_the_last_grading_would_stand(visit):
    rows = [Row(1, 2, 0.9, (0.88, 0.92)), Row(1, 3, 0.87, (0.85, 0.89)), Row(2, 3, 0.85, (0.83, 0.87))]
    named = {"exercise": "ex2", "name": "Stars", "variant": "mini", "check": "points_accuracy", "direction": "at_least"}
    keep_board(Board(title="Stars counted right", unit="", unmeasured=0, rows=rows, **named), COURSE)
    async with visit(120, 50) as person:
        await person.go("exercise/ex2")
        await person.press("t")
        await person.sees("where you would stand")
        measured = {"check": "points_accuracy", "value": 0.862, "interval": [0.84, 0.884], "n": 500}
        tried = {"exercise": "ex2", "outcome": "fail", "points": 1.0, "max_points": 10.0, "variant": "mini"}
        submission = {"path": "solution.py", "sha256": "0" * 64}
        person.app.record.record_attempt(COURSE, {**tried, "submission": submission, "validation": measured})
        await person.go("exercise/ex2")
        await person.press("t")
        await person.sees("1st–3rd of 3 by: Stars")
        await person.sees("▲ you")


@pytest.mark.slow
async def test_a_unit_with_two_exercises_opens_the_first_that_is_not_passed(visit):
    async with visit(120, 50) as person:
        app = person.app
        submission = {"path": "solution.py", "sha256": "0" * 64}
        passed = {"exercise": "ex2", "outcome": "pass", "points": 10.0, "max_points": 10.0, "submission": submission}
        app.record.record_attempt(app.course.about.id, passed)
        app.changed()
        app.go("lesson/multi-task-learning")
        await person.pilot.pause()
        await person.press("e")
        await person.sees("Quantiles: one network, four distributions")


@pytest.mark.slow
async def test_hints_are_given_one_by_one_and_remembered(visit):
    async with visit(120, 40) as person:
        await person.go("exercise/ex2")
        await person.press("h")
        assert "Hint 1 of 3" in person.screen
        assert "Hint 2 of 3" in await person.press("h")
        await person.press("escape", "h")
        assert "Hint 2 of 3" in person.screen
    with Record.open() as record:
        assert record.hints_taken(COURSE, "ex2") == 2


@pytest.mark.slow
async def test_progress_shows_objectives_and_leads_to_what_was_missed(visit):
    async with visit(100, 40) as person:
        person.app.record.record_answer(COURSE, "covariate-shift", "covariate-definition", 0, correct=False)
        person.app.changed()
        assert "By learning objective" in await person.press("6", "end") or "read" in person.screen
        assert "Covariate shift › quiz" in await person.press("r")


@pytest.mark.slow
async def test_the_palette_goes_to_any_place(visit):
    async with visit(100, 30) as person:
        await person.choose("covariate", "Quiz: Covariate shift")
        await person.sees("Covariate shift › quiz")


@pytest.mark.slow
async def test_every_screen_names_the_command_that_does_the_same(visit, no_doctor):
    """A person without the app misses nothing: each cli_equivalent is a command that `--help` knows."""
    from tlcourse.cli.main import COMMANDS

    known = {command.name for command in COMMANDS}
    async with visit(100, 30) as person:
        for place in (
            "lesson/fine-tuning",
            "quiz/covariate-shift",
            "exercise/ex2",
            "review",
            "progress",
            "jobs",
            "machine",
        ):
            person.app.go(place)
            await person.pilot.pause(0.1)
            program, command, *_ = person.app.screen.cli_equivalent.split()
            assert program == "tlcourse"
            assert command in known


@pytest.mark.slow
async def test_answers_of_a_lesson_are_folded_until_they_are_asked_for(visit):
    async with visit(120, 40) as person:
        await person.go("lesson/lora#a-change-of-low-rank")
        await person.sees("A worked example")
        assert "20 480" not in person.screen
        await person.press("a")
        await person.sees("20 480")
        assert "Answer. 4 · (1024 + 4096) = 20 480" in " ".join(person.screen.replace("│", " ").split())


@pytest.mark.slow
async def test_the_contents_mark_the_section_that_is_read_and_a_bar_says_how_much_was(visit):
    async with visit(120, 40) as person:
        await person.go("lesson/lora#merging-in-low-precision")
        await person.sees("▸ Merging")
        await person.press("home")
        await person.until(lambda: "▸ Merging" not in person.screen)
        await person.press("end")
        await person.sees("100%")
