"""A method to write: what is asked, one's own file, and its checks, each with what it means where it fails."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import ClassVar

import msgspec
from rich.console import Group, RenderableType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from tlcourse.course.write_it import WriteIt, begin, statement, usual_file
from tlcourse.grading.write_it_result import CheckState, WriteItResult
from tlcourse.presenting.marks import share_bar
from tlcourse.presenting.words import ago
from tlcourse.presenting.write_it import check_words, heading
from tlcourse.text import sentence
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.runs import Failure
from tlcourse.tui.screens.dialogs import HintDialog
from tlcourse.tui.screens.own_file import PREWARM_S, WATCH_S, OwnFileScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.bench import error_text
from tlcourse.tui.widgets.lesson_text import LessonText

_LOG_ROWS = 12
_BAR = 24


class Checked(msgspec.Struct, tag="checked", tag_field="type", frozen=True):
    """The last line of `tlcourse write check --events`."""

    result: WriteItResult


class WriteScreen(OwnFileScreen):
    """One write-it exercise; the file is checked on every save."""

    MADE = "e edits it; it is checked on every save."
    WATCHES_AT_ONCE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "check", "Check", id="write.check"),
        Binding("i", "init", "Make the file", id="write.init"),
        Binding("e", "edit", "Edit", id="write.edit"),
        Binding("h", "hint", "Hint…", id="write.hint"),
        Binding("l", "lesson", "Lesson", id="write.lesson"),
        Binding("t", "turn", "Switch view", id="write.turn"),
        Binding("w", "watch_file", "Watch: check on every save", id="write.watch", show=False),
        Binding("R", "reset", "Start over, with a backup", id="write.reset", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.write_it = name
        self._child: ChildProcess | None = None
        self._ended: WriteItResult | Failure | None = None

    @property
    def found(self) -> WriteIt:
        """The exercise."""
        return self.course_app.course.write_its[self.write_it]

    @property
    def path(self) -> list[str]:
        """Title and kind."""
        return [self.found.title, "write it"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse write check {self.write_it}"

    @property
    def in_any_terminal(self) -> str:
        """The statement: a file to check there may not be."""
        return f"tlcourse write show {self.write_it}"

    @property
    def own_name(self) -> str:
        """What the file is called that `i` makes."""
        return f"write/{self.write_it}.py"

    @property
    def solution(self) -> Path | None:
        """The student's file: where it usually lies, else where the last one that was checked was."""
        if (usual := usual_file(self.found)) is not None:
            return usual
        attempts = self.course_app.record.attempts(self.course_app.course.about.id, self.found.key)
        last = Path(attempts[-1].path) if attempts else None
        return last if last and last.is_file() else None

    @property
    def busy(self) -> bool:
        """Whether its checks are running."""
        return self._child is not None

    def works(self, action: str) -> bool:
        """Which keys the last line names: those that do something now."""
        if action in ("check", "edit"):
            return self.solution is not None
        return action != "init" or self.solution is None

    def body(self) -> ComposeResult:
        """Statement and bench."""
        with Horizontal(id="sides"):
            with VerticalScroll(id="handout-page", classes="pane"):
                yield LessonText(id="handout")
            with VerticalScroll(id="bench", can_focus=True):
                yield Static(id="bench-file", markup=False)
                yield Static(id="bench-status", markup=False)
                yield Static(id="bench-checks", classes="pane", markup=False)
                yield Static(id="bench-log", classes="pane", markup=False)

    async def on_mount(self) -> None:  # type: ignore[override]
        """Show what is asked, and how it was left; from now on the file is watched."""
        super().on_mount()
        app, course = self.course_app, self.course_app.course
        app.record.keep_place(course.about.id, self.found.key)
        app.changed()
        for pane, title in (("handout-page", "What to write"), ("bench-checks", "Checks"), ("bench-log", "It printed")):
            self.query_one(f"#{pane}").border_title = title
        attempts = app.record.attempts(course.about.id, self.found.key)
        self._ended = WriteItResult.of_attempt(attempts[-1].result) if attempts else None
        self.watch_file()
        self.set_class(self._ended is not None, "-bench")
        self.focus_side()
        self.refresh_bench()
        self.set_interval(WATCH_S, self.look_at_file)
        self.set_timer(PREWARM_S, app.background.prewarm)
        await self.query_one("#handout", LessonText).show(statement(course, self.found))

    def on_unmount(self) -> None:
        """What runs ends by itself, and is kept."""
        if self._child is not None:
            self.course_app.background.leave(self._child)

    # -- showing ---------------------------------------------------------------------------------------------------

    def refresh_bench(self) -> None:
        """Show the file and the checks as they are now."""
        if not self.has_widgets:
            return
        self._write("file", self._about_file())
        status = "\nChecking…" if self.busy else ""
        self._write("status", Text(status, style="bold $live") if status else None)
        failed = error_text(self._ended) if isinstance(self._ended, Failure) else None
        result = self._ended if isinstance(self._ended, WriteItResult) else None
        self._write("checks", failed or checks_view(self.found, result))
        lines = result.log.splitlines()[-_LOG_ROWS:] if result else []
        self._write("log", Text("\n".join(lines), style="$muted") if lines else None)
        self.keys_changed()

    def _about_file(self) -> Text:
        solution, text = self.solution, Text("Your file: ", style="bold")
        if solution is None:
            return text.append(f"none yet. i makes {self.own_name} to start from.", style="not bold")
        text.append(f"{solution}, saved {ago(time.time() - solution.stat().st_mtime)}", style="not bold")
        if self._watching is not None:
            text.append("\nIt is checked on every save (w ends that).", style="not bold $live")
        return text

    def _write(self, part: str, shown: RenderableType | None) -> None:
        widget = self.query_one(f"#bench-{part}", Static)
        widget.display = shown is not None
        widget.update(shown or "")

    # -- what keys do ----------------------------------------------------------------------------------------------

    def action_check(self) -> None:
        """Run all checks on the file."""
        solution = self.solution
        if self.busy:
            self.tell("The checks are running already.")
        elif self.has_file() and solution is not None:
            try:
                self._child = self.course_app.background.start_check(self.write_it, solution)
            except OSError as error:
                self.tell(f"The checks could not be started: {error.strerror}. Try: {self.cli_equivalent} {solution}")
                return
            self.run_worker(self._follow(self._child), group="check")
            self.show_bench()
            self.refresh_bench()

    def begin_saved(self) -> None:
        """The watched file was saved."""
        self.action_check()

    async def _follow(self, child: ChildProcess) -> None:
        lines = [line async for line in child.lines()]
        self._child, app = None, self.course_app
        self._ended = ended(lines)
        app.changed()
        app.background.prewarm()
        self.refresh_bench()
        self.show_path()

    def make(self, folder: Path | None, *, again: bool) -> tuple[Path, Path | None]:
        """The file with the skeleton."""
        return begin(self.course_app.course, self.found, folder, again=again)

    def action_lesson(self) -> None:
        """The lesson of its unit."""
        self.course_app.go(f"lesson/{self.found.unit}")

    def action_hint(self) -> None:
        """The hints, one after the other."""
        app, key = self.course_app, self.found.key
        course = app.course.about.id

        def closed(seen: int | None) -> None:
            for number in range(1, (seen or 0) + 1):
                app.record.take_hint(course, key, number)

        hints = self.found.hints
        self.app.push_screen(HintDialog(hints, app.record.hints_taken(course, key)), closed)


def ended(lines: list[bytes]) -> WriteItResult | Failure:
    """What `tlcourse write check --events` printed up to its end."""
    for line in reversed(lines):
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            found = msgspec.json.decode(line, type=Checked | Failure)
            return found.result if isinstance(found, Checked) else found
    said = [line.decode(errors="replace").strip() for line in lines if line.strip()]
    return Failure("The checks ended without a result.", said[-1] if said else "", "check it again: g")


def checks_view(one: WriteIt, result: WriteItResult | None) -> RenderableType:
    """Each check with its mark, and what it means where it does not pass; before the first time what they are."""
    if result is None:
        return Text("\n".join(f"○ {title}" for title in one.checks.values()))
    words = heading(one, result)
    head = Text().append(f" {words.word} ", style=f"bold reverse ${words.tone}").append(f"  {words.counted}  ")
    head.append_text(Text.of(share_bar(result.passed / max(len(result.checks), 1), _BAR, f"${words.tone}")))
    parts: list[RenderableType] = [head]
    for check in result.checks:
        parts += [Text(), *_check(check)]
    parts += [Text(), *(Text(message) for message in result.messages)] if result.messages else []
    if result.problem:
        parts += [Text(), Text(result.problem.rstrip(), style="$muted")]
    if result.outcome == "pass" and one.compare:
        parts += [Text(), Text(sentence(f"Now compare: {one.compare}"), style="$next")]
    return Group(*parts)


def _check(check: CheckState) -> list[Text]:
    words = check_words(check)
    lines = [Text().append(f"{words.mark} ", style=f"bold ${words.tone}").append(check.title, style="bold")]
    if words.meaning:
        lines.append(Text(f"→ {words.meaning}"))
    if check.trace:
        lines.append(Text(check.trace.rstrip(), style="$muted"))
    return lines
