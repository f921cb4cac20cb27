"""The stage of a lab: result, curves and pictures of a run as far as it is shown, and where in it one is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from tlcourse.course.lab import Lab
from tlcourse.presenting.figures.canvas import wrapped
from tlcourse.presenting.lab_run import ROLE, bars, better, cut, seeds
from tlcourse.presenting.marks import Run, share_bar
from tlcourse.tui.playing import Timeline
from tlcourse.tui.text import Text, spelt_out
from tlcourse.tui.widgets.lab_before import arms, method, roomy, shows
from tlcourse.tui.widgets.lab_view import Curves, Drawn, between, keys_of, pictures

if TYPE_CHECKING:
    from tlcourse.tui.app import CourseApp

_BAR = 30
_IDEA = 5
"""Lines from which on there is room for the idea below who is compared."""


class Stage(Vertical):
    """What is seen of a run. `timeline` says how much of it; without one there is nothing to see yet.

    Args:
        lab: Whose run it is.
        motion: Whether clouds of features move.
        keys: What the line below says of the keys.
        figure: What stands below the arms where there is room and no run yet, as it is described in a lesson.
    """

    class Over(Message):
        """All of the run is shown; its result is None where it has none."""

        def __init__(self, result: dict[str, Any] | None) -> None:
            super().__init__()
            self.result = result

    def __init__(self, lab: Lab, *, motion: bool, keys: str = "← → back, on   + − speed", figure: str = "") -> None:
        super().__init__(id="lab-stage")
        self._lab, self._motion, self._keys, self._figure = lab, motion, keys, figure
        self.timeline: Timeline | None = None
        self.earlier: dict[int, Curves] = {}
        """Earlier runs that are drawn with this one, by their number."""
        self.by = "pca"
        """How features are pictured."""
        self.curves = Curves(lab)
        self._taken, self._cloud, self._told = 0, 1.0, False
        self._result: dict[str, Any] | None = None

    def compose(self) -> ComposeResult:
        """From what came of it to how it came."""
        yield Drawn(self._draw_result, id="lab-result", classes="pane")
        yield Drawn(self._draw_charts, id="lab-charts", classes="pane")
        yield Drawn(self._draw_method, id="lab-method", classes="pane")
        yield Drawn(lambda width, _: shows(width, self._words), id="lab-shows", classes="pane")
        yield Drawn(self._draw_pictures, id="lab-pictures", classes="pane")
        yield Static(id="lab-time", markup=False)

    def on_mount(self) -> None:
        """Name the panes; where the stage goes with its screen meanwhile, they have not come."""
        if not self.children:
            return
        self._part("pictures").border_title = "Features"
        self._part("method").border_title = "The idea"
        self._part("shows").border_title = "What a run shows"
        self.redraw()

    def _part(self, name: str) -> Drawn:
        return self.query_one(f"#lab-{name}", Drawn)

    @property
    def _ascii(self) -> bool:
        return cast("CourseApp", self.app).ascii_only

    # -- how much is shown -----------------------------------------------------------------------------------------

    def begin(self, timeline: Timeline) -> None:
        """Show another run, from its beginning."""
        self.timeline = timeline
        self._forget()
        self._told = False
        self.redraw()

    def show(self, lab: Lab, timeline: Timeline) -> None:
        """Show a run of another lab."""
        self._lab = lab
        self.begin(timeline)
        self.catch_up()

    def _forget(self) -> None:
        self.curves, self._taken, self._cloud, self._result = Curves(self._lab), 0, 1.0, None

    def tick(self, elapsed_s: float) -> None:
        """So much time has passed: draw what is new."""
        if self.timeline is None or (self._told and self.timeline.over):
            return
        self.timeline.advance(elapsed_s)
        self.catch_up()

    def catch_up(self) -> None:
        """Draw what the timeline shows now."""
        assert self.timeline is not None
        shown = self.timeline.shown
        drew, pictured = bool(self.curves.series), bool(self.curves.pictured_by)
        stale = moved = False
        if len(shown) < self._taken:
            self._forget()
            stale = True
        for event in shown[self._taken :]:
            taken = self.curves.take(event)
            if event["type"] == "metric" and drew and pictured == bool(self.curves.pictured_by):
                moved = taken or moved
            else:
                stale = taken or stale
            if event["type"] == "result":
                self._result, stale = event["result"], True
        self._taken = len(shown)
        cloud = self.timeline.cloud if self._motion else 1.0
        if stale:
            self.redraw(cloud)
        else:  # one more point of a curve, or clouds on their way: nothing else is drawn
            if moved:
                self._part("charts").redraw()
            if cloud != self._cloud:
                self._cloud = cloud
                self._part("pictures").redraw()
        self._cloud = cloud
        self._show_time()
        if self.timeline.over and not self._told:
            self._told = True
            self.post_message(self.Over(self._result))

    def seek(self, by: float) -> None:
        """Forward or back by a share of the run."""
        if self.timeline is not None:
            self.timeline.seek(self.timeline.share + by)
            self._told = False
            self.catch_up()

    def hold(self) -> None:
        """Hold it, or go on; at its end, from the beginning."""
        if self.timeline is None:
            return
        if self.timeline.over:
            self.seek(-1.0)
            self.timeline.paused = False
        else:
            self.timeline.paused = not self.timeline.paused
        self.catch_up()

    def on_resize(self) -> None:
        """A large terminal shows the method, too, until there is something to be seen."""
        if self.has_class("-roomy") != self.roomy:
            self.redraw()

    # -- drawing ---------------------------------------------------------------------------------------------------

    def redraw(self, cloud: float | None = None) -> None:
        """All of it."""
        self._cloud = self._cloud if cloud is None else cloud
        result, charts, shown = self._part("result"), self._part("charts"), self._part("pictures")
        result.display = self._result is not None
        shown.display = bool(self.curves.pictured_by)
        if self._result is not None:
            result.border_title = self._words(better(self._lab))
        self.set_class(self.roomy, "-roomy")
        charts.border_title = "Curves" if self._drawn else "What is compared"
        method = self._part("method")
        method.display = self.roomy and bool(self._figure or self._lab.formula)
        coming = self._part("shows")
        coming.display = self.roomy
        for part in (result, charts, method, coming, shown):
            if part.display:
                part.redraw()
        self._show_time()

    @property
    def roomy(self) -> bool:
        """Whether there is nothing to be seen yet, and much room for it."""
        return self.timeline is None and not self._drawn and roomy(self.app.size)

    @property
    def _drawn(self) -> bool:
        return bool(self.curves.series or self.earlier)

    def _words(self, text: str) -> str:
        return cast("CourseApp", self.app).words(text)

    def _show_time(self) -> None:
        line = self.query_one("#lab-time", Static)
        paced = self.timeline is not None and self.timeline.seconds is not None
        line.display = paced
        if self.timeline is None or not paced:
            return
        state = "paused" if self.timeline.paused else "over" if self.timeline.over else "plays"
        text = Text(" ", no_wrap=True).append_text(Text.of(share_bar(self.timeline.share, _BAR, "$lab")))
        text.append(f" {state}", style="bold")
        speed = f", {self.timeline.speed:g} times as fast" if self.timeline.speed != 1 else ""
        line.update(text.append(f"{speed}  {self._keys}", style="$muted"), layout=False)

    def _draw_result(self, width: int, height: int) -> Text:
        del height
        if self._result is None:
            return Text()
        papers = "".join(f" · ◆ {paper.title}" for paper in self._lab.paper)
        self._part("result").border_subtitle = cut(self._words(seeds(self._result) + papers), width - 2)
        keys = keys_of(self._lab, self.curves.arms, ascii_only=self._ascii)
        lines = bars(self._lab, self._result, width - self._ascii, keys)  # there `±` takes a column more
        text = Text(no_wrap=True, overflow="crop")
        for number, line in enumerate(lines):
            text.append("\n" if number else "").append_text(
                Text.of([(self._spelt(run.text), run.style) for run in line])
            )
        return text

    def _spelt(self, text: str) -> str:
        return text.replace("±", "+-") if self._ascii else text

    def _draw_charts(self, width: int, height: int) -> Text:
        if self._drawn:
            return self.curves.text(width, height, ascii_only=self._ascii, earlier=self.earlier)
        text = Text(no_wrap=True, overflow="crop")
        keys = keys_of(self._lab, [arm.id for arm in self._lab.arms], ascii_only=self._ascii)
        if self.roomy:
            return arms(self._lab, width, keys, self._words)
        airy = height >= 3 * len(self._lab.arms) + 2  # then each has the bar that a run will fill
        for number, arm in enumerate(self._lab.arms):
            key = keys[arm.id]
            compared = arm.id in (self._lab.compare.method, self._lab.compare.control)
            text.append("\n" if number else "").append(f"{key.text} ", style=key.style)
            text.append(self._words(arm.title), style="bold" if compared else "")
            text.append(f"  {arm.role}", style=ROLE[arm.role])
            if airy:
                text.append("\n").append_text(Text.of([*share_bar(0.0, width - 4), Run("  ?", "$muted")])).append("\n")
        for paper in self._lab.paper:
            text.append("\n")
            for line in wrapped(self._words(f"{paper.title}. {paper.note}"), width, "$muted"):
                text.append("\n").append_text(Text.of(line))
        free = height - len(text.plain.splitlines()) - 2
        if airy and free >= _IDEA:
            idea = self._draw_method(width, free)
            text.append("\n\n" if idea.plain else "").append_text(idea)
        return text

    def _draw_method(self, width: int, height: int) -> Text:
        return method(self._figure, self._lab.formula, width, height, spelt_out if self._ascii else None)

    def _draw_pictures(self, width: int, height: int) -> Text:
        shown: list[Mapping[str, Any]] = self.curves.pictured(self.by)
        if self._cloud < 1 and len(shown) > 1:
            shown = [*shown[:-1], between(shown[-2], shown[-1], self._cloud)]
        return pictures(shown, width, height, ascii_only=self._ascii, measure=self._lab.moves)
