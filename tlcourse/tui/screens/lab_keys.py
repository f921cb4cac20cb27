"""The keys of a lab's page: how its stage is played, and how it is scrolled."""

from __future__ import annotations

import json
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tlcourse.course.lab import Lab
from tlcourse.labs.recorded import RecordedRun, read_run, recorded
from tlcourse.labs.result import kept_run, kept_runs, replay
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.screens.lab_runs import RunsDialog
from tlcourse.tui.widgets.lab_stage import Stage
from tlcourse.tui.widgets.lab_view import of_events

SIDE_BY_SIDE = 110
"""Columns from which on the stage stands beside what the lab is about."""
_SCRUB = 0.05


class StageScreen(CourseScreen):
    """A screen with a stage, in a page `#lab-page` and beside a column `#lab-about`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", id="lab.pause"),
        Binding("left", "scrub(-1)", "Back", id="lab.back", show=False),
        Binding("right", "scrub(1)", "On", id="lab.on", show=False),
        Binding("plus,equals_sign", "faster(1)", "Faster", id="lab.faster", key_display="+", show=False),
        Binding("minus", "faster(-1)", "Slower", id="lab.slower", key_display="-", show=False),
        Binding("home", "scrub(-100)", "To its beginning", id="lab.first", show=False),
        Binding("end", "scrub(100)", "To its end", id="lab.last", show=False),
        Binding("o", "overlay", "Overlay", id="lab.overlay", show=False, tooltip="Earlier runs with this one"),
        Binding("t", "embedding", "t-SNE or PCA", id="lab.embedding", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("pagedown", "page(1)", "A page on", show=False),
        Binding("b,pageup", "page(-1)", "A page back", show=False),
    ]

    def __init__(self, lab: str) -> None:
        super().__init__()
        self.lab_name = lab

    @property
    def lab(self) -> Lab:
        """What is shown."""
        return self.course_app.labs[self.lab_name]

    @property
    def stage(self) -> Stage:
        """What is seen of a run."""
        return self.query_one(Stage)

    def action_pause(self) -> None:
        """Hold it, or go on; at its end, from the beginning."""
        self.stage.hold()

    def action_scrub(self, by: int) -> None:
        """Back or on."""
        self.stage.seek(by * _SCRUB)

    def action_faster(self, by: int) -> None:
        """Faster or slower."""
        if self.stage.timeline is not None:
            self.stage.timeline.faster(by)
            self.stage.catch_up()

    def action_embedding(self) -> None:
        """Show features the other way: by t-SNE, or along their principal components."""
        there = self.stage.curves.pictured_by
        if len(there) > 1:
            self.stage.by = "pca" if self.stage.by == "tsne" else "tsne"
            self.stage.redraw()
        elif there:
            self.tell("No t-SNE here: it comes with a run of your own, and needs scikit-learn.")
        else:
            self.tell("There is no picture of features; not every lab has one, and it comes with a run.")

    @property
    def _scrolled(self) -> VerticalScroll:
        wide = self.app.size.width >= SIDE_BY_SIDE
        return self.query_one("#lab-about" if wide else "#lab-page", VerticalScroll)

    def action_scroll(self, by: int) -> None:
        """Scroll the page."""
        (self._scrolled.scroll_down if by > 0 else self._scrolled.scroll_up)(animate=False)

    def action_page(self, by: int) -> None:
        """Scroll it by a page."""
        (self._scrolled.scroll_page_down if by > 0 else self._scrolled.scroll_page_up)(animate=False)

    def run_of(self, number: int) -> RecordedRun | None:
        """A kept run, or (0) the one that comes with the course; None where there is none."""
        if number == 0:
            return recorded(self.course_app.course.folder, self.lab_name)
        return read_run(json.dumps(event) for event in replay(self.lab_name, number))

    def action_overlay(self) -> None:
        """Choose earlier runs that are drawn with the present one."""
        runs = [kept_run(self.lab_name, number) for number in kept_runs(self.lab_name)]
        if not runs:
            self.tell("No earlier run is kept yet; r runs it.")
            return
        self.app.push_screen(RunsDialog(runs, list(self.stage.earlier), several=True), self._lay_over)

    def _lay_over(self, chosen: list[int] | None) -> None:
        self.stage.earlier = {
            number: of_events(self.lab, replay(self.lab_name, number), compared=True)
            for number in chosen or []
            if number in kept_runs(self.lab_name)  # the oldest may have gone meanwhile
        }
        self.stage.redraw()

    def on_resize(self) -> None:
        """Side by side, or one above the other."""
        super().on_resize()
        self.put_in_order()

    def put_in_order(self) -> None:
        """Where there is one column, the stage comes first once there is something on it."""
        if not self.has_widgets:
            return
        page, about = self.query_one("#lab-page"), self.query_one("#lab-about")
        first = self.stage.timeline is not None and self.app.size.width < SIDE_BY_SIDE
        order = [self.stage, about] if first else [about, self.stage]
        if list(page.children) != order:
            page.move_child(order[0], before=order[1])
