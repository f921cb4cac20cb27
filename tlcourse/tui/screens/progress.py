"""Progress: what is known by objective, the days, what comes back, and the exercises."""

from __future__ import annotations

import datetime
import textwrap
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer, VerticalScroll
from textual.widgets import Static

from tlcourse.presenting.marks import TRACK, parted, share_bar, spark
from tlcourse.presenting.overview import totals
from tlcourse.student.overview import WEEKS, Overview
from tlcourse.student.record import Attempt, now
from tlcourse.student.review import Weak, weak_objectives
from tlcourse.text import counted
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.course_map import square

_MOST_WEAK = 5
_QUIZ, _FORECAST, _POINTS, _SPARKS = 10, 24, 16, 20
_SPELT_FROM = 50
"""Lines from which on each objective has one of its own."""
"""Columns of the bars of a quiz, of what comes back, of an exercise's points, and of its attempts."""
_SHADES = "·▪■█"
"""Of a day by what was done on it: nothing, less than a third of the busiest day, less than two thirds, more."""
_PANES = {
    "objectives": "By learning objective",
    "weak": "Weak objectives",
    "calendar": "Twelve weeks",
    "forecast": "What comes back",
    "exercises": "Exercises",
}


class ProgressScreen(CourseScreen):
    """How far one is; `enter` continues with what comes next."""

    AREA = "progress"
    FITTED = "#progress-page, #progress-side"
    CSS_PATH = "progress.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next", id="progress.next"),
        Binding("r", "review", "Review missed", id="progress.review"),
        Binding("v", "due", "Review due", id="progress.due"),
        Binding("l", "weakest", "Lesson of the weakest", id="progress.weakest"),
        Binding("X", "export", "Export", id="progress.export", show=False),
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
        """A pane for each view."""
        with ScrollableContainer(id="progress-panes"):
            with VerticalScroll(id="progress-page", classes="pane"):
                yield Static(id="objectives", markup=False)
            with VerticalScroll(id="progress-side", can_focus=False):
                for pane in ("weak", "calendar", "forecast", "exercises"):
                    yield Static(id=pane, classes="pane", markup=False)

    def on_mount(self) -> None:
        """Write them."""
        super().on_mount()
        for pane, title in _PANES.items():
            self.query_one("#progress-page" if pane == "objectives" else f"#{pane}").border_title = title
        self._scrolled().focus()
        self._show()

    def on_screen_resume(self) -> None:
        """What was done meanwhile."""
        super().on_screen_resume()
        self._show()

    def fit(self) -> None:
        """Titles fit their panes."""
        self._show()

    def _scrolled(self) -> ScrollableContainer:
        """What scrolls: of two columns the left one, of one column all of it."""
        return self.query_one(
            "#progress-page" if self.app.size.width >= 110 else "#progress-panes", ScrollableContainer
        )

    def _show(self) -> None:
        if not self.has_widgets:
            return
        app, state = self.course_app, self.course_app.state
        weak = self._weakest()
        today = now().astimezone().date()
        width = max(self.query_one("#progress-page").size.width - 2, 30)
        self.query_one("#objectives", Static).update(_objectives(state, width, spelt=self.size.height >= _SPELT_FROM))
        self.query_one("#weak").display = bool(weak)
        self.query_one("#weak", Static).update(_weak(weak))
        self.query_one("#calendar", Static).update(_calendar(state, today))
        beside = max(self.query_one("#progress-side").size.width - 4, 30)
        self.query_one("#forecast", Static).update(_forecast(state, today, max(beside - 12, _FORECAST)))
        attempts = {name: app.record.attempts(app.course.about.id, name) for name in app.course.exercises}
        self.query_one("#exercises").display = bool(attempts)
        self.query_one("#exercises", Static).update(_exercises(state, attempts, max(beside - 40, _POINTS)))
        self.keys_changed()

    def works(self, action: str) -> bool:
        """Which keys the last line names: those that do something now."""
        state = self.course_app.state
        if action == "next":
            return bool(state.resume)
        if action == "review":
            return any(unit.missed for unit in state.units)
        if action == "due":
            return state.due > 0
        return action != "weakest" or bool(self._weakest())

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
        place = self.course_app.state.resume
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
        page = self._scrolled()
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)


def _objectives(state: Overview, width: int, *, spelt: bool) -> Text:
    """A line for each unit: its squares, one an objective, and its quizzes as a bar; `spelt` also each objective."""
    text = Text(f"{totals(state)}.\n\n", style="bold", no_wrap=True, overflow="crop")
    most = max((len(unit.objectives) for unit in state.units), default=0)
    room = max(width - 6 - 2 * most - _QUIZ - 8, 10)
    for unit in state.units:
        symbol, role = ("●", "$done") if unit.done else ("◐", "$partial") if unit.begun else ("○", "$muted")
        name, *rest = textwrap.wrap(unit.title, room) or [""]
        text.append(f"{symbol} ", style=f"not bold {role}").append(
            f"{unit.number:2}  {name:<{room}} ", style="not bold"
        )
        for goal in unit.objectives:
            one = square(goal)
            text.append(f"{one.text} ", style=f"not bold {one.style}")
        text.append(" " * (2 * (most - len(unit.objectives))))
        if unit.asked:
            drawn = parted([(unit.right, "$done"), (unit.missed, "$wrong")], unit.asked, _QUIZ)
            text.append_text(Text.of(drawn)).append(f" {unit.right:>2}/{unit.asked}", style="not bold $muted")
        text.append("".join(f"\n      {more}" for more in rest) + "\n", style="not bold")
        for goal in unit.objectives if spelt else ():
            one = square(goal)
            text.append(f"      {one.text} ", style=f"not bold {one.style}")
            text.append("\n        ".join(textwrap.wrap(goal.text, max(width - 20, 10))), style="not bold")
            text.append(f"  {goal.right}/{goal.questions}\n", style="not bold $muted")
    text.append("\n■ all right  ▪ partly  □ wrong  · not asked yet", style="not bold $muted")
    return text


def _weak(weak: list[Weak]) -> Group:
    """The weakest objectives: how likely their questions would be remembered now."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for goal in weak[:_MOST_WEAK]:
        chance = Text().append(f"! {goal.recall:4.0%}", style="$doubt")
        table.add_row(chance, Text(f"{goal.text} ({goal.missed} of {goal.answered} missed)"))
    more = [Text(f"and {len(weak) - _MOST_WEAK} more")] if len(weak) > _MOST_WEAK else []
    return Group(table, *more)


def _calendar(state: Overview, today: datetime.date) -> Text:
    """A square for each day of the last weeks, a column a week, today in the last one."""
    monday = today - datetime.timedelta(days=today.weekday(), weeks=WEEKS - 1)
    most = max(state.days.values(), default=0)
    text = Text(no_wrap=True)
    for weekday in range(7):
        text.append(f"{monday + datetime.timedelta(days=weekday):%a}"[:2] + "  ", style="$muted")
        for week in range(WEEKS):
            day = monday + datetime.timedelta(days=weekday, weeks=week)
            count = state.days.get(day, 0)
            shade = _SHADES[min(1 + 3 * count // most, 3)] if count else _SHADES[0] if day <= today else " "
            text.append(f"{shade} ", style="$done" if count else "bold" if day == today else TRACK)
        text.append("\n")
    streak, done = state.streak(today), sum(1 for count in state.days.values() if count)
    return text.append(f"{counted(streak, 'day')} in a row, {counted(done, 'day')} in all", style="$muted")


def _forecast(state: Overview, today: datetime.date, width: int) -> Text:
    """How many questions come back on each of the next days."""
    if not any(state.coming):
        return Text("What you answer comes back when you are about to forget it.", style="$muted")
    most = max(state.coming)
    text = Text(no_wrap=True)
    for ahead, count in enumerate(state.coming):
        day = "today" if not ahead else f"{today + datetime.timedelta(days=ahead):%a}"
        text.append(f"{day:<6}", style="$muted")
        text.append_text(Text.of(share_bar(count / most, width, "$due" if not ahead else "$next")))
        text.append(f" {count}\n")
    return text


def _exercises(state: Overview, attempts: dict[str, list[Attempt]], width: int) -> Text:
    """The best points of each exercise as a bar, and its attempts."""
    text = Text(no_wrap=True)
    for exercise in (one for unit in state.units for one in unit.exercises):
        role = "$done" if exercise.outcome == "pass" else "$partial"
        text.append(f"{exercise.id:<5}", style="bold")
        text.append_text(Text.of(share_bar(exercise.points / (exercise.max_points or 1), width, role)))
        text.append(f" {exercise.points:g}/{exercise.max_points:g}  ", style="$muted")
        made = attempts.get(exercise.id, [])[-_SPARKS:]
        text.append_text(
            Text.of(spark([one.points for one in made], exercise.max_points or 1, styles=[role] * len(made)))
        )
        text.append("\n" if made else "not tried\n", style="$muted")
    return text
