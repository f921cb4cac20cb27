"""Numbers as marks: bars, number lines, whiskers, sparklines, heat maps – lines of characters, each run with a role.

A run is `(text, style)`; a style is words such as `bold $done`, with the roles of `tui/themes.py` as names. Whoever
draws them gives the names their colours: the app those of its theme, a page of HTML its own, a plain terminal none.
Every mark can be read without colour, and one by one in ASCII (`tui/text.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Run(NamedTuple):
    """Characters that look the same."""

    text: str
    style: str = ""


Line = list[Run]
"""Runs from left to right."""

TRACK = "$line"
"""The role of what is empty: the rest of a bar, an axis."""
_EIGHTHS = "▁▂▃▄▅▆▇█"


def plain(line: Iterable[Run]) -> str:
    """The characters alone."""
    return "".join(run.text for run in line)


def joined(cells: Iterable[Run]) -> Line:
    """Neighbours of one style as one run."""
    line: Line = []
    for cell in cells:
        if line and line[-1].style == cell.style:
            line[-1] = Run(line[-1].text + cell.text, cell.style)
        else:
            line.append(cell)
    return line


def share_bar(share: float, width: int, style: str = "$done") -> Line:
    """A share of 1 as a line of `width` columns, to half a column: `━━━╸────`.

    What is more than nothing is never drawn as nothing, and what is less than all never as all.
    """
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    if 0 < share < 1:
        halves = min(max(halves, 1), width * 2 - 1)
    full, half = divmod(halves, 2)
    done = "━" * full + "╸" * half
    return joined([Run(done, style), Run("─" * (width - len(done)), TRACK)]) if width > 0 else []


def parted(counts: Sequence[tuple[int, str]], total: int, width: int) -> Line:
    """Several counts of one total side by side, such as right and wrong of all questions; the rest is empty.

    A count above 0 gets a column at least, as long as there are as many columns.
    """
    if total <= 0 or width <= 0:
        return [Run("─" * max(width, 0), TRACK)]
    cells: list[Run] = []
    left = width
    for number, (count, style) in enumerate(counts):
        later = sum(1 for other, _ in counts[number + 1 :] if other)
        columns = min(max(round(count / total * width), 1), max(left - later, 0)) if count else 0
        cells.append(Run("━" * columns, style))
        left -= columns
    longest = max(range(len(cells)), key=lambda number: len(cells[number].text), default=0)
    if sum(count for count, _ in counts) < total and left == 0 and len(cells[longest].text) > 1:
        cells[longest] = Run(cells[longest].text[1:], cells[longest].style)  # what is not done shows
        left = 1
    return [run for run in joined([*cells, Run("─" * left, TRACK)]) if run.text]


def number_line(
    value: float,
    interval: tuple[float, float],
    threshold: float,
    ends: tuple[float, float],
    width: int,
    style: str,
) -> Line:
    """Where a value stands beside its bar: `────┃──━●━──`, `━` its interval; what lies outside stands at the end.

    Args:
        value: What was measured; not finite: the line has no mark for it.
        interval: Its interval, low and high.
        threshold: The bar, drawn as `┃`.
        ends: The numbers at the ends of the line, low and high.
        width: Columns.
        style: Of value and interval.
    """
    low, high = ends

    def column(number: float) -> int:
        share = (number - low) / ((high - low) or 1.0)
        return round(min(max(share, 0.0), 1.0) * (width - 1))

    cells = [Run("─", TRACK)] * width
    if all(map(math.isfinite, interval)):
        first, last = (column(end) for end in interval)
        cells[first : last + 1] = [Run("━", style)] * (last + 1 - first)
    cells[column(threshold)] = Run("┃", "bold")
    if math.isfinite(value):
        cells[column(value)] = Run("●", f"bold {style}")
    return joined(cells)


def ends_of(value: float, interval: tuple[float, float], threshold: float, *, direction: str) -> tuple[float, float]:
    """Ends of a number line that show bar, value and interval with room, and stop at the best that there can be.

    A share that is to be large ends at 1; an error that is to be small begins at 0.
    """
    shown = [number for number in (value, *interval, threshold) if math.isfinite(number)]
    low, high = min(shown), max(shown)
    room = max(0.15 * (high - low), 0.02 * max(abs(low), abs(high)), 1e-9)
    below, above = low - room, high + room
    if low >= 0:
        below = max(below, 0.0)
    if direction == "at_least" and high <= 1 and low >= 0:
        above = 1.0
    if direction == "at_most" and low >= 0:
        below = 0.0
    return below, above


class Places(NamedTuple):
    """Where value, interval and bar stand on a number line, each in per cent of its length from the left."""

    value: float
    low: float
    high: float
    bar: float


def places(value: float, interval: tuple[float, float], threshold: float, *, direction: str) -> Places | None:
    """The same line for a picture of another kind, such as SVG; None where a number is not finite."""
    if not all(map(math.isfinite, (value, *interval, threshold))):
        return None
    low, high = ends_of(value, interval, threshold, direction=direction)
    return Places(*(round(100 * (number - low) / (high - low), 1) for number in (value, *interval, threshold)))


def whiskers(
    value: float,
    interval: tuple[float, float],
    ends: tuple[float, float],
    width: int,
    style: str,
    *,
    tick: float | None = None,
) -> Line:
    """A bar to a value, its interval as whiskers, and a tick, such as a paper's figure: `████▓▓──┤   ◆`."""
    low, high = ends

    def column(number: float) -> int:
        share = (number - low) / ((high - low) or 1.0)
        return round(min(max(share, 0.0), 1.0) * (width - 1))

    cells = [Run(" ")] * width
    if math.isfinite(value):
        at = column(value)
        first, last = (column(end) if math.isfinite(end) else at for end in interval)
        for place in range(width):
            if place <= at:
                cells[place] = Run("▓" if first < place < at else "█", style)
            elif place <= last:
                cells[place] = Run("┤" if place == last else "─", style)
    if tick is not None and math.isfinite(tick):
        cells[column(tick)] = Run("◆", "bold")
    return joined(cells)


def spark(values: Sequence[float], most: float, *, styles: Sequence[str] = ()) -> Line:
    """A column for each value, as high as its share of `most`: `▁▃█`."""
    line = []
    for number, value in enumerate(values):
        share = min(max(value / most, 0.0), 1.0) if most > 0 and math.isfinite(value) else 0.0
        line.append(Run(_EIGHTHS[round(share * (len(_EIGHTHS) - 1))], styles[number] if number < len(styles) else ""))
    return joined(line)


def cell(share: float | None) -> Run:
    """A square of a heat map by the share that is right: unknown, wrong, partly, all – each with its own shape."""
    if share is None:
        return Run("·", TRACK)
    if share >= 1:
        return Run("■", "$done")
    return Run("▪" if share >= 0.5 else "□", "$partial" if share >= 0.5 else "$wrong")


HEAT = 4
"""Shades of a table, `$heat-1` to `$heat-4`, behind `$foreground`; the least value has none."""
_NUMBER = re.compile(r"(?:(?<=\s\s)|^\s*)([-−+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+))(\s?(?:%|[kKMG]B?|ms))?(?=\s\s|\s*$)")
_FAR = 10.0


class _Cell(NamedTuple):
    row: int
    start: int
    end: int
    value: float
    unit: str


def heated(table: str) -> list[Line]:
    """A table of numbers with its cells shaded by value, its characters as they stand; anything else without a shade.

    Columns on one scale are shaded together, others each for itself; a confusion matrix (`called car` above, `car` at
    the side) by rows, and so are series on other scales. A first line that counts upwards, and numbers that begin their
    lines, name what is below or beside them.
    """
    rows = table.splitlines()
    columns, series = _columns(rows)
    cells = [cell for column in columns for cell in column]
    if len({cell.row for cell in cells}) < 2:  # with one row there is nothing to compare
        return [[Run(row)] for row in rows]
    shades: dict[tuple[int, int], tuple[int, int]] = {}
    for group in _groups_of(rows, columns, series=series):
        low, high = min(cell.value for cell in group), max(cell.value for cell in group)
        for cell in group:
            share = (cell.value - low) / (high - low) if high > low else 0.0
            shades[cell.row, cell.start] = (cell.end, math.ceil(share * HEAT))
    spans = [(min(cell.start for cell in column), max(cell.end for cell in column)) for column in columns]
    found = []
    for number, row in enumerate(rows):
        line, at = [], 0
        for column, (start, end) in zip(columns, spans, strict=True):
            mine = next((cell for cell in column if cell.row == number), None)
            if mine is None:
                continue
            first, last = max(at, start - 1), end + 1
            style = f"$foreground on $heat-{shade}" if (shade := shades[number, mine.start][1]) else ""
            line += [Run(row[at:first]), Run(row[first:last].ljust(last - first), style)]
            at = last
        found.append(joined(run for run in (*line, Run(row[at:])) if run.text))
    return found


def _columns(rows: Sequence[str]) -> tuple[list[list[_Cell]], bool]:
    """The numbers that stand one above the other, from left to right, without those that name others.

    Beside them whether a first line counts upwards, so that each row is a series.
    """
    cells = [
        _Cell(number, found.start(1), found.end(), float(found[1].replace(",", "").replace("−", "-")), found[2] or "")
        for number, row in enumerate(rows)
        for found in _NUMBER.finditer(row)
    ]
    cells = [cell for cell in cells if math.isfinite(cell.value)]  # hundreds of digits
    first = next((number for number, row in enumerate(rows) if row.strip()), 0)
    head = [cell.value for cell in cells if cell.row == first]
    series = len(head) > 2 and head == sorted(set(head))
    if series:  # two may rise by chance
        cells = [cell for cell in cells if cell.row != first]
    cells = [cell for cell in cells if rows[cell.row][: cell.start].strip()]
    columns: list[list[_Cell]] = []
    for cell in sorted(cells, key=lambda one: (one.start + one.end, one.row)):
        if columns and cell.start <= max(one.end for one in columns[-1]):
            columns[-1].append(cell)
        else:
            columns.append([cell])
    return columns, series


def _groups_of(rows: Sequence[str], columns: Sequence[list[_Cell]], *, series: bool) -> Iterator[list[_Cell]]:
    """The cells that are compared with each other."""
    lines = sorted({cell.row for column in columns for cell in column})
    names = [rows[number].split("  ")[0].strip() or rows[number].split()[0] for number in lines]
    confused = len(lines) == len(columns) and lines[0] and all(f"called {one}" in rows[lines[0] - 1] for one in names)
    cells = [cell for column in columns for cell in column]
    by_row = [[cell for cell in cells if cell.row == number] for number in lines]
    tops = [max(abs(cell.value) for cell in group) for group in (by_row if series else columns)]
    alike = len({cell.unit.strip() for cell in cells}) == 1 and max(tops) <= _FAR * min(tops)
    if confused or (series and not alike):
        yield from by_row
    elif alike:
        yield cells
    else:
        yield from columns
