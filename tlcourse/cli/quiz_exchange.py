"""`tlcourse quiz export` and `import`: quizzes in the formats of other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.errors import UsageError
from tlcourse.text import misspelt

if TYPE_CHECKING:
    from tlcourse.course.model import Quiz


class Format(StrEnum):
    """A format of quizzes."""

    GIFT = "gift"
    AIKEN = "aiken"
    BRIGHTSPACE = "brightspace"
    QTI12 = "qti12"
    QTI21 = "qti21"
    JSON = "json"


FormatName = Annotated[
    Format,
    typer.Option(
        "--format",
        help="gift, aiken: Moodle. brightspace: D2L's CSV. qti12: Canvas. qti21: Blackboard. json: ours, whole.",
    ),
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
                f"There is no quiz {name!r}.",
                cause=misspelt(name, loaded.quizzes),
                remedy="list them with: tlcourse quiz list",
            )
    quizzes = [loaded.quizzes[name] for name in names or loaded.quizzes]
    module = _module(form)
    text = module.write(quizzes)
    if target is not None:
        _write(target, text)
    elif isinstance(text, bytes):
        raise UsageError("A QTI package is a ZIP.", cause="it cannot be printed.", remedy="--out FILE.zip")
    elif not json:
        out.say(text.rstrip("\n"))
    changed = [] if form is Format.JSON else changes(quizzes, module.changed)
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
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="For answers that have none.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Write nothing unless all can be carried.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make quiz files of a course from another program's file. What cannot be carried is named with its line."""
    from tlcourse.errors import ContentError
    from tlcourse.quiz.exchange.common import Given, read_source, refuse_another
    from tlcourse.quiz.exchange.documents import write_yaml

    given = Given(source.name, objective, section, reason)
    if form in (Format.QTI12, Format.QTI21):
        quizzes: list[Quiz] = _module(form).read(_package(source), given)
    else:
        text = read_source(source, given)
        refuse_another(text, form.value, source)
        quizzes = _module(form).read(text, given)
    if strict and given.lost:
        raise ContentError(given.lost)
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
        out.document({"schema": 1, "quizzes": rows, "lost": given.lost})
        return
    for lost in given.lost:
        out.note(f"lost: {lost}" if plain else lost)
    for row in rows:
        out.say(f"{row['file']}  {row['questions']} questions")
    if not plain:
        out.say("\nName the quizzes in course.yaml, then run: tlcourse author check")


def _module(form: Format) -> ModuleType:
    from importlib import import_module

    name = {Format.JSON: "documents"}.get(form, form.value)
    return import_module(f"tlcourse.quiz.exchange.{name}")


def _package(path: Path) -> dict[str, bytes]:
    """The files of a QTI package, unpacked as warily as a hand-in is, or its one XML file."""
    from tempfile import TemporaryDirectory

    from tlcourse.errors import ContentError
    from tlcourse.grading.intake.archive import unpack
    from tlcourse.grading.intake.copy import IntakeLimits, StagedCopy

    limits = IntakeLimits(files=5000, bytes=200 * 2**20, depth=8, entries=10_000)
    try:
        with path.open("rb") as stream, TemporaryDirectory() as folder:
            data = stream.read(limits.bytes + 1)
            if not data.startswith(b"PK"):
                if b"<" not in data[:1000]:
                    raise UsageError(
                        f"{path} is neither a ZIP nor XML, and so no QTI.",
                        cause="another format.",
                        remedy="--format gift, aiken or brightspace",
                    )
                return {path.name: data}
            copy = StagedCopy(path, Path(folder), limits)
            unpack([data], copy)
            found = (one for one in copy.into.rglob("*") if one.is_file())
            return {str(one.relative_to(copy.into)): one.read_bytes() for one in found}
    except OSError as error:
        raise ContentError([f"{path}:1: cannot be read ({error.strerror}), expected a readable file"]) from None


def _write(path: Path, text: str | bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}).",
            cause="the folder is not writable.",
            remedy="name another folder.",
        ) from None


def add_to(app: typer.Typer) -> None:
    """The two commands."""
    app.command("export")(export_quizzes)
    app.command("import")(import_quizzes)
