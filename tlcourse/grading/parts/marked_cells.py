"""The cells of a notebook that people mark: found by their tag, by nbgrader's id, or by the marks of Otter-Grader."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tlcourse.course.markdown import slug
from tlcourse.course.model import Exercise
from tlcourse.course.parts import ManualPart
from tlcourse.errors import SubmissionError
from tlcourse.grading.intake.names import shown
from tlcourse.grading.intake.notebook import MAX_BYTES, without_outputs
from tlcourse.grading.intake.submission import NOTEBOOK, SOLUTION
from tlcourse.text import line

MAX_WHOLE = 20 * 2**20  # bytes of a notebook that is read with its outputs
_MAX_MARKS = 500_000  # brackets, braces, quotes and commas of it
_NOTEBOOKS = 5
_BLOCK = 1 << 20
_PERCENT = re.compile(r"^# %%(?P<text> \[markdown\])?(?P<rest>.*)\Z")
_TAG = re.compile(r'"([^"]{1,80})"')
_BEGIN, _END = "<!-- BEGIN QUESTION -->", "<!-- END QUESTION -->"
Note = tuple[str, str]
"""The notebook that it is about, and what is to be said."""


class MarkedCell(Struct, frozen=True):
    """A cell that is marked."""

    number: int
    kind: str
    source: str
    outputs: list[Any]


def is_own_file(path: Path) -> bool:
    """Whether it is a file, and no link."""
    return path.is_file() and not path.is_symlink()


def notebooks(folder: Path) -> list[Path]:
    """The notebooks of a hand-in, the solution's first."""
    found = [path for path in folder.iterdir() if path.suffix.lower() == ".ipynb" and is_own_file(path)]
    return sorted(found, key=lambda path: (path.name.lower() != NOTEBOOK, path.name))[:_NOTEBOOKS]


def marked_cells(folder: Path, about: Exercise, part: ManualPart) -> tuple[list[MarkedCell], list[Note]]:
    """The cells of a part, and what is to be said: by their tag, by nbgrader's id, by Otter's marks in their order."""
    with_cells = [one for one in about.manual_parts if one.cells]
    place, places = with_cells.index(part), len(with_cells)
    notes: list[Note] = []
    for path in notebooks(folder):
        cells, why = all_cells(path)
        if cells is None:
            notes.append((shown(path.name), f"{shown(path.name)} cannot be read as a notebook: {why}."))
            continue
        if why:
            notes.append((shown(path.name), why))
        if found := [as_marked(cell) for cell in cells if _is_of(cell, part)]:
            return found, notes
        if (blocks := _otter_blocks(cells)) and len(blocks) == places:
            said = f"No cell has the tag {part.cells}: question {place + 1} of {places} is taken by its place."
            return blocks[place], [*notes, ("", said)]
    if is_own_file(folder / SOLUTION) and not notebooks(folder) and (found := _of_percents(folder / SOLUTION, part)):
        return found, notes
    what = "has such a cell" if notebooks(folder) else "is there"
    return [], [*notes, ("", f"No cell has the tag {part.cells}: no notebook {what}.")]


def all_cells(path: Path) -> tuple[list[dict[str, Any]] | None, str]:
    """The cells of a notebook, and what is to be said of it; None and why, where it cannot be read."""
    said = ""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return None, f"it is larger than {MAX_BYTES >> 20} MB"
        if len(data) > MAX_WHOLE or sum(map(data.count, (b"[", b"{", b'"', b","))) > _MAX_MARKS:
            data, said = without_outputs(data, path), "Its outputs are too large to be shown."
        document = json.loads(data.decode("utf-8-sig"))
        if document["nbformat"] < 4:
            return None, "its format is an older one; it opens in Jupyter"
        cells = document["cells"]
    except SubmissionError as error:
        return None, line(error.what)
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        return None, f"it is damaged ({type(error).__name__})"
    numbered = enumerate(cells if isinstance(cells, list) else [], start=1)
    return [{**cell, "number": number} for number, cell in numbered if isinstance(cell, dict)], said


def _is_of(cell: dict[str, Any], part: ManualPart) -> bool:
    metadata = cell.get("metadata")
    if not isinstance(metadata, dict):
        return False
    tags, about = metadata.get("tags"), metadata.get("nbgrader")
    given = {tag for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()
    if given & _tags(part):
        return True
    if not isinstance(about, dict) or True not in (about.get("grade"), about.get("task")):
        return False
    name = about.get("grade_id")
    return isinstance(name, str) and slug(name[:200])[:60].strip("-") == part.cells


def _tags(part: ManualPart) -> set[str]:
    return {part.cells, f"part:{part.cells}", f"part:{part.id}"}


def text_of(source: Any) -> str:
    """A text, or the lines of one; empty where it is neither."""
    if isinstance(source, list):
        source = "".join(one for one in source if isinstance(one, str))
    return source if isinstance(source, str) else ""


def as_marked(cell: dict[str, Any]) -> MarkedCell:
    """Of a cell of a notebook what is marked."""
    outputs = cell.get("outputs")
    kept = [one for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []
    kept = [{key: value for key, value in one.items() if key != "execution_count"} for one in kept]
    return MarkedCell(cell["number"], str(cell.get("cell_type")), text_of(cell.get("source")), kept)


def _otter_blocks(cells: Sequence[dict[str, Any]]) -> list[list[MarkedCell]]:
    """The questions that Otter-Grader marks in students' copies for those who mark by hand."""
    blocks: list[list[MarkedCell]] = []
    is_inside = False
    for cell in cells:
        source = text_of(cell.get("source"))
        if _BEGIN in source:
            blocks.append([])
            is_inside = True
        if _END in source:
            is_inside = False
        text = source.replace(_BEGIN, "").replace(_END, "").strip()
        if is_inside and text:
            blocks[-1].append(as_marked({**cell, "source": text}))
    return blocks


def _of_percents(path: Path, part: ManualPart) -> list[MarkedCell]:
    """Tagged cells of a Python file in the form of Jupytext: `# %% [markdown] tags=["why"]`."""
    with path.open("rb") as stream:
        text = stream.read(_BLOCK).decode("utf-8", "replace")
    found: list[MarkedCell] = []
    kept: list[str] | None = None
    number, kind = 0, "code"
    for row in [*text.split("\n"), "# %%"]:
        if (mark := _PERCENT.match(row)) is None:
            if kept is not None:
                kept.append(row.removeprefix("#").removeprefix(" ") if kind == "markdown" else row)
            continue
        if kept is not None:
            found.append(MarkedCell(number, kind, "\n".join(kept).strip(), []))
        number, kind = number + 1, "markdown" if mark["text"] else "code"
        tags = _TAG.findall(mark["rest"][:1000]) if "tags=" in mark["rest"] else []
        kept = [] if _tags(part) & set(tags) else None
    return found
