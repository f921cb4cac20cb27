"""All labs of the course, by unit: a still of each from its recorded run, its claim, and what one has done with it."""

from __future__ import annotations

import math
import textwrap
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.types import CSSPathType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.course.lab import Lab
from tlcourse.course.markdown import WORDS_A_MINUTE
from tlcourse.labs.recorded import RecordedRun, recorded
from tlcourse.labs.result import kept_runs
from tlcourse.presenting.lab_run import cut, state
from tlcourse.presenting.marks import Run, spark
from tlcourse.text import counted
from tlcourse.tui.playing import Timeline, in_step
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices
from tlcourse.tui.widgets.lab_stage import Stage
from tlcourse.tui.widgets.lab_view import of_events

_SPARK = 14
_LEAST = 3
"""Points that make a curve."""
_BESIDE_FROM = 110


class Entry(Struct, frozen=True):
    """A lab in the list."""

    lab: Lab
    run: RecordedRun | None
    state: Run
    minutes: int
    tried: bool
    """Whether its result gives nothing away any more."""


class LabChoices(Choices):
    """The list, whose key is named in the last line."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Open", id="labs.open")]


class LabsScreen(CourseScreen):
    """The list, and beside it a large still of the lab under the cursor."""

    AREA = "labs"
    FITTED = "#labs-choices"
    CSS_PATH: ClassVar[CSSPathType | None] = ["lab.tcss", "labs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "play", "Play", id="labs.play", tooltip="Its recorded run"),
        Binding("f", "filter", "Filter", id="labs.filter"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}
        self._shown = ""

    @property
    def path(self) -> list[str]:
        """What it is."""
        return ["labs"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse lab list"

    def body(self) -> ComposeResult:
        """A filter, the list, and the still."""
        yield Input(placeholder="Filter the labs; esc ends", id="labs-filter")
        with Horizontal(id="labs-panes"):
            with Vertical(id="labs-list", classes="pane"):
                yield LabChoices(id="labs-choices", markup=False)
            with Vertical(id="labs-still"):
                yield Static(id="labs-claim", classes="pane", markup=False)
                first = next(iter(self.course_app.labs.values()), None)
                if first is not None:
                    yield Stage(first, motion=False)

    def on_mount(self) -> None:
        """Fill the list."""
        super().on_mount()
        self.query_one("#labs-filter").display = False
        self.query_one("#labs-list").border_title = "Labs"
        self._read()
        self.query_one("#labs-choices").focus()

    def on_screen_resume(self) -> None:
        """A lab may have been tried meanwhile."""
        super().on_screen_resume()
        if self._entries:
            self._read()
            self._shown = ""
            self.fill()

    def fit(self) -> None:
        """Lines fit the list."""
        self.fill()

    def _read(self) -> None:
        app = self.course_app
        predictions = app.record.predictions(app.course.about.id)
        for lab in app.labs.values():
            run = self._entries[lab.id].run if lab.id in self._entries else recorded(app.course.folder, lab.id)
            runs = len(kept_runs(lab.id))
            right = predictions[lab.id][1] if lab.id in predictions else None
            words = len(f"{lab.claim} {lab.prediction.prompt} {lab.explanation}".split())
            seconds = run.about.seconds if run is not None and run.about is not None else 10.0
            minutes = math.ceil(words / WORDS_A_MINUTE + seconds / 60)
            self._entries[lab.id] = Entry(lab, run, state(right, runs), minutes, bool(runs))

    # -- the list --------------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Write the list anew, with the cursor where it was."""
        if not self._entries or not self.has_widgets:
            return
        choices = self.query_one("#labs-choices", OptionList)
        words = self.query_one("#labs-filter", Input).value.casefold().split()
        here = self._chosen()
        width = max(choices.size.width - 1, 30)
        units = {unit.id: unit for unit in self.course_app.course.about.units}
        choices.clear_options()
        unit, place, shown = "", None, 0
        for entry in self._entries.values():
            lab = entry.lab
            text = f"{lab.id} {lab.title} {lab.claim} {units[lab.unit].title}".casefold()
            if not all(word in text for word in words):
                continue
            if lab.unit != unit:
                unit = lab.unit
                choices.add_option(Option(Text(self._words(units[unit].title), style="bold $lab"), disabled=True))
            if place is None or (here is not None and here.lab.id == lab.id):
                place = choices.option_count
            choices.add_option(Option(self._line(entry, width), id=lab.id))
            shown += 1
        choices.highlighted = place
        self.query_one("#labs-list").border_subtitle = counted(shown, "lab")
        self.show_still()

    def _words(self, text: str) -> str:
        return self.course_app.words(text)

    def _line(self, entry: Entry, width: int) -> Text:
        lab = entry.lab
        beside = f"{entry.minutes} min  {entry.state.text}"
        title = self._words(lab.title)
        room = width - len(beside) - 3
        first, *rest = textwrap.wrap(title, room)
        text = Text(no_wrap=True, overflow="crop").append(f"  {first:<{room}} ", style="bold")
        text.append(f"{entry.minutes} min  ", style="$muted").append(entry.state.text, style=entry.state.style)
        text.append("".join(f"\n  {more}" for more in rest), style="bold")
        text.append("\n  ").append_text(self._sparks(entry, width - 2))
        if self.app.size.width < _BESIDE_FROM:
            text.append(f"\n  {cut(self._words(lab.claim), width - 2)}", style="$muted")
        return text

    def _sparks(self, entry: Entry, width: int) -> Text:
        """The last metric of the two arms that are compared, as small curves."""
        text = Text(no_wrap=True, overflow="crop")
        if entry.run is None:
            return text.append("not recorded", style="$muted")
        series = of_events(entry.lab, in_step(entry.run.events)).series
        titles = {arm.id: self._words(arm.title) for arm in entry.lab.arms}
        compared = ((entry.lab.compare.method, "$method"), (entry.lab.compare.control, "$control"))
        metric = next((m for m in reversed(list(series)) if any(arm in series[m] for arm, _ in compared)), None)
        if metric is None:
            return text.append(" · ".join(titles[arm] for arm, _ in compared)[:width], style="$muted")
        shown = [(arm, role, series[metric][arm]) for arm, role in compared if arm in series[metric]]
        if max(len(points) for *_, points in shown) < _LEAST:
            return text.append(" · ".join(titles[arm] for arm, _ in compared)[:width], style="$muted")
        values = [value for *_, points in shown for _, value in points if math.isfinite(value)]
        low, high = min(values, default=0.0), max(values, default=1.0)
        longest = max(len(titles[arm]) for arm, *_ in shown)
        beside = longest + _SPARK + 3 <= width // len(shown)
        for number, (arm, role, points) in enumerate(shown):
            text.append("\n  " if number and not beside else "")
            every = max(len(points) / _SPARK, 1.0)
            scaled = [points[int(n * every)][1] - low for n in range(min(_SPARK, len(points)))]
            text.append_text(Text.of(spark(scaled, high - low, styles=[role] * len(scaled))))
            text.append(f" {titles[arm]:<{longest if beside else 0}}  ", style="$muted")
        return text

    def _chosen(self) -> Entry | None:
        choices = self.query_one("#labs-choices", OptionList)
        if choices.highlighted is None or choices.highlighted >= choices.option_count:
            return None
        return self._entries.get(choices.get_option_at_index(choices.highlighted).id or "")

    # -- the still -------------------------------------------------------------------------------------------------

    @on(OptionList.OptionHighlighted, "#labs-choices")
    def show_still(self) -> None:
        """The end of the recorded run; its result only where it gives nothing away."""
        entry = self._chosen()
        if entry is None or entry.lab.id == self._shown or self.app.size.width < _BESIDE_FROM:
            return
        self._shown = entry.lab.id
        claim = self.query_one("#labs-claim", Static)
        claim.border_title = self._words(entry.lab.title)
        claim.update(self._words(entry.lab.claim))
        events = in_step(entry.run.events) if entry.run is not None else []
        events = [event for event in events if entry.tried or event["type"] != "result"]
        self.query_one(Stage).show(entry.lab, Timeline(events, seconds=None))

    # -- what keys do ----------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#labs-choices")
    def open(self) -> None:
        """Open the lab under the cursor."""
        if (entry := self._chosen()) is not None:
            self.course_app.go(f"lab/{entry.lab.id}")

    def action_play(self) -> None:
        """Play its recorded run."""
        entry = self._chosen()
        if entry is not None and entry.run is not None:
            self.course_app.go(f"play/{entry.lab.id}")
        else:
            self.tell("This lab has no recorded run; enter opens it.")

    def action_filter(self) -> None:
        """Narrow the list by words."""
        words = self.query_one("#labs-filter", Input)
        words.display = True
        words.focus()

    @on(Input.Changed, "#labs-filter")
    def narrow(self) -> None:
        """The list follows what is typed."""
        self.fill()

    @on(Input.Submitted, "#labs-filter")
    def leave_filter(self) -> None:
        """From the filter to the list."""
        self.query_one("#labs-choices").focus()

    def action_leave(self) -> None:
        """End the filter first."""
        words = self.query_one("#labs-filter", Input)
        if words.display:
            words.value, words.display = "", False
            self.query_one("#labs-choices").focus()
        else:
            super().action_leave()

    def action_move(self, by: int) -> None:
        """Go up or down, as everywhere."""
        choices = self.query_one("#labs-choices", OptionList)
        (choices.action_cursor_down if by > 0 else choices.action_cursor_up)()
