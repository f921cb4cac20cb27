"""Samples of an exercise's data in the terminal: drawn by another thread, shown when they are there."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, cast

from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tlcourse.drawing.terminal import drawing
from tlcourse.errors import TlcourseError

if TYPE_CHECKING:
    from tlcourse.data.examples import Example
    from tlcourse.tui.app import CourseApp

_KEPT = 64


class Gallery(Widget):
    """Examples of one world from number `first` on, as many as there is room for but `most` at most."""

    class Shown(Message):
        """Other examples are on the screen; `problem` where there are none."""

        def __init__(self, examples: list[Example], problem: str = "") -> None:
            super().__init__()
            self.examples, self.problem = examples, problem

    def __init__(self, world: str | None, most: int, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.world, self.most = world, most
        self.first = 1
        self.examples: list[Example] = []
        self._strips: list[Strip] = []

    def on_resize(self) -> None:
        """Other sizes, and other numbers of them, fit now."""
        self.draw_again()

    def turn_to(self, first: int, most: int | None = None) -> None:
        """Show others, from `first` on."""
        self.first, self.most = max(first, 1), most or self.most
        self.draw_again()

    def draw_again(self) -> None:
        """Draw in another thread: NumPy is imported there when it is first needed, and no key waits for it."""
        if self.size.width and self.size.height:
            self.run_worker(self._draw(), group="gallery", exclusive=True, exit_on_error=False)

    async def _draw(self) -> None:
        app = cast("CourseApp", self.app)
        try:
            self.examples, self._strips = await asyncio.to_thread(
                _drawn,
                *(self.world, self.first, self.most, self.size.width, self.size.height),
                colour=shows_colours(app),
                ascii_only=app.ascii_only,
            )
        except TlcourseError as error:
            self.post_message(self.Shown([], "\n".join(error.lines())))
        else:
            self.post_message(self.Shown(self.examples))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line, as wide as the widget."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(0)
        return strip.apply_style(self.rich_style).adjust_cell_length(self.size.width, self.rich_style)


def shows_colours(app: CourseApp) -> bool:
    """Whether pictures can have colours of their own: 256 of them at least, and nobody asked for none."""
    return not app.ascii_only and not app.no_color and app.console.color_system not in (None, "standard")


def _drawn(
    world: str | None, first: int, most: int, columns: int, rows: int, *, colour: bool, ascii_only: bool
) -> tuple[list[Example], list[Strip]]:
    from tlcourse.drawing.sheet import fit, sheet

    fitted = fit(columns, rows, most)
    count = 1 if example(world, first).picture is None else fitted.count
    examples = [example(world, number) for number in range(first, first + count)]
    lines = sheet(examples, columns, fitted, rows, colour=colour, how=drawing(ascii_only))
    return examples, [Strip(line) for line in lines]


@functools.lru_cache(_KEPT)
def example(world: str | None, number: int) -> Example:
    """Example `number` of a world; drawn once while it is leafed through. Raises UsageError where there are none."""
    from tlcourse.data.examples import example as draw

    return draw(world, number)
