"""A list to choose from, whose line under the cursor is in reverse video; and the lines of a question's answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.widgets import OptionList, Static, TextArea

from tlcourse.quiz.kinds.bug import MOST_LINES
from tlcourse.quiz.kinds.question import Line
from tlcourse.tui.text import Text

_HIGHLIGHTED = "option-list--option-highlighted"
ANSWER_KEYS: Sequence[BindingType] = (
    Binding("down,j", "move(1)", "Down", show=False),
    Binding("up,k", "move(-1)", "Up", show=False),
    Binding("shift+down,J", "carry(1)", "Carry down", id="quiz.carry-down", show=False),
    Binding("shift+up,K", "carry(-1)", "Carry up", id="quiz.carry-up", show=False),
    Binding("y", "judge(True)", "Mine says the same", id="quiz.same"),
    Binding("n", "judge(False)", "Mine does not", id="quiz.different"),
)
"""Keys of an answer, wherever it is given."""


class Choices(OptionList):
    """Textual's list, to whose lines `text-style: reverse` of a style sheet does not get (8.2.8): it is done here.

    The line under the cursor has no colours of its own: in reverse they would be blocks of colour.
    """

    def render_line(self, y: int) -> Strip:
        """A line of the list; that under the cursor all in reverse."""
        strip = super().render_line(y)
        if not any(segment.style and segment.style.reverse for segment in strip):
            return strip
        bare = self.get_visual_style(_HIGHLIGHTED).rich_style
        return Strip([Segment(segment.text, bare) for segment in strip], strip.cell_length)

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        """The style of a line; reverse where the cursor is."""
        style = super().get_visual_style(*component_classes, partial=partial)
        return style + Style(reverse=True) if _HIGHLIGHTED in component_classes else style


class AnswerLine(Static):
    """One line; a click chooses it."""

    class Clicked(Message):
        """The line with this number, counted among those that can be chosen."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self) -> None:
        super().__init__(classes="option", markup=False)
        self.place = -1

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        if self.place >= 0:
            self.post_message(self.Clicked(self.place))


class ReasonLine(Static):
    """Whether a line is right, and why; shown after the answer."""


class AnswerLines(Vertical):
    """All lines of an answer; made once, and filled anew for each question of at most so many lines."""

    DEFAULT_CSS = """
    AnswerLines {
        height: auto;
        & > .option {
            padding: 0 1;
            border-left: blank;
        }
        & > .option.-right {
            border-left: thick $done;
            background: $surface;
            text-style: bold;
        }
        & > .option.-wrong {
            border-left: thick $wrong;
            background: $surface;
        }
        & > .reason {
            max-width: 110;
            padding: 0 1 1 10;
        }
        & > .option.-code {
            color: $text-secondary;
        }
        & > .reason.-code {
            padding: 0 1 0 10;
        }
        & > .option.-cursor {
            text-style: reverse;
        }
    }
    """

    def __init__(self, most: int = MOST_LINES, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._most = most

    def compose(self) -> ComposeResult:
        """Pairs of line and reason."""
        for _ in range(self._most):
            yield AnswerLine()
            yield ReasonLine(classes="reason", markup=False)

    def fill(self, lines: list[Line], cursor: int, words: Callable[[str], str]) -> None:
        """Show these lines, with the cursor on one of those that can be chosen (-1: on none)."""
        place = -1
        for number, (shown, why) in enumerate(zip(self.query(AnswerLine), self.query(ReasonLine), strict=True)):
            line = lines[number] if number < len(lines) else None
            shown.display = line is not None
            why.display = line is not None and line.reason is not None
            if line is None:
                continue
            place += line.selectable
            shown.place = place if line.selectable else -1
            shown.update(Text(words(line.text)))
            shown.set_class(line.selectable and place == cursor, "-cursor")
            shown.set_class(line.kind == "code", "-code")
            right = line.reason.right if line.reason is not None else None
            shown.set_class(right is True, "-right")
            shown.set_class(right is False and line.mine, "-wrong")
            why.set_class(line.kind == "code", "-code")
            if line.reason is not None:
                why.update(_reason(line, words))

    def show_cursor(self) -> None:
        """Scroll so that the line under the cursor can be read."""
        for line in self.query("AnswerLine.-cursor"):
            line.scroll_visible(animate=False)


class OwnWordsField(TextArea):
    """Some lines of the student's own; enter submits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "hand_in", "Submit", id="quiz.hand-in", priority=True, show=False)
    ]

    class Submitted(Message):
        """Enter was pressed."""

    def action_hand_in(self) -> None:
        """Submit what was written."""
        self.post_message(self.Submitted())


def _reason(line: Line, words: Callable[[str], str]) -> Text:
    assert line.reason is not None
    if line.reason.right is None:
        return Text(words(line.reason.text))
    word, colour = ("✓ right", "$good") if line.reason.right else ("✗ wrong", "$bad")
    mine = ", your answer" if line.mine else ""
    return Text().append(f"{word}{mine}: ", style=f"bold {colour}").append(words(line.reason.text))
