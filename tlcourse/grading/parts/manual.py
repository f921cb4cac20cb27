"""What of a hand-in people mark, as they are shown it: files by their names, and tagged cells of a notebook.

All of it is a student's. Nothing is run, no picture or PDF is decoded, no link followed, no HTML taken for more than
its text: what is shown is text, harmless and bounded, and of every other file its kind and size. Whoever wants to see
that is given a copy of it (`laid_out`).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tlcourse.course.model import Exercise
from tlcourse.grading.gradebook.by_hand import changed_since
from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.intake.names import shown
from tlcourse.grading.intake.submission import SOLUTION
from tlcourse.grading.parts.marked_cells import (
    MarkedCell,
    all_cells,
    as_marked,
    is_own_file,
    marked_cells,
    notebooks,
    text_of,
)
from tlcourse.storage import sha256_of_file
from tlcourse.text import counted, cut, harmless

Kind = Literal["text", "markdown", "code", "output", "file", "note"]
MAX_TEXT = 100_000
"""Characters of a file or a cell that are shown: thirty pages."""
MAX_PIECES, MAX_SHOWN = 60, 200_000
"""Pieces of a part, and characters of all of them: a screen takes a second to lay out so many."""
_MAX_LINES, _MAX_LINE = 3000, 4000
_PICTURES = {"image/png": ".png", "image/jpeg": ".jpg"}
_MAGIC = {
    b"%PDF": "PDF",
    b"\x89PNG": "picture (PNG)",
    b"\xff\xd8\xff": "picture (JPEG)",
    b"GIF8": "picture (GIF)",
    b"PK\x03\x04": "ZIP or office document",
}


class Piece(Struct, frozen=True):
    """Something to look at: a text, a cell, an output, or a file of which no more is shown than its name."""

    kind: Kind
    title: str
    text: str = ""
    """Harmless and bounded."""


class Material(Struct, frozen=True):
    """What of a hand-in one part is about."""

    part: str
    pieces: list[Piece]
    sha256: str
    """Over all that is marked, outputs of cells as well; empty where nothing is handed in for the part."""


def materials(about: Exercise, folder: Path | None) -> dict[str, Material]:
    """What there is to mark of each part; `folder`: where the hand-in is kept, None where it is not."""
    found = {}
    for part in about.manual_parts:
        if folder is None or not (part.files or part.cells):
            asked = bool(part.files or part.cells)
            note = "Nothing is kept of this hand-in." if asked else "Nothing is handed in here for this part."
            digest = _digest([b""] * len(part.files)) if asked else ""  # as where the files are missing
            found[part.id] = Material(part.id, [Piece("note", "", note)], digest)
            continue
        pieces = [piece for name in part.files for piece in _file(folder, name)]
        hashed = [_bytes_of(folder, name) for name in part.files]
        if part.cells:
            cells, notes = marked_cells(folder, about, part)
            pieces += [
                *(Piece("note", *note) for note in notes),
                *(piece for cell in cells for piece in _shown_cell(cell)),
            ]
            hashed += [_bytes_of_cell(cell) for cell in cells]
        found[part.id] = Material(part.id, _bounded(pieces), _digest(hashed))
    return found


def _bounded(pieces: Sequence[Piece]) -> list[Piece]:
    """The first of them, as many as somebody reads; it says how many are left out."""
    kept, room = [], MAX_SHOWN
    for piece in pieces[:MAX_PIECES]:
        if len(piece.text) > room:
            break
        kept.append(piece)
        room -= len(piece.text)
    if left := len(pieces) - len(kept):
        kept.append(Piece("note", "", f"{counted(left, 'more piece is', 'more pieces are')} not shown."))
    return kept


def seen(about: Exercise, sha256: str, folder: Path | None) -> dict[str, str]:
    """By item, what a mark keeps of what was looked at: the hashes of the hand-in and of what its part is about.

    `sha256`: of the hand-in, empty where there is none. Items of which nothing is handed in here, or nothing is kept
    any more, are absent.
    """
    if sha256 and folder is None:
        return {}
    found = materials(about, folder)
    return {
        item.id: f"{sha256 or '-'} {found[part.id].sha256}"
        for part in about.manual_parts
        if found[part.id].sha256
        for item in part.rubric
    }


def changed(about: Exercise, store: SubmissionStore, status: GradeStatus) -> list[str]:
    """The items of a hand-in that were marked on something else than what is graded now."""
    if status.verdict is None:
        return []
    marks = [mark for hand in (status.hand, *status.hands_of_members.values()) for mark in hand.marks.values()]
    sha256 = status.verdict.sha256
    if all(not mark.seen or mark.seen.split()[0] == sha256 for mark in marks):  # which is nearly always so
        return []
    now_seen = seen(about, sha256, store.kept(sha256))
    return list(dict.fromkeys(changed_since(marks, now_seen)))


def laid_out(about: Exercise, folder: Path, into: Path) -> list[str]:
    """Copy what is marked into the empty folder `into`, pictures of cells as files of their own; returns their names.

    A viewer is given these copies: one that writes beside what it shows would change the hand-in that is kept.
    """
    written: dict[str, None] = {}

    def write(name: str, data: bytes) -> None:
        (into / name).write_bytes(data)
        written[name] = None

    for part in about.manual_parts:
        for name in part.files:
            if (path := _at(folder, name)) is not None:
                write(path.name, path.read_bytes())
        if not part.cells:
            continue
        for cell in marked_cells(folder, about, part)[0]:
            for number, (mime, data) in enumerate(_pictures(cell), start=1):
                write(f"{part.id}-cell-{cell.number}-{number}{_PICTURES[mime]}", data)
        for path in notebooks(folder):
            write(path.name, path.read_bytes())
    return list(written)


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for data in parts:
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _at(folder: Path, name: str) -> Path | None:
    """The file of that name, whatever its case: many systems take the two for one. Never a link."""
    found = [path for path in folder.iterdir() if path.name.lower() == name.lower()]
    found.sort(key=lambda path: path.name != name)
    return next((path for path in found if is_own_file(path)), None)


def _bytes_of(folder: Path, name: str) -> bytes:
    """What stands for a file in the hash: that of its bytes, nothing where it is missing."""
    path = _at(folder, name)
    return bytes.fromhex(sha256_of_file(path)) if path else b""


def _file(folder: Path, name: str) -> Iterator[Piece]:
    path = _at(folder, name)
    if path is None:
        others = sorted(shown(one.name) for one in folder.iterdir() if one.is_file() and one.name != SOLUTION)
        beside = f" Beside it lie: {cut(', '.join(others), 300)}." if others else ""
        yield Piece("note", name, f"{name} was not handed in.{beside}")
        return
    if path.suffix.lower() == ".ipynb":
        cells, why = all_cells(path)
        if cells is None:
            yield Piece("note", name, f"{name} cannot be read as a notebook: {why}.")
        elif why:
            yield Piece("note", name, why)
        for cell in cells or []:
            yield from _shown_cell(as_marked(cell))
        return
    with path.open("rb") as stream:
        head = stream.read(4 * MAX_TEXT)
    size = path.stat().st_size
    text = _text(head, whole=size <= len(head))
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")
    if not size:
        yield Piece("note", name, f"{name} is empty.")
    elif kind or text is None or path.suffix.lower() == ".svg":
        odd = "; it does not begin as a PDF does" if path.suffix.lower() == ".pdf" and kind != "PDF" else ""
        yield Piece("file", name, f"{kind or 'no text'}, {_size(size)}{odd}")
    else:
        yield Piece("markdown" if path.suffix.lower() == ".md" else "text", name, bounded_text(text))


def _text(data: bytes, *, whole: bool) -> str | None:
    """Bytes as text; None where they are none. What was cut may end within a character."""
    if b"\0" in data:
        return None
    for end in range(len(data), len(data) - (1 if whole else 4), -1):
        with contextlib.suppress(UnicodeDecodeError):
            return data[:end].decode("utf-8-sig")
    return None


def bounded_text(text: str) -> str:
    """Harmless, and not longer than can be read; it says where it was cut."""
    lines = [cut(one, _MAX_LINE) for one in harmless(text[: MAX_TEXT + 1]).expandtabs(4).rstrip().split("\n")]
    kept = "\n".join(lines[:_MAX_LINES])[:MAX_TEXT]
    if len(text) > MAX_TEXT or len(lines) > _MAX_LINES:
        kept += "\n[… the rest is not shown …]"
    return kept


def _size(size: int) -> str:
    return f"{size} bytes" if size < 1000 else f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"


def _bytes_of_cell(cell: MarkedCell) -> bytes:
    try:
        return json.dumps([cell.kind, cell.source, cell.outputs]).encode()
    except RecursionError:  # outputs may be nested as deeply as they like
        return json.dumps([cell.kind, cell.source]).encode()


def _shown_cell(cell: MarkedCell) -> Iterator[Piece]:
    title = f"cell {cell.number}"
    kind: Kind = "code" if cell.kind == "code" else "markdown"
    source = bounded_text(cell.source)
    yield Piece(kind, title, source) if source.strip() else Piece("note", title, "This cell is empty.")
    for one in cell.outputs:
        data = one.get("data")
        text = text_of(one.get("text")) or text_of(data.get("text/plain") if isinstance(data, dict) else "")
        if one.get("output_type") == "error":
            text = f"{text_of(one.get('ename'))}: {text_of(one.get('evalue'))}"
        pictures = [mime for mime in data if str(mime).startswith("image/")] if isinstance(data, dict) else []
        if text.strip() and not pictures:
            yield Piece("output", f"output of {title}", bounded_text(text))
    for mime, picture in _pictures(cell):
        yield Piece("file", f"output of {title}", f"picture ({mime[6:].upper()}), {_size(len(picture))}")


def _pictures(cell: MarkedCell) -> Iterator[tuple[str, bytes]]:
    for one in cell.outputs:
        data = one.get("data")
        for mime in _PICTURES if isinstance(data, dict) else ():
            with contextlib.suppress(binascii.Error, ValueError):
                if text := text_of(data.get(mime)):
                    yield mime, base64.b64decode(text)
