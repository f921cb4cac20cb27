"""What an author begins with: a new course from the template that the package carries, and starters as notebooks."""

from __future__ import annotations

import ast
import itertools
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from tlcourse.course import trust
from tlcourse.course.loader import load_course, load_exercise
from tlcourse.course.markdown import slug
from tlcourse.course.model import LoadedCourse, LoadedExercise
from tlcourse.errors import ContentError, UsageError

TEMPLATE = Path(__file__).resolve().parent.parent / "template"
LIKE = TEMPLATE / "like"
"""Exercises of other kinds than the template's own, a folder each with `exercises` and `graders`."""
KINDS = ("model", *sorted(path.name for path in LIKE.iterdir() if path.is_dir()))
TITLE = "A new course"
_OWN = "outliers"
"""The template's own exercise, of kind `model`."""
_LONGEST_ID = 60


def new_course(folder: Path, title: str = TITLE, like: str = "model") -> list[Path]:
    """Write a whole small course into `folder`, which is made or empty; returns its files.

    Args:
        folder: Where.
        title: What the course is called.
        like: One of `KINDS`: what its exercise is like.

    Raises:
        UsageError: the folder holds something, or cannot be written to, or the title is none.
    """
    if not title.strip() or not title.isprintable():
        raise UsageError("The title is empty, or holds characters that are no text.", remedy='--title "My course"')
    _checked(like)
    folder = folder.expanduser()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} is there already and is no empty folder; it was left as it is.",
                cause="a course was begun there before, or the name is that of something else.",
                remedy="name a folder that does not exist yet: tlcourse author new DIR",
            )
        _copied(TEMPLATE, folder, "like", *(() if like == "model" else ("exercises", "graders")))
        about = folder / "course.yaml"
        text = about.read_text(encoding="utf-8").replace("COURSE-ID", _identifier(folder), 1)
        # JSON's strings are YAML's
        text = text.replace('"COURSE TITLE"', json.dumps(title, ensure_ascii=False), 1)
        if like != "model":
            _copied(LIKE / like, folder)
            text = text.replace(f"exercises: [{_OWN}]", f"exercises: [{_name_of(like)}]")
        about.write_text(text, encoding="utf-8")
        write_starter_notebooks(load_course(folder))
        trust.agree_if_kept(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return sorted(path for path in folder.rglob("*") if path.is_file())


def add_exercise(folder: Path, like: str) -> list[Path]:
    """Write an exercise of that kind into a course that is there, in a unit of its own; returns the new files.

    Raises:
        UsageError: it is not a course, there is such an exercise already, or course.yaml cannot be changed.
    """
    _checked(like)
    course = load_course(folder)
    name = _name_of(like)
    if name in course.exercises or (folder / "exercises" / name).exists():
        raise UsageError(
            f"There is an exercise {name} in {folder} already; it was left as it is.",
            remedy="rename that one: its two folders, its files in graders/, its id, and its name in course.yaml.",
        )
    before = set(folder.rglob("*"))
    try:
        if like == "model":
            for inner in ("exercises", "graders"):
                _copied(TEMPLATE / inner, folder / inner)
        else:
            _copied(LIKE / like, folder)
        title = json.dumps(load_exercise(folder, name).about.title, ensure_ascii=False)
        unit = [f"- id: {name}-unit", f"  title: {title}", "  summary: To be changed.", f"  exercises: [{name}]"]
        name_in_course(folder / "course.yaml", name, unit)
        (exercise,) = (one for one in load_course(folder).exercises.values() if one.folder.name == name)
        if (exercise.folder / "starter.py").is_file():
            write_starter_notebook(exercise, course.about.install)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return sorted(path for path in set(folder.rglob("*")) - before if path.is_file())


def _checked(like: str) -> None:
    if like not in KINDS:
        raise UsageError(f"There is no kind of exercise {like!r}.", remedy=f"--like KIND, one of: {', '.join(KINDS)}")


def _name_of(like: str) -> str:
    return _OWN if like == "model" else next(path.name for path in (LIKE / like / "exercises").iterdir())


def _copied(source: Path, folder: Path, *left_out: str) -> None:
    ignored = shutil.ignore_patterns("__pycache__")  # of a package that was compiled when it was installed

    def ignore(where: str, names: list[str]) -> set[str]:
        return ignored(where, names) | (set(left_out) if Path(where) == source else set())

    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=ignore, copy_function=shutil.copyfile)


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"{folder} cannot be written: {error.strerror}.", remedy="name a folder that you may write to.")


def name_in_course(path: Path, name: str, unit: Iterable[str]) -> None:
    """Name an exercise in a course.yaml, in a unit of its own behind the others; its comments stay.

    Raises UsageError, and leaves the file as it was, where the exercise is not read afterwards.
    """
    before = path.read_text(encoding="utf-8")
    path.write_text(_with_exercise(before, name, unit), encoding="utf-8")
    try:
        found = any(one.folder.name == name for one in load_course(path.parent).exercises.values())
        problem = "" if found else "it names its exercises in another way than was expected."
    except ContentError as error:
        problem = error.problems[0]
    if problem:
        path.write_text(before, encoding="utf-8")
        what = f"{path} could not be changed; the files of the exercise are there."
        raise UsageError(what, cause=problem, remedy=f"add {name} to `exercises:` there, and to those of a unit.")


def _with_exercise(text: str, name: str, unit: Iterable[str]) -> str:
    lines = text.rstrip("\n").split("\n")
    begin = next((number for number, line in enumerate(lines) if line.rstrip() == "units:"), None)
    if begin is not None:
        end = next((number for number in range(begin + 1, len(lines)) if lines[number][:1].isalpha()), len(lines))
        first = next((line for line in lines[begin + 1 : end] if line.lstrip().startswith("- ")), "  - ")
        while end > begin + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1
        lines[end:end] = [_indent(first) + line for line in unit]
    at = next((number for number, line in enumerate(lines) if line.startswith("exercises:")), None)
    if at is None:
        return "\n".join([*lines, f"exercises: [{name}]", ""])
    if found := re.match(r"exercises:\s*\[(.*)\](.*)\Z", lines[at]):
        lines[at] = f"exercises: [{', '.join(filter(None, [found[1].strip(), name]))}]{found[2]}"
    else:
        end = at + 1
        while end < len(lines) and re.match(r"\s*- ", lines[end]):
            end += 1
        lines.insert(end, f"{_indent(lines[end - 1]) if end > at + 1 else '  '}- {name}")
    return "\n".join([*lines, ""])


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _identifier(folder: Path) -> str:
    """The id under which progress in the course is kept: the folder's name, as far as an id may hold it."""
    made = re.sub(r"[^a-z0-9-]+", "-", slug(folder.resolve().name)).strip("-")[:_LONGEST_ID]
    return made or "new-course"


NAME = "starter.ipynb"
IMPORTED = "imported"
"""In the metadata of a notebook, under `tlcourse`: it was written with its text by `author import`."""
_CHECK = """# Save the notebook, then run this cell: it grades the notebook (and does nothing while it is graded).
import tlcourse

tlcourse.check("{exercise}")"""


def starter_notebook(exercise: str, title: str, source: str, install: str = "", *, trains: bool = True) -> str:
    """`starter.py` as the JSON of a notebook (format 4.5): one cell for each top-level block, in order.

    `install` is the course's own: from where tlcourse comes in Colab. The grader reads the code cells in order and
    drops the installing line, so the notebook can be handed in as it is. `trains`: whether `fit` is to be written.
    """
    docstring, blocks = _blocks(source)
    where = "here" if install else "where tlcourse is installed"
    how = f"Write `fit(task)`; the last cell but one trains it {where}, the last one grades it."
    if not trains:
        how = f"Fill in what is missing; the last cell grades it {where}."
    intro = f"# {title}\n\n{docstring}\n\n{how} Hand in this notebook."
    from nbformat import v4, writes

    installing = f"%pip install -q '{install}'  # in Colab; the grader leaves this line out"
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell(intro, id="intro"),
            *([v4.new_code_cell(installing, id="install")] if install else []),
            *(v4.new_code_cell(block, id=f"cell-{number}") for number, block in enumerate(blocks, start=1)),
            v4.new_code_cell(_CHECK.format(exercise=exercise), id="check"),
        ],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    return f"{writes(notebook, version=4)}\n"


def write_starter_notebooks(course: LoadedCourse) -> list[Path]:
    """Write `starter.ipynb` beside each `starter.py`; those that were imported with their text stay as they are."""
    written = []
    for exercise in course.exercises.values():
        path = exercise.folder / NAME
        if not (exercise.folder / "starter.py").is_file():
            continue  # nothing of it is run
        if not (path.is_file() and _is_imported(path.read_text(encoding="utf-8"))):
            written.append(write_starter_notebook(exercise, course.about.install))
    return written


def write_starter_notebook(exercise: LoadedExercise, install: str) -> Path:
    """Write that of one exercise; returns its path."""
    path = exercise.folder / NAME
    source = (exercise.folder / "starter.py").read_text(encoding="utf-8")
    about = exercise.about
    made = starter_notebook(about.id, about.title, source, install, trains=about.model is not None)
    path.write_text(made, encoding="utf-8")
    return path


def _is_imported(text: str) -> bool:
    try:
        return IMPORTED in json.loads(text)["metadata"]["tlcourse"]
    except (ValueError, TypeError, LookupError):
        return False


def _blocks(source: str) -> tuple[str, list[str]]:
    """The docstring, and the source cut before each top-level `def`, `class` and `if` with its comment."""
    tree = ast.parse(source)
    lines = source.splitlines()
    body = tree.body
    docstring = ast.get_docstring(tree) or ""
    first = 0
    if docstring and body:
        first = body[0].end_lineno or 0
        body = body[1:]
    cuts = [first]
    previous_end = first
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If):
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
            while start > previous_end and lines[start - 1].startswith("#"):
                start -= 1
            cuts.append(start)
        previous_end = node.end_lineno or previous_end
    cuts.append(len(lines))
    pieces = ["\n".join(lines[a:b]).strip("\n") for a, b in itertools.pairwise(cuts)]
    return docstring, [piece for piece in pieces if piece.strip()]
