"""Samples of an exercise's data in the terminal: drawn by another thread, shown when they are there."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.app import App
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tlcourse.errors import TlcourseError
from tlcourse.presenting.words import drawing
from tlcourse.tui import graphics_protocol
from tlcourse.tui.themes import NO_COLOUR

if TYPE_CHECKING:
    from tlcourse.data.synthetic import Example
    from tlcourse.presenting.pictures import Fit

_KEPT = 64
_ENLARGED = 512  # a multiple of every generator's pictures


class Gallery(Widget):
    """Examples of one generator from number `first` on, as many as there is room for but `most` at most."""

    class Shown(Message):
        """Other examples are on the screen; `problem` where there are none."""

        def __init__(self, examples: list[Example], problem: str = "") -> None:
            super().__init__()
            self.examples, self.problem = examples, problem

    def __init__(
        self,
        generator: str | Path | None,
        most: int,
        *,
        ascii_only: bool,
        id: str,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.generator, self.most, self._ascii_only = generator, most, ascii_only
        self.first = 1
        self.examples: list[Example] = []
        self._strips: list[Strip] = []

    def on_mount(self) -> None:
        """Another theme has other hues."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.draw_again())

    def on_resize(self) -> None:
        """Other sizes, and other numbers of them, fit now."""
        self.call_after_refresh(self.draw_again)

    def turn_to(self, first: int, most: int | None = None) -> None:
        """Show others, from `first` on."""
        self.first, self.most = max(first, 1), most or self.most
        self.draw_again()

    def draw_again(self) -> None:
        """Draw in another thread: NumPy is imported there when it is first needed, and no key waits for it."""
        if self.size.width and self.size.height:
            # the function, not its coroutine: one that is replaced before it began would never be awaited
            self.run_worker(self._draw, group="gallery", exclusive=True, exit_on_error=False)  # type: ignore[arg-type]

    async def _draw(self) -> None:
        colours = wants_colours(self.app) and not self._ascii_only
        try:
            drawn = await asyncio.to_thread(
                _drawn,
                *(self.generator, self.first, self.most, self.size.width, self.size.height),
                colour=colours and shows_colours(self.app),
                ascii_only=self._ascii_only,
                pixels=graphics_protocol.available() and colours,
                dark=self.app.current_theme.dark,
                hues=tuple(self.app.theme_variables[f"series-{number}"] for number in (1, 3, 2)),
            )
        except TlcourseError as error:
            self.post_message(self.Shown([], "\n".join(error.lines())))
            return
        self.examples, self._strips = drawn.examples, drawn.strips
        self.post_message(self.Shown(drawn.examples))
        self.refresh()
        await self._lay_over(drawn.placed)

    async def _lay_over(self, placed: list[Placed]) -> None:
        """True pixels over the half-blocks; without them this does nothing."""
        if self.children or placed:
            await self.remove_children()
            found = [(one, graphics_protocol.widget(one.picture)) for one in placed]
            for one, widget in found:
                if widget is not None:
                    widget.styles.position = "absolute"
                    widget.styles.offset = (one.column, one.row)
                    widget.styles.width, widget.styles.height = one.side, one.side // 2
            await self.mount_all(widget for _, widget in found if widget is not None)

    def render_line(self, y: int) -> Strip:
        """One line, as wide as the widget."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(0)
        return strip.apply_style(self.rich_style).adjust_cell_length(self.size.width, self.rich_style)


def wants_colours(app: App[Any]) -> bool:
    """Whether nobody asked for none."""
    return not (app.no_color or app.theme == NO_COLOUR)


def shows_colours(app: App[Any]) -> bool:
    """Whether half-blocks can have colours of their own: the terminal has 256 of them at least."""
    return app.console.color_system not in (None, "standard")


class Placed(NamedTuple):
    """A picture of Pillow's, and the cells that it covers: `side` columns and half as many rows."""

    picture: Any
    column: int
    row: int
    side: int


class Drawn(NamedTuple):
    """What another thread has drawn."""

    examples: list[Example]
    strips: list[Strip]
    placed: list[Placed]


def _drawn(
    generator: str | Path | None,
    first: int,
    most: int,
    columns: int,
    rows: int,
    *,
    colour: bool,
    ascii_only: bool,
    pixels: bool,
    dark: bool,
    hues: tuple[str, ...],
) -> Drawn:
    from tlcourse.presenting.pictures import Hues, fit, sheet

    picture = example(generator, first).picture
    fitted = fit(columns, rows, most, 0 if picture is None else len(picture))
    count = 1 if picture is None else fitted.count
    examples = [example(generator, number) for number in range(first, first + count)]
    how = drawing(ascii_only)
    lines = sheet(examples, columns, fitted, rows, colour=colour, how=how, hues=Hues(*hues), dark=dark)
    placed = _placed(examples, fitted) if pixels and picture is not None else []
    return Drawn(examples, [Strip(line) for line in lines], placed)


def _placed(examples: list[Example], fitted: Fit) -> list[Placed]:
    """Every pixel becomes a square of pixels with sharp edges, whatever a terminal does to enlarge it."""
    import numpy as np
    from PIL import Image

    placed = []
    for number, one in enumerate(examples):
        assert one.picture is not None
        levels = np.rint(255 * np.broadcast_to(one.picture, (*one.picture.shape[:2], 3))).astype(np.uint8)
        picture = Image.fromarray(levels).resize((_ENLARGED, _ENLARGED), Image.Resampling.NEAREST)
        placed.append(Placed(picture, *fitted.corner(number), fitted.side))
    return placed


@functools.lru_cache(_KEPT)
def example(generator: str | Path | None, number: int) -> Example:
    """Example `number` of a generator; made once while it is leafed through. Raises UsageError where there are none."""
    from tlcourse.data.synthetic import example as draw

    return draw(generator, number)
