"""A lab: predict first, watch every arm train, and see whether the claim holds – or not – with its interval."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.course.lab import Lab
from tlcourse.errors import UsageError
from tlcourse.labs.result import kept_run, kept_runs, replay
from tlcourse.text import counted
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.screens.lab_runs import RunsDialog
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices
from tlcourse.tui.widgets.lab_view import Curves, of_events, table

if TYPE_CHECKING:
    from tlcourse.quiz.kinds.question import Option as PredictionOption

_MANY = 8
_REDRAW_S = 0.2  # events come faster than eyes see; drawing each would keep keys waiting


class LabScreen(CourseScreen):
    """One lab."""

    AREA = "labs"
    CSS_PATH = "lab.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run(1)", "Run", id="lab.run"),
        Binding("m", f"run({_MANY})", f"{_MANY} seeds", id="lab.many"),
        Binding("s", "stop", "Stop", id="lab.stop", show=False),  # the status line names it while it works
        Binding("p", "settings", "Settings", id="lab.settings"),
        Binding("y", "replay", "Replay", id="lab.replay"),
        Binding("o", "overlay", "Overlay", id="lab.overlay"),
        Binding("t", "embedding", "t-SNE or PCA", id="lab.embedding", show=False),  # named below the pictures
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
        Binding("space,pagedown", "page(1)", "A page on", show=False),
        Binding("b,pageup", "page(-1)", "A page back", show=False),
    ]

    def __init__(self, lab: str) -> None:
        super().__init__()
        self.lab_name = lab
        self._chosen: dict[str, str] = {}
        self._predicted: int | None = None
        self._asked: list[PredictionOption] = []
        """The options of the prediction, in the order of this visit."""
        self.training: ChildProcess | None = None
        self._stopped = False
        self._curves = Curves()
        self._stale, self._said, self._lines = False, "", 0
        self._earlier: dict[int, Curves] = {}
        self._seeds_done = 0
        self._by = "pca"

    @property
    def lab(self) -> Lab:
        """What is shown."""
        return self.course_app.labs[self.lab_name]

    @property
    def path(self) -> list[str]:
        """Title and kind."""
        return [self.lab.title, "lab"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        overlay = "".join(f" --overlay {number}" for number in self._earlier)
        return f"tlcourse lab run {self.lab_name}{overlay}"

    def body(self) -> ComposeResult:
        """From the claim to what came of it."""
        with VerticalScroll(id="lab-page"):
            yield Static(id="lab-claim", markup=False)
            yield Choices(id="lab-options", markup=False)
            yield Static(id="lab-reason", markup=False)
            yield Static(id="lab-settings", markup=False)
            yield Static(id="lab-status", markup=False)
            yield Static(id="lab-charts", markup=False)
            yield Static(id="lab-table", markup=False)
            yield Static(id="lab-explanation", markup=False)
        yield Input(id="lab-input", placeholder=self._example())

    def _example(self) -> str:
        """How settings are written, with those of this lab."""
        settings = " ".join(f"{one.id}={one.default:g}" for one in self.lab.settings[:2])
        return f"{settings} – enter keeps, esc leaves it"

    def on_mount(self) -> None:
        """Ask for the prediction."""
        super().on_mount()
        words = self.course_app.words
        claim = Text("Claim: ", style="bold").append(words(self.lab.claim) + "\n\n", style="not bold")
        claim.append("Predict first: ", style="bold").append(words(self.lab.prediction.prompt), style="not bold")
        self.query_one("#lab-claim", Static).update(claim)
        options = self.query_one("#lab-options", OptionList)
        app = self.course_app
        self._asked = self.lab.prediction.shown(self.lab.id, app.record.seed(app.course.about.id))
        for letter, option in zip("abcdefgh", self._asked, strict=False):
            options.add_option(Option(f"{letter}) {words(option.text)}"))
        options.highlighted = 0
        options.focus()
        self._show_settings()
        self.set_interval(_REDRAW_S, self._catch_up)

    @on(OptionList.OptionSelected, "#lab-options")
    def predict(self, event: OptionList.OptionSelected) -> None:
        """Note the prediction; the lab answers it, and the reasons come after the run."""
        self._predicted = event.option_index
        letter = "abcdefgh"[event.option_index]
        self.query_one("#lab-reason", Static).update(
            f"Your prediction is {letter}. r runs the lab once, m with {_MANY} seeds for intervals."
        )
        self.query_one("#lab-page").focus()

    def _show_settings(self) -> None:
        text = Text("\nSettings (p changes them): ", style="bold")
        for one in self.lab.settings:
            value = self._chosen.get(one.id, f"{one.default:g}")
            text.append(f"{one.id}={value}  ", style="bold" if one.id in self._chosen else "not bold")
        self.query_one("#lab-settings", Static).update(text)

    # -- running -------------------------------------------------------------------------------------------------

    def action_run(self, seeds: int) -> None:
        """Train every arm, once or with several seeds."""
        if self._predicted is None:
            self.tell("Predict first: choose an answer with enter.")
        elif self.training is not None:
            self.tell("It is running; s stops it.")
        else:
            try:
                self.training = self._start(seeds)
            except OSError as error:
                self.tell(f"No process could be started: {error.strerror}. Try: {self.cli_equivalent}")
                return
            self._curves, self._seeds_done, self._stopped = Curves(), 0, False
            self._clear()
            self.run_worker(self._follow(self.training, seeds), group="lab", exclusive=True, exit_on_error=False)

    def _start(self, seeds: int) -> ChildProcess:
        settings = [part for name, value in self._chosen.items() for part in ("--set", f"{name}={value}")]
        folder = self.course_app.course_folder
        course = ["--course", str(folder)] if folder else []
        command = ["lab", "run", self.lab_name, "--events", "--seeds", str(seeds), *settings, *course]
        return ChildProcess.start(*command, ends_with_app=True, gives_way=True)

    def _clear(self) -> None:
        """Away with what an earlier run came to; runs that are laid over stay."""
        self._curves = Curves()
        self._say("")
        for part in ("table", "explanation"):
            self.query_one(f"#lab-{part}", Static).update("")
        self.show_curves()

    async def _follow(self, run: ChildProcess, seeds: int) -> None:
        self._to_status()
        self._say(f"\nStarting {counted(seeds, 'run')} … s stops.")
        ended = False
        try:
            async for line in run.lines():
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                ended = self._take(event) or ended
                if event["type"] == "seed":
                    self._seeds_done += 1
                if not ended:
                    self._say(f"\nTraining: {self._seeds_done} of {seeds} done. s stops it.")
                await asyncio.sleep(0)  # of many events at once keys need not wait for the last
        finally:
            run.kill()  # a lab has nothing to lose
            self.training = None
        if not ended:
            self._say("\nStopped; what was trained is not kept." if self._stopped else "\nIt ended without a result.")

    def _say(self, text: str) -> None:
        if text != self._said:  # each writing lays the page out anew
            self._said = text
            self.query_one("#lab-status", Static).update(text)

    def _take(self, event: dict[str, Any]) -> bool:
        """Show what an event says; whether it is the last one."""
        self._stale = self._curves.take(event) or self._stale
        if event["type"] in ("result", "error"):
            self._catch_up()
        if event["type"] == "result":
            self._show_result(event["result"])
            return True
        if event["type"] == "error":
            advice = f" {event['remedy']}" if event["remedy"] else ""
            self._say(f"\n{event['what']}{advice}")
            return True
        return False

    def _catch_up(self) -> None:
        if self._stale:
            self._stale = False
            self.show_curves()

    def show_curves(self) -> None:
        width = max(min(self.query_one("#lab-page").size.width - 4, 100), 24)
        ascii_only = self.course_app.ascii_only
        text = self._curves.text(width, ascii_only=ascii_only, earlier=self._earlier, by=self._by)
        before, self._lines = self._lines, text.plain.count("\n")
        # where it has as many lines as before nothing else on the page moves
        self.query_one("#lab-charts", Static).update(text, layout=self._lines != before)

    def _to_status(self) -> None:
        page, status = self.query_one("#lab-page", VerticalScroll), self.query_one("#lab-status")
        page.call_after_refresh(page.scroll_to_widget, status, top=True, animate=False)

    def _show_result(self, result: dict[str, Any]) -> None:
        self._to_status()
        self._say(f"\nDone in {result['seconds']:.0f} s.")
        self.query_one("#lab-table", Static).update(table(self.lab, result))
        text = Text("\n")
        for number, option in enumerate(self._asked):
            mark, colour = ("✓", "$good") if option.correct else ("✗", "$bad")
            yours = ", your prediction" if number == self._predicted else ""
            text.append(f"{mark} {'abcdefgh'[number]}{yours}: ", style=f"bold {colour}")
            text.append(self.course_app.words(option.reason) + "\n", style="not bold")
        text.append("\n" + self.course_app.words(self.lab.explanation), style="not bold")
        self.query_one("#lab-explanation", Static).update(text)

    def action_stop(self) -> None:
        """End the run at once."""
        if self.training is None:
            self.tell("Nothing is running.")
        else:
            self._stopped = True
            self.training.kill()

    def on_unmount(self) -> None:
        """Who leaves the lab stops it."""
        if self.training is not None:
            self.training.kill()

    # -- kept runs -----------------------------------------------------------------------------------------------

    def action_replay(self) -> None:
        """Show a kept run again; with several of them, ask which."""
        numbers = kept_runs(self.lab_name)
        if self.training is not None or not numbers:
            self.tell("It is running; s stops it." if self.training else "No run is kept yet; r runs it.")
        elif len(numbers) == 1:
            self._replay(numbers)
        else:
            runs = [kept_run(self.lab_name, number) for number in numbers]
            self.app.push_screen(RunsDialog(runs, several=False), self._replay)

    def _replay(self, chosen: list[int] | None) -> None:
        if not chosen:
            return
        self._clear()
        ended = False
        for event in replay(self.lab_name, chosen[0]):
            ended = self._take(event) or ended
        said = f"Run {chosen[0]}, replayed" + ("." if ended else ": it ended without a result.")
        self._say(f"\n{said}")
        self._catch_up()
        self._to_status()

    def action_overlay(self) -> None:
        """Choose earlier runs that are drawn with the present one."""
        runs = [kept_run(self.lab_name, number) for number in kept_runs(self.lab_name)]
        if self.training is not None and runs:
            runs = runs[:-1]  # the one that is going on
        if not runs:
            self.tell("No earlier run is kept yet; r runs it.")
            return
        self.app.push_screen(RunsDialog(runs, list(self._earlier), several=True), self._lay_over)

    def _lay_over(self, chosen: list[int] | None) -> None:
        compared = (self.lab.compare.method, self.lab.compare.control)
        self._earlier = {
            number: of_events(replay(self.lab_name, number), compared)
            for number in chosen or []
            if number in kept_runs(self.lab_name)  # the oldest may have gone meanwhile
        }
        self.show_curves()

    def action_embedding(self) -> None:
        """Show features the other way: by t-SNE, or along their principal components."""
        there = self._curves.pictured_by
        if len(there) > 1:
            self._by = "pca" if self._by == "tsne" else "tsne"
            self.show_curves()
        elif there:
            self.tell("No t-SNE yet: it comes with the last seed, and needs scikit-learn (extra: lab).")
        else:
            self.tell("There is no picture of features; not every lab has one, and it comes with a run.")

    # -- settings ------------------------------------------------------------------------------------------------

    def action_settings(self) -> None:
        """Open the line in which settings are changed."""
        line = self.query_one("#lab-input", Input)
        line.value = " ".join(f"{name}={value}" for name, value in self._chosen.items())
        line.add_class("-open")
        line.focus()

    @on(Input.Submitted, "#lab-input")
    def change(self, event: Input.Submitted) -> None:
        """Keep the settings that were typed, if they can be."""
        from tlcourse.labs.runner import settings_of

        given = dict(part.partition("=")[::2] for part in event.value.split())
        try:
            settings_of(self.lab, given)
        except UsageError as error:
            self.tell(f"{error.what} {error.remedy}".strip())
            return
        self._chosen = given
        self._close_input()
        self._show_settings()

    def _close_input(self) -> None:
        self.query_one("#lab-input", Input).remove_class("-open")
        self.query_one("#lab-page").focus()

    def action_leave(self) -> None:
        """Leave the line first, then the lab."""
        if self.query_one("#lab-input", Input).has_focus:
            self._close_input()
        else:
            super().action_leave()

    def action_scroll(self, by: int) -> None:
        """Scroll the page."""
        page = self.query_one("#lab-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)

    def action_page(self, by: int) -> None:
        """Scroll it by a page."""
        page = self.query_one("#lab-page", VerticalScroll)
        (page.scroll_page_down if by > 0 else page.scroll_page_up)(animate=False)
