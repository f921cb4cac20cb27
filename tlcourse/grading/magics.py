"""What IPython understands and Python does not – shell escapes, magics, help – taken out of a cell's code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tlcourse.grading.names import shown

# Cells whose first line is one of these hold Python all the same; all others are for another program.
_PYTHON_CELLS = {"%%time", "%%timeit", "%%capture", "%%prun"}
_ESCAPE = re.compile(
    r"""  [!%?]                                        # !ls   %matplotlib inline   ?print
        | [,;/](?=\w)                                  # autocall: /f x
        | [\w.,\[\] ]+ = \s* [!%]                      # files = !ls   x = %pwd
        | (?: [\w.,\[\] ]+ = \s* )? get_ipython\(\)\.  # what nbconvert makes of all these
        | [\w.*]+ \?{1,2} \s* $                        # print?""",
    re.VERBOSE,
)
_LOOK = 2000  # characters of a line that are looked at: it may have millions
_INSIDE = re.compile(r"\\.|'''|\"\"\"|['\"#()\[\]{}]", re.DOTALL)
_OPEN, _CLOSED = "([{", ")]}"


def without_magics(source: str) -> tuple[str, list[str]]:
    """The cell as Python, and what was dropped, for a notice.

    A dropped line becomes a comment, so that line numbers stay true, behind a `pass` that keeps an indented block
    whole. A line inside brackets or a string is Python, whatever it begins with.
    """
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
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
        if _is_escape(lines[begin]):
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

    A shell escape is no Python: its brackets and quotes mean nothing, and only a backslash continues it.
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
