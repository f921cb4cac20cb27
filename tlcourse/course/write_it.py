"""Write-it exercises: a method that the student writes from a skeleton, checked in seconds and never for marks.

Each is a folder `write/NAME` of a course: `write.yaml` (what follows), `statement.md`, `skeleton.py`, and `checks.py`,
which runs in the sandbox beside what was written (`execution/worker/checks.py`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from tlcourse.course.spec import Identifier, Name
from tlcourse.errors import ContentError, UsageError
from tlcourse.located import at, decode, read_text
from tlcourse.quiz.kinds.question import Text
from tlcourse.storage import begin_file
from tlcourse.text import misspelt, typed

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedCourse

FOLDER = "write"
"""Of a course; and the folder in which a student's files lie, unless another one is named."""
STATEMENT, SKELETON, CHECKS = "statement.md", "skeleton.py", "checks.py"


class WriteIt(Struct, frozen=True, forbid_unknown_fields=True):
    """`write.yaml`."""

    id: Identifier
    """The folder's name."""
    title: Text
    """As lists show it."""
    unit: Identifier
    """The unit to which it belongs."""
    summary: Text
    """A sentence below the title."""
    defines: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """Functions and classes that the student writes."""
    checks: Annotated[dict[Identifier, Text], Meta(min_length=1)]
    """What is checked, by the name of its function (`start`: `check_start`): what holds where it passes."""
    hints: Annotated[list[Text], Meta(min_length=1)]
    """From faint to nearly everything; as many as you like."""
    compare: str = ""
    """Said after all checks have passed: where the course's own stands."""

    @property
    def key(self) -> str:
        """Its name in the student's record, and as a place of the app; no exercise can have it."""
        return f"{FOLDER}/{self.id}"


def load_write_its(content: Path, units: list[str]) -> dict[str, WriteIt]:
    """Every `write/NAME` of a course, in the order of its units; raises ContentError naming every wrong one."""
    found, problems = [], []
    for path in sorted((content / FOLDER).glob("*/write.yaml")):
        try:
            one = decode(read_text(path), WriteIt, path)
        except ContentError as error:
            problems += error.problems
            continue
        found.append(one)
        problems += _problems(one, path, units)
    if problems:
        raise ContentError(problems)
    return {one.id: one for one in sorted(found, key=lambda one: units.index(one.unit))}


def _problems(one: WriteIt, path: Path, units: list[str]) -> Iterator[str]:
    folder = path.parent
    if one.id != folder.name:
        yield f"{at(path, 'id')}: id is `{one.id}`, expected `{folder.name}` as the folder is called"
    if one.unit not in units:
        yield f"{at(path, 'unit')}: unit `{one.unit}` is not known, expected one of course.yaml"
    for name in (STATEMENT, SKELETON, CHECKS):
        if not (folder / name).is_file():
            yield f"{folder / name}:1: no such file, expected one in every write-it exercise"
    yield from _problems_of_code(folder / SKELETON, set(one.defines), "", "as write.yaml says that it is written")
    yield from _problems_of_code(
        folder / CHECKS, {f"check_{name.replace('-', '_')}" for name in one.checks}, "check_", "as write.yaml names it"
    )


def _problems_of_code(path: Path, wanted: set[str], prefix: str, why: str) -> Iterator[str]:
    """Python that cannot be read, lacks a `wanted` name, or has others that begin so."""
    import ast  # as below: a course that comes from the cache needs none

    if not path.is_file():
        return
    try:
        tree = ast.parse(read_text(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        yield f"{path}:{line}: {getattr(error, 'msg', error)}, expected Python"
        return
    named = {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for name in sorted(wanted - named.keys()):
        yield f"{path}:1: no `{name}` at the top level, expected one {why}"
    for name in sorted(named.keys() - wanted) if prefix else ():
        if name.startswith(prefix):
            yield f"{path}:{named[name]}: `{name}` is no check of write.yaml, expected its name there"


def find(course: "LoadedCourse", name: str) -> WriteIt:
    """The write-it exercise of that name; raises UsageError, with the names that are near."""
    if (one := course.write_its.get(name)) is not None:
        return one
    raise UsageError(
        f"There is no write-it exercise {name!r}.",
        cause=misspelt(name, course.write_its, otherwise="a spelling mistake, or another course."),
        remedy=f"use one of: {', '.join(course.write_its)}." if course.write_its else "this course has none.",
    )


def folder_of(course: "LoadedCourse", one: WriteIt) -> Path:
    """Where its files lie."""
    return course.folder / FOLDER / one.id


def statement(course: "LoadedCourse", one: WriteIt) -> str:
    """What is to be written, as Markdown."""
    return read_text(folder_of(course, one) / STATEMENT)


def usual_file(one: WriteIt) -> Path | None:
    """The student's file in the working folder, or in the folder `write` there."""
    places = [Path(inner, f"{one.id}{suffix}") for inner in (".", FOLDER) for suffix in (".py", ".ipynb")]
    return next((place for place in places if place.is_file()), None)


def begin(
    course: "LoadedCourse", one: WriteIt, folder: Path | None = None, *, again: bool = False
) -> tuple[Path, Path | None]:
    """Copy the skeleton into `folder` (default: `write`); return its path and that of the backup of what stood there.

    Raises:
        UsageError: the file is there already and `again` is false, or the folder cannot be written to.
    """
    folder = folder or Path(FOLDER)
    target = folder / f"{one.id}.py"
    command = f"tlcourse write init {one.id} {typed(str(folder))} --force"
    return target, begin_file(target, folder_of(course, one) / SKELETON, again=again, command=command)
