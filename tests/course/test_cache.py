"""The kept course: as good as the files, and never instead of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from tlcourse.course import lab, loader
from tlcourse.course.model import LoadedCourse
from tlcourse.errors import ContentError

EXAMPLE = Path(__file__).parent.parent / "example_course"
LAB = Path(loader.__file__).parents[1] / "content" / "labs" / "dann.yaml"
UNITS = ["dann"]


@pytest.fixture(autouse=True)
def first_start(own_home: Path) -> None:
    """Nothing was kept before."""
    shutil.rmtree(own_home / "cache")


@pytest.fixture
def reads(monkeypatch) -> list[Path]:
    """The quiz of the course, once for each time that it was read from its files."""
    read, happened = loader.load_quiz, []
    monkeypatch.setattr(loader, "load_quiz", lambda path: happened.append(path) or read(path))
    return happened


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "course"))


def structs(kind: Any, found: set[type]) -> set[type]:
    """`found`, and the types that a value of `kind` is made of, with what they derive from."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in found:
        found.update(one for one in kind.__mro__ if issubclass(one, msgspec.Struct) and one is not msgspec.Struct)
        for hint in get_type_hints(kind).values():
            structs(hint, found)
    for part in get_args(kind):
        structs(part, found)
    return found


def test_annotations_of_what_is_kept_are_types_for_texts_are_evaluated_at_every_start():
    found = structs(lab.Lab, structs(LoadedCourse, set()))
    assert {"Exercise", "LateRule", "ManualItem", "Drawn", "Question", "Option", "WriteIt", "Prediction"} <= {
        one.__name__ for one in found
    }
    assert [(one, name) for one in found for name, kind in one.__annotations__.items() if isinstance(kind, str)] == []


def test_a_kept_course_equals_the_one_that_was_read(course, own_home, reads):
    read = loader.load_course(course)
    assert list((own_home / "cache").iterdir())
    assert loader.load_course(course) == read
    assert len(reads) == 1


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


def test_a_course_is_kept_in_a_home_that_is_new_and_again_after_a_change(course, tmp_path, monkeypatch, reads):
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path / "new" / "home"))
    for _ in range(2):
        loader.load_course(course)
        loader.load_course(course)
        with (course / "lessons" / "lines.md").open("a") as lesson:
            lesson.write("One more line.\n")
    assert len(reads) == 2  # each form of it once


def test_keeping_a_course_does_not_wait_for_the_disk(course, own_home, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("what can be read again need not outlive a power cut"))
    loader.load_course(course)
    assert [path.name[:7] for path in (own_home / "cache").iterdir()] == ["course-"]


def test_hidden_files_and_compiled_ones_are_no_part_of_a_course_and_hide_none(course, reads):
    (course / "graders" / "__pycache__").mkdir()
    loader.load_course(course)
    for name in (".git", "graders/__pycache__/line.cpython-311.pyc", "lessons/.lines.md.swp"):
        (course / name).write_text("changed")
    loader.load_course(course)
    assert len(reads) == 1
    with (course / "lessons" / "lines.md").open("a") as lesson:  # it comes after one that is left out
        lesson.write("One more line.\n")
    (course / "graders" / "references" / "line.md").unlink()
    assert loader.load_course(course).lessons["lines"].body.endswith("One more line.")
    assert len(reads) == 2


def test_a_file_whose_name_is_no_text_counts_like_any_other(course, reads):
    odd = Path(os.fsdecode(os.fsencode(course / "lessons") + b"/caf\xe9.md"))
    for text in ("one", "another"):
        odd.write_text(text)
        loader.load_course(course)
        loader.load_course(course)
    assert len(reads) == 2


def test_labs_are_kept_and_read_again_after_a_change_or_for_other_units(tmp_path, own_home, monkeypatch):
    read, happened = lab.read_labs, []
    monkeypatch.setattr(lab, "read_labs", lambda content, units: happened.append(units) or read(content, units))
    content = tmp_path / "content"
    (content / "labs").mkdir(parents=True)
    file = Path(shutil.copy(LAB, content / "labs"))
    (unit,) = {one.unit for one in lab.load_labs(content, UNITS).values()}
    assert lab.load_labs(content, UNITS)[file.stem].title == read(content, UNITS)[file.stem].title
    assert len(happened) == 1
    with pytest.raises(ContentError, match=f"unit `{unit}` is not known"):
        lab.load_labs(content, ["another"])
    file.write_text(file.read_text().replace("title: ", "title: Now ", 1))
    assert lab.load_labs(content, UNITS)[file.stem].title.startswith("Now ")
    assert len(happened) == 3
    file.unlink()
    assert lab.load_labs(content, UNITS) == {}
