"""A lab: predict first, watch every arm train, and see whether the claim holds – or not – with its interval.

The first line says what to do, what happens, and in the end what came of it. Below are, from 110 columns on side by
side, what the lab is about (claim, prediction, settings, why) and its stage (result, curves, pictures). In one column
the stage comes first once there is something on it.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.course.markdown import fences
from tlcourse.labs.recorded import recorded, recorded_in_s
from tlcourse.labs.result import KeptRun, kept_run, kept_runs
from tlcourse.presenting.lab_run import headline
from tlcourse.presenting.lab_run import seeds as seeds_of
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.playing import SLOW_S, Timeline, in_step
from tlcourse.tui.screens.lab_keys import StageScreen
from tlcourse.tui.screens.lab_runs import RunsDialog
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices
from tlcourse.tui.widgets.lab_before import decides, roomy
from tlcourse.tui.widgets.lab_stage import Stage
from tlcourse.tui.widgets.lab_view import Drawn, keys_of
from tlcourse.tui.widgets.sliders import SettingsPane, Sliders

if TYPE_CHECKING:
    from tlcourse.quiz.kinds.question import Option as PredictionOption

_MANY = 8
_FRAME_S = 0.1  # events come faster than eyes see; drawing each would keep keys waiting
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_GET_READY_S = 0.5


class Page(VerticalScroll, inherit_bindings=False):
    """It scrolls by the screen's keys: `home` and `end` are those of what is played."""


class LabScreen(StageScreen):
    """One lab; with `play` it begins with a run of that number, 0: the one that comes with the course."""

    AREA = "labs"
    CSS_PATH = "lab.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run(1)", "Run", id="lab.run"),
        Binding("m", f"run({_MANY})", f"{_MANY} seeds", id="lab.many"),
        Binding("s", "stop", "Stop", id="lab.stop"),
        Binding("y", "replay", "Play", id="lab.replay", tooltip="A recorded run, or one of yours"),
        Binding("p", "settings", "Settings", id="lab.settings"),
        Binding("l", "lesson", "Lesson", id="lab.lesson", show=False),
        Binding("w", "pace", "Pace", id="lab.pace", show=False, tooltip="Show training as it comes, or over 10 s"),
    ]

    def __init__(self, lab: str, *, play: int | None = None) -> None:
        super().__init__(lab)
        self._play = play
        self._predicted: int | None = None
        self.asked: list[PredictionOption] = []
        """The options of the prediction, in the order of this visit."""
        self.training: ChildProcess | None = None
        self._stopped, self._slow = False, False
        self._since, self._phase, self._seeds, self._seeds_done = 0.0, "", 1, 0
        self._said: tuple[str, str] = ("", "")
        self._last, self._frame = time.monotonic(), 0
        self._playing = ""
        self._took_s: float | None = None

    @property
    def sliders(self) -> Sliders:
        """The settings."""
        return self.query_one(Sliders)

    @property
    def settings_pane(self) -> SettingsPane:
        """The settings, with their frame."""
        return self.query_one(SettingsPane)

    @property
    def path(self) -> list[str]:
        """Title and kind."""
        return ["lab", self.lab.title]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        overlay = "".join(f" --overlay {number}" for number in self.stage.earlier) if self.has_widgets else ""
        return f"tlcourse lab run {self.lab_name}{overlay}"

    def body(self) -> ComposeResult:
        """What it is about, and its stage."""
        yield Static(id="lab-line", markup=False)
        with Page(id="lab-page"):
            with VerticalScroll(id="lab-about", can_focus=False):
                yield Static(id="lab-claim", classes="pane", markup=False)
                with Vertical(id="lab-prediction", classes="pane"):
                    yield Static(id="lab-prompt", markup=False)
                    yield Choices(id="lab-options", markup=False)
                    yield Static(id="lab-reasons", markup=False)
                yield SettingsPane(self.lab)
                yield Drawn(self._draw_decides, id="lab-decides", classes="pane")
                yield Static(id="lab-explanation", classes="pane", markup=False)
            lesson = self.course_app.course.lessons.get(self.lab.unit)
            figures = [text for _, text in fences(lesson.body, "figure")] if lesson else []
            figure = figures[self.lab.figure - 1] if self.lab.figure <= len(figures) else ""
            yield Stage(self.lab, motion=self.course_app.motion, figure=figure)

    def _draw_decides(self, width: int, height: int) -> Text:
        del height
        app = self.course_app
        keys = keys_of(self.lab, [arm.id for arm in self.lab.arms], ascii_only=app.ascii_only)
        return decides(self.lab, width, keys, app.words, self._took_s, _MANY)

    def put_in_order(self) -> None:
        """What decides stands there where there is room, until something runs."""
        super().put_in_order()
        if self.has_widgets:
            self.query_one("#lab-decides").display = self.stage.timeline is None and roomy(self.app.size)

    def on_mount(self) -> None:
        """Ask for the prediction, or play."""
        super().on_mount()
        words, lab, app = self.course_app.words, self.lab, self.course_app
        self._took_s = recorded_in_s(app.course.folder, self.lab_name)
        for name, title in (("claim", "Claim"), ("prediction", "Predict first")):
            self.query_one(f"#lab-{name}").border_title = title
        self.query_one("#lab-claim", Static).update(words(lab.claim))
        self.query_one("#lab-prompt", Static).update(words(lab.prediction.prompt))
        self.query_one("#lab-explanation").border_title = "Why"
        self.query_one("#lab-decides").border_title = "What decides"
        self._ask()
        self._show_pace()
        self.set_interval(_FRAME_S, self._tick)
        if self._play is not None:
            self._replay([self._play])
        elif self._predicted is None:
            self.query_one("#lab-options").focus()
        self.set_timer(_GET_READY_S, app.background.get_lab_ready)
        self.put_in_order()

    def _ask(self) -> None:
        app = self.course_app
        self.asked = self.lab.prediction.shown(self.lab.id, app.record.seed(app.course.about.id))
        before = app.record.predictions(app.course.about.id).get(self.lab_name, ("", False))[0]
        options = self.query_one("#lab-options", OptionList)
        for number, (letter, option) in enumerate(zip("abcdefgh", self.asked, strict=False)):
            options.add_option(Option(f"{letter}) {app.words(option.text)}"))
            if option.text == before:
                self._predicted = number
        options.highlighted = self._predicted or 0
        self._invite()

    def _invite(self) -> None:
        if self._predicted is None:
            self._say("Predict first: ↑ ↓ and enter. Or y plays a recorded run.", "$next")
        else:
            letter = "abcdefgh"[self._predicted]
            self._say(f"Your prediction is {letter}. r runs the lab once, m with {_MANY} seeds for intervals.", "$next")

    @on(OptionList.OptionSelected, "#lab-options")
    def predict(self, event: OptionList.OptionSelected) -> None:
        """Note the prediction; the lab answers it, and the reasons come after the run."""
        self._predicted = event.option_index
        option, app = self.asked[event.option_index], self.course_app
        app.record.record_prediction(app.course.about.id, self.lab_name, option.text, correct=option.correct)
        self._invite()
        self.query_one("#lab-page").focus()

    # -- the first line --------------------------------------------------------------------------------------------

    def _say(self, text: str, style: str = "") -> None:
        if (text, style) == self._said:
            return
        line, before = self.query_one("#lab-line", Static), self._said[0]
        self._said = (text, style)
        words = Text(self.course_app.words(text), style=f"bold {style}".strip())
        # a spinner turns ten times a second: the page is laid out anew where it takes more or fewer lines alone
        short = max(len(before), words.cell_len) < line.content_size.width
        line.update(words, layout=not (before and short))

    def _tick(self) -> None:
        if not self.on_top:
            return
        now = time.monotonic()
        elapsed, self._last = now - self._last, now
        self._frame += 1
        if self.training is not None:
            spinner = f"{_SPINNER[self._frame % len(_SPINNER)]} " if self.course_app.motion else ""
            done = f", {self._seeds_done} of {self._seeds} seeds done" if self._seeds > 1 else ""
            self._say(f"{spinner}{self._phase}{done} · {now - self._since:.0f} s · s stops", "$lab")
        timeline = self.stage.timeline
        if timeline is not None and (timeline.seconds is not None or self._frame % 2):
            self.stage.tick(elapsed)

    # -- running ---------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that do nothing just now are not shown."""
        if not self.has_widgets:
            return True
        timeline = self.stage.timeline
        if action == "stop":
            return self.training is not None
        if action in ("run", "replay", "overlay") and self.training is not None:
            return False
        if action in ("pause", "scrub", "faster"):
            return timeline is not None and timeline.seconds is not None
        return True

    def action_run(self, seeds: int) -> None:
        """Train every arm, once or with several seeds."""
        if self._predicted is None:
            self.tell("Predict first: choose an answer with enter.")
            return
        settings = [part for name, value in self.sliders.changed.items() for part in ("--set", f"{name}={value!r}")]
        folder = self.course_app.course_folder
        course = ["--course", str(folder)] if folder else []
        command = ["lab", "run", self.lab_name, "--events", "--seeds", str(seeds), *settings, *course]
        try:
            self.training = self.course_app.background.labs.run(*command)
        except OSError as error:
            self.tell(f"No process could be started: {error.strerror}.")
            return
        slow = self._slow and seeds == 1
        known = recorded(self.course_app.course.folder, self.lab_name) if slow else None
        expected = sum(event["type"] == "metric" for event in known.events) if known else 100
        self._begin(Timeline(seconds=SLOW_S if slow else None, expected=max(expected, 1)))
        self._since, self._phase, self._seeds, self._seeds_done = time.monotonic(), "Starting", seeds, 0
        self._stopped, self.sliders.locked = False, True
        self.run_worker(self._follow(self.training), group="lab", exclusive=True, exit_on_error=False)

    def _begin(self, timeline: Timeline) -> None:
        self._playing = ""
        self.query_one("#lab-reasons", Static).update("")
        self.query_one("#lab-options").display = True
        self.query_one("#lab-prediction").border_title = "Predict first"
        self.query_one("#lab-explanation").display = False
        self.stage.begin(timeline)
        self.put_in_order()
        self.query_one("#lab-page").scroll_to(y=0, animate=False)
        self.query_one("#lab-page").focus()
        self.refresh_bindings()

    async def _follow(self, run: ChildProcess) -> None:
        import asyncio

        timeline, failed = self.stage.timeline, ""
        assert timeline is not None
        try:
            async for line in run.lines():
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                failed = self._note(event) or failed
                if event.get("seed_group", 0) == 0:
                    timeline.add(event)
                await asyncio.sleep(0)  # of many events at once keys need not wait for the last
        finally:
            run.kill()  # a lab has nothing to lose
            self.training, self.sliders.locked, timeline.complete = None, False, True
        self.refresh_bindings()
        self.course_app.background.get_lab_ready()
        ended = bool(timeline.events) and timeline.events[-1]["type"] == "result"
        if ended and not timeline.over:
            self._say("It has trained; this is how. End shows the result.", "$lab")
        elif failed or not ended:
            stopped = "Stopped; what was trained is not kept." if self._stopped else "It ended without a result."
            self._say(failed or stopped, "$wrong" if failed else "$partial")
        self.stage.catch_up()

    def _note(self, event: dict[str, Any]) -> str:
        """What happens, for the first line; what went wrong, if something did."""
        if event["type"] == "metric" and event["values"]:
            self._phase = f"Training {next(iter(event['values'])).rpartition(' ')[0]}"
        elif event["type"] == "embedding":
            self._phase = "Picturing features"
        elif event["type"] == "seed":
            self._seeds_done += 1
        elif event["type"] == "error":
            return " ".join(part for part in (event["what"], event["cause"], "p changes the settings.") if part)
        return ""

    @on(Stage.Over)
    def show_result(self, event: Stage.Over) -> None:
        """All is shown: the verdict takes the first line, and the reasons stand where the prediction was asked."""
        if event.result is None:
            if self._playing:
                self._say(f"{self._playing}: it ended without a result.", "$partial")
            return
        right = None if self._predicted is None else self.asked[self._predicted].correct
        said = headline(self.lab, event.result, right)
        more = f"; m runs {_MANY}" if event.result["holds"] is None and not self._playing else ""
        played = f"  ({self._playing})" if self._playing else ""
        self._say(f"{said.mark} {said.words}{more}{played}", said.role)
        text = Text()
        for number, option in enumerate(self.asked):
            mark, colour = ("✓", "$done") if option.correct else ("✗", "$wrong")
            yours = ", your prediction" if number == self._predicted else ""
            text.append("\n" if number else "").append(f"{mark} {'abcdefgh'[number]}{yours}: ", style=f"bold {colour}")
            text.append(self.course_app.words(f"{option.text.rstrip('.')}. "), style="bold")
            text.append(self.course_app.words(option.reason), style="not bold")
        self.query_one("#lab-reasons", Static).update(text)
        self.query_one("#lab-options").display = False
        self.query_one("#lab-prediction").border_title = "What was to be predicted"
        explanation = self.query_one("#lab-explanation", Static)
        explanation.display = True
        explanation.update(self.course_app.words(" ".join(self.lab.explanation.replace("`", "").split())))
        self.refresh_bindings()

    def action_lesson(self) -> None:
        """The lesson of its unit."""
        self.course_app.go(f"lesson/{self.lab.unit}")

    def action_stop(self) -> None:
        """End the run at once."""
        if self.training is not None:
            self._stopped = True
            self.training.kill()

    def on_unmount(self) -> None:
        """Who leaves the lab stops it."""
        if self.training is not None:
            self.training.kill()

    # -- playing ---------------------------------------------------------------------------------------------------

    def action_replay(self) -> None:
        """Play a run: the one that comes with the course, or one of one's own; with several of them, ask which."""
        given = recorded(self.course_app.course.folder, self.lab_name)
        runs = [kept_run(self.lab_name, number) for number in kept_runs(self.lab_name)]
        numbers = ([0] if given else []) + [run.number for run in runs]
        if not numbers:
            self.tell("No run is kept yet; r runs it.")
        elif len(numbers) == 1:
            self._replay(numbers)
        else:
            with_course = [KeptRun(0, given.result)] if given else []
            self.app.push_screen(RunsDialog(with_course + runs, several=False), self._replay)

    def _replay(self, chosen: list[int] | None) -> None:
        if not chosen:
            return
        run = self.run_of(chosen[0])
        if run is None:
            self.tell("This lab has no recorded run; r runs it.")
            return
        timeline = Timeline(in_step(run.events))
        self._begin(timeline)
        if run.about is not None and run.result is not None:
            self._playing = f"recorded {run.about.date}, {seeds_of({'seeds': run.result.seeds})}"
        else:
            self._playing = f"your run {chosen[0]}"
        self._say(f"Playing: {self._playing}", "$lab")
        if not self.course_app.motion:
            timeline.seek(1.0)
        self.stage.catch_up()

    def action_pace(self) -> None:
        """Show what trains as it comes, or over some seconds; it trains as fast as it can in any case."""
        self._slow = not self._slow
        self._show_pace()

    def _show_pace(self) -> None:
        how = f"over {SLOW_S:g} s" if self._slow else "as fast as it trains"
        self.settings_pane.border_subtitle = f"w: shown {how}"

    # -- settings --------------------------------------------------------------------------------------------------

    def action_settings(self) -> None:
        """To the sliders; there ← and → change a setting."""
        self.sliders.focus()
        self.sliders.scroll_visible(animate=False)

    @on(SettingsPane.Refused)
    def say_why(self, event: SettingsPane.Refused) -> None:
        """A value that a setting cannot have."""
        self._say(event.why, "$wrong")

    @on(SettingsPane.Left)
    def leave_value(self) -> None:
        """The first line says again what can be done."""
        if self.stage.timeline is None:
            self._invite()

    def action_leave(self) -> None:
        """Leave the line first, then the settings, then the lab."""
        if self.settings_pane.asks:
            self.settings_pane.close()
        elif self.sliders.has_focus:
            self.query_one("#lab-page").focus()
        else:
            super().action_leave()
