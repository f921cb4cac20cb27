"""Settings as sliders: ↑ ↓ choose one, ← → change it, between the ends that it has; enter asks for an exact value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from tlcourse.course.lab import Lab, Setting
from tlcourse.errors import UsageError
from tlcourse.presenting.marks import Run
from tlcourse.text import counted
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.lab_before import roomy

_STOPS = 24
"""About as many places as a slider stops at."""
_WIDE_RANGE = 50.0
"""From this ratio of its ends on a slider goes by factors: 1, 2, 5, 10, 20 …"""
_FROM_ZERO = 40.0
"""The same of one that begins at 0: the ratio of its upper end and its default."""


def stops(one: Setting) -> list[float]:
    """The values that a slider stops at, from the lowest to the highest; the default is among them."""
    if one.step:
        found = [one.low + one.step * n for n in range(int((one.high - one.low) / one.step) + 1)]
    elif one.low >= 0 and one.high / (one.low or one.default or one.high) >= (_WIDE_RANGE if one.low else _FROM_ZERO):
        found = _by_factors(one)
    else:
        found = _evenly(one)
    values = {one.low, one.default, one.high, *found}
    if one.whole:
        values = {float(round(value)) for value in values}
    return sorted(value for value in values if one.low <= value <= one.high)


def _by_factors(one: Setting) -> list[float]:
    begin = one.low or min(one.default or one.high, one.high) / 100
    power, found = math.floor(math.log10(begin)), []
    while 10.0**power <= one.high:
        found += [float(f"{digit}e{power}") for digit in (1, 2, 5)]
        power += 1
    return found


def _evenly(one: Setting) -> list[float]:
    rough = (one.high - one.low) / _STOPS
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next((digit * power for digit in (1, 2, 5) if digit * power >= rough), 10 * power)
    step = max(step, 1.0) if one.whole else step
    first = math.ceil(one.low / step)
    return [round((first + n) * step, 10) for n in range(int((one.high - first * step) / step + 1e-9) + 1)]


class Sliders(Widget, can_focus=True):
    """The settings of a lab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "change(-1)", "Less", show=False),
        Binding("right", "change(1)", "More", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("home,backspace", "default", "Default", show=False),
        Binding("enter", "exact", "Exact value", show=False),
    ]

    class Asked(Message):
        """An exact value of a setting is to be typed."""

        def __init__(self, setting: Setting) -> None:
            super().__init__()
            self.setting = setting

    class Changed(Message):
        """A setting has another value."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        super().__init__()
        self._settings = list(settings)
        self.values = {one.id: one.default for one in settings}
        """The value of each setting."""
        self.locked = False
        """While it runs nothing can be changed."""
        self._at = 0

    @property
    def changed(self) -> dict[str, float]:
        """The settings that are not at their defaults."""
        return {one.id: self.values[one.id] for one in self._settings if self.values[one.id] != one.default}

    @property
    def chosen(self) -> Setting:
        """The one that the cursor is on."""
        return self._settings[self._at]

    def put(self, name: str, value: float) -> None:
        """Set one, to a value that it can have."""
        self.values[name] = value
        self.refresh()
        self.post_message(self.Changed())

    def render(self) -> Text:
        """A line for each, and what the chosen one means."""
        return self._drawn(self.content_size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as it takes."""
        if roomy(self.app.size):
            return len(self._lines(max(width, 10)))
        return len(self._settings) + max(
            (len(wrap(self._about(one), max(width, 10))) for one in self._settings), default=0
        )

    def _lines(self, width: int) -> list[tuple[int, str]]:
        """Where there is much room each is told below its slider: of each line whose it is, and what it says."""
        found: list[tuple[int, str]] = []
        for number, one in enumerate(self._settings):
            found += [
                (number, ""),
                *((number, f"  {line}") for line in wrap(self._about(one), width - 2)),
                (number, " "),
            ]
        return found[:-1]

    def _about(self, one: Setting) -> str:
        return f"{one.help} ({one.low:g} to {one.high:g}, default {one.default:g})"

    def _drawn(self, width: int) -> Text:
        text = Text()
        if not self._settings:
            return text
        longest = max(len(_words(one)) for one in self._settings)
        numbers = max(len(f"{self.values[one.id]:g}") for one in self._settings)
        room = max(width - longest - numbers - 4, 6)
        for number, one in enumerate(self._settings):
            here = self.has_focus and number == self._at
            value = self.values[one.id]
            style = "reverse" if here else "bold" if value != one.default else ""
            text.append(f"{_words(one):<{longest}}", style=style).append("  ")
            for run in self._slider(one, room):
                text.append(run.text, run.style or None)
            text.append(f"  {value:>{numbers}g}\n", style="bold" if value != one.default else "$muted")
            if roomy(self.app.size):
                told = [line for whose, line in self._lines(max(width, 10)) if whose == number and line]
                text.append("".join(f"{line}\n" for line in told), style="$muted")
        if roomy(self.app.size):
            return text
        return text.append(self._about(self._settings[self._at]), style="$muted")

    def _slider(self, one: Setting, width: int) -> list[Run]:
        places = stops(one)
        last = max(len(places) - 1, 1)

        def column(value: float) -> int:
            nearest = min(range(len(places)), key=lambda n: abs(places[n] - value))
            return round(nearest / last * (width - 1))

        at, default = column(self.values[one.id]), column(one.default)
        line = ["━" if place < at else "─" for place in range(width)]
        line[default] = "┃" if default != at else line[default]
        line[at] = "●"
        return [Run("".join(line[:at]), "$lab"), Run("●", "bold $lab"), Run("".join(line[at + 1 :]), "$line")]

    def action_move(self, by: int) -> None:
        """Another setting."""
        self._at = (self._at + by) % max(len(self._settings), 1)
        self.refresh()

    def action_change(self, by: int) -> None:
        """The next value of the chosen setting."""
        if self.locked or not self._settings:
            return
        one = self._settings[self._at]
        value = self.values[one.id]
        further = [stop for stop in stops(one) if (stop - value) * by > 0]
        if further:
            self.put(one.id, min(further, key=lambda stop: abs(stop - value)))

    def action_default(self) -> None:
        """Back to the default."""
        if not self.locked and self._settings:
            self.put(self._settings[self._at].id, self._settings[self._at].default)

    def action_exact(self) -> None:
        """Ask for an exact value."""
        if not self.locked and self._settings:
            self.post_message(self.Asked(self._settings[self._at]))

    def on_click(self, event: events.Click) -> None:
        """A click chooses, and moves the slider to where it was clicked."""
        at = event.get_content_offset(self)
        rows = [(number, "") for number in range(len(self._settings))]
        rows = self._lines(max(self.content_size.width, 10)) if roomy(self.app.size) else rows
        if at is None or self.locked or not 0 <= at.y < len(rows):
            return
        self._at = rows[at.y][0]
        one = self._settings[self._at]
        longest = max(cell_len(_words(other)) for other in self._settings)
        numbers = max(len(f"{self.values[other.id]:g}") for other in self._settings)
        room = max(self.content_size.width - longest - numbers - 4, 6)
        place = at.x - longest - 2
        if 0 <= place < room and not rows[at.y][1]:
            found = stops(one)
            self.put(one.id, found[round(place / max(room - 1, 1) * (len(found) - 1))])
        self.refresh()


def _words(one: Setting) -> str:
    return one.id.replace("_", " ")


class SettingsPane(Vertical):
    """The settings of a lab in their frame, and the line in which an exact value is typed."""

    class Refused(Message):
        """What was typed cannot be."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    class Left(Message):
        """The line was left."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(id="lab-settings", classes="pane")
        self._lab = lab

    def compose(self) -> ComposeResult:
        """The sliders, and the line."""
        yield Sliders(self._lab.settings)
        yield Input(id="lab-input")

    def on_mount(self) -> None:
        """Name the pane."""
        self.border_title = "Settings"
        self.display = bool(self._lab.settings)

    @property
    def asks(self) -> bool:
        """Whether a value is being typed."""
        return self.query_one(Input).has_focus

    @on(Sliders.Asked)
    def ask(self, event: Sliders.Asked) -> None:
        """Open the line."""
        line = self.query_one(Input)
        line.value = f"{self.query_one(Sliders).values[event.setting.id]:g}"
        line.cursor_position = len(line.value)
        line.add_class("-open")
        line.focus()

    @on(Input.Submitted)
    def change(self, event: Input.Submitted) -> None:
        """Keep what was typed, if it can be."""
        from tlcourse.labs.runner import settings_of

        one = self.query_one(Sliders).chosen
        try:
            value = settings_of(self._lab, {one.id: event.value.strip()})[one.id]
        except UsageError as error:
            self.post_message(self.Refused(f"{error.what} Its default is {one.default:g}."))
            return
        self.query_one(Sliders).put(one.id, value)
        self.close()

    @on(Sliders.Changed)
    def show_change(self) -> None:
        """What is on the stage was run with other settings."""
        changed = self.query_one(Sliders).changed
        said = counted(len(changed), "setting") + " changed" if changed else "all at their defaults"
        self.border_title = f"Settings – {said}"

    def close(self) -> None:
        """Leave the line for the sliders."""
        self.query_one(Input).remove_class("-open")
        self.query_one(Sliders).focus()
        self.post_message(self.Left())
