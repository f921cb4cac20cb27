"""Flows: boxes in rows and columns, arrows between them, and what travels back."""

from __future__ import annotations

import itertools

from msgspec import Struct
from rich.cells import cell_len

from tlcourse.course.figure import Box, Flow, Way, stops
from tlcourse.presenting.figures.canvas import DOWN, HEADS, LEFT, OPPOSITE, RIGHT, UP, Canvas, Spot, towards
from tlcourse.presenting.marks import Line, Run, plain

_LINE = "$muted"
_MARKED = {"frozen": "$control", "trained": "$method"}


class _Placed(Struct):
    """A box, or a bend, on the canvas; `x`, `y` its upper left corner."""

    row: int
    column: int
    box: Box | None
    width: int = 1
    height: int = 1
    x: int = 0
    y: int = 0

    def port(self, side: int) -> Spot:
        """The middle of a side; of a bend its only cell."""
        x, y = self.x + (self.width - 1) // 2, self.y + (self.height - 1) // 2
        if side in (LEFT, RIGHT):
            return (self.x if side == LEFT else self.x + self.width - 1), y
        return x, (self.y if side == UP else self.y + self.height - 1)

    @property
    def joins(self) -> bool:
        """Whether a line that leaves joins the border."""
        return self.box is None or (self.box.border and not self.box.thick)


def flow(figure: Flow, width: int, frame: int | None = None) -> list[Line]:
    """A flow; turned from right to down where it would be too wide. With a `frame`: so many legs of the way back."""
    lines: list[Line] = []
    for direction, gap in ((figure.direction, 5), (figure.direction, 4), ("down", 3), ("down", 1)):
        lines = _Drawing(figure, direction, gap, frame).lines()
        if max((cell_len(plain(line)) for line in lines), default=0) <= width:
            break
    return lines


def spread(figure: Flow, width: int, height: int, frame: int | None = None) -> list[Line] | None:
    """A flow with its boxes as far apart as so many columns and lines let them be; None where it cannot be wider."""
    for gap, below in ((20, 2), (14, 2), (14, 1), (11, 1), (8, 1), (11, 0), (8, 0)):
        lines = _Drawing(figure, figure.direction, gap, frame, below).lines()
        if len(lines) <= height and max((cell_len(plain(line)) for line in lines), default=0) <= width:
            return lines
    return None


def legs(figure: Flow) -> int:
    """How many steps the way back has; ways that are drawn at once go side by side."""
    return max((len(way.path) - 1 for way in figure.backward), default=0)


class _Drawing:
    def __init__(self, figure: Flow, direction: str, gap: int, frame: int | None, below: int = 0) -> None:
        self.figure, self.down, self.frame = figure, direction == "down", frame
        turned = self.down and figure.direction == "right"
        self.placed: dict[str, _Placed] = {}
        for row, names in enumerate(figure.rows):
            for column, name in enumerate(names):
                if name != ".":
                    where = (column, row) if turned else (row, column)
                    self.placed[name] = _placed(*where, _box(figure, name))
        self.taken = {(one.row, one.column) for one in self.placed.values()}
        self.arrows = [stops(arrow) for arrow in figure.arrows]
        self._lay_out(gap, below)

    def _lay_out(self, gap: int, more: int) -> None:
        columns = max(one.column for one in self.placed.values()) + 1
        rows = max(one.row for one in self.placed.values()) + 1
        widths = [max([one.width for one in self.placed.values() if one.column == c] or [1]) for c in range(columns)]
        heights = [max([one.height for one in self.placed.values() if one.row == r] or [1]) for r in range(rows)]
        across = [min(gap, 3) if self.down else gap] * columns
        below = [more + (1 if self.down else 0)] * rows
        for names, _, text in self.arrows:
            for a, b in itertools.pairwise(names):
                one, other = self.placed[a], self.placed[b]
                above, left = min(one.row, other.row), min(one.column, other.column)
                if one.row == other.row and text:
                    across[left] = max(across[left], cell_len(text) + 2)
                if one.column == other.column and not self.down:
                    below[above] = 1 if one.box is None or other.box is None else 2
                if self.down and one.row != other.row and one.column != other.column and one.box and other.box:
                    below[other.row - 1 if self._after(one, other) else one.row] = 2
        self.lefts = [sum(widths[:c]) + sum(across[:c]) for c in range(columns)]
        self.rights = [left + width - 1 for left, width in zip(self.lefts, widths, strict=True)]
        tops = [sum(heights[:r]) + sum(below[:r]) for r in range(rows)]
        self.bottoms = [top + height - 1 for top, height in zip(tops, heights, strict=True)]
        for one in self.placed.values():
            if one.box and one.box.border and not self.down:
                one.width = widths[one.column]
            one.x = self.lefts[one.column] + (widths[one.column] - one.width) // 2
            one.y = tops[one.row] + (heights[one.row] - one.height) // 2
        self.tops = tops

    def _after(self, one: _Placed, other: _Placed) -> bool:
        """Whether the way from one to another turns only before the other: something stands in the other's lane."""
        if self.down:
            between = {(row, other.column) for row in range(one.row + 1, other.row)}
        else:
            between = {(other.row, column) for column in range(one.column + 1, other.column)}
        return bool(between & self.taken)

    def _route(self, one: _Placed, other: _Placed) -> list[Spot]:
        if one.row == other.row:
            ends = (RIGHT, LEFT) if one.column < other.column else (LEFT, RIGHT)
            return [one.port(ends[0]), other.port(ends[1])]
        if one.column == other.column:
            ends = (DOWN, UP) if one.row < other.row else (UP, DOWN)
            start, end = one.port(ends[0]), other.port(ends[1])
            return [start, (start[0], end[1]), end] if other.box is None else [(end[0], start[1]), end]
        if self.down:
            lane = self.tops[other.row] - 2 if self._after(one, other) else self.bottoms[one.row] + 1
            start, end = one.port(DOWN), other.port(UP)
            return [start, (start[0], lane), (end[0], lane), end]
        if other.box is None or one.box is None:
            start, end = one.port(RIGHT), other.port(LEFT)
            return [start, (end[0], start[1]), end] if one.box else [start, (start[0], end[1]), end]
        lane = self.lefts[other.column] - 3 if self._after(one, other) else self.rights[one.column] + 2
        start, end = one.port(RIGHT), other.port(LEFT)
        return [start, (lane, start[1]), (lane, end[1]), end]

    def _lit(self) -> dict[tuple[str, str], str]:
        """Arrows that something has travelled back along, and its role."""
        shown = self.frame or 0
        return {
            (way.path[leg + 1], way.path[leg]): f"bold {_role(way, leg)}"
            for way in self.figure.backward
            for leg in range(min(shown, len(way.path) - 1))
        }

    def lines(self) -> list[Line]:
        canvas = Canvas()
        lit = self._lit()
        for name, one in self.placed.items():
            if one.box is not None:
                marked = next((style for (_, to), style in lit.items() if to == name), "")
                reached = next((style for (a, _), style in lit.items() if a == name), marked)
                _draw_box(canvas, one, reached)
        # what is lit goes last, over what it shares with other arrows
        for names, head, text in sorted(self.arrows, key=lambda arrow: (arrow[0][0], arrow[0][-1]) in lit):
            self._arrow(canvas, names, text, head=head, style=lit.get((names[0], names[-1]), ""))
        lines = canvas.lines()
        for way in self.figure.backward:
            lines += self._back(way)
        return lines

    def _arrow(self, canvas: Canvas, names: list[str], text: str, *, head: bool, style: str) -> None:
        stations = [self.placed[name] for name in names]
        spots: list[Spot] = []
        for one, other in itertools.pairwise(stations):
            spots += self._route(one, other)
        cells = canvas.path(spots, style or _LINE, ends=False)
        if len(cells) < 3:
            return
        first, last = stations[0], stations[-1]
        if first.joins:
            canvas.join(*cells[0], towards(cells[0], cells[1]), None if first.box else style or _LINE)
        if last.box is None or ((not head or style) and last.joins):
            canvas.join(*cells[-1], OPPOSITE[towards(cells[-2], cells[-1])], style or None)
        elif head and not style:
            canvas.write(*cells[-2], HEADS[towards(cells[-2], cells[-1])], style or _LINE)
        if style:
            canvas.write(*cells[1], HEADS[OPPOSITE[towards(cells[0], cells[1])]], style)
        if text:
            way = towards(cells[-2], cells[-1])
            if way in (LEFT, RIGHT):
                straight = [cell for cell in cells[1:-1] if cell[1] == cells[-1][1]]
                middle = (straight[0][0] + straight[-1][0] + 1) // 2
                canvas.write(middle - cell_len(text) // 2, cells[-1][1] - 1, text, "$muted")
            else:
                canvas.write(cells[-2][0] + 2, cells[-2][1], text, "$muted")

    def _back(self, way: Way) -> list[Line]:
        shown = len(way.path) - 1 if self.frame is None else min(self.frame, len(way.path) - 1)
        if self.down:
            runs = [Run("◀ " + _text(way, leg) + " ", _role(way, leg)) for leg in range(shown)]
            return [[Run("back: ", "$muted"), *runs]]
        canvas = Canvas()
        for leg in range(shown):
            start, end = (self.placed[name].port(UP)[0] for name in way.path[leg : leg + 2])
            style = _role(way, leg)
            canvas.write(end, 0, "◀" + "─" * (start - end - 1), style)
            text = f" {_text(way, leg)} "
            if cell_len(text) < start - end - 1:
                canvas.write(end + 1 + (start - end - cell_len(text)) // 2, 0, text, style, solid=True)
        return canvas.lines() or [[]]


def _role(way: Way, leg: int) -> str:
    return f"${way.roles[leg]}" if leg < len(way.roles) and way.roles[leg] else "$live"


def _text(way: Way, leg: int) -> str:
    return way.texts[leg] if leg < len(way.texts) else ""


def _box(figure: Flow, name: str) -> Box | None:
    found = figure.boxes.get(name, name)
    if name.startswith(".") and name not in figure.boxes:
        return None
    return Box(text=found) if isinstance(found, str) else found


def _placed(row: int, column: int, box: Box | None) -> _Placed:
    if box is None:
        return _Placed(row, column, None)
    lines = box.text.strip().splitlines()
    inner = max(*(cell_len(line) for line in lines), cell_len(box.mark) + 2 if box.mark else 0, 1)
    if not box.border:
        return _Placed(row, column, box, inner + 2, len(lines))
    return _Placed(row, column, box, inner + 4, len(lines) + 2)


def _draw_box(canvas: Canvas, one: _Placed, lit: str = "") -> None:
    box = one.box
    assert box is not None
    style = lit or (f"${box.role}" if box.role else _MARKED.get(box.mark, "$live"))
    edge = 1 if box.border else 0
    if box.border:
        canvas.box(one.x, one.y, one.width, one.height, style, thick=box.thick)
    if box.mark and box.border:
        canvas.write(one.x + 2, one.y + one.height - 1, f" {box.mark} ", style, solid=True)
    for number, line in enumerate(box.text.strip().splitlines()):
        x = one.x + (one.width - cell_len(line)) // 2
        look = ("" if box.border else style if box.role or lit else "") if number == 0 else "$muted"
        canvas.write(x, one.y + edge + number, line, look)
