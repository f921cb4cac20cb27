"""A lesson on the projector: one slide at a time, in large titles, without a key line.

A presenter's clicker sends page up and page down, and `b` or `.` for blank: those are all that is needed. What goes on
shows first what the slide still holds (its text below, a folded answer), and then the next slide.
"""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from tlcourse.course.model import Unit
from tlcourse.labs.recorded import recorded, recorded_labs
from tlcourse.presenting.lab_run import headline
from tlcourse.presenting.lesson import Placed, placed
from tlcourse.presenting.marks import share_bar
from tlcourse.presenting.slides import Slide, large, slides
from tlcourse.tui.playing import Timeline, in_step
from tlcourse.tui.screens.dialogs import choose_lab
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.figure import FigureView
from tlcourse.tui.widgets.lab_stage import Stage
from tlcourse.tui.widgets.slide_view import Folded, SlideView

SMALL_FROM = 46
"""Lines from which on letters are too small for the last row of a room."""
HUGE_FROM = 56
"""Lines from which on every title is in the larger letters."""
TWO_FROM = 160
"""Columns from which on a figure stands beside the text."""
_FRAME_S = 0.1
_MARGIN = 4
"""Columns left and right of a title."""
_AHEAD_S = 0.2
"""After which of showing a slide those beside it are made."""
_KEPT = 5
"""So many slides are kept, those nearest to the one that is shown."""


class Page(VerticalScroll, inherit_bindings=False):
    """It scrolls by the screen's keys, which go from slide to slide."""


class PresentScreen(CourseScreen):
    """The slides of one unit's lesson."""

    AREA = "lesson"
    ON_A_PROJECTOR = True
    CSS_PATH = "present.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,right,space", "on", "Next", id="present.on"),
        Binding("pageup,left", "back", "Previous", id="present.back"),
        Binding("home", "jump(1)", "First slide", id="present.first"),
        Binding("end", "jump(0)", "Last slide", id="present.last"),
        Binding("enter", "enter", "Next; or to the slide whose number was typed", id="present.go"),
        Binding("backspace", "rub_out", "Previous; or the number's last digit", show=False),
        Binding("b,full_stop", "blank", "Blank the screen", id="present.blank"),
        Binding("f5", "reveal", show=False),
        Binding("x", "lab", "Lab", id="present.lab"),
        Binding("y", "play", "Play the lab's recorded run, hold it", id="present.play"),
        Binding("f", "figure", "Move the figure", id="present.figure"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("left_square_bracket", "unit(-1)", "Lesson before", key_display="[", id="present.previous"),
        Binding("right_square_bracket", "unit(1)", "Lesson after", key_display="]", id="present.next"),
        *(Binding(str(digit), f"digit({digit})", f"Number {digit}", show=False) for digit in range(10)),
    ]

    def __init__(self, unit: str, number: int | None = None) -> None:
        """`number`: the slide that it begins with, from 1, 0 the last one; None: where this unit's slides were left."""
        super().__init__()
        self.unit, self._number = unit, number
        self.slides: list[Slide] = []
        self.at = 0
        """Which slide is shown, from 0."""
        self._placed: dict[str, Placed] = {}
        self._typed = ""
        self._last = time.monotonic()
        self._view: SlideView | None = None
        """What stands on the slide that is shown; None before the first one is made."""
        self._views: dict[int, SlideView] = {}
        """Slides that are made and as they were made, by their number from 0; and the one that is shown."""
        self._making = asyncio.Lock()
        self._ahead: Timer | None = None

    @property
    def path(self) -> list[str]:
        """Unit and kind."""
        return [self._about.title, "slides"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse start --present --lesson {self.unit}"

    @property
    def in_any_terminal(self) -> str:
        """The lesson itself."""
        return f"tlcourse lesson show {self.unit}"

    @property
    def _units(self) -> list[Unit]:
        course = self.course_app.course
        return [unit for unit in course.about.units if unit.id in course.lessons]

    @property
    def _about(self) -> Unit:
        return next(unit for unit in self._units if unit.id == self.unit)

    def compose(self) -> ComposeResult:
        """A title, the slide, and a line that says which it is."""
        yield Static(id="slide-title", markup=False)
        with Container(id="body"):
            yield Page(id="page")
        yield Static(id="slide-line", markup=False)
        yield Static(id="too-small", markup=False)

    async def on_mount(self) -> None:  # type: ignore[override]
        """Show the first slide."""
        super().on_mount()
        course = self.course_app.course
        following = self._neighbour(1)
        labs = [name for name in recorded_labs(course.folder) if name in self.course_app.labs]
        self.slides = slides(course.lessons[self.unit], labs, following.title if following else "")
        self._placed = placed(course, self.unit, self.course_app.record.seed(course.about.id))
        self.query_one(Page).focus()
        self.set_interval(_FRAME_S, self._tick)
        if self._number is None:
            await self.show(self.course_app.slides_left.get(self.unit, 0))
        else:  # the last one as it was left: with its answers
            await self.show((self._number or len(self.slides)) - 1, whole=not self._number)

    def on_resize(self) -> None:
        """A figure beside the text or above it, and a title as large as there is room."""
        super().on_resize()
        self.set_class(self.size.width >= TWO_FROM, "-two")
        if self.slides:
            self._show_lines()
            for view in self.query(SlideView):
                view.place()

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def slide(self) -> Slide:
        """The one that is shown."""
        return self.slides[self.at]

    async def show(self, number: int, *, whole: bool = False) -> None:
        """Show a slide, from 0; `whole` with its answers."""
        number = min(max(number, 0), len(self.slides) - 1)
        page = self.query_one(Page)
        if self._view is not None and self._view.used:
            self._views.pop(self.at, None)
        with self.app.batch_update():
            self._view = shown = await self._made(number)
            self.at, self._typed = number, ""
            for view in self.query(SlideView):
                view.display = view is shown
            shown.used = bool(shown.folded or self.slide.lab)
            if whole:
                for one in shown.folded:
                    one.unfold()
            page.scroll_home(animate=False, immediate=True)
            page.focus()
            self._play()
            self._show_lines()
        left = self.course_app.slides_left
        left.pop(self.unit, None)  # the unit that is shown now comes last
        left[self.unit] = self.at if self.slide.kind != "end" else 0
        if self._ahead is not None:
            self._ahead.stop()
        self._ahead = self.set_timer(_AHEAD_S, self._look_ahead)

    async def _made(self, number: int) -> SlideView:
        """The slide of this number, from 0, made where it is not there yet."""
        async with self._making:
            if number not in self._views:
                slide = self.slides[number]
                asked = slide.question if slide.question in self._placed else ""
                ask = (lambda: self._placed[asked]) if asked else None
                folder = (self.course_app.course.folder / (self._about.lesson or "")).parent
                view = SlideView(slide, self._text_of(slide), folder, ask)
                await self.query_one(Page).mount(view)
                await view.write()
                self._views[number] = view
            return self._views[number]

    def _look_ahead(self) -> None:
        if self.on_top:
            self.run_worker(self._make_near, group="ahead", exit_on_error=False)  # type: ignore[arg-type]

    async def _make_near(self) -> None:
        """Nobody waits: make the slides that the next key may show, and let those go that are far."""
        at = self.at
        with self.app.batch_update():
            for number in (at + 1, at - 1):
                if 0 <= number < len(self.slides) and self.at == at and self.has_widgets:
                    await self._made(number)
            async with self._making:
                near = sorted(self._views, key=lambda number: abs(number - self.at))[:_KEPT]
                self._views = {number: self._views[number] for number in near}
                kept = [self._view, *self._views.values()]
                if self.has_widgets:
                    await self.query_one(Page).remove_children(
                        [view for view in self.query(SlideView) if view not in kept]
                    )

    def _text_of(self, slide: Slide) -> str:
        return slide.text or (self.course_app.labs[slide.lab].claim if slide.lab else "")

    def _show_lines(self) -> None:
        width, height = self.app.size
        slide, app = self.slide, self.course_app
        title = app.labs[slide.lab].title if slide.lab else slide.title
        outer = slide.kind in ("title", "end")  # all others have letters of one size; a lab needs lines for its curves
        huge = height >= HUGE_FROM and not slide.lab
        room = height // 3 if outer else 11 if huge else 7 if height >= 30 and not slide.lab else height // 10
        squares = outer or huge or app.ascii_only
        letters = large(title, width - 2 * _MARGIN, room, halves=not app.ascii_only, squares=squares)
        self.query_one("#slide-title", Static).update(
            Text("\n".join(letters) or app.words(title), style="bold $next", no_wrap=bool(letters))
        )
        lesson = app.words(app.course.lessons[self.unit].title)
        where = lesson if title == lesson else f"{lesson} › {app.words(title)}"
        if slide.kind == "title" and height >= SMALL_FROM:  # for the speaker, before anybody reads
            where = app.words(
                f"{width}×{height}: larger letters (ctrl and +), 120×36 or so, read better from the last row"
            )
        number = f"{self.at + 1} / {len(self.slides)}"
        state = f"to {self._typed}_" if self._typed else "▸ answer" if self._folded else ""
        free = width - 2 - len(number) - 2 - (len(state) + 2 if state else 0)
        line = Text(where[: max(free, 0)], style="$muted", no_wrap=True)
        bar = free - len(where) - 4
        line.append("  ")
        if bar > 0:
            line.append_text(Text.of(share_bar((self.at + 1) / len(self.slides), bar, "$next"))).append("  ")
        if state:
            line.append(state + "  ", style="bold $next")
        line.append(number, style="bold")
        self.query_one("#slide-line", Static).update(line)

    @property
    def _folded(self) -> list[Folded]:
        return self._view.folded if self._view else []

    @property
    def _stages(self) -> list[Stage]:
        return list(self._view.query(Stage)) if self._view else []

    # -- forward and back ------------------------------------------------------------------------------------------

    async def action_on(self) -> None:
        """Show what the slide still holds, an answer or more of its text; then the next slide; at the end, lesson."""
        if self._unblanked():
            return
        page = self.query_one(Page)
        seen = [one for one in self._folded if one.region.y < page.region.bottom]
        if seen:
            seen[0].unfold()
            self._show_lines()
            self.call_after_refresh(page.scroll_to_widget, seen[0], animate=False)
        elif page.scroll_y < page.max_scroll_y:
            page.scroll_page_down(animate=False)
        elif self.at + 1 < len(self.slides):
            await self.show(self.at + 1)
        else:
            self.action_unit(1)

    async def action_back(self) -> None:
        """Up on this slide, or to the one before it, with its answers."""
        page = self.query_one(Page)
        if self._unblanked():
            return
        if page.scroll_y > 0:
            page.scroll_page_up(animate=False)
        elif self.at:
            await self.show(self.at - 1, whole=True)
        else:  # a clicker has no other key to come back by from a lesson that was entered too soon
            self.action_unit(-1, 0)

    async def action_jump(self, number: int) -> None:
        """To a slide by its number, from 1; 0 is the last one."""
        if self._unblanked():
            return
        await self.show((number or len(self.slides)) - 1)

    def action_digit(self, digit: int) -> None:
        """A digit of the number of a slide; enter goes there."""
        if self._unblanked():
            return
        self._typed = (self._typed + str(digit)).lstrip("0")[-3:]
        self._show_lines()

    async def action_enter(self) -> None:
        """To the slide whose number was typed, or on."""
        if self._typed:
            await self.action_jump(int(self._typed))
        else:
            await self.action_on()

    async def action_rub_out(self) -> None:
        """The last digit that was typed, or back."""
        if self._typed:
            self._typed = self._typed[:-1]
            self._show_lines()
        else:
            await self.action_back()

    def action_leave(self) -> None:
        """What was typed, then what is blank, then the slides."""
        if self._typed:
            self._typed = ""
            self._show_lines()
        elif not self._unblanked():
            super().action_leave()

    def action_blank(self) -> None:
        """Nothing on the screen, until the next key."""
        self.toggle_class("-blank")

    def action_reveal(self) -> None:
        """F5 shows slides, and these are shown."""
        self._unblanked()

    def _unblanked(self) -> bool:
        was = self.has_class("-blank")
        self.remove_class("-blank")
        return was

    def action_unit(self, by: int, number: int = 1) -> None:
        """The slides of the next lesson, or the one before, from its slide `number`; 0 is the last one."""
        if self._unblanked():
            return
        unit = self._neighbour(by)
        if unit is None:
            self.tell("This is the last lesson." if by > 0 else "This is the first lesson.")
        else:
            self.course_app.go(f"present/{unit.id}/{number}", instead=True)

    def _neighbour(self, by: int) -> Unit | None:
        index = self._units.index(self._about) + by
        return self._units[index] if 0 <= index < len(self._units) else None

    def action_scroll(self, by: int) -> None:
        """A line down or up."""
        if self._unblanked():
            return
        page = self.query_one(Page)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)

    def action_figure(self) -> None:
        """The arrows move the figure, until esc."""
        if self._unblanked():
            return
        figure = next((one for one in self.query(FigureView) if one.focusable and one.size), None)
        if figure is None:
            self.tell("No figure of this slide can be moved.")
        else:
            figure.focus()

    def action_lab(self) -> None:
        """The lab of this slide, to train it; of another slide the unit's."""
        if self._unblanked():
            return
        if self.slide.lab:
            self.course_app.go(f"lab/{self.slide.lab}")
        elif not choose_lab(self.course_app, self.unit):
            self.tell("This unit has no lab.")

    # -- the recorded run of a lab ---------------------------------------------------------------------------------

    def _play(self) -> None:
        for stage in self._stages:
            run = recorded(self.course_app.course.folder, self.slide.lab)
            if run is None:
                continue
            stage.begin(Timeline(in_step(run.events)))
            if not self.course_app.motion and stage.timeline is not None:
                stage.timeline.seek(1.0)
            stage.catch_up()

    def _tick(self) -> None:
        now = time.monotonic()
        elapsed, self._last = now - self._last, now
        if self.on_top and not self.has_class("-blank"):
            for stage in self._stages:
                stage.tick(elapsed)

    def action_play(self) -> None:
        """Hold the run, or go on; at its end, from the beginning."""
        if self._unblanked():
            return
        stages = self._stages
        if not stages:
            self.tell("This slide has no lab.")
        for stage in stages:
            stage.hold()

    @on(Stage.Over)
    def say_what_came(self, event: Stage.Over) -> None:
        """All is shown: what came of it."""
        if event.result is not None and self._view is not None:
            said = headline(self.course_app.labs[self.slide.lab], event.result)
            words = self.course_app.words(f"{said.mark} {said.words}")
            for line in self._view.query("#slide-verdict").results(Static):
                line.update(Text(words, style=f"bold {said.role}"))
