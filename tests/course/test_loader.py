"""Reading a course: what is wrong is said with file, line, and what was expected."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tlcourse.course import loader
from tlcourse.course.author import new_course, write_starter_notebooks
from tlcourse.course.exercise import PACKED, begin, explanation, solutions
from tlcourse.course.loader import load_course
from tlcourse.errors import ContentError, UnableError, UsageError

EXAMPLE = Path(__file__).parent.parent / "example_course"
WRONG = EXAMPLE / "graders" / "wrong" / "line"
METHOD = Path(loader.__file__).parents[1] / "content" / "write" / "adapters"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the example course that a test may spoil."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "course"))


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def problems(course: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        load_course(course)
    return caught.value.problems


def test_a_sound_course_is_read_whole(course):
    loaded = load_course(course)
    assert [unit.id for unit in loaded.about.units] == ["lines"]
    assert loaded.lessons["lines"].body.startswith("A line has a slope")
    assert len(loaded.quizzes["lines"].questions) == 2
    line = loaded.exercises["line"]
    assert line.hints == ["Use least squares.", "`torch.linalg.lstsq` does.", "Add a column of ones."]
    graders = course / "graders"
    assert (line.grader, line.reference) == (graders / "line.py", graders / "references" / "line.py")
    assert line.explanation == graders / "references" / "line.md"
    assert loaded.lessons["lines"].references == ["A. M. Legendre (1805), the method of least squares"]


def test_what_staff_do_not_have_of_an_exercise_is_none(course):
    shutil.rmtree(course / "graders")
    line = load_course(course).exercises["line"]
    assert (line.grader, line.reference, line.explanation) == (None, None, None)


@pytest.mark.parametrize("name", ["../outside", "line/../../outside", "/etc"])
def test_an_exercise_whose_name_leads_out_of_the_course_is_not_read(course, name):
    shutil.copytree(course / "exercises" / "line", course / "outside")  # it would be read, if it were looked at
    spoil(course / "course.yaml", "exercises: [line]\nexercises: [line]", f"exercises: []\nexercises: ['{name}']")
    assert problems(course) == [f"{name}:1: `{name}` lies outside the course, expected a file inside it"]


def test_a_link_that_leads_out_of_the_course_is_not_read(course):
    outside = Path(shutil.move(course / "exercises" / "line", course.parent / "elsewhere"))
    (course / "exercises" / "line").symlink_to(outside)
    assert problems(course)[0] == "line:1: `line` lies outside the course, expected a file inside it"


@pytest.mark.parametrize("needed", ["handout.md", "starter.py"])
def test_an_exercise_without_a_file_that_each_has_is_told_which(course, needed):
    (course / "exercises" / "line" / needed).unlink()
    where = course / "exercises" / "line" / needed
    assert problems(course) == [f"{where}:1: no such file, expected one in every exercise"]


@pytest.mark.parametrize("text, count", [(None, 0), ("", 0), ("## One\nx\n", 1), ("## One\nx\n" * 7, 7)])
def test_an_exercise_has_as_many_hints_as_its_author_likes(course, text, count):
    path = course / "exercises" / "line" / "hints.md"
    path.unlink() if text is None else path.write_text(text)
    assert len(load_course(course).exercise("line").hints) == count


def test_hints_of_which_none_has_a_heading_are_refused(course):
    path = course / "exercises" / "line" / "hints.md"
    path.write_text("Use least squares.\n")
    assert problems(course) == [f"{path}:1: text and no hint, or one without text, expected `## …` above each"]


def test_methods_to_write_are_read_and_what_is_wrong_with_them_is_said_beside_the_rest(course):
    folder = Path(shutil.copytree(METHOD, course / "write" / METHOD.name))
    spoil(folder / "write.yaml", f"unit: {METHOD.name}", "unit: lines")
    assert load_course(course).write_its["adapters"].title == "A serial adapter"
    (folder / "statement.md").unlink()
    spoil(course / "lessons/lines.md", "minutes: 1", "minutes: soon")
    lesson, method = problems(course)
    assert "minutes is str, expected int" in lesson
    assert method == f"{folder / 'statement.md'}:1: no such file, expected one in every write-it exercise"


def test_all_files_that_an_exercise_lacks_are_said_at_once(course):
    for needed in ("handout.md", "starter.py"):
        (course / "exercises" / "line" / needed).unlink()
    assert [Path(problem.partition(":")[0]).name for problem in problems(course)] == ["handout.md", "starter.py"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, UsageError])
def test_only_what_is_wrong_with_the_content_is_gathered_and_our_own_mistakes_are_not_hidden(
    course, error, monkeypatch
):
    def stumbling(path: Path) -> None:
        raise error("a mistake of the loader")

    monkeypatch.setattr(loader, "load_lesson", stumbling)
    with pytest.raises(error, match="a mistake of the loader") as caught:
        load_course(course)
    assert type(caught.value) is error


def test_solutions_are_read_from_the_archive_that_a_wheel_carries_them_in(tmp_path):
    plain = load_course(EXAMPLE).exercises["line"]
    course = Path(shutil.copytree(EXAMPLE, tmp_path / "course"))
    graders = course / "graders"
    with zipfile.ZipFile(graders / PACKED, "w") as packed:
        for folder in ("references", "wrong"):
            for path in (graders / folder).rglob("*.*"):
                packed.write(path, path.relative_to(graders))
            shutil.rmtree(graders / folder)
    line = load_course(course).exercises["line"]
    assert [one.name for one in solutions(line)] == ["line.py", *sorted(path.name for path in WRONG.glob("*.py"))]
    assert list(solutions(line)) == list(solutions(plain))
    assert explanation(line, passed=True) == explanation(plain, passed=True)
    (graders / PACKED).write_bytes(b"PK")
    with pytest.raises(UnableError, match="install tlcourse again"):
        explanation(line, passed=True)


def test_the_bundled_course_is_sound():
    assert load_course().about.id == "transfer-learning"


def test_a_folder_without_course_yaml_is_no_course(tmp_path):
    with pytest.raises(UsageError, match=r"no course\.yaml"):
        load_course(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "said"),
    [
        ("course.yaml", "title: Lines", "titel: Lines", 4, "`titel`, expected only fields of the course model"),
        ("course.yaml", "    title: Lines\n", "", 4, "no `title`, expected one"),
        ("course.yaml", "id: example", "id: An Example", 1, "expected `str` matching regex"),
        ("course.yaml", "  - id: lines", "  - id: [lines", 5, "expected YAML"),
        (
            "course.yaml",
            "exercises: [line]\nexercises",
            "exercises: [lime]\nexercises",
            4,
            "exercise `lime` is not known",
        ),
        ("course.yaml", "lessons/lines.md", "../lines.md", 1, "lies outside the course"),
        ("course.yaml", "lessons/lines.md", "lessons/planes.md", 1, "no such file"),
        ("lessons/lines.md", "minutes: 1", "minutes: soon", 3, "minutes is str, expected int"),
        ("lessons/lines.md", "---\n", "", 1, "no front matter"),
        ("quizzes/lines.yaml", "correct: true", "correct: maybe", 11, "correct is str, expected bool"),
        ("quizzes/lines.yaml", "correct: true", "correct: false", 4, "has 0 correct options, expected exactly 1"),
        ("quizzes/lines.yaml", "reason: That is the minimax line.", "", 13, "no `reason`"),
        ("quizzes/lines.yaml", "The largest residual", "the sum of squared residuals", 4, "same text"),
        ("quizzes/lines.yaml", "    answer: 2\n", "", 15, "no `answer`, expected a number"),
        ("quizzes/lines.yaml", "section: lines#least-squares", "section: lines#most", 4, "is in no lesson"),
        ("quizzes/lines.yaml", "objective: fit-a-line", "objective: fly", 4, "is in no unit"),
        ("quizzes/lines.yaml", "id: parameters", "id: minimises", 4, "stands twice"),
        ("exercises/line/exercise.yaml", "points: 1", "points: -1", 13, "expected `float` > 0"),
        (
            "exercises/line/exercise.yaml",
            "seconds: 20",
            "policy: {clear: 0.2}",
            20,
            "policy.clear is above policy.doubt",
        ),
        (
            "exercises/line/exercise.yaml",
            "seconds: 20",
            "parts: [{id: a, kind: model}, {id: b, kind: manual, rubric: [{id: y_error, text: Y, points: 1}]}]",
            20,
            "`y_error` of a rubric stands twice",
        ),
        (
            "exercises/line/exercise.yaml",
            "seconds: 20",
            "parts: [{id: a, kind: model}, {id: b, kind: manual, rubric: [{id: talk, text: T, points: 0}]}]",
            20,
            "expected `float` > 0",
        ),
        (
            "exercises/line/exercise.yaml",
            "seconds: 20",
            "parts: [{id: a, kind: modul}]",
            20,
            "parts[0].kind is `modul`, expected one of model, functions, predictions, manual",
        ),
        (
            "exercises/line/exercise.yaml",
            "seconds: 20",
            "parts: [{id: a, kind: functions, defines: [f], shape: [2]}]",
            20,
            "parts[0] is of type functions and has `shape`, expected only: defines, id, title, after, call_s",
        ),
        (
            "exercises/line/exercise.yaml",
            "direction: at_most\n    points: 1\n  - id: z",
            "direction: at_most\n    points: 1\n    part: b\n  - id: z",
            9,
            "check `y_error` belongs to `b`, expected one of: network",
        ),
        (
            "exercises/line/exercise.yaml",
            "direction: at_most\n    points: 1\n  - id: z",
            "credit: steps\n    steps: {2: 1, 1: 2}\n  - id: z",
            9,
            "`steps` give no more points for better values",
        ),
        (
            "exercises/line/exercise.yaml",
            "direction: at_most\n    points: 1\n  - id: z",
            "credit: share\n  - id: z",
            9,
            "no `points`, expected one",
        ),
        ("exercises/line/exercise.yaml", "  - name: z", "  - {name: z, by_task: true}", 5, "`z` is by task"),
        ("exercises/line/hints.md", "## Hint 3\n", "## Hint 3\n## ", 1, "no hint, or one without text"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(course, file, old, new, line, said):
    spoil(course / file, old, new)
    (problem,) = problems(course)
    where, number, what = re.match(r"(.+?):(\d+): (.+)", problem, re.DOTALL).groups()
    assert Path(where).resolve().is_relative_to(course)
    assert Path(where).name == Path(file).name or "no such file" in said
    assert int(number) == line
    assert said in what
    assert "expected" in what


def test_every_problem_is_found_at_once(course):
    spoil(course / "lessons/lines.md", "minutes: 1", "minutes: soon")
    spoil(course / "quizzes/lines.yaml", "correct: true", "correct: maybe")
    assert len(problems(course)) == 2


def test_every_wrong_question_of_a_file_is_found_at_once(course):
    path = course / "quizzes/lines.yaml"
    spoil(path, "correct: true", "correct: maybe")
    spoil(path, "    answer: 2\n", "")
    assert [problem.removeprefix(f"{path}:") for problem in problems(course)] == [
        "11: questions[0].options[0].correct is str, expected bool",
        "15: questions[1] has no `answer`, expected a number",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "type: numeric",
            "type: number",
            "16: questions[1].type is `number`, expected one of single, multiple, numeric, ",
        ),
        ("    type: numeric\n", "", "15: questions[1] has no `type`, expected one of single, multiple, numeric, "),
        (
            "    answer: 2\n",
            "    answer: 2\n    steps: []\n",
            "15: questions[1] is of type numeric and has `steps`, expected only: id, ",
        ),
        (
            "    answer: 2\n",
            "    anwser: 2\n",
            "15: questions[1] is of type numeric and has `anwser`, expected only: id, ",
        ),
        ("    answer: 2\n", "    answer:\n", "20: questions[1].answer is null, expected float"),
        ("reason: That is the minimax line.", 'reason: ""', "questions[0].options[1].reason is empty, expected a text"),
    ],
)
def test_a_field_that_a_kind_of_question_lacks_or_has_not_is_named(course, old, new, said):
    path = course / "quizzes/lines.yaml"
    spoil(path, old, new)
    (problem,) = problems(course)
    assert said in problem


def test_a_file_that_is_not_text_is_no_traceback(course):
    (course / "lessons" / "lines.md").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in problems(course)[0]


def test_yaml_that_would_run_code_is_refused(course):
    (course / "quizzes" / "lines.yaml").write_text("!!python/object/apply:os.system ['true']\n")
    assert "expected YAML" in problems(course)[0]


@pytest.mark.parametrize("name", ["ex2", "ex2_multitask"])
def test_an_exercise_is_found_by_its_id_and_by_the_name_of_its_folder(name):
    assert load_course().exercise(name).about.id == "ex2"


def test_an_exercise_that_is_not_there_names_those_that_are():
    with pytest.raises(UsageError, match="no exercise 'ex9'") as raised:
        load_course().exercise("ex9")
    assert raised.value.remedy == "use one of: ex1, ex2, ex3."


def test_a_damaged_archive_of_solutions_is_said_as_such(course):
    shutil.rmtree(course / "graders" / "references")
    (course / "graders" / PACKED).write_bytes(b"cut short")
    with pytest.raises(UnableError, match=r"solutions\.zip cannot be read: File is not a zip file") as raised:
        load_course(course)
    assert raised.value.remedy == "install tlcourse again."


def test_where_nothing_is_run_there_is_no_starter_and_nothing_to_begin_with(tmp_path):
    new_course(tmp_path / "c", like="report")
    folder = tmp_path / "c/exercises/study"
    lines = [line for line in (folder / "exercise.yaml").read_text().splitlines() if "functions" not in line]
    text = "\n".join(line for line in lines if "shifts" not in line and line != "checks:")
    (folder / "exercise.yaml").write_text(text)
    for name in ("starter.py", "starter.ipynb"):
        (folder / name).unlink(missing_ok=True)
    found = load_course(tmp_path / "c")
    assert write_starter_notebooks(found) == []
    with pytest.raises(UsageError, match="There is nothing to begin study with") as error:
        begin(found.exercise("study"), tmp_path / "study")
    assert "report.pdf" in error.value.remedy
