"""Images of lessons: as half-blocks where there are colours, else in words; `author check` names what cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tlcourse.course.loader import load_course
from tlcourse.presenting import images
from tlcourse.presenting.lesson import as_markdown, image_path, in_words, parts, problems_of_drawings

EXAMPLE = Path(__file__).parent.parent / "example_course"


@pytest.fixture
def picture(tmp_path):
    """Its upper half is red, its lower half blue: 64 × 32 pixels."""
    made = Image.new("RGB", (64, 32), (255, 0, 0))
    made.paste((0, 0, 255), (0, 16, 64, 32))
    made.save(tmp_path / "halves.png")
    return tmp_path / "halves.png"


def test_an_image_alone_in_its_line_is_a_part_of_its_own():
    found = list(parts('Before.\n\n![Two halves](pics/halves.png "Ours")\n\nAfter.'))
    assert [part.kind for part in found] == ["prose", "image", "prose"]
    assert (found[1].target, found[1].alt, found[1].line) == ("pics/halves.png", "Two halves", 3)
    assert "```image\npics/halves.png\nTwo halves\n```" in as_markdown("![Two halves](pics/halves.png)")


def test_in_plain_text_its_words_stand_in_its_place():
    assert in_words("![Two halves](a.png)").strip() == "[Picture: Two halves]"
    assert in_words("See ![a star](s.png) here, and `![x](y)`.") == "See a star here, and `![x](y)`."
    assert "![no](image)" in in_words("```text\n![no](image)\n```")


def test_it_is_as_large_as_the_text_allows_and_keeps_its_sides(picture, tmp_path):
    assert images.cells(picture, 90) == (8, 2)  # 64 pixels are no more than 8 columns
    Image.new("RGB", (2000, 1000)).save(tmp_path / "wide.png")
    assert images.cells(tmp_path / "wide.png", 60) == (60, 15)
    Image.new("RGB", (500, 5000)).save(tmp_path / "high.png")
    assert images.cells(tmp_path / "high.png", 90) == (6, 32)


def test_half_blocks_have_the_colours_of_their_pixels(picture):
    lines = images.drawn(images.image(picture), 8, 2, colour=True, how="braille")
    assert ["".join(segment.text for segment in line) for line in lines] == ["▀" * 8, "▀" * 8]
    colours = [line[0].style.color.triplet for line in lines]
    assert colours[0] == (255, 0, 0)
    assert colours[1] == (0, 0, 255)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\nbroken", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_what_is_no_picture_is_said_and_breaks_nothing(tmp_path, data):
    path = tmp_path / "x.png"
    path.write_bytes(data)
    assert "cannot be read" in images.why_no_image(path)
    assert images.image(path) is None
    assert images.cells(path, 80) == (0, 0)


def test_a_course_shows_no_file_from_outside(picture, tmp_path):
    (tmp_path / "course" / "lessons").mkdir(parents=True)
    (tmp_path / "course" / "images").mkdir()
    shutil.copy(picture, tmp_path / "course" / "images")
    lessons = tmp_path / "course" / "lessons"
    assert image_path(lessons, "../images/halves.png") is not None
    for target in ("../../halves.png", str(picture), "https://example.org/x.png", "none.png"):
        assert image_path(lessons, target) is None


def test_author_check_names_missing_files_and_missing_words(tmp_path, picture):
    course = Path(shutil.copytree(EXAMPLE, tmp_path / "course"))
    lesson = next((course / "lessons").glob("*.md"))
    shutil.copy(picture, lesson.parent)
    (lesson.parent / "bad.png").write_text("no picture")
    text = (
        "\n![Two halves](halves.png)\n![](halves.png)\n![A star](star.png)\n![A bad one](bad.png)\n"
        "![Far](https://example.org/x.png)\nA star ![a star](halves.png) in a line.\n"
    )
    before = lesson.read_text().count("\n")
    lesson.write_text(lesson.read_text() + text)
    found = [problem.removeprefix(f"{lesson}:") for problem in problems_of_drawings(load_course(course))]
    assert [int(problem.partition(":")[0]) - before for problem in found] == [3, 4, 5, 6, 7]
    said = ("has no words", "is not there", "cannot be read", "on the web", "within a line")
    assert [part for part, problem in zip(said, found, strict=True) if part not in problem] == []
