"""A figure in the app: the lines of `presenting/figures`, and keys for those that can be moved.

What moves by itself (a gradient that flows back) does so while it can be seen, redraws nothing but itself, and stands
still where motion is off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ScreenStackError
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.errors import NoWidget
from textual.geometry import Size
from textual.widget import Widget

from tlcourse.course.figure import DecisionTree, Figure, Flow
from tlcourse.course.figure_reading import alt_of, read
from tlcourse.errors import ContentError
from tlcourse.presenting import figures
from tlcourse.presenting.figures.canvas import padded, widest
from tlcourse.presenting.figures.tree import asked
from tlcourse.presenting.marks import Line, Run
from tlcourse.tui.text import Text

FRAME_S = 0.6
_PAUSE = 2
"""Frames that the whole stands before it begins again."""


class FigureView(Widget):
    """One figure. `spell` writes its texts in ASCII before they are laid out; `spread`: whether a flow fills it."""

    DEFAULT_CSS = """
    FigureView {
        width: 1fr;
        height: auto;
        &:focus {
            background: $surface;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Figure: back", show=False),
        Binding("right", "move(1)", "Figure: on", show=False),
        Binding("y", "answer('yes')", "Figure: yes", show=False),
        Binding("n", "answer('no')", "Figure: no", show=False),
        *(Binding(str(n), f"answer({n})", f"Figure: answer {n}", show=False) for n in range(1, 7)),
        Binding("backspace", "move(-1)", "Figure: back", show=False),
        Binding("escape", "leave", "Back to the text", show=False),
    ]

    def __init__(
        self, code: str, spell: Callable[[str], str] | None = None, spread: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__()
        self._spread = spread
        self.code = code
        self.figure: Figure | None
        try:
            self.figure = figures.spelt(read(code), spell) if spell else read(code)
        except ContentError:
            self.figure = None
        self.step: int | None = None
        self.answers: tuple[int, ...] | None = None
        self._drawn: tuple[object, list[Line]] = (None, [])
        self._moves = figures.moves(self.figure) if self.figure else 0
        self.can_focus = self.movable
        self.tooltip = Content(alt_of(code))

    @property
    def movable(self) -> bool:
        """Whether keys do something with it."""
        return self._moves > 1 or isinstance(self.figure, DecisionTree)

    @property
    def seen(self) -> bool:
        """Whether a part of it is on the screen now."""
        try:
            return self.app.screen is self.screen and bool(self.screen.find_widget(self).visible_region)
        except (NoWidget, ScreenStackError):
            return False

    def on_mount(self) -> None:
        """What moves by itself begins."""
        if isinstance(self.figure, Flow) and self._moves and getattr(self.app, "motion", False):
            self.set_interval(FRAME_S, self._frame)

    def _frame(self) -> None:
        if self.has_focus or not self.seen:
            return
        self.step = 0 if self.step is None else (self.step + 1) % (self._moves + _PAUSE)
        self.refresh()

    @property
    def view(self) -> figures.View:
        """How far it was moved."""
        if self.figure is None or isinstance(self.figure, DecisionTree):
            return figures.View(answers=self.answers)
        if self.step is None:
            return figures.View()
        return figures.view_of(self.figure, min(self.step, self._moves - 1))

    def lines(self, width: int) -> list[Line]:
        """What is drawn, in the middle of so many columns."""
        key = (width, self.app.size.height, self.view, self.has_focus)
        if self._drawn[0] != key:
            self._drawn = (key, self._lines(width))
        return self._drawn[1]

    def _lines(self, width: int) -> list[Line]:
        try:
            if self.figure is None:
                return figures.instead(self.code, width)
            if isinstance(self.figure, Flow) and not self._spread():  # it moves as it stands
                lines = figures.drawn(self.figure, width, self.view)
            else:
                lines = figures.large(self.figure, width, self.app.size.height // 2, self.view)
        except (ValueError, ArithmeticError, LookupError):
            return figures.instead(self.code, width)
        if self.movable:
            lines.append([Run(self._keys(), "$next" if self.has_focus else "$muted")])
        left = max((min(width, figures.WIDEST) - widest(lines)) // 2, 0)
        return [[Run(" " * left), *line] if left else line for line in lines]

    def _keys(self) -> str:
        if not self.has_focus:
            return "f: answer it" if isinstance(self.figure, DecisionTree) else "f: move it"
        if not isinstance(self.figure, DecisionTree):
            return "← → move · esc back to the text"
        _, nodes = asked(self.figure, self.answers or ())
        names = [node.answer for node in nodes]
        if not names:
            return "← one back · esc to the text"
        keys = "y n" if set(names) == {"yes", "no"} else " ".join(str(number + 1) for number in range(len(names)))
        return f"{keys} answer · ← one back · esc to the text"

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines of the drawing."""
        return len(self.lines(width))

    def render(self) -> Content:
        """The drawing in the colours of the theme."""
        width = self.size.width
        return Content("\n").join(Text.of(padded(line, 0)).visualize() for line in self.lines(width))

    def on_focus(self) -> None:
        """A tree begins to be walked."""
        if isinstance(self.figure, DecisionTree) and self.answers is None:
            self.answers = ()
        elif self.step is None and self.figure is not None:
            slider = getattr(self.figure, "slider", None)
            self.step = slider.values.index(slider.start) if slider else 0
        self.refresh(layout=True)

    def on_blur(self) -> None:
        """A walk that was not begun leaves the tree as it was."""
        if self.answers == ():
            self.answers = None
        self.refresh(layout=True)

    def action_move(self, by: int) -> None:
        """One view on or back; in a tree one question back."""
        if isinstance(self.figure, DecisionTree):
            self.answers = (self.answers or ())[:-1] if by < 0 else self.answers
        else:
            self.step = min(max(min(self.step or 0, self._moves - 1) + by, 0), self._moves - 1)
        self.refresh(layout=True)

    def action_answer(self, answer: str | int) -> None:
        """Answer a tree's question, by its word or its number."""
        if not isinstance(self.figure, DecisionTree):
            return
        _, nodes = asked(self.figure, self.answers or ())
        names = [node.answer for node in nodes]
        number = answer - 1 if isinstance(answer, int) else names.index(answer) if answer in names else -1
        if 0 <= number < len(names):
            self.answers = (*(self.answers or ()), number)
            self.refresh(layout=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters and numbers answer trees alone; elsewhere they mean what they always do."""
        return isinstance(self.figure, DecisionTree) if action == "answer" else True

    def action_leave(self) -> None:
        """Back to the text."""
        self.screen.query_one("#page").focus()
