"""What all screens share: the line with the path on top, the keys at the bottom, and how they fit a small terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer, Input, Static, TextArea

from tlcourse.tui.text import Text
from tlcourse.tui.textual_private import FooterKey, forget_watchers

if TYPE_CHECKING:
    from tlcourse.tui.app import CourseApp

_KEPT = ("help", "leave_app")
"""Whoever knows these two finds all others."""
_IN_FIELDS = ("enter", "escape", "f1")
_USUAL, _TIGHT = 4, 3
"""Columns that a key takes beside its words, with Textual's spacing and without."""


class KeyLine(Footer):
    """Textual's footer, within the width of the terminal."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._fitted = 0

    def compose(self) -> ComposeResult:
        """The keys that fit, closer together where that helps."""
        forget_watchers(self, FooterKey)
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        if isinstance(self.screen.focused, (Input, TextArea)):
            keys += self._of_a_field({key.key for key in keys})
        self._fitted = width = self.app.size.width
        self.compact = _taken(keys, _USUAL) > width
        beside = _TIGHT if self.compact else _USUAL
        while _taken(keys, beside) > width and (extra := [key for key in keys if key.action not in _KEPT]):
            keys.remove(extra[-1])
        yield from keys

    def _of_a_field(self, shown: set[str]) -> list[FooterKey]:
        """What is left while all letters go into a field."""
        active = self.screen.active_bindings
        bindings = [active[key].binding for key in _IN_FIELDS if key in active and key not in shown]
        return [
            FooterKey(key.key, self.app.get_key_display(key), key.description, key.action).data_bind(
                compact=Footer.compact
            )
            for key in bindings
        ]

    def on_resize(self) -> None:
        """Another width has room for more keys, or for fewer."""
        if self._fitted != self.app.size.width:
            self.call_after_refresh(self.recompose)


def _taken(keys: list[FooterKey], beside: int) -> int:
    return sum(len(key.key_display) + len(key.description) + beside for key in keys)


class Crumbs(Static):
    """The first line: where one is, what runs, and how far the course is done."""

    def show(self, path: list[str], state: str) -> None:
        """Put the path at the left and the state at the right; the path gives way where both do not fit."""
        width = self.size.width or self.app.size.width
        left = " › ".join(path)
        room = max(width - len(state) - 2, 8)
        if len(left) > room and len(path) > 2:
            left = " › ".join([path[0], "…", *path[2:]])
        text = Text(left[:room].ljust(room), style="bold", no_wrap=True)
        text.append(f"  {state}"[: max(width - room, 0)])
        self.update(text)


class CourseScreen(Screen[None]):
    """A screen of the course; `cli_equivalent` is the command that does the same without the app."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (80, "-middle"), (110, "-wide")]  # noqa: RUF012 - Textual's
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="leave", show=False),
    ]

    @property
    def course_app(self) -> CourseApp:
        """The app, with its type."""
        return cast("CourseApp", self.app)

    @property
    def path(self) -> list[str]:
        """The words of the first line."""
        return []

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse --help"

    def commands(self) -> Iterator[SystemCommand]:
        """What the palette offers on this screen beside its keys."""
        yield from ()

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    def compose(self) -> ComposeResult:
        """The frame around `body`."""
        yield Crumbs(id="crumbs", markup=False)
        with Container(id="body"):
            yield from self.body()
        yield Static(f"Too small. Use: {self.cli_equivalent}", id="too-small", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Fill the first line."""
        self.call_after_refresh(self.show_path)

    def on_resize(self) -> None:
        """Fit the first line to the new width."""
        self.show_path()

    def on_screen_resume(self) -> None:
        """Something may have changed while another screen was on top."""
        self.show_path()

    def show_path(self) -> None:
        """Fill the first line anew."""
        if not self.is_mounted:
            return
        for crumbs in self.query(Crumbs):
            crumbs.show(["tlcourse", *self.path], self.course_app.state_line())

    def action_leave(self) -> None:
        """Go back."""
        self.course_app.back()

    def tell(self, text: str) -> None:
        """Say why a key does nothing here."""
        self.notify(text, severity="warning", timeout=4, markup=False)
