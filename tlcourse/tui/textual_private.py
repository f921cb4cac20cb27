"""What the app needs of Textual that is not public: all of it is here, and nowhere else.

Written for Textual 8.2.8. After an upgrade `tests/tui/test_textual_private.py` fails where one of them has changed.

- `active_app`: a text within one of Rich's tables has to know the theme, and no public way leads from it to the app.
- `MarkdownParagraph`: a paragraph of a lesson can be folded; Textual makes its listings public, and no other block.
- `drawn_strips`: what a screen below a dialog shows; Textual's own way would dim each piece of it by itself.
- `forget_drawn_lines`: under a cache of colours Textual keeps the drawn lines of a thousand widgets that are gone.
- `measure_anew`: a text that is written anew before its last layout was noticed keeps the height of the one before it.
- `lay_out_once`: a widget that has another size asks for a second layout, which finds all as the first one left it.
- `is_going`: what is left while it is being mounted is told that it is mounted, and has no widgets.
- `paint_soon`: after a paint of more than a sixtieth of a second, Textual waits for the sixtieth after the next.
- `mounted`: an installed screen has its widgets before it is first shown; Textual makes them with its first key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import screen as textual_screen
from textual._context import active_app
from textual._styles_cache import StylesCache
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen
    from textual.strip import Strip
    from textual.widgets._markdown import MarkdownParagraph

__all__ = [
    "MarkdownParagraph",
    "active_app",
    "drawn_strips",
    "forget_drawn_lines",
    "is_going",
    "lay_out_once",
    "measure_anew",
    "mounted",
    "paint_soon",
]

PAINT_PERIOD_S = 1 / 240


def __getattr__(name: str) -> Any:
    """Textual's Markdown is imported with the first lesson: the first paint does not wait for it."""
    if name != "MarkdownParagraph":
        raise AttributeError(name)
    from textual.widgets._markdown import MarkdownParagraph

    return MarkdownParagraph


def drawn_strips(screen: Screen[Any]) -> list[Strip]:
    """The lines of a screen, as they are drawn."""
    return screen._compositor.render_strips()


def forget_drawn_lines() -> None:
    """Forget what was drawn of widgets that are gone."""
    StylesCache.get_inner_outer.cache_clear()


def is_going(screen: Screen[Any]) -> bool:
    """Whether a screen is being taken away."""
    return screen._pruning


def lay_out_once() -> None:
    """From now on a layout that gave other sizes is not followed by another, unless a scroll bar came or went."""
    Widget._size_updated.__defaults__ = (False,)  # its `layout`


def paint_soon() -> None:
    """From now on a screen that was just painted, as under a moving figure, is painted again within 8 ms of a change.

    Textual waits for up to two of its periods: 33 ms, as long again as a key takes in all.
    """
    setattr(textual_screen, "UPDATE_PERIOD", PAINT_PERIOD_S)  # noqa: B010 - Textual calls it final


async def mounted(app: App[Any], name: str) -> None:
    """Let an installed screen have its widgets, without showing it."""
    _, waits = app._get_screen(name)
    await waits


def measure_anew(screen: Screen[Any]) -> None:
    """Forget the sizes of the widgets on it that have asked for a layout: two texts may have asked for that one."""
    for widget in screen.walk_children(Widget):
        if widget._layout_required:
            widget._layout_updates += 1
