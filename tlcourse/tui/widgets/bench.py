"""The bench of an exercise: one's file, the run that goes on, its curves, the verdict and the attempts so far."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tlcourse.course.model import LoadedExercise
from tlcourse.presenting.attempts import Comparison
from tlcourse.presenting.board import Board, own_place
from tlcourse.presenting.error_analysis import TITLE
from tlcourse.presenting.words import ago, drawing, required, time_asked
from tlcourse.student.record import Attempt, now
from tlcourse.tui.clusters import on
from tlcourse.tui.runs import Failure, Run
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.chart import chart, panels
from tlcourse.tui.widgets.gallery import Gallery, shows_colours, wants_colours
from tlcourse.tui.widgets.verdict_view import attempts_view, board_view, errors_view, verdict

_MOST_PANELS = 4
_PANEL_ROWS, _TALL_ROWS = 8, 14
_TALL_FROM = 48
"""From how many lines of the terminal on a panel of curves has more of them."""
_BORDER = 4
_LOG_ROWS = 8
_SAMPLES = 2
_PANES = {
    "verdict": "Verdict",
    "errors": TITLE,
    "charts": "Curves",
    "log": "It printed",
    "attempts": "Attempts",
    "board": "Board",
}
"""Parts with a border, and its title."""


class Bench(VerticalScroll, can_focus=True):
    """Everything about one's own solution; `show` writes it anew."""

    def __init__(self, exercise: LoadedExercise, *, ascii_only: bool, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._exercise, self._ascii_only = exercise, ascii_only
        self._shown: dict[str, RenderableType | None] = {}
        self._drawn: tuple[object, Text] = (None, Text())
        self.details = False
        """Whether the verdict says all that was measured."""

    def compose(self) -> ComposeResult:
        """The parts, from what is to be known before a run to what is left after it."""
        for part in ("file", "status", "samples", "verdict", "errors", "charts", "attempts", "board", "log"):
            pane = Static(id=f"bench-{part}", markup=False)
            if part in _PANES:
                pane.add_class("pane")
                pane.border_title = _PANES[part]
            yield pane
            if part == "samples":
                yield Gallery(self._exercise.about.generator, _SAMPLES, ascii_only=self._ascii_only, id="bench-gallery")

    def show(
        self,
        solution: Path | None,
        run: Run | None,
        attempts: list[Attempt],
        since: Comparison | None,
        watching: bool,
        place: str,
        board: Board | None = None,
    ) -> None:
        """Write all parts anew."""
        exercise = self._exercise
        self._write("file", _about_file(exercise, solution, watching, place))
        self._write("status", about_run(run) if run else _before(exercise, place))
        shown = (
            run is None and exercise.about.generator is not None
        )  # until the first run there is nothing else to look at
        self._write("samples", Text("\nIts data (v shows more):", style="bold") if shown else None)
        self.query_one("#bench-gallery").display = shown
        width = max(self.query_one("#bench-file").size.width - _BORDER, 24)
        rows = _TALL_ROWS if self.screen.size.height >= _TALL_FROM else _PANEL_ROWS
        self._write("charts", charts(run, width, ascii_only=self._ascii_only, rows=rows))
        ended: RenderableType | None = None
        if run and run.state.result is not None:
            best = max((attempt.points for attempt in attempts), default=None) if run.scored else None
            ended = verdict(run.state.result, scored=run.scored, width=width, best=best, details=self.details)
        elif run and run.state.error is not None:
            ended = error_text(run.state.error)
        self._write("verdict", ended)
        self._write("errors", self._errors(run, width))
        self._write("log", log_text(run))
        self._write("attempts", attempts_view(attempts, now(), since))
        own = own_place(board, [attempt.result for attempt in attempts]) if board else None
        self._write("board", board_view(board, own, width, ascii_only=self._ascii_only) if board else None)

    def _errors(self, run: Run | None, width: int) -> RenderableType | None:
        """What went most wrong; drawn once a run, and again in another width."""
        found = run.state.result.error_analysis if run and run.state.result else None
        if found is None:
            return None
        colour = not self._ascii_only and wants_colours(self.app) and shows_colours(self.app)
        dark = self.app.current_theme.dark
        drawn = (id(found), width, colour, dark, self.details)
        if drawn != self._drawn[0]:
            how = drawing(self._ascii_only)
            view = errors_view(found, width, colour=colour, how=how, dark=dark, details=self.details)
            self._drawn = drawn, view
        return self._drawn[1]

    def _write(self, part: str, shown: RenderableType | None) -> None:
        if shown is not None and self._shown.get(part) == shown:
            return  # most parts are as they were: each writing lays the page out anew
        self._shown[part] = shown
        widget = self.query_one(f"#bench-{part}", Static)
        widget.display = shown is not None
        widget.update(shown or "")


def charts(run: Run | None, width: int, *, ascii_only: bool, rows: int = _PANEL_ROWS) -> Text | None:
    """The curves of a run, at most four of them; None before there are any."""
    if run is None or not run.state.metrics:
        return None
    text = Text(no_wrap=True, overflow="crop")
    found = panels(run.state.metrics)
    for title, series in found[:_MOST_PANELS]:
        text.append_text(chart(title, series, width, rows, ascii_only=ascii_only))
        text.append("\n")
    if len(found) > _MOST_PANELS:
        text.append(f"and {', '.join(title for title, _ in found[_MOST_PANELS:])}\n", style="dim")
    return text


def _about_file(exercise: LoadedExercise, solution: Path | None, watching: bool, place: str) -> Text:
    text = Text("Your file: ", style="bold")
    if solution is None:
        text.append("none yet. i makes a solution.py to start from.", style="not bold")
    else:
        age = time.time() - solution.stat().st_mtime if solution.exists() else 0.0
        text.append(f"{solution}, saved {ago(age)}", style="not bold")
        if watching:
            text.append("  watched: graded on every save (w ends it)", style="not bold $live")
    text.append("\nIt runs ", style="bold")
    text.append(f"{on(place)} (p changes that)", style="not bold")
    return text


def _before(exercise: LoadedExercise, place: str) -> Text:
    about = exercise.about
    text = Text("\nWhat is checked:\n", style="bold")
    for check in about.checks:
        text.append(f"• {check.title} {required(check)} ({check.points:g} points)\n", style="not bold")
    for item in about.manual:
        text.append(
            f"• {item.title}, marked by hand ({item.max_points:g} points{', on top' * item.bonus})\n", style="not bold"
        )
    if about.due:
        text.append(f"• due {about.due}\n", style="not bold")
    limits = about.limits
    if (part := about.functions) is not None and about.model is None:
        text.append(
            f"\ng calls what you wrote {on(place)}, each call alone: {part.call_s:g} s and {part.call_mb} MB at most. "
            "r only loads it.",
            style="not bold",
        )
        return text
    text.append(
        f"\ng trains it {on(place)}, apart from the labels, and scores it on {about.sizes.get('test', 0)} new "
        f"items. Time for fit: {time_asked(about.seconds, limits.cpu_s)}. Memory: {limits.memory_mb / 1024:g} GB. "
        "r trains it without scoring.",
        style="not bold",
    )
    return text


def about_run(run: Run) -> Text:
    """What a run does now, where, and for how long."""
    state = run.state
    what = "Grading" if run.scored else "Run"
    if state.ended:
        return Text(f"\n{what} of {run.path}" + (f" {on(run.on)}" if run.remote else ""), style="bold")
    if run.remote:
        return _about_remote(run, what)
    text = Text().append(f"\n{what}: {state.phase}", style="bold $live")
    device = f" on {state.device}" if state.device else ""
    text.append(f"{device}, {time.time() - run.started:.0f} s. s stops it.", style="not bold")
    return text


def _about_remote(run: Run, what: str) -> Text:
    state = run.state
    number = f", run {state.number}" if state.number else ""
    phase = "is being cancelled" if run.stopped else "is on its way" if not state.device else state.phase
    text = Text().append(f"\n{what} {on(run.on)}{number}: {phase}", style="bold $live")
    device = f" on {state.device}" if state.device else ""
    text.append(f"{device}, {time.time() - run.started:.0f} s. ", style="not bold")
    if state.waits:
        text.append(f"{state.waits}\n", style="not bold")
    text.append("Leaving the app leaves it running; s cancels it.", style="not bold dim")
    return text


def error_text(error: Failure) -> Text:
    """What happened, the likely cause, and what fixes it."""
    text = Text(error.what + "\n", style="bold")
    if error.cause:
        text.append(f"Likely cause: {error.cause}\n", style="not bold")
    if error.remedy:
        text.append(f"Fix: {error.remedy}\n", style="not bold")
    return text


def log_text(run: Run | None, rows: int = _LOG_ROWS) -> Text | None:
    """The last lines that a run printed."""
    if run is None or not run.state.log:
        return None
    lines = run.state.log[-rows:]
    text = Text("… earlier lines\n" if len(run.state.log) > rows else "", style="$muted")
    return text.append("\n".join(lines), style="$muted")
