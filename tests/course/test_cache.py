"""The kept course: as good as the files, and never instead of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tlcourse.course import loader
from tlcourse.errors import ContentError

EXAMPLE = Path(__file__).parent.parent / "example_course"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "course"))


def test_a_kept_course_equals_the_one_that_was_read(course, own_home, monkeypatch):
    read = loader.load_course(course)
    assert list((own_home / "cache").iterdir())
    monkeypatch.setattr(loader, "_read", lambda *_: pytest.fail("read again"))
    assert loader.load_course(course) == read


def test_a_changed_file_is_read_again(course):
    loader.load_course(course)
    lesson = course / "lessons" / "lines.md"
    lesson.write_text(lesson.read_text().replace("A line has", "Any line has"))
    assert loader.load_course(course).lessons["lines"].body.startswith("Any line has")


@pytest.mark.parametrize("file", ["exercises/line/hints.md", "graders/line.py", "graders/references/line.md"])
def test_a_change_of_an_exercise_or_of_what_staff_have_of_it_counts_too(course, file):
    before = loader.load_course(course).exercises["line"]
    if file.endswith("hints.md"):
        (course / file).write_text((course / file).read_text().replace("Use least squares.", "Think of squares."))
        assert loader.load_course(course).exercises["line"].hints[0] == "Think of squares."
    else:
        (course / file).unlink()
        after = loader.load_course(course).exercises["line"]
        gone = {"graders/line.py": "grader", "graders/references/line.md": "explanation"}[file]
        assert getattr(before, gone) == course / file
        assert getattr(after, gone) is None


def test_a_course_with_a_problem_is_never_kept(course, own_home):
    lesson = course / "lessons" / "lines.md"
    lesson.write_text("no front matter")
    for _ in range(2):
        with pytest.raises(ContentError):
            loader.load_course(course)
    assert not (own_home / "cache").exists()


def test_damaged_bytes_are_ignored(course, own_home):
    read = loader.load_course(course)
    (kept,) = (own_home / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:80] + b"damage")
    assert loader.load_course(course) == read


def test_a_home_that_cannot_be_written_is_no_error(course, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("not a folder")
    monkeypatch.setenv("TLCOURSE_HOME", str(file))
    assert loader.load_course(course).about.id == "example"
