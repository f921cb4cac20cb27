"""Reading a course: `course.yaml`, and every lesson, quiz and exercise that it names."""

from __future__ import annotations

from pathlib import Path

from tlcourse import paths
from tlcourse.course.kept import kept
from tlcourse.course.model import Course, Exercise, Lesson, LoadedCourse, LoadedExercise, Quiz
from tlcourse.course.write_it import WriteIt, load_write_its
from tlcourse.errors import ContentError
from tlcourse.located import decode, read_text
from tlcourse.quiz.kinds import AnyQuestion


def load_course(folder: Path | None = None) -> LoadedCourse:
    """The bundled course, or the one in `folder`; raises ContentError naming every wrong file and line."""
    content = paths.content_folder(folder)
    folders = (content, paths.exercises_folder(folder), paths.graders_folder(folder))
    return kept("course", LoadedCourse, content, folders, lambda: _read(folder, content))


def _read(folder: Path | None, content: Path) -> LoadedCourse:
    from tlcourse.course.checks import problems_of  # a course that comes from the cache needs none

    problems: list[str] = []
    path = content / "course.yaml"
    about = decode(read_text(path), Course, path)
    lessons: dict[str, Lesson] = {}
    quizzes: dict[str, Quiz] = {}
    exercises: dict[str, LoadedExercise] = {}
    for unit in about.units:
        if unit.lesson is not None:
            with _collected(problems):
                lessons[unit.id] = load_lesson(_inside(content, unit.lesson, path))
        for quiz in unit.quizzes:
            with _collected(problems):
                quizzes[quiz] = load_quiz(content / "quizzes" / f"{quiz}.yaml")
    for name in about.exercises:
        with _collected(problems):
            exercise = load_exercise(folder, name)
            exercises[exercise.about.id] = exercise
    write_its: dict[str, WriteIt] = {}
    with _collected(problems):
        write_its = load_write_its(content, [unit.id for unit in about.units])
    course = LoadedCourse(about, content, lessons, quizzes, exercises, write_its)
    if not problems:
        problems = problems_of(course)
    if problems:
        raise ContentError(problems)
    return course


def load_lesson(path: Path) -> Lesson:
    """A Markdown file with a title and minutes in its front matter."""
    from tlcourse.course import markdown

    head, body = markdown.split_front_matter(read_text(path))
    if not head:
        raise ContentError([f"{path}:1: no front matter, expected `---`, a title, minutes, `---`"])
    about = decode(head, Lesson, path, first_line=2)
    return Lesson(title=about.title, minutes=about.minutes, references=about.references, body=body.strip())


def load_quiz(path: Path) -> Quiz:
    """A YAML file of questions."""
    return decode(read_text(path), Quiz, path, items=("questions", AnyQuestion))


def load_exercise(course: Path | None, name: str) -> LoadedExercise:
    """The folder `exercises/NAME`, and the paths of its grader, reference and explanation where staff have them."""
    from tlcourse.course import markdown
    from tlcourse.course.exercise import staff_files

    folder = _inside(paths.exercises_folder(course), name, Path(name))
    path = folder / "exercise.yaml"
    about = decode(read_text(path), Exercise, path)
    missing = [
        f"{folder / needed}:1: no such file, expected one in every exercise"
        for needed in ("handout.md", *(("starter.py",) if about.model or about.functions else ()))
        if not (folder / needed).is_file()
    ]
    if missing:
        raise ContentError(missing)
    said = read_text(folder / "hints.md") if (folder / "hints.md").is_file() else ""
    hints = [text for _, text in markdown.sections(said)]
    if said.strip() and not all(hints or [""]):
        raise ContentError(
            [f"{folder / 'hints.md'}:1: text and no hint, or one without text, expected `## …` above each"]
        )
    graders = paths.graders_folder(course)
    grader = graders / f"{name}.py"
    staff = {path.name: path for path in staff_files(graders, "references")}
    reference, explanation = staff.get(f"{name}.py"), staff.get(f"{name}.md")
    return LoadedExercise(about, folder, hints, graders, grader if grader.is_file() else None, reference, explanation)


def _inside(folder: Path, name: str, origin: Path) -> Path:
    """`folder / name`, which must stay in `folder`: a course from elsewhere names no file of this machine."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ContentError([f"{origin}:1: `{name}` lies outside the course, expected a file inside it"])
    return path


class _collected:  # noqa: N801 - reads as a statement: `with _collected(problems)`
    """Gather the problems of one file and go on with the next."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if isinstance(error, ContentError):
            self.problems.extend(error.problems)
            return True
        return False
