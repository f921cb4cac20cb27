"""A method to write, in the app: from the lesson to the file, checked on every save, back to Home's line."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Markdown

from tlcourse.grading.write_it_result import WriteItResult
from tlcourse.tui.runs import Failure
from tlcourse.tui.screens.write import ended

GRADERS = Path(__file__).parents[2] / "graders" / "write"


def words(screen: str) -> str:
    """What stands on the screen, without borders."""
    return " ".join(word for word in screen.split() if not set(word) <= set("│╭╮╰╯─"))


@pytest.mark.slow
async def test_links_of_a_handout_open_the_lesson_and_the_lab(visit):
    async with visit(130, 40) as person:
        for link, shown in (("fine-tuning#frozen-for-good", "LessonScreen"), ("lab/batch-norm", "LabScreen")):
            await person.go("exercise/ex1")
            await person.sees("Where this is taught")
            text = person.app.screen.query_one("#handout", Markdown)
            text.post_message(Markdown.LinkClicked(text, link))
            await person.until(lambda name=shown: type(person.app.screen).__name__ == name, link)
            assert getattr(person.app.screen, "section", "frozen-for-good") == "frozen-for-good"
        await person.sees("Frozen, and yet it moves")
        for place in ("lab/batch-norm", "exercise/ex1"):
            await person.go(place)
            await person.press("l")
            await person.until(
                lambda: getattr(person.app.screen, "unit", "") == "fine-tuning", f"the lesson of {place}"
            )


@pytest.mark.slow
async def test_from_the_lesson_to_a_method_that_is_written(visit, tmp_path):
    async with visit(130, 40) as person:
        await person.go("lesson/lora")
        await person.sees("minutes")
        await person.press("e")
        await person.sees("Write LoRA's layer")
        assert "○ W₀ and its bias stay frozen; only A and B learn" in person.screen
        await person.press("g")
        await person.sees("i makes a write/lora.py")
        await person.press("i")
        await person.sees("It is checked on every save")
        file = tmp_path / "write" / "lora.py"
        assert "TODO" in file.read_text(encoding="utf-8")
        wrong = (GRADERS / "lora" / "reference.py").read_text(encoding="utf-8").replace("alpha / rank", "alpha")
        file.write_text(wrong, encoding="utf-8")  # saved: nobody presses a key
        await person.sees("3 of 4 checks")
        means = "→ The change is α·BAx: it must be (α/r)·BAx"
        await person.until(lambda: means in words(person.screen), means)  # once the notice has gone that lies over it
        await person.press("h")
        await person.sees("Hint 1 of 3")
        await person.press("escape")
        file.write_text(wrong.replace("self.scale = alpha", "self.scale = alpha / rank"), encoding="utf-8")
        await person.sees("4 of 4 checks")
        assert "Now compare: `tlcourse.methods.lora.LoRALinear`" in person.screen
        assert person.app.state.write_its == (1, 13)
        assert person.app.record.hints_taken("transfer-learning", "write/lora") == 1
        await person.press("1")
        await person.sees("write 1/1")


@pytest.mark.slow
async def test_where_a_unit_has_both_one_is_chosen(visit):
    async with visit(100, 30) as person:
        await person.go("lesson/multi-task-learning")
        await person.sees("minutes")
        await person.press("e")
        await person.sees("Which one?")
        assert "○ Write it: The pinball loss" in person.screen
        await person.press("escape")


def test_what_a_process_printed_is_a_result_or_says_why_there_is_none():
    error = b'{"v": 1, "type": "error", "what": "x cannot be read.", "cause": "", "remedy": "mend it"}'
    assert ended([error]) == Failure("x cannot be read.", "", "mend it")
    noise = ended([b"Killed", b""])
    assert isinstance(noise, Failure)
    assert (noise.what, noise.cause) == ("The checks ended without a result.", "Killed")
    assert WriteItResult.of_attempt({}) is None
