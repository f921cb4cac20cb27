"""What is drawn as blocks: layers and what becomes of them, matrices to scale, grids of cells, small pictures."""

from __future__ import annotations

import math

from rich.cells import cell_len

from tlcourse.course.figure import Cell, Grid, Layer, Matrices, Matrix, Picture, Stack
from tlcourse.presenting.figures.canvas import Canvas, beside, flowed, padded, widest, width_of, wrapped
from tlcourse.presenting.marks import TRACK, Line, Run, joined, share_bar

_STATES = {
    "frozen": ("░", "$control"),
    "trained": ("█", "$method"),
    "new": ("▓", "$next"),
    "copied": ("▒", "$source"),
    "none": (" ", ""),
}
_TALLEST = 8
_COARSE = 3
"""From so many cells on a side is drawn in whole cells; an eighth then is a blemish rather than a measure."""
_LEFT_EIGHTHS = "▏▎▍▌▋▊▉█"
_LOWER_EIGHTHS = "▁▂▃▄▅▆▇█"


def stack(figure: Stack, width: int, step: int | None = None) -> list[Line]:
    """Layers as one column, beside it a column for each step; a chosen step is told in words and the others pale."""
    names = [f"{layer.name}  {layer.note}" if layer.note else layer.name for layer in figure.layers]
    inner = max(cell_len(name) for name in names)
    numbers = any(not isinstance(state, str) for layer in figure.layers for state in layer.states)
    room = (width - inner - 4) // len(figure.steps) - 2
    columns = min(max(max(map(cell_len, figure.steps)), 8), max(room, 4))
    if numbers:
        columns = max(room, 12)
    head: Line = [Run(" " * (inner + 4))]
    for number, name in enumerate(figure.steps):
        chosen = step == number
        style = "bold $next" if chosen else "$muted" if step is not None else "bold"
        head += [Run("  "), *padded([Run(name[:columns], style)], columns, centred=not numbers)]
    lines = [head, [Run("╭" + "─" * (inner + 2) + "╮", "$muted")]]
    for layer, name in zip(figure.layers, names, strict=True):
        line = [Run("│ ", "$muted"), Run(layer.name), Run(name[len(layer.name) :].ljust(inner - len(layer.name)))]
        line.append(Run(" │", "$muted"))
        for number, state in enumerate(layer.states):
            pale = step is not None and step != number
            line += [Run("  "), *_state(figure, state, columns, pale=pale)]
        lines.append(joined(line))
    lines.append([Run("╰" + "─" * (inner + 2) + "╯", "$muted")])
    used = dict.fromkeys(state for layer in figure.layers for state in layer.states if isinstance(state, str))
    if legend := [Run(f"{_STATES[state][0] * 2} {state}   ", _STATES[state][1]) for state in used if state != "none"]:
        lines[-1] = [*lines[-1], Run("  "), *legend]
        if width_of(lines[-1]) > width:
            lines[-1:] = [lines[-1][:1], legend]
    if step is not None and figure.notes:
        lines += wrapped(f"{step + 1} of {len(figure.steps)}: {figure.notes[step]}", width, "$next")
    return lines


def _state(figure: Stack, state: str | float, columns: int, *, pale: bool) -> Line:
    if isinstance(state, str):
        fill, style = _STATES[state]
        return [Run(fill * columns, TRACK if pale else style)]
    value = f" {state:g}{' ' + figure.unit if figure.unit else ''}"
    length = max(columns - max(len(f" {one:g} {figure.unit}") for one in _numbers(figure.layers)), 4)
    return padded([*share_bar(_share(figure, state), length, TRACK if pale else "$method"), Run(value)], columns)


def _numbers(layers: list[Layer]) -> list[float]:
    return [state for layer in layers for state in layer.states if not isinstance(state, str)]


def _share(figure: Stack, number: float) -> float:
    known = [one for one in _numbers(figure.layers) if one > 0]
    if number <= 0 or not known:
        return 0.0
    if not figure.logarithmic:
        return number / max(known)
    low = math.log(min(known)) - 0.5
    return (math.log(number) - low) / (math.log(max(known)) - low)


def matrices(figure: Matrices, width: int, value: int | None = None, times: float = 1) -> list[Line]:
    """Matrices to one scale, which does not change with the slider; `times` as tall where the width allows it."""
    slider = figure.slider
    at = (value if value is not None else slider.start) if slider else 0
    largest = slider.values[-1] if slider else 0
    parts = [one for one in figure.parts if isinstance(one, Matrix)]
    tall = max(_size(one.rows, largest) for one in parts)
    wide = sum(_size(one.columns, largest) for one in parts)
    signs = sum(cell_len(one) + 2 for one in figure.parts if isinstance(one, str))
    scale = max(tall / (_TALLEST * times), 2 * wide / max(width - signs - 2 * len(parts), 8))
    height = max(math.ceil(tall / scale), 1)
    blocks: list[list[Line]] = []
    for one in figure.parts:
        if isinstance(one, str):
            blocks.append([*([[Run("")]] * (height // 2)), [Run(one)]])
            continue
        rows, columns = _size(one.rows, at), _size(one.columns, at)
        drawn = _area(rows / scale, 2 * columns / scale, _matrix_style(one), frozen=one.mark == "frozen")
        above = (height - len(drawn)) // 2
        block = [[], *_empty(above), *drawn, *_empty(above)]
        block = block[1:] + [[]] * (height - len(block) + 1)
        told = [one.name, f"{one.rows} × {one.columns}", *([_grouped(rows * columns)] if figure.counted else [])]
        broad = max(widest(block), *(cell_len(text) for text in told))
        looks = (_matrix_style(one), "$muted", "$muted")
        block += [padded([Run(text, look)], broad, centred=True) for text, look in zip(told, looks, strict=False)]
        blocks.append([padded(line, broad, centred=True) for line in block])
    lines = beside(blocks, 2, width)
    if slider:
        lines += _slider(figure, at, width)
    return lines


def _slider(figure: Matrices, at: int, width: int) -> list[Line]:
    slider = figure.slider
    assert slider is not None
    line: Line = [Run(f"{slider.name}  ", "bold")]
    for value in slider.values:
        line.append(Run(f"[{value}]", "bold $next") if value == at else Run(f" {value} ", "$muted"))
    sizes = {
        mark: sum(
            _size(one.rows, at) * _size(one.columns, at)
            for one in figure.parts
            if isinstance(one, Matrix) and one.mark == mark
        )
        for mark in ("trained", "frozen")
    }
    lines = [joined(line)] if width_of(line) <= width else [[Run(f"{slider.name} = {at}", "bold $next")]]
    if all(sizes.values()):
        share = 100 * sizes["trained"] / sizes["frozen"]
        told = f"trained {_grouped(sizes['trained'])} = {share:.2g} % of {_grouped(sizes['frozen'])}"
        if share >= 100:
            told = f"trained {_grouped(sizes['trained'])}, more than the {_grouped(sizes['frozen'])} that are frozen"
        lines.append([Run(told, "$method")])
    return [[], *lines]


def _size(size: int | str, at: int) -> int:
    return at if isinstance(size, str) else size


def _empty(count: int) -> list[Line]:
    return [[] for _ in range(count)]


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _matrix_style(one: Matrix) -> str:
    return {"frozen": "$control", "trained": "$method"}.get(one.mark, f"${one.role}" if one.role else "$control")


def _area(height: float, width: float, style: str, *, frozen: bool) -> list[Line]:
    """A rectangle of so many lines and columns, its last ones to an eighth; at least a trace of it."""
    if frozen:
        return [[Run("▒" * max(round(width), 1), style)] for _ in range(max(round(height), 1))]
    lines: list[Line] = []
    height, width = (round(size) if size >= _COARSE else size for size in (height, width))
    columns, more = divmod(max(round(width * 8), 1), 8)
    rows, lower = divmod(max(round(height * 8), 1), 8)
    full = "█" * columns + (_LEFT_EIGHTHS[more - 1] if more else "")
    if lower:
        lines.append([Run(_LOWER_EIGHTHS[lower - 1] * max(columns + bool(more), 1), style)])
    return [*lines, *[[Run(full, style)] for _ in range(rows)]]


def grid(figure: Grid, width: int) -> list[Line]:
    """A table with rules; cells of several lines, their first one the name."""
    cells = [[_cell(cell) for cell in row] for row in figure.cells]
    count = max(map(len, cells))
    heads = max((cell_len(word) for name in figure.rows for word in name.splitlines()), default=0)
    widths = [
        max(
            [cell_len(line) for row in cells for line in (row[c].text if c < len(row) else "").splitlines()]
            + [cell_len(figure.columns[c]) if c < len(figure.columns) else 0]
            + [10 if any(c < len(row) and row[c].share is not None for row in cells) else 4]
        )
        for c in range(count)
    ]
    room = width - heads - bool(heads) - 1
    while sum(widths) + 3 * count > room and max(widths) > 6:
        widths[widths.index(max(widths))] -= 1
    canvas = Canvas()
    left = heads + bool(heads)
    xs = [left + sum(widths[:c]) + 3 * c for c in range(count + 1)]
    y = 0
    if figure.columns:
        blocks = [wrapped(name, widths[c]) for c, name in enumerate(figure.columns)]
        y = max(map(len, blocks))
        for c, block in enumerate(blocks):
            for number, line in enumerate(block):
                x = xs[c] + 2 + (widths[c] - width_of(line)) // 2
                canvas.write(x, y - len(block) + number, line[0].text, "$muted")
    rules = [y]
    for number, row in enumerate(cells):
        drawn = [_cell_lines(cell, widths[c]) for c, cell in enumerate(row)]
        height = max(map(len, drawn))
        names = figure.rows[number].splitlines() if number < len(figure.rows) else []
        for at, name in enumerate(names):
            canvas.write(0, y + 1 + (max(height - len(names), 0)) // 2 + at, name, "$muted")
        for c, block in enumerate(drawn):
            for at, line in enumerate(block):
                x = xs[c] + 2
                for run in line:
                    canvas.write(x, y + 1 + at, run.text, run.style)
                    x += cell_len(run.text)
        y += max(height, len(names)) + 1
        rules.append(y)
    for rule in rules:
        canvas.path([(xs[0], rule), (xs[-1], rule)], "$muted")
    for x in xs:
        canvas.path([(x, rules[0]), (x, rules[-1])], "$muted")
    return canvas.lines()


def _cell(cell: Cell | str | float) -> Cell:
    if isinstance(cell, Cell):
        return cell
    return Cell(text=cell if isinstance(cell, str) else f"{cell:g}")


def _cell_lines(cell: Cell, width: int) -> list[Line]:
    style = f"${cell.role}" if cell.role else ""
    lines: list[Line] = []
    for number, text in enumerate(cell.text.splitlines()):
        look = " ".join(filter(None, ["bold" if number == 0 and (cell.strong or "\n" in cell.text) else "", style]))
        lines += wrapped(text, width, look if number == 0 else "$muted")
    if cell.share is not None:
        lines.append(share_bar(cell.share, width, style or "$method"))
    return lines


def picture(figure: Picture, width: int) -> list[Line]:
    """Panels side by side, two columns to a square, and what the shades mean."""
    middle = max(len(panel.rows) for panel in figure.panels) // 2 + any(panel.title for panel in figure.panels)
    blocks: list[list[Line]] = []
    for number, panel in enumerate(figure.panels):
        drawn = [joined(_square(figure, sign) for sign in row) for row in panel.rows]
        title = [Run(panel.title, "bold")] if panel.title else []
        block = [padded(title, widest(drawn)), *drawn] if any(one.title for one in figure.panels) else drawn
        if number < len(figure.signs):
            sign = [*[[] for _ in range(middle)], [Run(f" {figure.signs[number]}", "bold")]]
            block = beside([block, sign], 0, 1_000)
        blocks.append(block)
    lines = beside(blocks, 2, width)
    legend = [
        Run(f"{shade.fill * (3 - len(shade.fill))} {shade.name}   ", f"${shade.role}" if shade.role else "")
        for shade in figure.legend.values()
        if shade.name
    ]
    return [*lines, [], *flowed(legend, width)] if legend else lines


def _square(figure: Picture, sign: str) -> Run:
    shade = figure.legend.get(sign)
    if shade is None:
        return Run("  ")
    return Run(shade.fill * (3 - len(shade.fill)), f"${shade.role}" if shade.role else "")
