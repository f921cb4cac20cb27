"""Progress: by unit and by learning objective, and what to review next."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tlcourse.student.overview import Overview, totals
from tlcourse.student.record import now
from tlcourse.student.review import Weak, weak_objectives
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text

_BAR = 10
_MOST_WEAK = 5


class ProgressScreen(CourseScreen):
    """How far one is; `enter` continues with what comes next."""

    AREA = "progress"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Go on", id="progress.next"),
        Binding("r", "review", "Review missed", id="progress.review"),
        Binding("v", "due", "Review due", id="progress.due"),
        Binding("l", "weakest", "Lesson of the weakest", id="progress.weakest", show=False),
        Binding("x", "export", "Export", id="progress.export"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    @property
    def path(self) -> list[str]:
        """One word."""
        return ["Progress"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse progress"

    def body(self) -> ComposeResult:
        """One text."""
        with VerticalScroll(id="progress-page"):
            yield Static(id="progress-text", markup=False)

    def on_mount(self) -> None:
        """Write it."""
        super().on_mount()
        self.query_one("#progress-page").focus()
        self._show()

    def on_screen_resume(self) -> None:
        """What was done meanwhile."""
        super().on_screen_resume()
        self._show()

    def _show(self) -> None:
        state = self.course_app.state
        parts: list[RenderableType] = [
            Text(f"\n{totals(state)}.\n", style="bold"),
            _weak(self._weakest()),
            _units(state),
            Text("\nBy learning objective (questions right by the latest answer)", style="bold"),
            _objectives(state),
        ]
        self.query_one("#progress-text", Static).update(Group(*parts))

    def _weakest(self) -> list[Weak]:
        app = self.course_app
        return weak_objectives(app.course, app.record, now())

    def action_weakest(self) -> None:
        """The lesson of the weakest objective."""
        weak = self._weakest()
        if weak:
            self.course_app.go(f"lesson/{weak[0].unit}")
        else:
            self.tell("No objective is weak; what was answered would be remembered.")

    def action_next(self) -> None:
        """Go on with what comes next."""
        place = self.course_app.state.next
        if place:
            self.course_app.go(place)
        else:
            self.tell("All that is written is done.")

    def action_due(self) -> None:
        """Questions that are due again."""
        self.course_app.go("review")

    def action_review(self) -> None:
        """The first quiz with something missed."""
        for unit in self.course_app.state.units:
            for quiz in unit.quizzes:
                if quiz.missed:
                    self.course_app.go(f"quiz/{quiz.id}")
                    return
        self.tell("Nothing was missed so far.")

    def action_export(self) -> None:
        """Say how to keep it: a file is the shell's business."""
        self.notify("tlcourse progress --markdown > progress.md", title="Export it with", timeout=15, markup=False)

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        page = self.query_one("#progress-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)


def _grid(columns: int) -> Table:
    """Facts in columns; the last one wraps within itself."""
    table = Table.grid(padding=(0, 1))
    for column in range(columns):
        table.add_column(no_wrap=column < columns - 1, ratio=1 if column == columns - 1 else None)
    return table


def _units(state: Overview) -> Table:
    table = _grid(3)
    for unit in state.units:
        facts = ["read" if unit.read else "not read"] if unit.written else []
        facts += [f"{quiz.title}: {quiz.words}" for quiz in unit.quizzes]
        facts += [f"{exercise.id}: {exercise.words}" for exercise in unit.exercises]
        if facts:
            mark = Text().append("✓", style="$good") if unit.done else Text("○")
            said = Text(f"{unit.title}\n").append(" · ".join(facts), style="$muted")
            table.add_row(mark, Text(f"{unit.number:2}"), said)
    return table


def _objectives(state: Overview) -> Table:
    table = _grid(3)
    for unit in state.units:
        for goal in unit.objectives:
            if goal.questions:
                full = round(_BAR * goal.right / goal.questions)
                bar = Text().append("█" * full + "░" * (_BAR - full), style="$live")
                table.add_row(bar, Text(f"{goal.right}/{goal.questions}"), Text(goal.text))
    return table


def _weak(weak: list[Weak]) -> Group:
    """The weakest objectives: how likely their questions would be remembered now."""
    if not weak:
        return Group()
    table = _grid(2)
    for goal in weak[:_MOST_WEAK]:
        chance = Text().append(f"! {goal.recall:4.0%}", style="$doubt")
        table.add_row(chance, Text(f"{goal.text} ({goal.missed} of {goal.answered} missed)"))
    more = [Text(f"and {len(weak) - _MOST_WEAK} more: tlcourse progress")] if len(weak) > _MOST_WEAK else []
    return Group(Text("Weak objectives, the weakest first (l opens its lesson)", style="bold"), table, *more, Text())
