"""What is drawn to a scale of numbers: groups in the plane, densities, curves."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.cells import cell_len

from tlcourse.course.figure import Curve, Group, Pair, Plane, Points, Role
from tlcourse.presenting.figures.canvas import DOWN, LEFT, RIGHT, UP, Canvas, beside, flowed, wrapped
from tlcourse.presenting.marks import Line, Run

_STEPS = 240
_MARKS = "●○▲△■□"


class _Scale:
    """From numbers to fine dots: two a column, four a line; the second number grows upwards."""

    def __init__(self, x: Pair, y: Pair, columns: int, lines: int) -> None:
        self.x, self.y, self.width, self.height = x, y, columns * 2, lines * 4

    def dot(self, x: float, y: float) -> tuple[int, int] | None:
        """The dot, None where it lies outside."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        if not (-1e-9 <= across <= 1 + 1e-9 and -1e-9 <= up <= 1 + 1e-9):
            return None
        return round(across * (self.width - 1)), round((1 - up) * (self.height - 1))


def _style(role: Role, number: int = 0) -> str:
    return f"${role}" if role else f"$series-{number % 8 + 1}"


def points(figure: Points, width: int) -> list[Line]:
    """Panels side by side, in frames, and below them which group is which."""
    columns = min(figure.size[0], width - 4)
    blocks = [_plane(figure, plane, columns, figure.size[1]) for plane in figure.panels]
    lines = beside(blocks, 2, width)
    seen: dict[str, Run] = {}
    for plane in figure.panels:
        for number, group in enumerate(plane.groups):
            if group.name:
                text = f"{group.mark or '·'} {group.name}   "
                seen.setdefault(group.name, Run(text, _style(group.role, number)))
    return [*lines, *flowed(seen.values(), width)]


def _plane(figure: Points, plane: Plane, columns: int, height: int) -> list[Line]:
    canvas = Canvas()
    canvas.box(0, 0, columns + 2, height + 2, "$muted")
    if plane.title:
        canvas.write(2, 0, f" {plane.title} "[: columns - 2], "bold", solid=True)
    inner = Canvas()
    scale = _Scale(figure.x, figure.y, columns, height)
    if figure.axes:
        _axes(inner, scale, columns, height)
    marks: list[tuple[int, int, str, str]] = []
    for number, group in enumerate(plane.groups):
        style = _style(group.role, number)
        for x, y in _outline(group, scale):
            if (dot := scale.dot(x, y)) is not None:
                inner.dot(*dot, style)
        single = list(group.points)
        if not single and group.mark:
            single = [group.mean] if group.std is None else [(group.mean[0], group.weight)]
        for x, y in single:
            if (dot := scale.dot(x, y)) is not None:
                marks.append((dot[0] // 2, dot[1] // 4, group.mark, style))
                if not group.mark:
                    marks.pop()
                    inner.dot(*dot, style)
    for x, y, mark, style in marks:
        inner.write(x, y, mark, f"bold {style}")
    lines = canvas.lines()
    for number, line in enumerate(inner.lines(columns, height)[:height]):
        frame = lines[number + 1]
        lines[number + 1] = [frame[0], *line, frame[-1]]
    if plane.note:
        lines += wrapped(plane.note, columns + 2, "$muted")
    return lines


def _axes(canvas: Canvas, scale: _Scale, columns: int, height: int) -> None:
    if (origin := scale.dot(0.0, 0.0)) is None:
        return
    x, y = origin[0] // 2, origin[1] // 4
    for column in range(columns):
        canvas.join(column, y, LEFT | RIGHT, "$line")
    for line in range(height):
        canvas.join(x, line, UP | DOWN, "$line")


def _outline(group: Group, scale: _Scale) -> Iterator[Pair]:
    """Many points of an ellipse, of a line through the mean, or of a density."""
    mx, my = group.mean
    if group.covariance is not None:
        (a, b), (_, d) = group.covariance
        first = math.sqrt(max(a, 0.0))
        second = b / first if first else 0.0
        third = math.sqrt(max(d - second * second, 0.0))
        for step in range(_STEPS):
            turn = 2 * math.pi * step / _STEPS
            yield mx + first * math.cos(turn), my + second * math.cos(turn) + third * math.sin(turn)
    if group.direction is not None:
        reach = max(scale.x[1] - scale.x[0], scale.y[1] - scale.y[0]) / (math.hypot(*group.direction) or 1)
        for step in range(-_STEPS, _STEPS + 1):
            part = reach * step / _STEPS
            yield mx + part * group.direction[0], my + part * group.direction[1]
    if group.std is not None:
        for step in range(_STEPS + 1):
            x = scale.x[0] + (scale.x[1] - scale.x[0]) * step / _STEPS
            yield x, group.weight * math.exp(-((x - mx) ** 2) / (2 * group.std**2))


def curve(figure: Curve, width: int) -> list[Line]:
    """A chart with axes, a mark at every given point, and below it which curve is which."""
    xs = [x for one in figure.series for x, _ in one.points]
    ys = [y for one in figure.series for _, y in one.points]
    x_range = figure.x_range or (min(xs), max(xs))
    y_range = figure.y_range or (min(ys), max(ys))
    if x_range[0] == x_range[1] or y_range[0] == y_range[1]:
        raise ValueError("a chart of one value")
    low, high = (f"{end:g}" for end in y_range)
    left = max(cell_len(low), cell_len(high))
    columns, height = min(figure.size[0], width - left - 2), figure.size[1]
    scale = _Scale(x_range, y_range, columns, height)
    inner = Canvas()
    for number, one in enumerate(figure.series):
        style = _style(one.role, number)
        for (x0, y0), (x1, y1) in zip(one.points, one.points[1:], strict=False):
            for step in range(_STEPS + 1):
                part = step / _STEPS
                if (dot := scale.dot(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part)) is not None:
                    inner.dot(*dot, style)
    for number, one in enumerate(figure.series):
        for x, y in one.points if _mark(figure, number).strip() else ():
            if (dot := scale.dot(x, y)) is not None:
                inner.write(dot[0] // 2, dot[1] // 4, _mark(figure, number), f"bold {_style(one.role, number)}")
    lines: list[Line] = [[Run(" " * left + "  "), Run(figure.y, "$muted")]] if figure.y else []
    for number, line in enumerate(inner.lines(columns, height)[:height]):
        label = high if number == 0 else low if number == height - 1 else ""
        lines.append([Run(label.rjust(left), "$muted"), Run("┤" if label else "│", "$muted"), *line])
    lines.append([Run(" " * left + "╰" + "─" * columns, "$muted")])
    first, last = (f"{end:g}" for end in x_range)
    room = columns - cell_len(first) - cell_len(last)
    lines.append([Run(" " * (left + 1) + first + figure.x.center(max(room, 0)) + last, "$muted")])
    legend = [
        Run(f"{_mark(figure, number)} {one.name}   ".lstrip(), _style(one.role, number))
        for number, one in enumerate(figure.series)
        if one.name
    ]
    return [*lines, *flowed(legend, width, left + 1)]


def _mark(figure: Curve, number: int) -> str:
    return figure.series[number].mark or _MARKS[number % len(_MARKS)]
