"""`tlcourse author new`: a course that works, made where nothing stood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tlcourse.course.author import KINDS, TEMPLATE, add_exercise, new_course
from tlcourse.course.loader import load_course
from tlcourse.errors import UsageError


def test_it_is_a_whole_course_of_another_subject(tmp_path):
    new_course(tmp_path / "Mine 2")
    course = load_course(tmp_path / "Mine 2")
    assert course.about.id == "mine-2"
    assert len(course.lessons) == len(course.quizzes) == len(course.exercises) == 1
    (exercise,) = course.exercises.values()
    assert exercise.grader is not None
    assert exercise.reference is not None
    assert exercise.explanation is not None
    assert list((exercise.staff / "wrong" / exercise.folder.name).glob("*.py"))
    assert (exercise.folder / "starter.ipynb").is_file()


@pytest.mark.parametrize("title", ["Plain", 'With "quotes": and #', "O'Neill \\n", "Überblick – 統計", "{a: b}"])
def test_the_title_is_what_was_said_whatever_it_holds(tmp_path, title):
    new_course(tmp_path / "c", title)
    assert load_course(tmp_path / "c").about.title == title


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "\x1b[31mred"])
def test_a_title_that_is_no_text_is_refused_and_nothing_is_written(tmp_path, title):
    with pytest.raises(UsageError):
        new_course(tmp_path / "c", title)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["---", "Ü", "x" * 200])
def test_any_folder_name_gives_an_identifier(tmp_path, name):
    new_course(tmp_path / name)
    assert load_course(tmp_path / name).about.id


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="no empty folder"):
        new_course(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_no_folder_and_an_empty_folder_serves(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        new_course(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be written"):
        new_course(tmp_path / "file" / "below")
    (tmp_path / "empty").mkdir()
    new_course(tmp_path / "empty")


def test_two_new_courses_keep_progress_apart(tmp_path):
    for name in ("a", "b"):
        new_course(tmp_path / name)
    assert load_course(tmp_path / "a").about.id != load_course(tmp_path / "b").about.id


def test_the_command_lists_what_it_wrote_and_refuses_with_one_message(tl, tmp_path):
    made = json.loads(tl("author", "new", "mine", "--json", course=None).stdout)
    own = [path for path in TEMPLATE.rglob("*") if "like" not in path.parts and path.suffix != ".pyc"]
    assert len(made["written"]) == sum(path.is_file() for path in own) + 1
    assert all((tmp_path / path).is_file() for path in made["written"])
    again = tl("author", "new", "mine", course=None)
    assert again.returncode == 2
    assert "Traceback" not in again.stderr
    checked = tl("author", "check", course=Path("mine"))
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("like", KINDS)
def test_an_exercise_of_each_kind_is_whole(tmp_path, like):
    new_course(tmp_path / "c", like=like)
    (exercise,) = load_course(tmp_path / "c").exercises.values()
    assert (exercise.reference is None) == (like == "predictions")  # where a table is handed in
    assert exercise.explanation is not None
    assert list((exercise.staff / "wrong" / exercise.folder.name).iterdir())
    assert (exercise.folder / "starter.ipynb").is_file()
    assert not (tmp_path / "c" / "like").exists()
    kinds = {part.kind for part in exercise.about.parts}
    wanted = {"report": {"functions", "manual"}, "sequence": {"model", "functions"}}
    assert kinds == wanted.get(like, {like})


def test_exercises_are_added_to_a_course_whose_comments_stay(tmp_path):
    course = tmp_path / "c"
    new_course(course)
    about = course / "course.yaml"
    about.write_text(about.read_text().replace("units:", "# mine\nunits:") + "# the end\n")
    added = [path.relative_to(course).as_posix() for path in add_exercise(course, "functions")]
    assert {"exercises/location/starter.ipynb", "graders/location.py"} <= set(added)
    add_exercise(course, "report")
    found = load_course(course)
    assert list(found.exercises) == ["outliers", "location", "study"]
    assert [unit.exercises for unit in found.about.units] == [["outliers"], ["location"], ["study"]]
    assert about.read_text().count("# mine") == about.read_text().count("# the end") == 1
    for like in ("functions", "model"):
        with pytest.raises(UsageError, match="already"):
            add_exercise(course, like)
    with pytest.raises(UsageError, match="no kind of exercise 'function'"):
        add_exercise(course, "function")


BOTH = ["outliers", "location"]


@pytest.mark.parametrize(
    ("before", "names"),
    [
        ("units:\n- {id: a, title: A, summary: S}\nexercises:\n- outliers\n", BOTH),
        (
            "exercises: [ outliers ]  # all\nunits:\n    - id: a\n      title: A\n      summary: S\n",
            ["outliers", "location"],
        ),
        ("units:\n  - {id: a, title: A, summary: S}\n", ["location"]),
        ("units: [{id: a, title: A, summary: S}]\nexercises: [outliers]\n", BOTH),
    ],
)
def test_course_yaml_may_be_written_as_one_likes(tmp_path, before, names):
    course = tmp_path / "c"
    new_course(course)
    (course / "course.yaml").write_text(f"id: c\ntitle: C\n{before}")
    add_exercise(course, "functions")
    assert list(load_course(course).exercises) == names


def test_a_course_yaml_that_cannot_be_changed_stays_as_it_was(tmp_path):
    course = tmp_path / "c"
    new_course(course)
    text = "id: c\ntitle: C\nunits: [{id: a, title: A, summary: S}]\nexercises: [\n  outliers]\n"
    (course / "course.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"course.yaml could not be changed"):
        add_exercise(course, "functions")
    assert (course / "course.yaml").read_text() == text


@pytest.mark.slow
def test_tables_of_predictions_are_proved_without_a_run(tl, tmp_path):
    tl("author", "new", "mine", "--like", "predictions", course=None)
    done = tl("author", "check", "mine", "--exercises", course=None)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr.count("holds  guesses") == 2
    table = tmp_path / "mine" / "graders" / "wrong" / "guesses" / "least_squares.csv"
    table.write_text((table.parents[2] / "references" / "guesses.csv").read_text())
    assert tl("author", "check", "mine", "--exercises", course=None).returncode == 2


@pytest.mark.slow
def test_a_sequence_exercise_is_what_author_check_proves(tl, tmp_path):
    """Those like functions and report are proved in the walk of docs/authoring.md."""
    tl("author", "new", "mine", "--like", "sequence", course=None)
    done = tl("author", "check", "mine", "--exercises", "--seeds", "2", course=None)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr.count("holds  letters") == 5
