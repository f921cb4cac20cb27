"""Several examples beside and below each other: how large they can be, and all of their lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from msgspec import Struct
from rich.segment import Segment

from tlcourse.data.synthetic.generators import Example
from tlcourse.drawing.density import USUAL, Hues, density, legend
from tlcourse.drawing.pixels import Lines, picture
from tlcourse.drawing.terminal import Drawing

_SMALLEST = 24  # columns of a picture in which an insect can still be recognised
_LARGEST = 96
_GAP = 2
_WIDE = 110  # from so many columns on distributions stand two beside each other
_FEWEST_ROWS, _MOST_ROWS = 3, 12  # of one distribution


class Fit(Struct, frozen=True):
    """Pictures of `side` columns and half as many lines, each with a line of words below it."""

    side: int
    across: int
    down: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.across * self.down

    def corner(self, number: int) -> tuple[int, int]:
        """Column and line at which picture `number` (from 0 on) begins."""
        row, place = divmod(number, self.across)
        return place * (self.side + _GAP), row * (self.side // 2 + 2)


def fit(columns: int, rows: int, wanted: int, pixels: int) -> Fit:
    """The largest pictures of `wanted` that fit; fewer, where less than 2/5 of their `pixels` a side would be seen."""
    smallest = max(_SMALLEST, 2 * pixels // 5)
    for count in range(wanted, 0, -1):
        for side in range(min(_LARGEST, columns), smallest - 1, -2):
            found = _grid(columns, rows, side)
            if found.count >= count:
                across = min(found.across, count)
                return Fit(side, across, min(found.down, -(-count // across)))
    return Fit(max(min(columns, 2 * (rows - 1)), 2), 1, 1)


def _grid(columns: int, rows: int, side: int) -> Fit:
    """As many pictures of this size as fit; a line is free between two rows of them."""
    return Fit(side, (columns + _GAP) // (side + _GAP), (rows + 1) // (side // 2 + 2))


def sheet(
    examples: Sequence[Example],
    columns: int,
    fitted: Fit,
    rows: int,
    *,
    colour: bool,
    how: Drawing,
    hues: Hues = USUAL,
) -> Lines:
    """The lines of all examples; `rows` is the room for distributions, of which one example fills all.

    `colour`: pictures have their own, and distributions have `hues`.
    """
    if examples and examples[0].picture is None:
        return _distributions(examples[0], columns, rows, how, hues if colour else Hues())
    lines: Lines = []
    for start in range(0, len(examples), fitted.across):
        if lines:
            lines.append([Segment("")])
        lines += _row(examples[start : start + fitted.across], fitted.side, colour=colour)
    return lines


def _row(examples: Sequence[Example], side: int, *, colour: bool) -> Lines:
    blocks = []
    for one in examples:
        assert one.picture is not None
        caption = f"{one.number}: {one.caption}"
        blocks.append([*picture(one.picture, side, colour=colour), [Segment(caption[:side].center(side))]])
    return _beside(blocks)


def _distributions(one: Example, columns: int, rows: int, how: Drawing, hues: Hues) -> Lines:
    across = 2 if columns >= _WIDE else 1
    down = -(-len(one.distributions) // across)
    each = min(max((rows - 2) // down, _FEWEST_ROWS), _MOST_ROWS)
    wide = (columns - _GAP * (across - 1)) // across
    drawn = [density(part, wide, each, how, hues) for part in one.distributions]
    lines: Lines = [[Segment(f"{one.number}: {one.caption}"[:columns])]]
    for start in range(0, len(drawn), across):
        lines += _beside(drawn[start : start + across])
    return [*lines, [Segment(legend(one.distributions[0].y, how)[:columns])]]


def _beside(blocks: Sequence[Lines]) -> Lines:
    gap = Segment(" " * _GAP)
    return [
        [segment for number, line in enumerate(parts) for segment in ([gap] if number else []) + list(line)]
        for parts in zip_longest(*blocks, fillvalue=[])
    ]
