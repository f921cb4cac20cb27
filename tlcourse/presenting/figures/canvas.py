"""What figures are drawn on: characters at columns and lines, lines that join where they meet, and fine dots."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from tlcourse.presenting.marks import Line, Run, joined

UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8
_JOINTS = {
    UP: "│", DOWN: "│", UP | DOWN: "│", LEFT: "─", RIGHT: "─", LEFT | RIGHT: "─", RIGHT | DOWN: "╭", DOWN | LEFT: "╮",
    UP | RIGHT: "╰", UP | LEFT: "╯", UP | RIGHT | DOWN: "├", UP | DOWN | LEFT: "┤", RIGHT | DOWN | LEFT: "┬",
    UP | RIGHT | LEFT: "┴", UP | RIGHT | DOWN | LEFT: "┼",
}  # fmt: skip
HEADS = {RIGHT: "▶", LEFT: "◀", UP: "▲", DOWN: "▼"}
OPPOSITE = {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
Spot = tuple[int, int]
"""Column and line."""


class Canvas:
    """Grows with what is drawn on it."""

    def __init__(self) -> None:
        self._characters: dict[Spot, tuple[str, str]] = {}
        self._joints: dict[Spot, tuple[int, str]] = {}
        self._dots: dict[Spot, tuple[int, str]] = {}

    def write(self, x: int, y: int, text: str, style: str = "", *, solid: bool = False) -> None:
        """A text from a place to the right; where it is solid its spaces cover what is below."""
        for character in text:
            if character != " " or solid:
                self._characters[x, y] = (character, style)
            x += max(cell_len(character), 1)

    def join(self, x: int, y: int, directions: int, style: str | None = None) -> None:
        """Add directions to the line that passes here; without a style it keeps its own."""
        old, was = self._joints.get((x, y), (0, ""))
        self._joints[x, y] = (old | directions, was if style is None else style)

    def box(self, x: int, y: int, width: int, height: int, style: str = "", *, thick: bool = False) -> None:
        """A border; `width` and `height` count it."""
        right, bottom = x + width - 1, y + height - 1
        if thick:
            for line, (first, middle, last) in ((y, "┏━┓"), (bottom, "┗━┛")):
                self.write(x, line, first + middle * (width - 2) + last, style)
            for line in range(y + 1, bottom):
                self.write(x, line, "┃", style)
                self.write(right, line, "┃", style)
            return
        self.path([(x, y), (right, y), (right, bottom), (x, bottom), (x, y)], style)

    def path(self, spots: Sequence[Spot], style: str = "", *, ends: bool = True) -> list[Spot]:
        """A line along corners, which joins what it crosses; without `ends` its first and last cell stay. Its cells."""
        cells = [spots[0]]
        for there in spots[1:]:
            while cells[-1] != there:
                x, y = cells[-1]
                cells.append((x + _sign(there[0] - x), y) if x != there[0] else (x, y + _sign(there[1] - y)))
        for here, there in itertools.pairwise(cells):
            way = towards(here, there)
            if ends or here != cells[0]:
                self.join(*here, way, style)
            if ends or there != cells[-1]:
                self.join(*there, OPPOSITE[way], style)
        return cells

    def dot(self, x: int, y: int, style: str = "") -> None:
        """A fine dot: two to a column, four to a line."""
        spot = (x // 2, y // 4)
        self._dots[spot] = (self._dots.get(spot, (0, ""))[0] | _DOTS[y % 4][x % 2], style)

    def lines(self, width: int = 0, height: int = 0) -> list[Line]:
        """What was drawn, at least so wide and high; spaces at the ends of lines are left out where they may be."""
        found = {spot: (chr(0x2800 + bits), style) for spot, (bits, style) in self._dots.items()}
        found |= {spot: (_JOINTS.get(mask, " "), style) for spot, (mask, style) in self._joints.items()}
        found |= self._characters
        rows = max((y + 1 for _, y in found), default=0)
        by_row: list[dict[int, tuple[str, str]]] = [{} for _ in range(max(rows, height))]
        for (x, y), cell in found.items():
            if x >= 0 and y >= 0:
                by_row[y][x] = cell
        return [_row(cells, width) for cells in by_row]


def _row(cells: dict[int, tuple[str, str]], width: int) -> Line:
    runs: list[Run] = []
    x = 0
    for at in sorted(cells):
        if at < x:
            continue
        if at > x:
            runs.append(Run(" " * (at - x)))
        runs.append(Run(*cells[at]))
        x = at + max(cell_len(cells[at][0]), 1)
    if x < width:
        runs.append(Run(" " * (width - x)))
    return joined(runs)


def towards(here: Spot, there: Spot) -> int:
    """The direction from a cell to its neighbour."""
    if here[0] != there[0]:
        return RIGHT if there[0] > here[0] else LEFT
    return DOWN if there[1] > here[1] else UP


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def width_of(line: Iterable[Run]) -> int:
    """Columns of a line."""
    return sum(cell_len(run.text) for run in line)


def widest(lines: Iterable[Iterable[Run]]) -> int:
    """Columns of the longest line."""
    return max((width_of(line) for line in lines), default=0)


def padded(line: Line, width: int, *, centred: bool = False) -> Line:
    """A line with spaces up to a width."""
    room = max(width - width_of(line), 0)
    before = room // 2 if centred else 0
    return [run for run in (Run(" " * before), *line, Run(" " * (room - before))) if run.text]


def beside(blocks: Sequence[list[Line]], gap: int, width: int) -> list[Line]:
    """Blocks from left to right, in as many rows as the width asks for."""
    rows: list[list[list[Line]]] = []
    for block in blocks:
        used = sum(widest(other) + gap for other in rows[-1]) if rows else width + 1
        if used + widest(block) > width:
            rows.append([])
        rows[-1].append(block)
    lines: list[Line] = []
    for row in rows:
        if lines:
            lines.append([])
        for number in range(max(map(len, row))):
            line: Line = []
            for block in row:
                if line:
                    line.append(Run(" " * gap))
                line += padded(block[number] if number < len(block) else [], widest(block))
            lines.append(joined(line))
    return lines


def flowed(pieces: Iterable[Run], width: int, indent: int = 0) -> list[Line]:
    """Pieces of a legend one after the other, in as many lines as they need."""
    lines: list[Line] = []
    for piece in pieces:
        if not lines or width_of([*lines[-1], piece]) - len(piece.text) + len(piece.text.rstrip()) > width:
            lines.append([Run(" " * indent)] if indent else [])
        lines[-1].append(piece)
    return lines


def wrapped(text: str, width: int, style: str = "") -> list[Line]:
    """A text in lines of at most so many columns."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [[Run(line, style)] for line in lines if line]
