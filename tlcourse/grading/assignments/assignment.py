"""What an assignment of another grader is, whatever its format: cells for students and for staff, questions, tests.

A format is a file beside this one with `is_one` and `read`. Neither looks at what the other has.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from tlcourse.course.markdown import slug
from tlcourse.errors import UsageError
from tlcourse.grading.intake.notebook import language_of
from tlcourse.text import harmless

_MAX_BYTES = 200 * 2**20
_LONGEST_ID = 60
_NUMBER = 14  # characters of a sentence that only numbers a question


class Cell(Struct, frozen=True):
    """A cell of the assignment's notebook; `number` counts all cells, from 1."""

    number: int
    kind: Literal["code", "markdown", "raw"]
    source: str
    output: str = ""
    """The text that it printed and gave when it was last run."""
    nbgrader: dict[str, Any] = {}
    """What nbgrader keeps of it."""


class Note(Struct, frozen=True):
    """What could not be carried, or not as it was, and what to do about it."""

    cell: int
    """0: the notebook as a whole."""
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{f'cell {self.cell}' if self.cell else 'notebook'}: {self.what} – {self.remedy}"


class Test(Struct, frozen=True):
    """A test cell."""

    cell: int
    source: str
    points: float
    public: str = ""
    """What of it students may read, and their own check runs; nothing of a hidden test."""
    expects: str | None = None
    """The text that it prints and gives where it passes; None: it passes where nothing is raised."""
    partial: bool = False
    """Whether a number that its last line gives is the points that are earned."""
    failed: str = ""
    """What a student is told where it fails."""

    @property
    def hidden(self) -> bool:
        """Whether students lack something of it."""
        return self.source != self.public


class Question(Struct, frozen=True):
    """A question: marked by its tests, or by people."""

    id: str
    title: str
    cell: int
    points: float
    tests: list[Test] = []
    all_or_nothing: bool = False
    manual: bool = False
    scheme: str = ""
    """How people mark it: for staff alone."""


class Piece(Struct, frozen=True):
    """A cell of the exercise: as students get it, and as the reference has it; None where one has none."""

    number: int
    kind: Literal["code", "markdown"]
    student: str | None
    reference: str | None
    question: str = ""
    """Of a cell that people mark: the question's id, which is its tag."""


class Assignment(Struct):
    """An assignment, read whole."""

    format: str
    title: str
    pieces: list[Piece] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    """As the assignment lists its requirements."""
    requirements: str = ""
    """A file beside the notebook that lists more."""
    files: list[str] = field(default_factory=list)
    """Beside the notebook: what students get with it."""
    _taken: set[str] = field(default_factory=set)

    @property
    def points(self) -> float:
        """All that can be earned."""
        return sum(question.points for question in self.questions)

    def note(self, cell: int, what: str, remedy: str) -> None:
        """Keep what could not be carried."""
        self.notes.append(Note(cell, harmless(what), remedy))

    def identifier(self, name: str, cell: int) -> str:
        """An id of a question that is free, as near to its name as ids allow."""
        plain = slug(name)[:_LONGEST_ID].strip("-") or f"question-{len(self._taken) + 1}"
        found, number = plain, 2
        while found in self._taken:
            found, number = f"{plain[: _LONGEST_ID - 4]}-{number}", number + 1
        self._taken.add(found)
        if found != plain:
            self.note(cell, f"a second question is called `{name}`", f"it is `{found}` here; rename it if you like")
        return found


def read_cells(path: Path) -> list[Cell]:
    """The cells of a notebook; raises UsageError where it is none."""
    document = _document(path)
    if (language := language_of(document)) and not language.lower().startswith(("python", "ipython")):
        raise UsageError(
            f"{path} is written in {harmless(language)[:40]}.",
            cause="only Python is run and graded here.",
            remedy="write its tests and solutions in Python.",
        )
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise _unusable(path, "it has no list of cells")
    found = []
    for number, cell in enumerate(cells, start=1):
        source = _joined(cell.get("source")) if isinstance(cell, dict) else None
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        if source is None or kind not in ("code", "markdown", "raw"):
            raise _unusable(path, f"cell {number} has no kind or no text")
        metadata = cell.get("metadata")
        about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        found.append(Cell(number, kind, source, _output(cell.get("outputs")), about if isinstance(about, dict) else {}))
    return found


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _unusable(path, f"it is larger than {_MAX_BYTES >> 20} MB")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", remedy="tlcourse author import ASSIGNMENT.ipynb DIR") from None
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from None
    except RecursionError:
        raise _unusable(path, "it is nested too deeply") from None
    except ValueError:
        raise _unusable(path, "it is not JSON in UTF-8") from None
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise _unusable(path, "it does not say which format it has (nbformat)")
    if document["nbformat"] >= 4:
        return document
    import nbformat

    try:
        return dict(nbformat.convert(nbformat.from_dict(document), 4))
    except Exception as error:  # a converter for sound notebooks raises anything at others
        raise _unusable(path, f"it cannot be brought to today's format ({type(error).__name__})") from None


def _unusable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} cannot be read as a notebook: {why}.",
        cause="the file is damaged, or is another kind of file.",
        remedy="open it in Jupyter and save it again.",
    )


def _joined(source: Any) -> str | None:
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source.replace("\r\n", "\n") if isinstance(source, str) else None


def _output(outputs: Any) -> str:
    """What a cell printed and gave, as a doctest has it."""
    found = []
    for one in outputs if isinstance(outputs, list) else ():
        if not isinstance(one, dict):
            continue
        data = one.get("data")
        for text in (one.get("text"), data.get("text/plain") if isinstance(data, dict) else None):
            found.append(_joined(text) or "")
    return "".join(found)


def title_of(text: str) -> str:
    """The first words of a question: its heading, or its first sentence; empty where there are none."""
    for line in text.splitlines():
        plain = re.sub(r"[*_`$]|<[^<>]*>|!?\[|\]\([^()]*\)", "", line.lstrip("#> -")).strip()
        if plain:
            sentences = re.split(r"(?<=[.?!]) ", plain, maxsplit=2)
            first = sentences[0] if len(sentences[0]) > _NUMBER else " ".join(sentences[:2])  # after "Question 1."
            first = first.rstrip(".:")
            return first if len(first) <= 80 else first[:79].rsplit(" ", 1)[0] + "…"
    return ""


def tree_of(source: str) -> ast.Module | None:
    """A cell's code parsed; None where it is no Python by itself."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def stores(nodes: Iterable[ast.stmt]) -> dict[str, ast.stmt]:
    """The names that statements define at the top level, each with the last one that does."""
    found: dict[str, ast.stmt] = {}
    for node in nodes:
        for name in _stored(node):
            found[name] = node
    return found


def _stored(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield (alias.asname or alias.name).partition(".")[0]
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def loads(node: ast.AST) -> set[str]:
    """The names that are read anywhere in it."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
