"""Recall in a lesson: a question below a section, answered there as in its quiz."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pytest
from answers import right_letters, wrong_letter

from tlcourse.student.record import now
from tlcourse.tui.widgets.lesson_text import LessonParagraph
from tlcourse.tui.widgets.question_pane import QuestionPane

KINDS = Path(__file__).parent.parent / "question_course"
COURSE = "transfer-learning"


@pytest.fixture
def kinds(tmp_path):
    """A lesson that places a question of each form."""
    folder = Path(shutil.copytree(KINDS, tmp_path / "course"))
    with (folder / "lessons" / "kinds.md").open("a") as lesson:
        lesson.writelines(f"\n[Question](question/{name})\n" for name in ("number", "words", "order"))
    return folder


def pane(person, name) -> QuestionPane:
    return next(one for one in person.app.screen.query(QuestionPane) if one.question.id == name)


@pytest.mark.slow
async def test_a_question_is_answered_where_it_stands_and_counts_as_in_its_quiz(visit):
    async with visit(80, 24) as person:
        await person.go("lesson/lora#a-change-of-low-rank")
        await person.press("enter")
        await person.sees("which of these can (α/r)·BA not be?")
        asked = pane(person, "lora-rank")
        shown = await person.press(wrong_letter(asked.question), "enter")
        assert "✗ Wrong." in shown
        assert "✗ wrong, your answer: " in " ".join(shown.split())
        record = person.app.record
        assert record.latest_answers(COURSE, "lora") == {"lora-rank": False}
        await person.press("r")
        again = pane(person, "lora-rank")
        assert "✓ Right." in await person.press(right_letters(again.question), "enter")
        assert record.latest_answers(COURSE, "lora") == {"lora-rank": True}
        assert "1/238 right" in await person.press("enter")  # back to the text, whose keys work again
        assert person.app.screen.focused.id == "page"
        assert sum(person.app.state.days.values()) == 2
        await person.press("n")
        assert person.app.screen.path[-1] == "quiz"
        assert "✓ right last time" not in person.screen


@pytest.mark.slow
async def test_fields_take_letters_and_own_words_are_judged_there(visit, kinds):
    async with visit(100, 40, course=kinds) as person:
        await person.go("lesson/kinds")
        await person.press("enter")
        answer = pane(person, "number").question.answer
        shown = await person.press("enter")
        assert "✓" not in shown  # nothing was typed
        await person.type(f"{answer:g}")
        assert "✓ Right." in await person.press("enter")
        await person.press("enter", "enter")
        await person.type("an answer")
        assert "Does yours say the same?" in await person.press("enter")
        assert "✗ You marked it wrong." in await person.press("n")
        await person.press("escape", "enter")
        assert pane(person, "order").has_focus
        latest = person.app.record.latest_answers("kinds-course", "kinds")
        assert latest == {"number": True, "words": False}


@pytest.mark.slow
async def test_before_it_is_asked_a_question_has_no_cursor_and_letters_mean_what_they_always_do(visit):
    async with visit(120, 70) as person:
        await person.go("lesson/lora#a-change-of-low-rank")
        assert not person.app.screen.query(".option.-cursor")
        pane(person, "lora-rank").scroll_visible(animate=False)
        assert "⏎ answers it here." in await person.settled()
        await person.press("c")  # the contents, and no option
        assert person.app.screen.focused.id == "contents"
        await person.press("c")
        assert pane(person, "lora-rank").marked is None


@pytest.mark.slow
async def test_an_answer_that_was_folded_asks_whether_it_was_known_and_comes_back_in_the_review(visit, monkeypatch):
    async with visit(120, 40) as person:
        await person.go("lesson/lora#a-change-of-low-rank")
        await person.press("N")  # no answer is open yet
        assert person.app.record.latest_answers(COURSE, "lesson/lora") == {}
        await person.press("a")
        await person.sees("Did you know it?  Y yes · P partly · N no")
        long_ago = now() - datetime.timedelta(days=1)
        with monkeypatch.context() as patch:
            patch.setattr("tlcourse.student.record.now", lambda: long_ago)
            assert "✗ Not known; the review asks it" in await person.press("N")
        await person.press("a")
        assert "✓ Known; the review asks it in " in await person.press("Y")
        await person.press("1")
        assert person.app.state.due == 1
        shown = await person.press("v")
        assert "How many parameters does LoRA with r = 4 add to a layer from 1024 to 4096" in shown
        assert "20 480" not in shown
        await person.type("many")
        assert "Answer: 4 · (1024 + 4096) = 20 480" in await person.press("enter")
        assert "✓ You marked it right." in await person.press("y")
        assert "The next question comes back in" in await person.press("enter")
        latest = person.app.record.latest_answers(COURSE, "lesson/lora")
        assert latest == {"lora#q-cb6b6d87": True, "lora#q-752eb325": True}


@pytest.mark.slow
async def test_of_several_open_answers_the_last_one_on_the_screen_is_meant_and_none_that_is_out_of_sight(visit):
    async with visit(120, 24) as person:
        await person.go("lesson/lora#a-change-of-low-rank")
        await person.press("a", "a")
        page = person.app.screen.query_one("#page")
        page.scroll_home(animate=False)
        assert "Show an answer first: a." in await person.press("Y")
        assert person.app.record.latest_answers(COURSE, "lesson/lora") == {}
        first, second, *_ = (one for one in person.app.screen.query(LessonParagraph) if one.answers)
        for answer, key in ((second, "Y"), (first, "N")):
            answer.scroll_visible(animate=False)
            await person.settled()
            await person.press(key)
        latest = person.app.record.latest_answers(COURSE, "lesson/lora")
        assert latest == {"lora#q-cb6b6d87": False, "lora#q-752eb325": True}
