"""What an author begins with: a new course from the template that the package carries, and starters as notebooks."""

from __future__ import annotations

import ast
import itertools
import json
import re
import shutil
from pathlib import Path

from tlcourse.course import trust
from tlcourse.course.loader import load_course
from tlcourse.course.markdown import slug
from tlcourse.course.model import LoadedCourse
from tlcourse.errors import UsageError

TEMPLATE = Path(__file__).resolve().parent.parent / "template"
TITLE = "A new course"
_LONGEST_ID = 60


def new_course(folder: Path, title: str = TITLE) -> list[Path]:
    """Write a whole small course into `folder`, which is made or empty; returns its files.

    Raises:
        UsageError: the folder holds something, or cannot be written to, or the title is none.
    """
    if not title.strip() or not title.isprintable():
        raise UsageError("The title is empty, or holds characters that are no text.", remedy='--title "My course"')
    folder = folder.expanduser()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} is there already and is no empty folder; it was left as it is.",
                cause="a course was begun there before, or the name is that of something else.",
                remedy="name a folder that does not exist yet: tlcourse author new DIR",
            )
        ignored = shutil.ignore_patterns("__pycache__")  # of a package that was compiled when it was installed
        shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=ignored, copy_function=shutil.copyfile)
        about = folder / "course.yaml"
        text = about.read_text(encoding="utf-8").replace("COURSE-ID", _identifier(folder), 1)
        # JSON's strings are YAML's
        about.write_text(text.replace('"COURSE TITLE"', json.dumps(title, ensure_ascii=False), 1), encoding="utf-8")
        write_starter_notebooks(load_course(folder))
        trust.agree(folder)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror}.", remedy="name a folder that you may write to."
        ) from None
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _identifier(folder: Path) -> str:
    """The id under which progress in the course is kept: the folder's name, as far as an id may hold it."""
    made = re.sub(r"[^a-z0-9-]+", "-", slug(folder.resolve().name)).strip("-")[:_LONGEST_ID]
    return made or "new-course"


NAME = "starter.ipynb"


def starter_notebook(exercise: str, title: str, source: str, install: str = "") -> str:
    """`starter.py` as the JSON of a notebook (format 4.5): one cell for each top-level block, in order.

    `install` is the course's own: from where tlcourse comes in Colab. The grader reads the code cells in order and
    drops the installing line, so the notebook can be handed in as it is.
    """
    docstring, blocks = _blocks(source)
    where = "here" if install else "where tlcourse is installed"
    intro = (
        f"# {title}\n\n{docstring}\n\n"
        f"Write `fit(task)`; the last cell trains it {where}. Hand in this notebook, or grade it where tlcourse is "
        f"installed: `tlcourse grade {exercise} solution.ipynb`."
    )
    from nbformat import v4, writes

    installing = f"%pip install -q '{install}'  # in Colab; the grader leaves this line out"
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell(intro, id="intro"),
            *([v4.new_code_cell(installing, id="install")] if install else []),
            *(v4.new_code_cell(block, id=f"cell-{number}") for number, block in enumerate(blocks, start=1)),
        ],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    return f"{writes(notebook, version=4)}\n"


def write_starter_notebooks(course: LoadedCourse) -> list[Path]:
    """Write `starter.ipynb` beside each `starter.py`."""
    written = []
    for exercise in course.exercises.values():
        path = exercise.folder / NAME
        source = (exercise.folder / "starter.py").read_text(encoding="utf-8")
        text = starter_notebook(exercise.about.id, exercise.about.title, source, course.about.install)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


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
