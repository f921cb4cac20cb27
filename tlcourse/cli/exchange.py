"""`tlcourse quiz export` and `import`: quizzes for other programs, and back."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.errors import UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import Quiz


class Format(StrEnum):
    """A format of quizzes."""

    GIFT = "gift"
    BRIGHTSPACE = "brightspace"
    JSON = "json"


FormatName = Annotated[
    Format, typer.Option("--format", help="gift: Moodle. brightspace: D2L's CSV. json: ours, whole.")
]


def export_quizzes(
    form: FormatName,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all quizzes.")] = None,
    target: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Default: stdout.")] = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Write quizzes for another program. Objectives, sections and reasons are kept, if need be in comments."""
    from tlcourse.course.loader import load_course
    from tlcourse.quiz.exchange.common import changes

    loaded = load_course(course)
    for name in names or []:
        if name not in loaded.quizzes:
            raise UsageError(
                f"There is no quiz {name!r}.", cause="a spelling mistake.", remedy="list them with: tlcourse quiz list"
            )
    quizzes = [loaded.quizzes[name] for name in names or loaded.quizzes]
    module = _module(form)
    text = module.write(quizzes)
    if target is not None:
        _write(target, text)
    elif not json:
        out.say(text.rstrip("\n"))
    changed = [] if form is Format.JSON else changes(quizzes, module.CHANGED)
    if json:
        count = sum(len(quiz.questions) for quiz in quizzes)
        where = str(target) if target else None
        content = None if target else text
        out.document({"schema": 1, "file": where, "text": content, "questions": count, "changed": changed})
        return
    for change in changed:
        out.note(f"changed: {change}" if plain else change)


def import_quizzes(
    source: Annotated[Path, typer.Argument(metavar="FILE")],
    form: FormatName,
    folder: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where the quiz files go.")] = Path(),
    objective: Annotated[str, typer.Option("--objective", help="For questions that name none.")] = "",
    section: Annotated[str, typer.Option("--section", help="For questions that name none: unit#heading.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make quiz files of a course from another program's file. What lacks a reason is named, and nothing is written."""
    from tlcourse.located import read_text
    from tlcourse.quiz.exchange.common import Given
    from tlcourse.quiz.exchange.documents import write_yaml

    quizzes: list[Quiz] = _module(form).read(read_text(source), Given(source.name, objective, section))
    if not quizzes:
        raise UsageError(f"{source} holds no questions.", cause="an empty file, or another format.", remedy="--format")
    files = [folder / f"{quiz.id}.yaml" for quiz in quizzes]
    if there := [str(path) for path in files if path.exists() and not force]:
        raise UsageError(
            f"{there[0]} already exists.", cause="it was imported before.", remedy="--force, or another folder: --to"
        )
    for path, quiz in zip(files, quizzes, strict=True):
        _write(path, write_yaml(quiz))
    rows = [
        {"file": str(path), "quiz": quiz.id, "questions": len(quiz.questions)}
        for path, quiz in zip(files, quizzes, strict=True)
    ]
    if json:
        out.document({"schema": 1, "quizzes": rows})
        return
    for row in rows:
        out.say(f"{row['file']}  {row['questions']} questions")
    if not plain:
        out.say("\nName the quizzes in course.yaml, then run: tlcourse author check")


def _module(form: Format) -> ModuleType:
    from importlib import import_module

    name = {Format.JSON: "documents"}.get(form, form.value)
    return import_module(f"tlcourse.quiz.exchange.{name}")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}).",
            cause="the folder is not writable.",
            remedy="name another folder.",
        ) from None
