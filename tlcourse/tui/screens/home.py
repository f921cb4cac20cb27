"""Home: continue where one was, then the units with what is done of each."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.student.overview import Overview, UnitState, totals
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices

_CONTINUE = "continue"
_REVIEW = "review"
_TITLE = 22
"""Columns that a unit's title has at least, where it can be had."""


class HomeScreen(CourseScreen):
    """The list of units; a pane at the side (or below) says more about the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "quiz", "Quiz", id="home.quiz"),
        Binding("e", "exercise", "Exercise", id="home.exercise"),
        Binding("v", "review", "Review", id="home.review"),
        Binding("o", "app.go('jobs')", "Jobs on clusters", id="home.jobs", show=False),
        Binding("f", "filter", "Filter the units", id="home.filter", show=False),
        Binding("5", "app.area('progress')", "Progress", id="home.progress"),
        Binding("slash", "app.search", "Search", key_display="/", id="search"),
        Binding("6", "app.area('machine')", "Machine", id="home.machine", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    @property
    def path(self) -> list[str]:
        """The course's title."""
        return [self.course_app.course.about.title]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse lesson list"

    def body(self) -> ComposeResult:
        """A filter, the list and the pane."""
        yield Input(placeholder="Filter the units; esc ends", id="filter")
        with Horizontal(id="panes"):
            yield Choices(id="units")
            with VerticalScroll(id="about", can_focus=False):
                yield Static(id="about-text", markup=False)

    def on_mount(self) -> None:
        """Fill the list and stand on the line to continue with."""
        super().on_mount()
        self.query_one("#filter").display = False
        self.fill()
        self.query_one("#units", OptionList).focus()

    def on_screen_resume(self) -> None:
        """Another screen may have changed what is done."""
        super().on_screen_resume()
        self.fill()

    def on_resize(self) -> None:
        """States move to the right end of the new width."""
        super().on_resize()
        self.call_after_refresh(self.fill)

    def fill(self) -> None:
        """Write the list anew, with the cursor where it was."""
        if not self.is_mounted:
            return
        units = self.query_one("#units", OptionList)
        state = self.course_app.state
        wanted = self.query_one("#filter", Input).value.strip().lower()
        cursor = units.highlighted or 0
        width = max((units.size.width or self.size.width) - 3, 20)  # padding, and room for the scroll bar
        units.clear_options()
        if not wanted:
            units.add_option(Option(self._continue_line(state, width), id=_CONTINUE))
            if state.due:
                units.add_option(Option(f"↻ Review: {state.due} due (v)", id=_REVIEW))
            units.add_option(None)
        found = [unit for unit in state.units if wanted in _outline(unit)]
        units.add_options([Option(_line(unit, width), id=unit.id) for unit in found])
        if not found:
            said = "No unit's outline has these words; enter looks for them in all texts."
            units.add_option(Option(said, disabled=True))
            self.query_one("#about-text", Static).update("")
        units.highlighted = min(cursor, units.option_count - 1)

    def _continue_line(self, state: Overview, width: int) -> Text:
        place = self.resume_place
        text = Text("▶ Continue: " if state.place else "▶ Continue with the first lesson: ", style="bold")
        if not place:
            text = Text("✓ All that is written is done. ", style="bold")
        text.append(self._words(place))
        text.truncate(width, overflow="ellipsis")
        return text

    @property
    def resume_place(self) -> str:
        """Where to continue: where one was, or what comes next."""
        state = self.course_app.state
        return state.place or state.next

    def _words(self, place: str) -> str:
        course = self.course_app.course
        kind, _, name = place.partition("/")
        if kind == "lesson" and name in course.lessons:
            title = next(unit.title for unit in course.about.units if unit.id == name)
            return f"{title} (lesson, {course.lessons[name].minutes} min)"
        if kind == "quiz" and name in course.quizzes:
            return f"{course.quizzes[name].title} (quiz)"
        if kind == "exercise" and name in course.exercises:
            return f"{course.exercises[name].about.title} (exercise)"
        return ""

    @on(OptionList.OptionHighlighted, "#units")
    def show_about(self, event: OptionList.OptionHighlighted) -> None:
        """Say more about the line under the cursor."""
        unit = self._unit(event.option.id)
        self.query_one("#about-text", Static).update(self._about(unit) if unit else self._about_course())

    def _unit(self, name: str | None) -> UnitState | None:
        return next((unit for unit in self.course_app.state.units if unit.id == name), None)

    def _about_course(self) -> Text:
        state = self.course_app.state
        text = Text(self.course_app.course.about.description.strip() + "\n\n")
        text.append(totals(state) + ".\n")
        if state.due:
            text.append(f"{state.due} question{'s are' if state.due > 1 else ' is'} due for review: press v.\n")
        missed = sum(len(quiz.missed) for unit in state.units for quiz in unit.quizzes)
        if missed:
            text.append(f"{missed} {'were' if missed > 1 else 'was'} answered wrongly last: press 5.\n")
        if not state.place:
            text.append("\nenter begins · ? lists the keys · 6 checks this machine\n", style="italic")
        return text

    def _about(self, unit: UnitState) -> Text:
        text = Text(f"{unit.number}  {unit.title}\n", style="bold")
        text.append(unit.summary + "\n", style="not bold")
        for goal in unit.objectives:
            text.append(f"\n• {goal.text}", style="not bold")
        text.append("\n\n")
        if unit.written:
            state = "read" if unit.read else "not read yet"
            text.append(f"Lesson: {unit.minutes} min, {state} (enter)\n", style="not bold")
        else:
            text.append("This lesson is announced, and not written yet.\n", style="italic not bold")
        for quiz in unit.quizzes:
            text.append(f"Quiz: {quiz.title}: {quiz.words} (n)\n", style="not bold")
        for exercise in unit.exercises:
            text.append(f"Exercise: {exercise.title}: {exercise.words} (e)\n", style="not bold")
        return text

    @on(OptionList.OptionSelected, "#units")
    def open(self, event: OptionList.OptionSelected) -> None:
        """Go on, or open the unit's lesson."""
        if event.option.id == _CONTINUE:
            if place := self.resume_place:
                self.course_app.go(place)
            return
        if event.option.id == _REVIEW:
            self.action_review()
        unit = self._unit(event.option.id)
        if unit is None:
            return
        if unit.written:
            self.course_app.go(f"lesson/{unit.id}")
        elif unit.exercises:
            self.action_exercise()
        else:
            self.tell("This lesson is announced, and not written yet.")

    def _chosen(self) -> UnitState | None:
        units = self.query_one("#units", OptionList)
        if units.highlighted is None:
            return None
        return self._unit(units.get_option_at_index(units.highlighted).id)

    def action_quiz(self) -> None:
        """The quiz of the unit under the cursor."""
        unit = self._chosen()
        if unit and unit.quizzes:
            opened = next((quiz for quiz in unit.quizzes if quiz.right < quiz.questions), unit.quizzes[0])
            self.course_app.go(f"quiz/{opened.id}")
        else:
            self.tell("This unit has no quiz; those that have one say so at the right.")

    def action_review(self) -> None:
        """The questions that are due again."""
        self.course_app.go("review")

    def action_exercise(self) -> None:
        """The exercise of the unit under the cursor; of several the first that is not passed yet."""
        unit = self._chosen()
        if unit and unit.exercises:
            opened = unit.exercise_to_do or unit.exercises[0]
            self.course_app.go(f"exercise/{opened.id}")
        else:
            self.tell("This unit has no exercise; 4 opens the exercises.")

    def action_filter(self) -> None:
        """Narrow the list by words."""
        words = self.query_one("#filter", Input)
        words.display = True
        words.focus()

    @on(Input.Changed, "#filter")
    def narrow(self) -> None:
        """The list follows what is typed."""
        self.fill()

    @on(Input.Submitted, "#filter")
    def leave_filter(self) -> None:
        """From the filter to the list; where it is empty, on to the search in all texts."""
        words, units = self.query_one("#filter", Input).value.strip(), self.query_one("#units", OptionList)
        if words and units.get_option_at_index(0).disabled:
            self.course_app.go(f"search/{words}")
        units.focus()

    def action_leave(self) -> None:
        """End the filter; Home itself is left with q."""
        words = self.query_one("#filter", Input)
        if words.display:
            words.value = ""
            words.display = False
            self.query_one("#units", OptionList).focus()
        else:
            self.tell("This is Home; q quits.")

    def action_down(self) -> None:
        """Down one line."""
        self.query_one("#units", OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Up one line."""
        self.query_one("#units", OptionList).action_cursor_up()


def _outline(unit: UnitState) -> str:
    """The words by which the filter finds a unit, in lower case."""
    parts = [*(quiz.title for quiz in unit.quizzes), *(exercise.title for exercise in unit.exercises)]
    return " ".join((unit.title, unit.summary, *(goal.text for goal in unit.objectives), *parts)).lower()


def _line(unit: UnitState, width: int) -> Text:
    """One unit: a symbol, its number and title, and in words what is done."""
    facts = []
    if unit.written:
        facts.append("read" if unit.read else f"{unit.minutes} min")
    if unit.quizzes:
        right, asked = sum(quiz.right for quiz in unit.quizzes), sum(quiz.questions for quiz in unit.quizzes)
        facts.append(f"quiz {right}/{asked}")
    facts += [f"{exercise.id} {exercise.outcome.upper() or 'not tried'}" for exercise in unit.exercises]
    if unit.written and len(" · ".join(facts)) > width - _TITLE:
        del facts[0]  # the time that it takes is said beside the list, or in the lesson
    done = " · ".join(facts) or "announced"
    begun = unit.read or any(quiz.answered for quiz in unit.quizzes) or any(e.attempts for e in unit.exercises)
    symbol = "·" if not unit.written else "✓" if unit.done else "◐" if begun else "○"
    left = f"{symbol} {unit.number:2}  {unit.title}"
    room = max(width - len(done) - 2, 10)
    if len(left) > room:
        left = left[: room - 1] + "…"
    text = Text(f"{left:<{room}}  ", no_wrap=True, style="" if facts else "dim")
    text.append(done, style="$good" if unit.done and facts else "")
    return text
