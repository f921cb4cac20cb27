"""Every screen, in every state of `tests/support/tour.py`: what must hold on each.

`.ci/run` looks at all of them in the first theme at 60×20, 80×24 and 120×40, and at some in all themes and at 200×60
too; nightly this is done with all of them.
"""

from __future__ import annotations

import datetime
import re
import time
import types

import pytest
from drawn import LEAST, contrast, drawn, notices_of, used
from looks import FOLDER, Look, all_themes, kept_or_differs
from textual.color import Color
from textual.command import CommandPalette
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.widgets._toast import Toast
from textual.widgets.markdown import MarkdownFence
from tour import BATCH_STOPS, EXAMPLE, STOPS

from tlcourse.tui.screens.search import SearchScreen
from tlcourse.tui.themes import NO_COLOUR, PALETTES
from tlcourse.tui.widgets.key_line import KeyLine

MOST_KEYS = 7
BY_HAND = {"home"}
TELLING = {"home-begun", "lesson", "quiz-answered", "exercise-bench", "lab-played", "jobs", "palette", "batch"}
"""Of each kind of screen one with much on it: what a theme or a large terminal breaks is seen on these first."""
USED = {"home-begun", "exercise-bench", "labs", "lab", "lab-played", "progress"}
"""Where there is enough to show for large terminals."""
PATIENCE = 200
"""Looks at the screen after a key, 0.05 s apart, until it counts as mute."""


CUT = re.compile(r"\w+…")
WHOLE = {"Hint…", "Cancel…", "commands…"}
"""Words before a sign that more follows; of what is left out between whole words the sign stands alone."""
LARGE = ((120, 40), (200, 60))
DAY = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def always_alike(tmp_path, monkeypatch, no_doctor, one_day, one_student):
    """A machine on which little works, one day, one order of answers; nothing moves or blinks, and notices stay."""
    monkeypatch.setattr("textual.notifications.Notification.time_left", 3600.0)
    monkeypatch.setattr("textual.notifications.Notification.has_expired", False)
    monkeypatch.setattr("textual.widgets.Input._toggle_cursor", lambda field: None)
    (tmp_path / "still.yaml").write_text("motion: off\n")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(tmp_path / "still.yaml"))


@pytest.fixture
def one_day(monkeypatch):
    """It is noon of the first of January 2026, in every time zone."""

    class Noon(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return DAY.astimezone(tz)

    monkeypatch.setattr(
        "tlcourse.student.record.datetime", types.SimpleNamespace(**{**vars(datetime), "datetime": Noon})
    )
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.fixture
def one_student(monkeypatch):
    """Options stand in the order of this one student, whom no answer changes."""
    monkeypatch.setattr("tlcourse.student.record.Record.seed", lambda record, course: 1)


@pytest.fixture
def accept(request) -> bool:
    """Whether what is seen is how it shall look from now on: then all of it is looked at."""
    return request.config.getoption("--accept-looks")


@pytest.fixture
def looks(request, accept):
    """`looks(name, look)`: it is the one that is kept, or (`--accept-looks`) becomes that."""

    def compared(name: str, look: Look) -> None:
        differs = look.against(name, accept=accept)
        assert not differs, f"{differs}\n\nIf it shall look so: pytest {request.node.nodeid!r} --accept-looks"

    return compared


def last_line(person) -> list[tuple[str, int]]:
    """The keys of the last line, and behind which column each ends."""
    return [pair for line in person.app.screen.query(KeyLine) for pair in zip(line.keys, line.ends, strict=True)]


def problems(person) -> list[str]:
    """What does not hold of what is on the screen now."""
    screen = person.app.screen
    width, height = person.app.size
    found = []
    focused = screen.focused
    if focused is not None and not (focused.is_on_screen and focused.region.area):
        found.append(f"the focus is on {focused!r}, which is not seen")
    if len(last_line(person)) > MOST_KEYS:
        found.append(f"{len(last_line(person))} keys in the last line")
    for key, end in last_line(person):
        if end > width:
            found.append(f"the key {key.shown} is cut off")
    for widget in screen.query("*"):
        if isinstance(screen, CommandPalette):
            continue  # Textual's own, which lays its parts over one another
        if not widget.is_on_screen or not widget.region.area or isinstance(widget, Input):
            continue
        inside = isinstance(widget.parent, Widget) and not isinstance(widget, Toast)  # a notice lies over all else
        room = widget.parent.region if inside else screen.region
        if not room.x <= widget.region.x <= widget.region.right <= room.right and not _scrolled(widget):
            found.append(f"{widget!r} is wider than its place")
        if isinstance(widget, Static) and widget.styles.text_wrap == "nowrap":
            lines = str(widget.render()).splitlines()
            if max(map(len, lines), default=0) > widget.content_size.width:
                found.append(f"lines of {widget!r} are cut off")
    if not isinstance(screen, SearchScreen):  # it quotes, in whole words
        found += [f"{cut!r} is cut" for cut in CUT.findall(person.screen) if cut not in WHOLE]
    if not any(line.strip() for line in person.screen.splitlines()[1 : height - 1]):
        found.append("nothing is shown")
    return found


def _scrolled(widget) -> bool:
    return any(isinstance(above, MarkdownFence) for above in widget.ancestors)


def too_faint(person, least: float) -> list[str]:
    """Words that cannot be read well enough."""
    found = []
    for text, style in drawn(person):
        if any(character.isalnum() for character in text):
            front, back = (Color.from_rich_color(colour) for colour in (style.color, style.bgcolor))
            if (ratio := contrast(front, back)) < least:
                found.append(f"{text.strip()!r} {front.hex} on {back.hex}: {ratio:.2f}:1")
    return found


def coloured(person) -> list[str]:
    """What has a colour of its own."""
    return [
        f"{text.strip()!r} {style}"
        for text, style in drawn(person)
        if any(colour is not None and not colour.is_default for colour in (style.color, style.bgcolor))
    ]


async def sweep(person, name: str, step, *, whole: bool) -> Look:
    look = Look()
    await step(person)
    await fits(person)
    await person.pilot.resize_terminal(80, 24)
    await fits(person)
    first, *others = PALETTES
    for theme in [first, *others] if whole else [first]:
        person.app.theme = theme
        await person.press()
        if isinstance(person.app.screen, CommandPalette):  # it keeps its lines, and is gone once a theme is chosen
            await person.press("escape")
            await step(person)
        assert too_faint(person, 7.0 if theme == "high-contrast" else 4.5) == [], f"{theme}\n{person.screen}"
        look.see(person)
    if whole:
        person.app.theme = NO_COLOUR
        await person.press()
        assert coloured(person) == []
        look.see(person)
        person.app.theme = first
    for size in LARGE if whole or name in USED else LARGE[:1]:
        await person.pilot.resize_terminal(*size)
        await fits(person)
        assert name not in USED or used(person.screen, *size) >= LEAST, person.screen
        look.see(person)
    return look


async def fits(person) -> None:
    await person.press()
    assert problems(person) == [], f"{person.app.size}\n{person.screen}"


def whole_or_in_part(stops) -> list[object]:
    """(stop, whether in all themes and at all sizes): one is visited by hand, each in `.ci/run`, and whole nightly."""
    slow, nightly = [pytest.mark.slow], [pytest.mark.slow, pytest.mark.nightly]
    return [
        *(pytest.param(one, one in TELLING, id=one, marks=() if one in BY_HAND else slow) for one in stops),
        *(pytest.param(one, True, id=f"{one}-whole", marks=nightly) for one in stops if one not in TELLING),
    ]


@pytest.mark.parametrize(("name", "whole"), whole_or_in_part(STOPS))
async def test_every_screen_fits_can_be_read_and_looks_as_it_did(visit, name, whole, looks, accept):
    async with visit(60, 20) as person:
        look = await sweep(person, name, STOPS[name], whole=whole or accept)
    looks(name, look)


@pytest.mark.parametrize(("name", "whole"), whole_or_in_part(BATCH_STOPS))
async def test_so_do_the_screens_of_the_staff(visit, graded, name, whole, looks, accept):
    graded(anna="passes", bo="fails", cleo="crashes", dora="fails", emil="faults")
    async with visit(60, 20, course=EXAMPLE) as person:
        look = await sweep(person, name, BATCH_STOPS[name], whole=whole or accept)
    looks(name, look)


def test_a_colour_is_what_it_was_and_no_look_is_kept_of_a_screen_that_is_gone(request):
    accept = request.config.getoption("--accept-looks")
    assert kept_or_differs("themes.txt", all_themes(), accept=accept) == ""
    kept = {file.stem for file in FOLDER.glob("*.txt")}
    assert kept == {"themes", *STOPS, *BATCH_STOPS}


PLACES = "home lesson/source-and-target quiz/residual-connections exercise/ex2 lab/dann jobs progress machine".split()


def seen(person) -> tuple[str, int]:
    """What is shown, and how much was told."""
    return person.screen, len(notices_of(person.app))


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
async def test_each_key_of_the_last_line_does_something_or_says_why_not(visit, place, monkeypatch):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    async with visit(80, 24) as person:
        if place != "home":
            await person.go(place)
        here, mute = len(person.app.screen_stack), []
        for key in [one.key for one, _ in last_line(person) if one.action != "leave_app"]:
            before = seen(person)
            await person.press(key)
            for _ in range(PATIENCE):
                if seen(person) != before:
                    break
                await person.pilot.pause(0.05)
            else:
                mute.append(key)
            while len(person.app.screen_stack) > here:
                await person.press("escape")
            if len(person.app.screen_stack) < here:
                await person.go(place)
            person.app.clear_notifications()
        assert mute == []
