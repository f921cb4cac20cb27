"""The terminal app: which screen is shown, what runs behind it, and the keys that work everywhere."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent
from textual.filter import LineFilter, NoColor
from textual.screen import Screen
from textual.types import CSSPathType
from textual.widgets import Input, TextArea

from tlcourse.course.model import LoadedCourse
from tlcourse.errors import ExitCode, TlcourseError
from tlcourse.student.overview import Overview, overview
from tlcourse.student.record import Record, first_start
from tlcourse.tui import settings
from tlcourse.tui.background import Background
from tlcourse.tui.clusters import Clusters
from tlcourse.tui.gc_scheduler import LOOK_S, GcScheduler
from tlcourse.tui.routes import resumed, screen_of
from tlcourse.tui.screens.home import HomeScreen
from tlcourse.tui.text import AsciiFilter, spelt_out
from tlcourse.tui.textual_private import lay_out_once, paint_soon
from tlcourse.tui.themes import NO_COLOUR, WHAT, themes

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode
    from textual.system_commands import SystemCommandsProvider

    from tlcourse.course.lab import Lab
    from tlcourse.tui.runs import Run

_POLL_S = 0.1
_OPEN_S = 1.0
_AGAIN_S = 5.0
"""After which what could not be written to the record is tried again."""
_STARTED_S = 1.0
"""After which the first screen is painted."""
_READY_S, _BETWEEN_S = 1.5, 0.05
"""After which, while nobody waits, other screens get ready, and how long keys come first after each step."""


def _palette() -> type[SystemCommandsProvider]:
    """Imported when the palette is first opened."""
    from tlcourse.tui.routes import CourseCommands

    return CourseCommands


class CourseApp(App[int]):
    """The course in the terminal.

    Args:
        course: What is taught.
        course_folder: The folder that `--course` named, for the commands that the app starts; None: the bundled one.
        ascii_only: Let no character beyond ASCII reach the terminal.
        owns_process: Nothing else runs in this process: the app may schedule its garbage collection, and have others
            ready, with torch imported, from when an exercise or a lab is opened.
        greet: At the very first start, begin with a look at the machine.
        route: Where it begins; empty: at Home.
    """

    TITLE = "tlcourse"
    COMMANDS = {_palette}  # noqa: RUF012 - Textual's
    CSS_PATH: ClassVar[CSSPathType | None] = ["screens/frame.tcss", "screens/home.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Keys", key_display="?", id="help"),
        Binding("f1", "help", "Keys", show=False),  # where `?` is a letter: in a field
        Binding("f5", "present", "Present as slides", key_display="F5", id="present", show=False),
        Binding("q", "leave_app", "Quit", id="quit"),
        Binding("slash", "search", "Search", key_display="/", id="search", show=False),
        Binding("1", "area('home')", "Home", id="home", show=False),
        Binding("2", "area('lesson')", "Lesson", id="lessons", show=False),
        Binding("3", "area('quizzes')", "Quizzes", id="quizzes", show=False),
        Binding("4", "area('exercises')", "Exercises", id="exercises", show=False),
        Binding("5", "area('labs')", "Labs", id="labs", show=False),
        Binding("6", "area('progress')", "Record", id="progress", show=False),
        Binding("7", "area('machine')", "This machine", id="machine", show=False),
    ]

    def __init__(
        self,
        course: LoadedCourse,
        *,
        course_folder: Path | None = None,
        ascii_only: bool = False,
        owns_process: bool = False,
        greet: bool = False,
        route: str = "",
    ) -> None:
        super().__init__()
        lay_out_once()
        paint_soon()
        self.course = course
        self.course_folder = course_folder
        self.ascii_only = ascii_only
        self.motion_wanted = True
        self.record = Record.open(wait_s=_OPEN_S, tell=self._not_written)
        self.background = Background(course_folder, stands_by=owns_process)
        self.backend = "local"
        """Where exercises are run and graded: this machine, or a profile of the configuration."""
        self.slides_left: dict[str, int] = {}
        """Where the slides of a unit were left, from 0; the unit that was presented last comes last."""
        self.clusters = Clusters()
        self._owns_process = owns_process
        self._greet, self.begins_at = greet and not route, route
        self._gc: GcScheduler | None = None
        self._replace: LineFilter | None = None
        self._overview: Overview | None = None
        if ascii_only:
            self._replace = AsciiFilter()
        for theme in themes():
            self.register_theme(theme)
        self.theme = settings.theme_at_start()
        for name in self.available_themes.keys() - WHAT.keys():  # Textual's own lack the names that we use
            self.unregister_theme(name)

    def get_line_filters(self) -> list[LineFilter]:
        """What is done to each line before it is shown."""
        # with NO_COLOR Textual alone would leave greys, and what Rich has coloured
        bare = [NoColor()] if self.theme == NO_COLOUR else []
        return [*super().get_line_filters(), *bare, *([self._replace] if self._replace else [])]

    def get_default_screen(self) -> Screen[None]:
        """Home lies under everything."""
        return HomeScreen()

    def on_mount(self) -> None:
        """Find runs that an earlier visit left, and begin to listen to runs."""
        self.background.find(self.course.exercises)
        self.set_interval(_POLL_S, self._poll)
        if self._owns_process:
            self.set_timer(_STARTED_S, self._schedule_gc)
            self.set_timer(_READY_S, self._begin_to_get_ready)
        settings.apply(self)
        if self._greet and first_start():
            self.go("first")
        elif self.begins_at:
            self.go(self.begins_at)
        if self.record.notice:
            self._say_of_record(self.record.notice)

    def _schedule_gc(self) -> None:
        self._gc = GcScheduler()
        self.set_interval(LOOK_S, self._gc.look)

    def _begin_to_get_ready(self) -> None:
        self.run_worker(self.get_screens_ready, exit_on_error=False)  # type: ignore[arg-type]

    async def get_screens_ready(self) -> None:
        """Read the style sheets of all screens, and make Help: the first key that opens one would wait for it.

        Textual reads a style sheet when its screen is first opened, and then parses all others again.
        """
        from tlcourse.tui.screens.help import make_help

        for path in sorted((Path(__file__).parent / "screens").glob("*.tcss")):
            if not self.stylesheet.has_source(str(path)):
                self.stylesheet.read(path)
                self.stylesheet.parse()  # this one alone
                await asyncio.sleep(_BETWEEN_S)
        await make_help(self)

    async def on_event(self, event: Event) -> None:
        """As Textual does, and note that somebody types."""
        if self._gc is not None and isinstance(event, InputEvent):
            self._gc.key_pressed()
        await super().on_event(event)

    # -- what is known -------------------------------------------------------------------------------------------

    @property
    def state(self) -> Overview:
        """How far the student is; read anew after `changed`."""
        if self._overview is None:
            self._overview = overview(self.course, self.record)
        return self._overview

    @functools.cached_property
    def labs(self) -> dict[str, Lab]:
        """The course's labs; read when they are first asked for."""
        from tlcourse.course.lab import load_labs

        return load_labs(self.course.folder, [unit.id for unit in self.course.about.units])

    def changed(self) -> None:
        """The record has changed."""
        self._overview = None

    def _not_written(self, said: str) -> None:
        """The record cannot be written now. What was done is on the screen, and is tried again."""
        self.call_later(self._say_of_record, said)

    def _say_of_record(self, said: str) -> None:
        self.notify(said, severity="warning", timeout=15, markup=False)
        self._write_again()

    def _write_again(self) -> None:
        if self.record.in_memory and not self.record.try_again():
            self.set_timer(_AGAIN_S, self._write_again)
            return
        self.changed()

    def state_line(self) -> str:
        """The right end of the first line."""
        unwritten = f"{self.record.unwritten} not written · " if self.record.unwritten else ""
        busy = self.background.going
        (read, lessons), (right, questions) = self.state.lessons, self.state.questions
        running = f"{len(busy)} running · " if busy else ""
        return f"{unwritten}{running}{read}/{lessons} read · {right}/{questions} right"

    @property
    def motion(self) -> bool:
        """Whether anything may move by itself: not with NO_COLOR, in ASCII, or with `motion: off`."""
        return self.motion_wanted and not self.ascii_only and self.theme != NO_COLOUR

    def words(self, text: str) -> str:
        """`text` as it is shown: spelt out where only ASCII may be."""
        if not self.ascii_only:
            return text
        return spelt_out(text)

    # -- where one is --------------------------------------------------------------------------------------------

    def go(self, route: str, *, instead: bool = False) -> None:
        """Show a route such as `lesson/fine-tuning`; `instead` of the present screen or on top of it."""
        screen = screen_of(route)
        if instead and len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def action_go(self, route: str) -> None:
        """As `go`, for keys."""
        self.go(route)

    def back(self) -> None:
        """To the screen below; Home is the last one."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    async def action_area(self, area: str) -> None:
        """One of the areas, from anywhere; what was open below is closed."""
        route = {"home": "", "labs": "labs", "progress": "progress", "machine": "machine"}.get(area)
        if route is None:
            route = resumed(area, self.course, self.state)
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        if route:
            self.go(route)
        elif area in ("quizzes", "exercises", "lesson"):
            self.notify("This course has none.", severity="warning")

    def action_present(self) -> None:
        """Slides, where they were left, or of the lesson where one is: a clicker's start key sends F5, then escape."""
        last = next(reversed(self.slides_left), "")
        unit = last or resumed("lesson", self.course, self.state).partition("/")[2]
        if unit:
            self.go(f"present/{unit}")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        from tlcourse.tui.routes import commands

        return commands(self, screen)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual does; what the machine refuses is said, and the screen stays."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except TlcourseError as error:
            said = str(error)
        except OSError as error:
            said = f"{error.filename or 'A file'}: {error.strerror or error}."
        self.notify(said, severity="error", timeout=15, markup=False)
        return True

    def _fatal_error(self) -> None:
        """The app cannot go on: one message, and the traceback in a file."""
        from rich.text import Text

        from tlcourse.logs import our_mistake

        error = sys.exception() or RuntimeError()
        self.panic(Text("tlcourse: " + "\n  ".join(our_mistake(error).lines())))

    def choose_theme(self, name: str) -> None:
        """Another theme, kept in the configuration file."""
        settings.choose_theme(self, name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In a field `/` is a letter. Textual knows that of all letters but this one, whose Unicode name is another."""
        return not (action == "search" and isinstance(self.focused, (Input, TextArea)))

    def action_search(self) -> None:
        """Search the course, from anywhere."""
        self.go("search")

    def action_help(self) -> None:
        """The keys that work here."""
        from tlcourse.tui.screens.help import show_keys

        show_keys(self)

    # -- what runs, and the end -----------------------------------------------------------------------------------

    def _poll(self) -> None:
        for run in self.background.poll():
            self.changed()
            self._announce(run)

    def _announce(self, run: Run) -> None:
        from tlcourse.presenting.verdict import outcome
        from tlcourse.tui.screens.frame import CourseScreen

        if isinstance(self.screen, CourseScreen):
            if self.screen.ON_A_PROJECTOR:  # a class need not read what the speaker's own run came to
                return
            self.screen.show_path()
        if run.state.result is not None and self.state.place != f"exercise/{run.exercise}":
            self.notify(
                f"{run.exercise}: {outcome(run.state.result.outcome, scored=run.scored).word}", timeout=8, markup=False
            )

    async def action_quit(self) -> None:
        """Textual's ctrl+q: asks as `q` does."""
        self.action_leave_app()

    def action_help_quit(self) -> None:
        """Textual's ctrl+c, which copies; whoever wants to leave is told how."""
        self.notify("q quits.", timeout=4, markup=False)

    def action_leave_app(self) -> None:
        """End the app; asks only when something runs."""
        if not self.background.going_here:
            self._end()
            return
        from tlcourse.tui.screens.dialogs import QuitDialog

        def decided(choice: str | None) -> None:
            if choice == "stop":
                self.background.stop_all()
            if choice in ("stop", "keep"):
                self._end()

        self.push_screen(QuitDialog(), decided)

    def _end(self) -> None:
        """End the app; what runs on clusters continues, and that is said."""
        remote = [run for run in self.background.going if run.remote and not run.stopped]
        lines = [
            f"Run {run.state.number or 'of ' + run.exercise} on {run.on} continues; its verdict is recorded when it is "
            "there: tlcourse jobs list"
            for run in remote
        ]
        self.exit(0, message="\n".join(lines) or None)

    def let_go(self, wait_s: float = 0.0) -> None:
        """The app has ended: what was asked to stop is gone, and nothing stays ready."""
        self.background.let_go(wait_s)
        if self._gc is not None:
            self._gc.end()
            self._gc = None


def run(
    course: LoadedCourse,
    *,
    course_folder: Path | None = None,
    ascii: bool = False,  # noqa: A002
    route: str = "",
) -> int:
    """Show the app, at `route` or where it begins, until the student leaves it; returns the exit code."""
    app = CourseApp(course, course_folder=course_folder, ascii_only=ascii, owns_process=True, greet=True, route=route)
    try:
        code = app.run()
    finally:
        app.let_go()
        app.record.close()
    if app.record.unwritten:
        raise app.record.lost()
    return ExitCode.INFRA if app.return_code and code is None else code or ExitCode.OK
