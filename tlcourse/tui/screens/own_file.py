"""Something to read, and a bench for one's own file beside it: an exercise, or a method to write."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from tlcourse.errors import TlcourseError
from tlcourse.tui import routes
from tlcourse.tui.screens.frame import CourseScreen

WATCH_S = 0.5
PREWARM_S = 0.3


class OwnFileScreen(CourseScreen):
    """Wide terminals show `#handout-page` and `#bench` side by side, others one of them (`t`)."""

    AREA = "exercises"
    FITTED = "#bench-file"
    CSS_PATH = "own_file.tcss"
    MADE = "e edits it, g grades it."
    """What is said of a file that was made."""
    WATCHES_AT_ONCE = False
    """Whether such a file is watched from then on."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("space,pagedown", "page(1)", "A page on", show=False),
        Binding("b,pageup", "page(-1)", "A page back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._watching: float | None = None
        """When the watched file was saved last; None where none is watched."""

    # -- what each of them has of its own --------------------------------------------------------------------------

    @property
    def solution(self) -> Path | None:
        """The student's file."""
        return None

    @property
    def own_name(self) -> str:
        """What the file is called that `i` makes."""
        return "solution.py"

    @property
    def busy(self) -> bool:
        """Whether its last version is still being looked at."""
        return False

    def refresh_bench(self) -> None:
        """Show the bench as it is now."""

    def begin_saved(self) -> None:
        """The watched file was saved."""

    def make(self, folder: Path | None, *, again: bool) -> tuple[Path, Path | None]:
        """Make the file in `folder` (default: its usual one); return it and the backup of what stood there.

        Raises TlcourseError.
        """
        raise NotImplementedError

    @on(Markdown.LinkClicked)
    def follow(self, event: Markdown.LinkClicked) -> None:
        """A link of the text opens here where it leads into the course; others are shown: there may be no browser."""
        if not routes.follow(self.course_app, event.href):
            self.notify(event.href, title="Link", timeout=15, markup=False)

    # -- two sides -------------------------------------------------------------------------------------------------

    def focus_side(self) -> None:
        """To the side that is shown, or to the page where both are."""
        wide = self.has_class("-wide")
        shown = "#handout-page" if wide or not self.has_class("-bench") else "#bench"
        self.query_one(shown).focus()

    def show_bench(self) -> None:
        """Where only one side fits: the bench."""
        self.add_class("-bench")
        self.focus_side()

    def fit(self) -> None:
        """The bench is drawn for its width."""
        self.refresh_bench()

    def action_turn(self) -> None:
        """The page or the bench, where only one of them fits."""
        if self.has_class("-wide"):
            page, bench = self.query_one("#handout-page"), self.query_one("#bench")
            (bench if page.has_focus else page).focus()
            return
        self.toggle_class("-bench")
        self.focus_side()

    def _side(self) -> VerticalScroll:
        bench = self.query_one("#bench", VerticalScroll)
        page = self.query_one("#handout-page", VerticalScroll)
        if self.has_class("-wide"):
            return bench if bench.has_focus else page
        return bench if self.has_class("-bench") else page

    def action_scroll(self, by: int) -> None:
        """Scroll the side that is in use."""
        (self._side().scroll_down if by > 0 else self._side().scroll_up)(animate=False)

    def action_page(self, by: int) -> None:
        """Scroll it by a page."""
        (self._side().scroll_page_down if by > 0 else self._side().scroll_page_up)(animate=False)

    # -- one's own file --------------------------------------------------------------------------------------------

    def action_init(self) -> None:
        """Make a file to start from."""
        self._make(again=False)

    def action_reset(self) -> None:
        """Start over; what was there is kept as a backup."""
        self._make(again=True)

    def _make(self, *, again: bool) -> None:
        old = self.solution
        try:
            target, backup = self.make(old.parent if old and again else None, again=again)
        except TlcourseError as error:
            self.tell(error.what)
            return
        kept = f" The old one is {backup}." if backup else ""
        self.notify(f"Made {target}.{kept} {self.MADE}", markup=False)
        if self.WATCHES_AT_ONCE:
            self.watch_file()
        self.refresh_bench()

    def has_file(self) -> bool:
        """Whether there is one; where there is none, it is said how to make it."""
        if self.solution is None:
            self.tell(f"There is no solution yet; i makes a {self.own_name} to start from.")
        return self.solution is not None

    def action_edit(self) -> None:
        """Open the file in the student's editor."""
        solution = self.solution
        editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
        if not editor:
            editor = [name for name in ("nano", "vi", "notepad") if shutil.which(name)][:1]
        if not self.has_file():
            return
        if not editor or shutil.which(editor[0]) is None:
            self.tell(f"No editor was found. Set EDITOR, or edit {solution} elsewhere; w looks at it on every save.")
            return
        from textual.app import SuspendNotSupported

        try:
            with self.app.suspend():
                subprocess.run([*editor, str(solution)], check=False)
        except SuspendNotSupported:
            self.tell(f"This terminal cannot be lent to an editor. Edit {solution} elsewhere; w watches it.")
        self.refresh_bench()

    def action_watch_file(self) -> None:
        """Look at it on every save, or no longer."""
        if self._watching is not None:
            self._watching = None
        elif self.has_file():
            self.watch_file()
        self.refresh_bench()

    def watch_file(self) -> None:
        """From now on, if there is one."""
        self._watching = self.solution.stat().st_mtime if self.solution is not None else None

    def look_at_file(self) -> None:
        """Begin where the watched file was saved since; every half second."""
        solution = self.solution if self._watching is not None else None
        if solution is None or self.busy:
            return
        try:
            stamp = solution.stat().st_mtime
        except OSError:  # an editor may be writing it
            return
        if stamp != self._watching:
            self._watching = stamp
            self.begin_saved()
