"""What all screens share: the line with the path on top, the keys at the bottom, and how they fit a small terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Static

from tlcourse.tui.text import Text
from tlcourse.tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from tlcourse.tui.app import CourseApp


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
