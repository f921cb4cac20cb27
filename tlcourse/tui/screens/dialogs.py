"""What is asked or shown on top of a screen: quitting, hints, one of several things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.tui.screens.frame import Dialog
from tlcourse.tui.widgets.choices import Choices
from tlcourse.tui.widgets.lesson_text import LessonText

if TYPE_CHECKING:
    from tlcourse.student.overview import UnitState
    from tlcourse.tui.app import CourseApp


class QuitDialog(Dialog[str]):
    """Asked only while something runs: `stop`, `keep`, or None for staying."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('stop')", "Stop it and quit"),
        Binding("k", "choose('keep')", "Keep it running and quit"),
        Binding("c,escape", "dismiss", "Cancel"),
    ]

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical(classes="dialog small"):
            yield Static("A run is going on.", classes="title", markup=False)
            yield Static(
                "[@click=screen.choose('stop')]s  stop it and quit[/]\n"
                "[@click=screen.choose('keep')]k  keep it running, and quit; its verdict is recorded[/]\n"
                "[@click=screen.dismiss]c  cancel[/]"
            )

    def action_choose(self, choice: str) -> None:
        """Close with the choice."""
        self.dismiss(choice)


class ConfirmDialog(Dialog[bool]):
    """A question before something that cannot be undone."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes"),
        Binding("n,escape", "dismiss(False)", "No"),
    ]

    def __init__(self, question: str, what: str) -> None:
        super().__init__()
        self._question = question
        self._what = what

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical(classes="dialog small"):
            yield Static(self._question, classes="title", markup=False)
            yield Static(self._what, markup=False)
            yield Static("\n[@click=screen.dismiss(True)]y  yes[/]\n[@click=screen.dismiss(False)]n  no[/]")


class HintDialog(Dialog[int]):
    """The hints up to the one that was asked for; `h` shows one more. Returns how many were seen."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "more", "One more"),
        Binding("escape,q", "close", "Close"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, hints: list[str], seen: int) -> None:
        super().__init__()
        self._hints = hints
        self._seen = max(seen, 1)

    def compose(self) -> ComposeResult:
        """The hint and what comes next."""
        with Vertical(classes="dialog"):
            yield Static(id="which", classes="title", markup=False)
            with VerticalScroll(id="hint-page", can_focus=False):
                yield LessonText(id="hint")

    async def on_mount(self) -> None:
        """Show the first one."""
        await self._show()

    async def _show(self) -> None:
        left = len(self._hints) - self._seen
        more = f"h shows one more ({left} left, each says more)" if left else "this is the last"
        self.query_one("#which", Static).update(f"Hint {self._seen} of {len(self._hints)} · {more} · esc closes")
        await self.query_one("#hint", LessonText).show(self._hints[self._seen - 1])

    async def action_more(self) -> None:
        """One more hint."""
        if self._seen < len(self._hints):
            self._seen += 1
            await self._show()

    def action_scroll(self, by: int) -> None:
        """Scroll a long hint."""
        page = self.query_one("#hint-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)

    def action_close(self) -> None:
        """Close, and say how many were seen."""
        self.dismiss(self._seen)


class PageDialog(Dialog[None]):
    """A page to read on top of a screen."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("space,pagedown", "page(1)", "A page on", show=False),
        Binding("b,pageup", "page(-1)", "A page back", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The title and the page."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(can_focus=False):
                yield LessonText(id="page-text")

    async def on_mount(self) -> None:
        """Show it."""
        await self.query_one("#page-text", LessonText).show(self._text)

    def action_scroll(self, by: int) -> None:
        """Scroll by a line."""
        page = self.query_one(VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)

    def action_page(self, by: int) -> None:
        """Scroll by a page."""
        page = self.query_one(VerticalScroll)
        (page.scroll_page_down if by > 0 else page.scroll_page_up)(animate=False)


class ChoiceDialog(Dialog[str | None]):
    """One of several things, each a line; returns its name, or None where none was wanted."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, question: str, choices: Mapping[str, str]) -> None:
        super().__init__()
        self._question = question
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The question and the list."""
        with Vertical(classes="dialog small"):
            yield Static(f"{self._question} (enter opens it, esc closes)", classes="title", markup=False)
            yield Choices(*(Option(text, id=name) for name, text in self._choices.items()), markup=False)

    def on_mount(self) -> None:
        """The first one is where enter goes."""
        self.query_one(OptionList).highlighted = 0
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Close with the choice."""
        self.dismiss(event.option_id)

    def action_move(self, by: int) -> None:
        """Go up or down, as everywhere."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()


def choose_exercise(app: CourseApp, unit: UnitState) -> bool:
    """Open the exercise of a unit, of several the first not passed; where there are methods to write, one is chosen.

    False where it has neither.
    """
    exercises = {f"exercise/{one.id}": f"{one.title}: {one.words}" for one in unit.exercises}
    methods = {f"write/{one.id}": f"{one.mark} Write it: {one.title}" for one in unit.write_its}

    def opened(route: str | None) -> None:
        if route is not None:
            app.go(route)

    if exercises and not methods:
        opened(f"exercise/{(unit.exercise_to_do or unit.exercises[0]).id}")
    elif len(found := exercises | methods) == 1:
        opened(next(iter(found)))
    elif found:
        choices = {route: app.words(title) for route, title in found.items()}
        app.push_screen(ChoiceDialog("This unit has several to solve. Which one?", choices), opened)
    return bool(exercises or methods)


def choose_lab(app: CourseApp, unit: str) -> bool:
    """Open the lab of a unit, or ask which of several; False where it has none."""
    found = {name: lab.title for name, lab in app.labs.items() if lab.unit == unit}

    def opened(name: str | None) -> None:
        if name is not None:
            app.go(f"lab/{name}")

    if len(found) == 1:
        opened(next(iter(found)))
    elif found:
        choices = {name: app.words(title) for name, title in found.items()}
        app.push_screen(ChoiceDialog(f"This unit has {len(found)} labs. Which one?", choices), opened)
    return bool(found)
