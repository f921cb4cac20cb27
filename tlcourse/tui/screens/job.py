"""One run on a cluster, followed: what it prints, its curves, and in the end its verdict."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tlcourse.tui.runs import Run
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.widgets.bench import about_run, charts, error_text, log_text
from tlcourse.tui.widgets.verdict_view import verdict

_REFRESH_S = 0.2
_LOG_ROWS = 100


class JobScreen(CourseScreen):
    """A run from its beginning. Leaving it leaves the run as it is."""

    CSS_PATH = "jobs.tcss"
    FITTED = "#job-page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("escape", "leave", "Back; it keeps running", id="leave"),
    ]

    def __init__(self, run: Run, *, followed: bool) -> None:
        """`followed`: the process was made for this screen, and ends with it."""
        super().__init__()
        self._run = run
        self._followed = followed
        self._version = -1

    @property
    def path(self) -> list[str]:
        """Which run."""
        return ["Jobs", f"run {self._run.state.number}"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse jobs tail {self._run.state.number}"

    def body(self) -> ComposeResult:
        """The same parts as on the bench of an exercise."""
        with VerticalScroll(id="job-page"):
            for part in ("status", "verdict", "charts", "log"):
                yield Static(id=f"job-{part}", markup=False)

    def on_mount(self) -> None:
        """Look now, and often."""
        super().on_mount()
        self.query_one("#job-page").focus()
        self.set_interval(_REFRESH_S, self._tick)

    def on_unmount(self) -> None:
        """Following ends; the job keeps running."""
        if self._followed:
            self._run.ask_to_stop()
            self.course_app.background.leave(self._run.child)

    def fit(self) -> None:
        """Charts are drawn for the page."""
        self._show()

    def _tick(self) -> None:
        state = self._run.state
        if self._followed and not state.ended:
            self._run.poll()
            if state.ended:
                self.course_app.changed()  # a verdict was recorded
        if state.version != self._version or (not state.ended and time.time() % 1 < _REFRESH_S):
            self._version = state.version
            self._show()

    def _show(self) -> None:
        if not self.has_widgets:
            return
        run, app = self._run, self.course_app
        width = max(min(self.query_one("#job-page").size.width - 4, 100), 24)
        ended: RenderableType | None = None
        if run.state.result is not None:
            ended = verdict(run.state.result, scored=run.scored, width=width)
        elif run.state.error is not None:
            ended = error_text(run.state.error)
        self._write("status", about_run(run))
        self._write("verdict", ended)
        self._write("charts", charts(run, width, ascii_only=app.ascii_only))
        self._write("log", log_text(run, _LOG_ROWS))

    def _write(self, part: str, shown: RenderableType | None) -> None:
        widget = self.query_one(f"#job-{part}", Static)
        widget.display = shown is not None
        widget.update(shown or "")

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        page = self.query_one("#job-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)
