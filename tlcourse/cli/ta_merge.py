"""`tlcourse ta merge`: what the gradebook of another assistant has more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Json, Plain
from tlcourse.cli.staff_options import GradebookFile, SecretFile, Who
from tlcourse.errors import UsageError
from tlcourse.storage import user
from tlcourse.text import line

if TYPE_CHECKING:
    from tlcourse.grading.gradebook.merge import Choice


def merge(
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Another assistant's gradebook; it stays as it is.")],
    gradebook: GradebookFile = None,
    prefer: Annotated[
        list[str] | None,
        typer.Option(
            "--prefer", metavar="[ID=]mine|theirs", help="Whose hold where two differ: of one, or all others."
        ),
    ] = None,
    secret: SecretFile = None,
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Bring into your gradebook what another one of the same class has more: verdicts, decisions, kept hand-ins.

    Nothing is written while two decisions about the same differ, until --prefer says which hold: each is shown with an
    id. A second time it changes nothing.
    """
    from tlcourse.grading.gradebook.file import must_exist
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.merge import merge as merged
    from tlcourse.grading.secret import fingerprint, read_secret
    from tlcourse.paths import gradebook_file, secret_file

    choice = _choice(prefer or [])
    path = must_exist(gradebook or gradebook_file())
    if path.resolve() == must_exist(other).resolve():
        raise UsageError(f"{other} is your own gradebook.", remedy="name the other one, or yours: --gradebook FILE")
    material = read_secret(secret) or (read_secret(secret_file()) if secret_file().exists() else None)

    def same_secret(salt: str, known: str) -> bool:
        return material is not None and fingerprint(material, salt) == known

    with Gradebook.reading(other) as theirs, Gradebook.writing(path, "tlcourse ta merge") as mine:
        mine.keep_copy()
        done = merged(mine, theirs, who=who or user(), choice=choice, same_secret=same_secret)
    if json:
        out.document({"schema": 2, "rows": done.rows, "handins": done.handins, "conflicts": done.conflicts})
        return
    for one in done.conflicts:
        said = line(one.said)
        out.say(f"conflict: {one.id} {one.holds}: {said}" if plain else f"{one.id}  {said} – {one.holds} holds")
    rows = ", ".join(f"{count} of {table}" for table, count in done.rows.items()) or "none"
    out.say(
        f"rows: {rows}\nhand-ins: {done.handins}" if plain else f"Rows that came: {rows}. Hand-ins: {done.handins}."
    )


def _choice(given: list[str]) -> Choice:
    """What `--prefer` says of all, and of single conflicts; raises UsageError."""
    from tlcourse.grading.gradebook.merge import Choice, Prefer

    of_one: dict[str, Prefer] = {}
    for text in given:
        name, equals, whose = text.rpartition("=")
        if whose not in ("mine", "theirs") or (equals and not name.strip()):
            raise UsageError(
                f"--prefer {text} is neither mine nor theirs.",
                remedy="--prefer mine, or theirs; of one conflict by its id: --prefer 3f09ab=theirs",
            )
        prefer = cast("Prefer", whose)
        if of_one.setdefault(name.strip().lower(), prefer) != prefer:
            raise UsageError(f"--prefer says both mine and theirs of {name or 'all'}.", remedy="leave one of them out")
    return Choice(of_one.pop("", None), of_one)
