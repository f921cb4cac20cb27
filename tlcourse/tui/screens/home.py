"""Home: a map of the course, the next step, and what waits for review."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.presenting.marks import spark
from tlcourse.student.overview import Overview, UnitState
from tlcourse.student.record import now
from tlcourse.text import counted
from tlcourse.tui.routes import place_in_words
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets import course_map
from tlcourse.tui.widgets.choices import Choices

_HEADED_FROM, _AIRY_FROM, _SUMMARY_FROM = 30, 38, 54
"""From how many lines of the terminal on the parts of the course have a line of their own, stand apart, and units have
their summary in the map."""
_FIGURE_FROM, _ABOVE_FIGURE = 40, 14
"""From how many columns of its pane on a figure is tried, and the lines that the unit's other panes need."""
_KEYS = ("read", "quiz", "lab", "exercise")


class HomeScreen(CourseScreen):
    """The map, and panes beside it that say more about the unit under the cursor and about what waits."""

    AREA = "home"
    FITTED = "#units, #heat-text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "quiz", "Quiz", id="home.quiz"),
        Binding("x", "lab", "Lab", id="home.lab"),
        Binding("e", "exercise", "Exercise", id="home.exercise"),
        Binding("v", "review", "Review", id="home.review"),
        Binding("o", "app.go('jobs')", "Jobs on clusters", id="home.jobs", show=False),
        Binding("f", "filter", "Filter the units", id="home.filter", show=False),
        Binding("slash", "app.search", "Search", key_display="/", id="search"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._stood = False
        """Whether the cursor was put on the unit to continue with."""
        self._figures: dict[tuple[str, int, int], Text | None] = {}
        """What was drawn, by unit, columns and lines: a cursor comes back."""

    @property
    def path(self) -> list[str]:
        """The course's title."""
        return [self.course_app.course.about.title]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse lesson list"

    def body(self) -> ComposeResult:
        """A filter, the map and the panes."""
        yield Input(placeholder="Filter the units; esc ends", id="filter")
        yield Static(id="continue", markup=False)
        with Container(id="panes"):
            with Vertical(id="map", classes="pane"):
                yield Static(id="map-head", markup=False)
                yield Choices(id="units")
            with Vertical(id="unit-panes"):
                with Vertical(id="unit", classes="pane"):
                    yield Static(id="unit-text", markup=False)
                    with Horizontal(id="unit-keys", classes="keys"):
                        yield Button("⏎ Read", id="key-read", action="screen.read", compact=True)
                        yield Button("n Quiz", id="key-quiz", action="screen.quiz", compact=True)
                        yield Button("x Lab", id="key-lab", action="screen.lab", compact=True)
                        yield Button("e Solve", id="key-exercise", action="screen.exercise", compact=True)
                with VerticalScroll(id="goals", classes="pane", can_focus=False):
                    yield Static(id="goals-text", markup=False)
                yield Static(id="figure", classes="pane", markup=False)
            with Vertical(id="record-panes"):
                yield Static(id="review", classes="pane", markup=False)
                yield Static(id="week", classes="pane", markup=False)
                with VerticalScroll(id="heat", classes="pane", can_focus=False):
                    yield Static(id="heat-text", markup=False)

    def on_mount(self) -> None:
        """Fill the map and stand on the unit to continue with."""
        super().on_mount()
        for pane, title in (("map", "Course map"), ("goals", "You will be able to"), ("week", "Last seven days")):
            self.query_one(f"#{pane}").border_title = title
        self.query_one("#review").border_title = "Review"
        self.query_one("#figure").border_title = "What it looks like"
        self.query_one("#heat").border_title = "What you know, by objective"
        self.query_one("#filter").display = False
        for button in self.query(Button):
            button.can_focus = False  # they are keys: the map keeps the focus
        units = self.query_one("#units", OptionList)
        self.watch(units, "highlighted", self._cursor_moved, init=False)
        if not self.course_app.begins_at:  # else another screen is shown first, and `on_screen_resume` fills this one
            self.fill()
        units.focus()

    def on_screen_resume(self) -> None:
        """Another screen may have changed what is done."""
        super().on_screen_resume()
        self.fill()

    def fit(self) -> None:
        """Columns fit the map."""
        self.fill()

    # -- what is shown -------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Write everything anew, with the cursor where it was."""
        if not self.has_widgets or self.app.screen is not self:
            return
        units = self.query_one("#units", OptionList)
        state = self.course_app.state
        wanted = self.query_one("#filter", Input).value.strip().lower()
        cursor = self._chosen()
        width = max((units.size.width or self.size.width - 6) - 1, 20)  # room for the scroll bar
        labs, at = self._labs(), course_map.columns(state.units, width)
        units.clear_options()
        found = [unit for unit in state.units if wanted in course_map.outline(unit)]
        height = self.size.height
        for unit in found:
            if unit.part and not wanted and height >= _HEADED_FROM:
                above = "\n" if _AIRY_FROM <= height < _SUMMARY_FROM and unit.number > 1 else ""
                units.add_option(Option(Text(above + unit.part, style="bold $next", no_wrap=True), disabled=True))
            line = course_map.line(unit, labs.get(unit.id, 0), at, summary=height >= _SUMMARY_FROM)
            units.add_option(Option(line, id=unit.id))
        if not found:
            said = "No unit's outline has these words; enter looks for them in all texts."
            units.add_option(Option(said, disabled=True))
            self._show_unit(None)
        self.query_one("#map-head", Static).update(course_map.head(at))
        stands = cursor.id if cursor and self._stood else self._resume_unit
        if any(unit.id == stands for unit in found):
            units.highlighted = units.get_option_index(stands)
        elif found:
            units.highlighted = units.get_option_index(found[0].id)
        self._stood = True
        self._show_continue(state)
        self._show_record(state)

    def _labs(self) -> dict[str, int]:
        """How many labs each unit has."""
        found: dict[str, int] = {}
        for lab in self.course_app.labs.values():
            found[lab.unit] = found.get(lab.unit, 0) + 1
        return found

    @property
    def resume_place(self) -> str:
        """Where to continue: where one was, or what comes next."""
        return self.course_app.state.resume

    @property
    def _resume_unit(self) -> str:
        unit = self.course_app.state.unit_of(self.resume_place)
        return unit.id if unit else ""

    def _show_continue(self, state: Overview) -> None:
        """The line above the map, where no pane beside it says it."""
        text = Text(no_wrap=True, overflow="ellipsis")
        if state.due:
            text.append(f"↻ Review: {state.due} due (v)  ", style="$due")
        text.append(self._continue_words(state), style="bold $next")
        line = self.query_one("#continue", Static)
        line.update(text if not self.query_one("#filter").display else "")

    def _continue_words(self, state: Overview) -> str:
        if not self.resume_place:
            return "✓ All that is written is done."
        begun = "▶ Continue: " if state.place else "▶ Continue with the first lesson: "
        return begun + place_in_words(self.course_app.course, self.resume_place)

    def _cursor_moved(self, highlighted: int | None) -> None:
        """Say more about the unit under the cursor, in the paint that moves it: the list's message comes after that."""
        if highlighted is not None:
            self._show_unit(self._chosen())

    def _show_unit(self, unit: UnitState | None) -> None:
        pane, state = self.query_one("#unit"), self.course_app.state
        self.query_one("#unit-keys").display = self.query_one("#goals").display = unit is not None
        self._show_figure(unit)
        if unit is None:
            pane.border_title = "Course"
            self.query_one("#unit-text", Static).update(f"{self.course_app.course.about.description.strip()}")
            return
        resumed = unit.id == self._resume_unit
        pane.border_title = "Next" if resumed else f"Unit {unit.number}"
        labs = self._labs().get(unit.id, 0)
        text = Text(f"{unit.title}\n", style="bold $next")
        text.append(unit.summary + "\n", style="not bold $foreground")
        text.append(" · ".join(course_map.facts(unit, labs)) + "\n", style="not bold $muted")
        if not unit.written:
            text.append("This lesson is announced, and not written yet.\n", style="italic not bold $foreground")
        if resumed:
            text.append("\n" + self._continue_words(state) + "\n", style="bold $foreground")
        self.query_one("#unit-text", Static).update(text)
        there = {"read": unit.written, "quiz": unit.quizzes, "lab": labs, "exercise": unit.exercises or unit.write_its}
        for key in _KEYS:
            self.query_one(f"#key-{key}").display = bool(there[key])
        read = self.query_one("#key-read", Button)
        read.label = "⏎ Continue" if resumed else "⏎ Read again" if unit.read else "⏎ Read"
        read.add_class("-primary")
        self.query_one("#goals-text", Static).update(course_map.goals(unit))

    def _show_figure(self, unit: UnitState | None) -> None:
        """The first figure of the unit's lesson that the pane has room for."""
        pane, room = self.query_one("#figure", Static), self.query_one("#unit-panes").size
        pane.display = False
        lesson = self.course_app.course.lessons.get(unit.id) if unit and room.width >= _FIGURE_FROM else None
        if lesson is None or unit is None:
            return
        from tlcourse.course.markdown import fences  # not before the first paint where there is no room
        from tlcourse.presenting.figures import drawn_text
        from tlcourse.presenting.figures.canvas import widest

        fits = (unit.id, room.width - 4, room.height - _ABOVE_FIGURE - 2 * len(unit.objectives))
        if fits not in self._figures:
            self._figures[fits] = None
            for _, source in fences(lesson.body, "figure"):
                lines = drawn_text(source, fits[1])
                if widest(lines) <= fits[1] and len(lines) <= fits[2]:
                    text = self._figures[fits] = Text(no_wrap=True, overflow="crop")
                    for line in lines:
                        text.append_text(Text.of(line)).append("\n")
                    break
        if (found := self._figures[fits]) is not None:
            pane.update(found)
            pane.display = True

    def _show_record(self, state: Overview) -> None:
        """Review and week: of days, not of a unit."""
        review = self.query_one("#review", Static)
        review.set_class(state.due > 0, "-due")
        text = Text()
        if state.due:
            text.append(f"{counted(state.due, 'question')} due", style="bold $due").append("  v asks them\n")
        else:
            text.append("Nothing is due.\n")
        missed = sum(unit.missed for unit in state.units)
        if missed:
            text.append(f"{missed} answered wrongly last (6 lists them)\n", style="$muted")
        if any(state.coming):
            text.append("to come  ", style="$muted").append_text(Text.of(spark(state.coming, max(state.coming))))
            text.append(f"  {sum(state.coming)} in {len(state.coming)} days", style="$muted")
        elif not state.due:
            text.append("What you answer comes back here when you are about to forget it.", style="$muted")
        review.update(text)
        heat = self.query_one("#heat-text", Static)
        heat.update(course_map.heat(state, max(heat.size.width, 30)))
        self.query_one("#week", Static).update(course_map.week(state, now().astimezone().date()))

    # -- what keys do --------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#units")
    def open(self) -> None:
        """Continue where one was, or open the unit under the cursor."""
        unit = self._chosen()
        if unit is None:
            return
        if unit.id == self._resume_unit:
            self.course_app.go(self.resume_place)
        else:
            self.action_read()

    def _chosen(self) -> UnitState | None:
        units = self.query_one("#units", OptionList)
        if units.highlighted is None or units.highlighted >= units.option_count:
            return None
        name = units.get_option_at_index(units.highlighted).id
        return next((unit for unit in self.course_app.state.units if unit.id == name), None)

    def action_read(self) -> None:
        """The lesson of the unit under the cursor, or where one was in this unit."""
        unit = self._chosen()
        if unit is None:
            return
        if unit.id == self._resume_unit:
            self.course_app.go(self.resume_place)
        elif unit.written:
            self.course_app.go(f"lesson/{unit.id}")
        elif unit.exercises:
            self.action_exercise()
        else:
            self.tell("This lesson is announced, and not written yet.")

    def action_quiz(self) -> None:
        """The quiz of the unit under the cursor."""
        unit = self._chosen()
        if unit and unit.quizzes:
            opened = next((quiz for quiz in unit.quizzes if quiz.right < quiz.questions), unit.quizzes[0])
            self.course_app.go(f"quiz/{opened.id}")
        else:
            self.tell("This unit has no quiz; the map has a bar for those that have one.")

    def action_lab(self) -> None:
        """The lab of the unit under the cursor; of several one is chosen."""
        from tlcourse.tui.screens.dialogs import choose_lab

        unit = self._chosen()
        if unit is None or not choose_lab(self.course_app, unit.id):
            self.tell("This unit has no lab; 5 shows all labs.")

    def action_review(self) -> None:
        """The questions that are due again."""
        self.course_app.go("review")

    def action_exercise(self) -> None:
        """The exercise of the unit under the cursor, or its method to write; where it has both, one is chosen."""
        from tlcourse.tui.screens.dialogs import choose_exercise

        unit = self._chosen()
        if unit is None or not choose_exercise(self.course_app, unit):
            self.tell("This unit has no exercise; 4 opens the exercises.")

    def action_filter(self) -> None:
        """Narrow the map by words."""
        words = self.query_one("#filter", Input)
        words.display = True
        words.focus()

    @on(Input.Changed, "#filter")
    def narrow(self) -> None:
        """The map follows what is typed."""
        self.fill()

    @on(Input.Submitted, "#filter")
    def leave_filter(self) -> None:
        """From the filter to the map; where it is empty, on to the search in all texts."""
        words, units = self.query_one("#filter", Input).value.strip(), self.query_one("#units", OptionList)
        if words and self._chosen() is None:
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
