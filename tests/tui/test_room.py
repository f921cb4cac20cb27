"""No empty halves: how much of a large terminal each screen uses."""

from __future__ import annotations

import pytest
from tour import STOPS

BLOCK = (10, 4)
"""Columns and lines that the eye takes in at once: a block is used where something stands in it, beside borders."""
BORDERS = set(" │─╭╮╰╯┃━▁▔")


def used(screen: str, columns: int, rows: int) -> float:
    """The share of blocks in which something is to be seen."""
    lines = [line.ljust(columns) for line in screen.splitlines()] + [" " * columns] * rows
    wide, tall = BLOCK
    blocks = [
        "".join(line[x : x + wide] for line in lines[y : y + tall])
        for y in range(0, rows, tall)
        for x in range(0, columns, wide)
    ]
    return sum(bool(set(block) - BORDERS) for block in blocks) / len(blocks)


LEAST = 0.55
STILL = 0.35
"""Of a lab that has not run: its curves and pictures have their room, and are yet to come."""


@pytest.mark.parametrize("stop", ["home-begun", "lab", "lab-played", "exercise-bench", "progress", "lesson", "labs"])
async def test_large_terminals_are_used(visit, stop, no_doctor):
    async with visit(200, 60) as person:
        await STOPS[stop](person)
        shares = {}
        for size in ((200, 60), (120, 40)):
            await person.pilot.resize_terminal(*size)
            await person.press()
            shares[size] = round(used(person.screen, *size), 2)
        assert shares[120, 40] >= LEAST, f"{shares}\n{person.screen}"
        assert shares[200, 60] >= (STILL if stop == "lab" else LEAST), f"{shares}\n{person.screen}"
