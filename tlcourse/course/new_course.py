"""A new course: the template that the package carries, under the author's title."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from tlcourse.course.loader import load_course
from tlcourse.course.markdown import slug
from tlcourse.course.notebook import write_starter_notebook
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
        for exercise in load_course(folder).exercises.values():
            write_starter_notebook(exercise.about.id, exercise.about.title, exercise.folder)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror}.", remedy="name a folder that you may write to."
        ) from None
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _identifier(folder: Path) -> str:
    """The id under which progress in the course is kept: the folder's name, as far as an id may hold it."""
    made = re.sub(r"[^a-z0-9-]+", "-", slug(folder.resolve().name)).strip("-")[:_LONGEST_ID]
    return made or "new-course"
