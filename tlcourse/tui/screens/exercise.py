"""An exercise: the handout, one's own file, and runs with live curves in a process of their own."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll

from tlcourse.course.exercise import begin, explanation, packages_in_words, policy_section, usual_solution
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import TlcourseError
from tlcourse.presenting.attempts import Comparison, compared, sentences
from tlcourse.presenting.board import Board, kept_board
from tlcourse.student.record import Attempt
from tlcourse.text import markdown
from tlcourse.tui.clusters import backends, on
from tlcourse.tui.runs import Run
from tlcourse.tui.screens.dialogs import HintDialog, PageDialog
from tlcourse.tui.screens.own_file import PREWARM_S, WATCH_S, OwnFileScreen
from tlcourse.tui.widgets.bench import Bench
from tlcourse.tui.widgets.lesson_text import LessonText

_REFRESH_S = 0.1
_STOP_S = 2.0


class ExerciseScreen(OwnFileScreen):
    """One exercise. Wide terminals show handout and bench side by side, others one of them (`t`)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "grade", "Grade", id="exercise.grade"),
        Binding("r", "run", "Run", id="exercise.run"),
        Binding("p", "place", "Place", id="exercise.place", show=False, tooltip="Where Run and Grade happen"),
        Binding("o", "app.go('jobs')", "Jobs on clusters", id="exercise.jobs", show=False),
        Binding("i", "init", "Make a solution.py", id="exercise.init"),
        Binding("s", "stop", "Stop", id="exercise.stop"),
        Binding("e", "edit", "Edit", id="exercise.edit"),
        Binding("h", "hint", "Hint…", id="exercise.hint"),
        Binding("a", "explain", "Explanation", id="exercise.explain", tooltip="After a pass"),
        Binding("d", "details", "Details", id="exercise.details", tooltip="All that was measured"),
        Binding("D", "changes", "Changes", id="exercise.changes", tooltip="In the code since the attempt before"),
        Binding("t", "turn", "Switch view", id="exercise.turn"),
        Binding("l", "lesson", "Lesson", id="exercise.lesson", show=False),
        Binding("v", "samples", "View samples of its data", id="exercise.samples", show=False),
        Binding("w", "watch_file", "Watch: grade here on every save", id="exercise.watch", show=False),
        Binding("R", "reset", "Start over, with a backup", id="exercise.reset", show=False),
    ]

    def __init__(self, exercise: str) -> None:
        super().__init__()
        self.exercise = exercise
        self._works: dict[str, bool] = {}
        """Of actions that do something at times alone: whether they do now."""
        self._seen = -1
        self._compared: tuple[int, Comparison | None] = (0, None)
        self._board: Board | None = None

    @property
    def found(self) -> LoadedExercise:
        """The exercise."""
        return self.course_app.course.exercises[self.exercise]

    @property
    def current(self) -> Run | None:
        """The run of this exercise, in progress or over."""
        return self.course_app.background.runs.get(self.exercise)

    @property
    def path(self) -> list[str]:
        """Title and kind."""
        return [self.found.about.title, "exercise"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        backend = self.course_app.backend
        return f"tlcourse grade {self.exercise}" + (f" --on {backend}" if backend != "local" else "")

    @property
    def in_any_terminal(self) -> str:
        """The handout: a file to grade there may not be."""
        return f"tlcourse exercise show {self.exercise}"

    @property
    def solution(self) -> Path | None:
        """The student's file: where it usually lies, else where the last attempt's was."""
        if (usual := usual_solution(self.found)) is not None:
            return usual
        attempts = self.course_app.record.attempts(self.course_app.course.about.id, self.exercise)
        last = Path(attempts[-1].path) if attempts else None
        return last if last and last.is_file() else None

    def body(self) -> ComposeResult:
        """Handout and bench."""
        with Horizontal(id="sides"):
            with VerticalScroll(id="handout-page", classes="pane"):
                yield LessonText(id="handout")
            yield Bench(self.found, ascii_only=self.course_app.ascii_only, id="bench")

    async def on_mount(self) -> None:  # type: ignore[override]
        """Show the handout; a run in progress is shown at once."""
        super().on_mount()
        app = self.course_app
        app.record.keep_place(app.course.about.id, f"exercise/{self.exercise}")
        app.changed()
        self._board = self._read_board()
        self.query_one("#handout-page").border_title = "Handout"
        self.set_class(self.current is not None, "-bench")
        self.focus_side()
        self.refresh_bench()
        self.set_interval(_REFRESH_S, self._tick)
        self.set_interval(WATCH_S, self.look_at_file)
        self.set_timer(PREWARM_S, app.background.prewarm)  # after the first paint: it will want the machine
        text = (self.found.folder / "handout.md").read_text(encoding="utf-8")
        text += f"\n## Packages that a grading has\n\n{packages_in_words(self.found.about)}\n"
        text += policy_section(self.found.about)
        await self.query_one("#handout", LessonText).show(text, self.found.folder)

    def _read_board(self) -> Board | None:
        """The board that the student was given, or that lies beside the course; said where it is another file."""
        try:
            kept = kept_board(self.course_app.course.about.id, self.found)
        except TlcourseError as error:
            self.tell(error.what)
            return None
        return kept[0] if kept else None

    def works(self, action: str) -> bool:
        """Which keys the last line names: those that do something now."""
        return self._works.get(action, True)

    def action_lesson(self) -> None:
        """The lesson of the unit that it belongs to."""
        units = self.course_app.course.about.units
        unit = next((unit for unit in units if self.exercise in unit.exercises), None)
        if unit is None:
            self.tell("No unit names this exercise.")
        else:
            self.course_app.go(f"lesson/{unit.id}")

    def action_details(self) -> None:
        """Say all that was measured, or only what counts."""
        bench = self.query_one(Bench)
        bench.details = not bench.details
        self.refresh_bench()

    # -- showing ---------------------------------------------------------------------------------------------------

    def refresh_bench(self) -> None:
        """Show the file, the run and the attempts as they are now."""
        app = self.course_app
        attempts = app.record.attempts(app.course.about.id, self.exercise)
        run, solution, since = self.current, self.solution, self._since(attempts)
        self.query_one(Bench).show(solution, run, attempts, since, self._watching is not None, app.backend, self._board)
        going = run is not None and run.going
        self._works = {
            "stop": going,
            **dict.fromkeys(("grade", "run"), solution is not None and not going),
            "edit": solution is not None,
            "init": solution is None,
            "explain": any(attempt.outcome == "pass" for attempt in attempts),
            "changes": since is not None and bool(since.diff),
            "details": run is not None and run.state.result is not None,
        }
        self.keys_changed()

    def _since(self, attempts: list[Attempt]) -> Comparison | None:
        """The last attempt beside the one before; compared once."""
        newest = attempts[-1].number if attempts else 0
        if self._compared[0] != newest:
            codes = self.course_app.record.codes(self.course_app.course.about.id, self.exercise)
            self._compared = newest, compared(attempts, codes)
        return self._compared[1]

    def _tick(self) -> None:
        if not self.on_top:
            return
        run = self.current
        version = run.state.version if run else -1
        if version != self._seen or (run and not run.state.ended and time.time() % 1 < _REFRESH_S):
            ended = run is not None and run.state.ended and version != self._seen
            self._seen = version
            self.refresh_bench()
            if ended:
                self.show_path()

    # -- running ---------------------------------------------------------------------------------------------------

    def action_grade(self) -> None:
        """Train and score."""
        self._begin(scored=True)

    def action_run(self) -> None:
        """Train without scoring."""
        self._begin(scored=False)

    def action_place(self) -> None:
        """The next backend: this machine, and each profile of the configuration."""
        known = backends()
        if known.problem is not None:
            self.tell("\n".join(known.problem.lines()))
        elif len(known.names) < 2:
            self.tell("No cluster is set up; all runs on this machine. To have one: tlcourse config set lumi account=…")
        else:
            self.choose_backend(known.after(self.course_app.backend))

    def choose_backend(self, backend: str) -> None:
        """Run and grade there from now on."""
        self.course_app.backend = backend
        self.notify(f"r and g run it {on(backend)}.", timeout=4, markup=False)
        self.refresh_bench()

    def commands(self) -> Iterator[SystemCommand]:
        """What the palette offers here beside the keys: each backend by name."""
        for backend in backends().names:
            choose = functools.partial(self.choose_backend, backend)
            yield SystemCommand(f"Run {on(backend)}", "Where Run and Grade happen from now on", choose)

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return self.current is not None and self.current.going

    def begin_saved(self) -> None:
        """The watched file is graded here: a job for every save would fill a cluster's queue."""
        self._begin(scored=True, backend="local")

    def _begin(self, *, scored: bool, backend: str | None = None) -> None:
        solution = self.solution
        if self.current is not None and self.current.going:
            where = "" if not self.current.remote else f" {on(self.current.on)}"
            self.tell(f"It is running already{where}; s stops it.")
        elif self.has_file() and solution is not None:
            try:
                chosen = backend or self.course_app.backend
                self.course_app.background.start_run(self.exercise, solution, scored=scored, backend=chosen)
            except OSError as error:
                self.tell(f"The run could not be started: {error.strerror}. Try: {self.cli_equivalent} {solution}")
                return
            self._seen = -1
            self.show_bench()
            self.refresh_bench()
            self.show_path()

    def action_stop(self) -> None:
        """End the run; pressed again, at once."""
        run = self.current
        if run is None or not run.going:
            self.tell("Nothing is running.")
            return
        self.run_worker(run.stop(0.0 if run.stopped else _STOP_S), group="stop")

    # -- one's own file --------------------------------------------------------------------------------------------

    def make(self, folder: Path | None, *, again: bool) -> tuple[Path, Path | None]:
        """As the exercise's folder has it."""
        return begin(self.found, folder, again=again, course=self.course_app.course_folder)

    def action_samples(self) -> None:
        """What its data look like."""
        self.course_app.go(f"samples/{self.exercise}")

    def action_changes(self) -> None:
        """What changed in the code since the attempt before."""
        found = self._compared[1]
        if found is None or not found.diff:
            self.tell("The code of two attempts is kept from two gradings on; nothing changed between the last two.")
            return
        said = "\n".join(f"- {markdown(one)}" for one in sentences(found))
        fence = "`" * (
            max((len(run) for run in re.findall("`+", found.diff)), default=2) + 1 if "```" in found.diff else 3
        )
        page = f"{said}\n\n{fence}diff\n{found.diff}\n{fence}\n"
        self.app.push_screen(PageDialog("Changes since the attempt before · esc closes", page))

    def action_explain(self) -> None:
        """The explanation and the reference, once the exercise was passed."""
        app = self.course_app
        try:
            explained = explanation(self.found, passed=app.record.has_passed(app.course.about.id, self.exercise))
        except TlcourseError as error:
            self.tell(error.what)
            return
        app.push_screen(PageDialog("The explanation and the reference · esc closes", explained.page))

    def action_hint(self) -> None:
        """The hints, one after the other."""
        app = self.course_app
        course = app.course.about.id
        hints = self.found.hints
        if not hints:
            self.tell("There are no hints for this exercise.")
            return

        def closed(seen: int | None) -> None:
            for number in range(1, (seen or 0) + 1):
                app.record.take_hint(course, self.exercise, number)

        self.app.push_screen(HintDialog(hints, app.record.hints_taken(course, self.exercise)), closed)
