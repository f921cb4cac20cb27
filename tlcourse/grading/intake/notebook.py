"""A notebook as Python: its code cells in order, without what only IPython understands; what was dropped is told.

Most of a large notebook are outputs, which nobody looks at: they are left out before the JSON is read, so that what is
read is small, whatever the outputs hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from tlcourse.errors import SubmissionError
from tlcourse.execution.worker.solution import CELLS, FILENAME, NOTEBOOK
from tlcourse.grading.intake.names import folded, shown, split, why_not

MAX_BYTES = 100 * 2**20
MAX_REST = 20 * 2**20
"""Of bytes without outputs: texts may hold pictures."""
MAX_CODE = 2**20
_MAX_MARKS = 5_000_000, 500_000  # brackets and keys that are looked at: all in all, and of what is kept
_PYTHON = ("python", "ipython", "xpython")
_FUTURE = re.compile(r"^from __future__ import [\w, ]+$", re.MULTILINE)  # which Python wants before all else
# Names that a notebook has without importing them, as far as a solution can sensibly use them.
_STAND_INS = {
    "get_ipython": "get_ipython = lambda: None  # as IPython's own says where no IPython runs",
    "display": "display = print",
}


class Notebook(Struct, frozen=True):
    """A notebook as Python, what was dropped of it, and the files that its cells write: name → text."""

    code: str
    notices: list[str]
    files: dict[str, str]


def read_notebook(data: bytes, origin: Path, beside: Collection[str] = ()) -> Notebook:
    """A notebook's code; `beside` are the names of the files that it may run. Raises SubmissionError."""
    if len(data) > MAX_BYTES:
        raise _too_large(origin, f"is larger than {MAX_BYTES >> 20} MB", "the outputs of its cells are saved in it.")
    if not data.strip():
        raise _unusable(origin, "it is empty")
    kept: list[str] = []
    notices: list[str] = []
    files: dict[str, list[str]] = {}
    known = set(beside)
    cells = _code_cells(_document(without_outputs(data, origin), origin), origin)
    if sum(len(cell.source) for cell in cells) > MAX_CODE:
        what = f"has more than {MAX_CODE >> 20} MB of code"
        raise _too_large(origin, what, "data were pasted into a cell.", "keep data in a file.")
    for number, (source, is_test) in enumerate(cells, start=1):
        if is_test:
            notices.append(f"cell {number} is a test of nbgrader: it was left out, the grader has tests of its own.")
            kept.append(f"# cell {number}\n" + "\n".join(f"# {line}" for line in _lines(source)))
            continue
        if (written := _written(source)) is not None:
            name, text, appended = written
            if not appended:
                files[name] = []
            files.setdefault(name, []).append(text)
            known.add(name)
            notices.append(f"cell {number} was written to {shown(name)}.")
            kept.append(f"# cell {number}\n" + "\n".join(f"# {line}" for line in _lines(source)))
            continue
        text, dropped = without_magics(source, known)
        notices += [f"cell {number}: {what} dropped." for what in dropped]
        kept.append(f"# cell {number}\n{text}")
    code = "\n\n".join(kept) + "\n"
    head = [*_FUTURE.findall(code)]
    head += [line for name, line in _STAND_INS.items() if re.search(rf"\b{name}\s*\(", code)]
    begin, begins = len(head) + 2, []
    for text in kept:
        begins.append(begin)
        begin += text.count("\n") + 2
    first = f"{CELLS} {' '.join(map(str, begins))}"
    written_files = {name: "".join(texts) for name, texts in files.items()}
    return Notebook("\n".join([first, *head, _FUTURE.sub(r"# \g<0>", code)]), notices, written_files)


def _lines(source: str) -> list[str]:
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _written(source: str) -> tuple[str, str, bool] | None:
    """The name, the text, and whether it is to be appended, of a cell that writes a file beside the notebook."""
    first, *rest = _lines(source.lstrip())
    magic, *words = first.split() or [""]
    if magic not in ("%%writefile", "%%file") or not words:
        return None
    name = words[-1].strip("'\"")
    if why_not(name) or name.startswith("~") or folded(split(name)) in (FILENAME, NOTEBOOK):
        return None
    return "/".join(split(name)), "\n".join(rest) + "\n", words[0] in ("-a", "--append")


# Strings, what opens and closes, and all between: each begins with a character of its own and gives nothing back.
_JSON = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|[\[{]|[\]}]|[^"\[\]{}]++', re.DOTALL)
_LEFT_OUT = re.compile(rb'"(?:outputs|attachments|widgets)"\s*+:\s*+(?=[\[{])')


def without_outputs(data: bytes, origin: Path) -> bytes:
    """The JSON of a notebook with empty outputs, attachments and states of widgets; raises SubmissionError.

    Nothing is checked: what is no JSON before is none after.
    """
    kept: list[bytes] = []
    at = seen = size = 0
    while at < len(data):
        if found := _LEFT_OUT.match(data, at):
            at, number = _past_value(data, found.end())
            seen += number
            kept.append(found[0] + (b"[]" if data[found.end()] == ord("[") else b"{}"))
        elif found := _JSON.match(data, at):
            at = found.end()
            kept.append(found[0])
        size += len(kept[-1])
        if size > MAX_REST:
            raise _too_large(origin, f"is larger than {MAX_REST >> 20} MB without its outputs", "texts hold pictures.")
        if len(kept) > _MAX_MARKS[1] or len(kept) + seen > _MAX_MARKS[0]:
            raise _too_large(origin, "has more parts than any notebook", "its outputs or texts hold data.")
    return b"".join(kept)


def _past_value(data: bytes, start: int) -> tuple[int, int]:
    """Where the list or table that begins at `start` ends, and how many marks were looked at, at most `_MAX_MARKS`."""
    depth = seen = 0
    for found in _JSON.finditer(data, start):
        depth += data[found.start()] in b"[{"
        depth -= data[found.start()] in b"]}"
        seen += 1
        if depth == 0 or seen > _MAX_MARKS[0]:
            return found.end(), seen
    return len(data), seen


def _document(data: bytes, origin: Path) -> dict[str, Any]:
    """The notebook's JSON, and nothing of it but what counts: outputs may be anything."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise _unusable(origin, "it is nested too deeply") from None
    except UnicodeDecodeError:
        raise _unusable(origin, "it is not encoded as UTF-8") from None
    except ValueError:
        raise _unusable(origin, "it is not JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise _unusable(origin, "it does not say which format it has (nbformat)")
    return document


class _CodeCell(NamedTuple):
    source: str
    is_test: bool
    """Whether nbgrader made it a test: one that fails would end the solution, and the points it names are nobody's."""


def _code_cells(document: dict[str, Any], origin: Path) -> list[_CodeCell]:
    version = document["nbformat"]
    if version not in (1, 2, 3, 4):
        raise _unusable(origin, f"its format {str(version)[:20]} is not known")
    if version < 4:
        document = _converted(document, origin)
    language = language_of(document)
    if language and not language.lower().startswith(_PYTHON):
        raise _unusable(origin, f"it is written in {shown(language[:40])}, and only Python is run")
    cells = document.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise _unusable(origin, "it has no list of cells")
    found = []
    for number, cell in enumerate(cells, start=1):
        if cell.get("cell_type") == "code":
            source = _joined(cell.get("source"))
            if source is None:
                raise _unusable(origin, f"cell {number} of all has no source text")
            found.append(_CodeCell(source, _is_test(cell.get("metadata"))))
    if not found:
        raise _unusable(origin, "it has no code cell")
    return found


def _is_test(metadata: Any) -> bool:
    about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return isinstance(about, dict) and about.get("grade") is True and about.get("solution") is False


def _joined(source: Any) -> str | None:
    """A cell's text: a string, or a list of its lines. Half of a surrogate pair becomes its escape."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    return source.encode("utf-8", "backslashreplace").decode("utf-8")


def language_of(document: dict[str, Any]) -> str:
    """The language of its kernel; empty where it names none."""
    found: Any = document.get("metadata")
    for key in ("kernelspec", "language"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _converted(document: dict[str, Any], origin: Path) -> dict[str, Any]:
    """An older notebook in today's format, by the library that defines it; without outputs, which may be anything."""
    import nbformat

    try:
        for sheet in document.get("worksheets", [document]):
            for cell in sheet["cells"]:
                cell.update(outputs=[])
        return dict(nbformat.convert(nbformat.from_dict(document), 4))
    except Exception as error:  # a converter for honest notebooks raises anything at others
        raise _unusable(origin, f"it cannot be brought to today's format ({type(error).__name__})") from None


def _too_large(origin: Path, what: str, cause: str, remedy: str = "") -> SubmissionError:
    return SubmissionError(
        f"{shown(origin)} {what}.", cause=cause, remedy=remedy or "clear all outputs in Jupyter and save it."
    )


def _unusable(origin: Path, why: str) -> SubmissionError:
    return SubmissionError(
        f"{shown(origin)} cannot be read as a notebook: {why}.",
        cause="the file is damaged, or is not a Python notebook.",
        remedy="open it in Jupyter and save it again, or hand in a solution.py.",
    )


# Cells whose first line is one of these hold Python all the same; all others are for another program.
_PYTHON_CELLS = {"%%grade", "%%time", "%%timeit", "%%capture", "%%prun"}
_ESCAPE = re.compile(
    r"""  [!%?]                                        # !ls   %matplotlib inline   ?print
        | [,;/](?=\w)                                  # autocall: /f x
        | [\w.,\[\] ]+ = \s* [!%]                      # files = !ls   x = %pwd
        | (?: [\w.,\[\] ]+ = \s* )? get_ipython\(\)\.  # what nbconvert makes of all these
        | [\w.*]+ \?{1,2} \s* $                        # print?""",
    re.VERBOSE,
)
_RUN = re.compile(r"%run[ \t]+(?:-[a-z][ \t]+)?['\"]?(?:\./)?(\w+)(?:\.py)?['\"]?[ \t]*")
_LOOK = 2000  # characters of a line that are looked at: it may have millions
_INSIDE = re.compile(r"\\.|'''|\"\"\"|['\"#()\[\]{}]", re.DOTALL)
_OPEN, _CLOSED = "([{", ")]}"


def without_magics(source: str, beside: Collection[str] = ()) -> tuple[str, list[str]]:
    """The cell as Python, and what was dropped, for a notice. `beside`: names of the files that `%run` may name.

    A dropped line becomes a comment, so that line numbers stay true, behind a `pass` that keeps an indented block
    whole. A line inside brackets or a string is Python, whatever it begins with.
    """
    lines = _lines(source)
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    dropped = []
    if lines[first].lstrip().startswith("%%"):
        magic = lines[first].split(maxsplit=1)[0]
        if magic not in _PYTHON_CELLS:
            return "\n".join(f"# {line}" for line in lines), [f"the whole cell, which is for {shown(magic)}, was"]
        lines[first] = f"# {lines[first]}"
        dropped.append(f"the line with {magic} was")
    count = 0
    for begin, end in _statements(lines):
        if (ran := _RUN.fullmatch(lines[begin][:_LOOK])) and f"{ran[1]}.py" in beside and ran[1].isidentifier():
            lines[begin] = f"from {ran[1]} import *  # {lines[begin].strip()}"
        elif _is_escape(lines[begin]):
            indent = lines[begin][: len(lines[begin]) - len(lines[begin].lstrip())]
            lines[begin] = f"{indent}pass  # dropped: {lines[begin].strip()}"
            lines[begin + 1 : end] = [f"{indent}# dropped: {line.strip()}" for line in lines[begin + 1 : end]]
            count += end - begin
    if count:
        dropped.append(f"{count} line(s) with shell escapes or magics were")
    return "\n".join(lines), dropped


def _is_escape(line: str) -> bool:
    """Whether a statement that begins so is IPython's and not Python's."""
    return _ESCAPE.match(line.lstrip()[:_LOOK]) is not None


def _statements(lines: list[str]) -> Iterator[tuple[int, int]]:
    """First line and end of each statement: what brackets, long strings and backslashes hold together.

    A shell escape is not Python: its brackets and quotes mean nothing, and only a backslash continues it.
    """
    number = 0
    while number < len(lines):
        begin = number
        quote, depth, goes_on = "", 0, True
        is_shell = _is_escape(lines[begin]) and "get_ipython()" not in lines[begin]
        while goes_on and number < len(lines):
            line = lines[number]
            number += 1
            if not is_shell:
                quote, depth = _after(line, quote, depth)
            goes_on = bool(quote) or depth > 0 or line.endswith("\\")
        yield begin, number


def _after(line: str, quote: str, depth: int) -> tuple[str, int]:
    """The long string (its quotes) and the depth of brackets that are open behind a line."""
    for match in _INSIDE.finditer(line):
        mark = match[0]
        if quote:
            if mark == quote or (len(mark) == 3 and len(quote) == 1 and mark[0] == quote):
                quote = ""
        elif mark == "#":
            return "", depth
        elif mark in ("'", '"', "'''", '"""'):
            quote = mark
        elif mark in _OPEN:
            depth += 1
        elif mark in _CLOSED:
            depth = max(0, depth - 1)
    return (quote if len(quote) == 3 else ""), depth
