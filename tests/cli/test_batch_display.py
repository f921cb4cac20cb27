"""What a person sees while a batch runs, on a terminal and without one."""

from __future__ import annotations

import io

from rich.console import Console

from tlcourse.cli import batch_display
from tlcourse.cli.batch_display import PlainDisplay, headline, summary
from tlcourse.grading.batch.state import BatchState, FailureGroup
from tlcourse.presenting.words import duration

STATE = BatchState(
    batch=1,
    exercise="ex2",
    total=40,
    counts={"pass": 9, "crash": 3, "infra": 1},
    final=12,
    infra=1,
    going=True,
    running=[("FailureGroup \x1b[2J9", 31.0)],
    rate_per_minute=3.1,
    seconds_left=560.0,
    slowest=[("[red]FailureGroup 2", 61.0)],
    failures=[
        FailureGroup("crash", "KeyError in fit: '[b]loss[/b]'", ["FailureGroup 4", "FailureGroup 5", "FailureGroup 6"]),
        FailureGroup("infra", "the worker did not start", ["FailureGroup 7"]),
    ],
)


def test_the_headline_has_counts_rate_and_time_left():
    assert headline(STATE) == "12 of 40 graded (3 crash, 1 infra, 9 pass), 3.1 a minute, about 9 min left"


def test_times_are_said_as_people_say_them():
    assert [duration(seconds) for seconds in (40, 89, 560, 7500)] == ["40 s", "89 s", "9 min", "2 h 5 min"]


def test_the_table_groups_failures_and_shows_hostile_names_as_text():
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    console.print(batch_display.drawn(STATE))
    shown = console.file.getvalue()
    assert "crash × 3: KeyError in fit: '[b]loss[/b]' (FailureGroup 4, FailureGroup 5, FailureGroup 6)" in shown
    assert "slowest: [red]FailureGroup 2 61 s" in shown
    assert "now: FailureGroup 9 31 s" in shown
    assert "\x1b[2J" not in shown


def test_without_a_terminal_a_line_is_said_when_something_changed(capsys, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(batch_display.time, "monotonic", lambda: next(clock))
    display = PlainDisplay()
    for _ in range(3):
        display.show(lambda: STATE)
    assert capsys.readouterr().err.splitlines() == [headline(STATE)]


def test_the_end_says_what_is_left_and_how_to_go_on():
    lines = list(summary(STATE))
    assert lines[0].startswith("12 of 40 graded")
    assert any("GRADER FAULT" in line and "FailureGroup 7" in line for line in lines)
    assert lines[-1] == "  28 without a verdict: give the command again with --resume."
