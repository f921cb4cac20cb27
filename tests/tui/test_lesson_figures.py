"""Figures and formulas in the app: drawn, moved with keys, still where nothing may move, right in ASCII."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.paths import config_file
from tlcourse.presenting.lesson import as_markdown
from tlcourse.tui.text import spelt_out
from tlcourse.tui.widgets.figure import FigureView
from tlcourse.tui.widgets.lesson_text import LessonFence, LessonText, ascii_parser

EXAMPLE = Path(__file__).parent.parent / "example_course"
LESSONS = load_course().lessons


def flat(tokens) -> list[str]:
    return [kind for one in tokens for kind in (one.type, *(c.type for c in one.children or () if c.type != "text"))]


def test_no_lesson_changes_its_structure_when_it_is_spelt_in_ascii():
    from markdown_it import MarkdownIt

    for lesson in LESSONS.values():
        text = as_markdown(lesson.body)
        assert flat(ascii_parser().parse(text)) == flat(MarkdownIt("gfm-like").parse(text))


def test_a_listing_that_names_no_language_is_coloured_as_none():
    formula = "P(y|x) * P(x) = P(x|y) * P(y)\n768 · 768 = 589 824"
    assert LessonFence.highlight(formula, "").spans == []
    assert LessonFence.highlight("import torch", "python").spans


@pytest.mark.slow
async def test_a_gradient_flows_back_and_stands_still_where_one_moves_it(visit):
    async with visit(120, 40) as person:
        await person.go("lesson/dann#features-without-an-accent")
        await person.sees("−λ·∂L_d")
        figure = person.app.screen.query(FigureView).first()
        assert person.app.motion
        await person.press("f", "left", "left", "left")
        assert "∂L_d" not in person.screen.partition("caption")[0].partition("Features go")[0]
        heights = {figure.size.height}
        for leg in ("∂L_y", "∂L_d", "−λ·∂L_d"):
            await person.press("right")
            assert leg in person.screen
            heights.add(figure.size.height)
        assert len(heights) == 1
        assert figure.seen
        await person.press("escape", "end")
        assert not figure.seen  # and then it does not move
        assert person.app.focused.id == "page"


@pytest.mark.slow
async def test_motion_off_and_a_wrong_figure_are_both_still(visit):
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text("motion: off\n")
    async with visit(120, 40) as person:
        assert not person.app.motion
        await person.go("lesson/dann#features-without-an-accent")
        await person.app.screen.query_one("#text", LessonText).show("```figure\nalt: Nothing at all.\nkind: no\n```")
        assert "[Figure: Nothing at all.]" in await person.press()


@pytest.mark.slow
async def test_keys_move_a_slider_a_stack_and_a_walk_through_questions(visit):
    async with visit(120, 50) as person:
        await person.go("lesson/lora#a-change-of-low-rank")
        await person.sees("trained 12 288 = 2.1 %")
        await person.press("f", "right")
        assert "[16]" in person.screen
        assert "trained 24 576 = 4.2 %" in person.screen
        await person.go("lesson/fine-tuning#the-usual-recipe")
        await person.sees("+ layer4")
        await person.press("f", "right")
        assert "2 of 4: More labels." in person.screen
        await person.go("lesson/source-and-target#the-decision-chart")
        await person.sees("TRANSDUCTIVE")
        await person.press("f")
        figure = person.app.focused
        await person.press("n", "n", "y")
        assert figure.answers == (1, 1, 0)
        assert "one back" in person.screen
        await person.press("left", "escape", "n")  # the letter means the quiz again
        assert "quiz" in person.screen.splitlines()[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lora"])
async def test_nothing_beyond_ascii_and_no_gap_reaches_an_ascii_terminal(visit, name):
    async with visit(80, 60, ascii_only=True) as person:
        assert not person.app.motion
        await person.go(f"lesson/{name}")
        await person.sees("minutes")
        assert person.screen.isascii()
        assert not re.search(r"\?\?|\w\?\w", person.screen)
    assert spelt_out("≥ 0.25·4") == ">= 0.25*4"


@pytest.mark.slow
async def test_an_image_is_shown_in_colours_and_told_in_words_where_there_are_none(visit, tmp_path, monkeypatch):
    from PIL import Image

    from tlcourse.tui.widgets import lesson_text

    course = Path(shutil.copytree(EXAMPLE, tmp_path / "course"))
    lesson = next((course / "lessons").glob("*.md"))
    Image.new("RGB", (64, 32), (255, 0, 0)).save(lesson.parent / "red.png")
    lesson.write_text(lesson.read_text() + "\n![All is red](red.png)\n\n![A star that is lost](lost.png)\n")
    monkeypatch.setattr(lesson_text, "shows_colours", lambda app: True)
    unit = next(iter(load_course(course).lessons))
    async with visit(100, 60, course=course) as person:
        await person.go(f"lesson/{unit}")
        await person.press("end")
        await person.sees("▀▀▀▀▀▀▀▀")
        await person.sees("All is red")
        await person.sees("[Picture: A star that is lost]")
    async with visit(100, 60, course=course, ascii_only=True) as person:
        await person.go(f"lesson/{unit}")
        await person.press("end")
        await person.sees("[Picture: All is red]")
        assert "▀" not in person.screen


@pytest.mark.slow
async def test_a_picture_that_cannot_be_drawn_is_told_in_words(visit, tmp_path, monkeypatch, caplog):
    from PIL import Image

    from tlcourse.presenting import images
    from tlcourse.tui.widgets import lesson_text

    course = Path(shutil.copytree(EXAMPLE, tmp_path / "course"))
    lesson = next((course / "lessons").glob("*.md"))
    Image.new("RGB", (64, 32), (255, 0, 0)).save(lesson.parent / "red.png")
    lesson.write_text(lesson.read_text() + "\n![All is red](red.png)\n")
    monkeypatch.setattr(lesson_text, "shows_colours", lambda app: True)

    def fails(*given, **how):
        raise MemoryError("too large")

    monkeypatch.setattr(images, "drawn", fails)
    async with visit(100, 60, course=course) as person:
        await person.go(f"lesson/{next(iter(load_course(course).lessons))}")
        await person.press("end")
        await person.sees("[Picture: All is red]")
    assert "red.png was not drawn" in caplog.text


def test_in_the_app_labs_and_methods_to_write_are_links_and_no_commands():
    shown = as_markdown("**Lab.** [DANN](lab/dann) (`tlcourse lab run\ndann`) reads.\n\nAs `tlcourse progress` says.")
    assert shown == "**Lab.** [DANN](lab/dann) reads.\n\nAs `tlcourse progress` says."
    assert as_markdown("`tlcourse write init lora` gives you a skeleton (`e` in the\napp).") == (
        "[lora](write/lora) gives you a skeleton (`e`)."
    )
    for lesson in LESSONS.values():
        assert not re.search("`tlcourse (?!data get)", as_markdown(lesson.body))
