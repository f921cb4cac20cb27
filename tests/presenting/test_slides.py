"""A lesson as slides: where it is cut, what comes first, and titles in large letters."""

from __future__ import annotations

import pytest

from tlcourse.course.loader import load_course
from tlcourse.course.model import Lesson
from tlcourse.presenting.slides import Slide, large, slides

FIGURE = "```figure\nkind: flow\nrows: [[a]]\nboxes: {a: a}\n```"
LONG = "\n\n".join("word " * 60 for _ in range(3))


def cut(body: str, labs: tuple[str, ...] = ()) -> list[Slide]:
    """The slides between title and end."""
    return slides(Lesson("LoRA", 5, body=body), labs)[1:-1]


def test_a_lesson_begins_with_its_title_and_ends_with_the_next_one():
    first, *_, last = slides(Lesson("LoRA", 5, body="You can\n\n- merge\n\n## One\n\nText\n"), (), "Adapters")
    assert (first.title, first.kind, first.text) == ("LoRA", "title", "You can\n\n- merge")
    assert (last.kind, last.text) == ("end", "Next: **Adapters**")


def test_each_section_is_a_slide_of_its_own_with_its_figure_first():
    one, two = cut(f"## One\n\nBefore.\n\n{FIGURE}\n\nAfter.\n\n## Two\n\nText.\n")
    assert (one.title, one.figure.splitlines()[0], one.text) == ("One", "kind: flow", "Before.\n\nAfter.")
    assert (two.title, two.figure) == ("Two", "")


def test_a_long_section_goes_on_with_its_figure_kept_for_where_there_is_room():
    one, *more = cut(f"## One\n\n{FIGURE}\n\n{LONG}\n\n{LONG}\n")
    assert one.figure
    assert more
    assert all(slide.kept == one.figure and not slide.figure and slide.title == "One" for slide in more)


def test_a_second_figure_begins_another_slide():
    assert [bool(slide.figure) for slide in cut(f"## One\n\n{FIGURE}\n\nText.\n\n{FIGURE}\n")] == [True, True]


def test_a_question_stands_alone_and_its_answer_beside_it():
    text, asked = cut("## One\n\nText.\n\n**Check.** Why?\n\n**Answer.** Because.\n")
    assert (text.text, asked.text, asked.more) == ("Text.", "**Check.** Why?", "**Answer.** Because.")


def test_nothing_stands_below_an_answer_that_is_asked_for_later():
    asked, after = cut(f"## One\n\n**Discuss.** Why?\n\n**Answer.** Because {'word ' * 200}:\n\n- this\n- that\n")
    assert (asked.text, asked.more.startswith("**Answer.** Because word")) == ("**Discuss.** Why?", True)
    assert after.text == "- this\n- that"
    course = load_course()
    for lesson in course.lessons.values():
        for slide in slides(lesson, ()):
            shown = f"{slide.text}\n\n{slide.more}"
            assert not slide.text.startswith("**Answer.**")
            assert "\n\n" not in shown.partition("**Answer.**")[2].strip(), slide


def test_what_asks_for_a_table_goes_with_it():
    table = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 9
    *_, last = cut(f"## One\n\n{LONG}\n\nWhat is moved?\n\n{table}")
    assert last.text.startswith("What is moved?\n\n| a")


def test_what_leads_to_a_listing_goes_with_it():
    listing = "x = 1\n" * 12
    *_, last = cut(f"## One\n\n{LONG}\n\nIn code:\n\n```python\n{listing}```\n")
    assert last.text.startswith("In code:\n\n```python")


def test_a_lab_with_a_recorded_run_is_a_slide_and_what_is_for_readers_alone_is_left_out():
    body = (
        "## One\n\n**Labs.** [DANN](lab/dann) (`tlcourse lab run dann`) and [A](lab/a), [B](lab/b).\n\n"
        "**Write it.** `e`.\n"
    )
    first, second = cut(body, ("dann", "b"))
    assert (first.kind, first.lab, first.text) == (
        "lab",
        "dann",
        "**Labs.** [DANN](lab/dann) and [A](lab/a), [B](lab/b).",
    )
    assert (second.kind, second.lab, second.text) == ("lab", "b", "")


def test_no_word_of_the_course_is_lost_between_slides():
    course = load_course()
    for lesson in course.lessons.values():
        shown = slides(lesson, ())
        assert 10 <= len(shown) <= 25
        words = " ".join(f"{slide.text} {slide.more}" for slide in shown)
        said = [line for line in lesson.body.splitlines() if line.startswith("**Check.**")]
        assert all(line in words for line in said)


def test_the_larger_of_two_sizes_that_fits_is_taken():
    assert large("Hi", 40, 5) == [
        "██    ██  ██████",
        "██    ██    ██",
        "████████    ██",
        "██    ██    ██",
        "██    ██  ██████",
    ]
    assert large("Hi", 12, 5) == ["█  █ ▀█▀", "█▀▀█  █", "▀  ▀ ▀▀▀"]
    assert large("Hi", 12, 5, halves=False) == []
    assert large("Hi", 7, 5) == []


@pytest.mark.parametrize("size", [(72, 8), (112, 13), (192, 20)])
def test_large_titles_stay_within_their_room(size):
    width, height = size
    course = load_course()
    for lesson in course.lessons.values():
        lines = large(lesson.title, width, height)
        assert len(lines) <= height
        assert all(len(line) <= width for line in lines)
    assert large("P(y | x)", 200, 20) == []  # no large `|`: it is shown as it is
