"""What a terminal gets of a screen, and how well it can be read: contrast by WCAG 2.2."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget

ON_TOP = ".dialog, CommandList, CommandInput"
"""What lies over another screen."""


def strips_of(screen: Screen[Any]) -> list[Strip]:
    """Its lines, as they are drawn: Textual has no public way to ask for them."""
    return screen._compositor.render_strips()  # noqa: SLF001


def lines_of(screen: Screen[Any]) -> str:
    """What is on the screen, line by line."""
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips_of(screen))


_QUIET, _ROUNDS = 3, 100
"""For how many rounds a screen has to be quiet, and after how many one that always moves is taken as it is."""


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until a screen has nothing left to call, to lay out or to draw.

    Textual's own pause waits for a process that uses no processor, and on a busy machine that is also one that gets
    none: a screen was then read with a column and its last line still to come.
    """
    quiet, before = 0, None
    for _ in range(_ROUNDS):
        await pilot.pause(0)
        screen = pilot.app.screen
        widgets = [pilot.app, *screen.walk_children(with_self=True)]
        waits = any(widget.message_queue_size for widget in widgets) or bool(screen._callbacks)  # noqa: SLF001
        now = (widgets, lines_of(screen))
        quiet = quiet + 1 if now == before and not waits else 0
        if quiet == _QUIET:
            return
        before = now


@contextlib.contextmanager
def work_done() -> Iterator[Counter[str]]:
    """Count what the app does meanwhile: `layouts` and `paints` of screens, and `widgets` that are made."""
    done: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        for where, name, what in (
            (Screen, "_refresh_layout", "layouts"),
            (App, "_display", "paints"),
            (Widget, "__init__", "widgets"),
        ):
            stack.enter_context(mock.patch.object(where, name, _counting(getattr(where, name), done, what)))
        yield done


def _counting(does: Any, done: Counter[str], what: str) -> Any:
    def counting(*given: Any, **named: Any) -> Any:
        done[what] += 1
        return does(*given, **named)

    return counting


async def work_of_keys(person: Any, *keys: str) -> list[Counter[str]]:
    """What is done for each key, until all is shown."""
    found = []
    for key in keys:
        with work_done() as done:
            await person.press(key)
        found.append(done)
    return found


def notices_of(app: App[Any]) -> list[str]:
    """What it has told in notices that are still shown: on the screen a long path is broken."""
    return [notice.message for notice in app._notifications]  # noqa: SLF001


def drawn(person: Any) -> list[tuple[str, Style]]:
    """(text, style) of everything that is drawn, of what lies on top: what lies below is dimmed on purpose."""
    screen = person.app.screen
    strips = strips_of(screen)
    if isinstance(screen, ModalScreen):
        regions = [widget.region for widget in screen.query(ON_TOP)]
        strips = [strips[y].crop(at.x, at.right) for at in regions for y in range(at.y, min(at.bottom, len(strips)))]
    return [(segment.text, segment.style) for strip in strips for segment in strip if segment.style]


def luminance(colour: Color) -> float:
    """Relative luminance."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


BLOCK = (10, 4)
"""Columns and lines that the eye takes in at once: a block is used where something stands in it, beside borders."""
BORDERS = set(" │─╭╮╰╯┃━▁▔")
LEAST = 0.55
"""The share of blocks that a screen with enough to show uses."""


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
