"""Batch, for the staff: a class while it is graded and afterwards, read from the gradebook alone.

The grading itself is a process of its own (`tlcourse batch`, or the regrade that `r` starts): this screen may be closed
and opened at will, on any terminal of the machine.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.errors import TlcourseError
from tlcourse.grading.batch.state import BatchState, state_of
from tlcourse.grading.gradebook.by_hand import requests
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus
from tlcourse.paths import gradebook_file
from tlcourse.presenting.report.as_text import decided, override_words, request_words
from tlcourse.presenting.report.feedback_content import comments, feedback_of
from tlcourse.presenting.report.late_words import points_with_late
from tlcourse.presenting.verdict import OUTCOMES
from tlcourse.presenting.words import duration
from tlcourse.text import counted, harmless, typed
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.clusters import backends
from tlcourse.tui.clusters import on as on_backend
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices

_REFRESH_S = 1.0
_CAUSES, _OWNERS, _LOG_LINES = 8, 3, 30


class BatchScreen(CourseScreen):
    """One batch of the gradebook: counts, speed and failures at one side, the hand-ins at the other."""

    CSS_PATH = "batch.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="batch.open", priority=True),
        Binding("r", "retry", "Retry faults", id="batch.retry"),
        Binding("g", "go_on", "Continue", id="batch.go_on"),
        Binding("p", "place", "Place", id="batch.place", show=False),
        Binding("x", "export", "Export", id="batch.export"),
        Binding("left_square_bracket", "other(-1)", "Older", key_display="[", id="batch.older"),
        Binding("right_square_bracket", "other(1)", "Newer", key_display="]", id="batch.newer", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._number: int | None = None
        self._record: BatchRecord | None = None
        self._numbers: list[int] = []
        self._statuses: list[GradeStatus] = []
        self._shown: object = None
        self._backend = ""

    @property
    def path(self) -> list[str]:
        """Which batch."""
        return ["Batch", *([f"{self._record.exercise}, {self._record.id}"] if self._record else [])]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse ta report {self._record.exercise if self._record else 'EXERCISE'}"

    def body(self) -> ComposeResult:
        """The summary and the list."""
        with Horizontal(id="batch-panes"):
            with VerticalScroll(id="batch-summary", can_focus=False):
                yield Static(id="batch-text", markup=False)
            yield Choices(id="batch-handins")

    def on_mount(self) -> None:
        """Read now, and again every second."""
        super().on_mount()
        self.query_one("#batch-handins").focus()
        self.refresh_state()
        self.set_interval(_REFRESH_S, self.refresh_state)

    def refresh_state(self) -> None:
        """Read the gradebook, and draw what has changed."""
        try:
            with Gradebook.reading(gradebook_file(), self.course_app.course.manual) as book:
                batches = book.batches()
                self._numbers = [batch.id for batch in batches]
                if not batches:
                    self._say(Text("\nNo batch was graded yet: tlcourse batch EXERCISE SUBMISSIONS"))
                    return
                if self._number not in self._numbers:
                    self._number = self._numbers[-1]
                self._record = next(batch for batch in batches if batch.id == self._number)
                state, self._statuses = state_of(book, self._record), book.statuses(self._record)
                asked = sum(one.open for one in requests(book, self._record.exercise))
        except TlcourseError as error:
            self._say(Text("\n" + "\n".join(error.lines())))
            return
        self._say(_summary(self._record, state, asked))
        self._list()
        self.show_path()

    def _say(self, text: Text) -> None:
        if not self.is_mounted:
            return
        self.query_one("#batch-text", Static).update(text)

    def _list(self) -> None:
        """The hand-ins anew, where one of them has changed; the cursor stays where it is."""
        shown = [(s.handin.id, s.outcome, s.points, s.to_mark("")) for s in self._statuses]
        if shown == self._shown or not self.is_mounted:
            return
        self._shown = shown
        handins = self.query_one("#batch-handins", OptionList)
        cursor = handins.highlighted or 0
        handins.clear_options()
        handins.add_options([Option(_line(status), id=str(status.handin.id)) for status in self._statuses])
        handins.highlighted = min(cursor, handins.option_count - 1)

    @on(OptionList.OptionSelected, "#batch-handins")
    def selected(self, event: OptionList.OptionSelected) -> None:
        """Open one hand-in."""
        status = next((s for s in self._statuses if str(s.handin.id) == event.option.id), None)
        if status is not None:
            self.app.push_screen(HandInScreen(status, self._record))

    def action_open(self) -> None:
        """Open the hand-in under the cursor."""
        self.query_one("#batch-handins", OptionList).action_select()

    def action_retry(self) -> None:
        """Grade again what ended in an internal error, in a process that outlives the app."""
        left = [s for s in self._statuses if s.outcome in ("infra", "waiting")]
        if self._record is None or not left:
            self.tell("Nothing ended in an internal error.")
            return
        command = ["ta", "regrade", self._record.exercise, "--only", "infra", "--batch", str(self._record.id)]
        self._start_apart(command, "regrade", f"{len(left)} are graded again")

    def action_place(self) -> None:
        """The next backend on which the batch may continue: where it was begun, this machine, and each profile."""
        if self._record is None:
            return
        known = backends()
        if known.problem is not None:
            self.tell(known.problem.what)
            return
        self._backend = known.after(self._backend or self._record.settings.get("on", "local"))
        self.tell(f"g continues it {on_backend(self._backend)}.")

    def action_go_on(self) -> None:
        """Continue the batch, in a process that outlives the app."""
        if self._record is None or not any(s.outcome in ("infra", "waiting") for s in self._statuses):
            self.tell("All of it is graded.")
            return
        backend = self._backend or self._record.settings.get("on", "local")
        command = ["batch", self._record.exercise, self._record.source, "--resume", "--on", backend]
        self._start_apart(command, "batch", f"It continues {on_backend(backend)}")

    def _start_apart(self, command: list[str], name: str, message: str) -> None:
        """Start a process that nobody here waits for: it outlives the app, and the gradebook shows how it gets on."""
        course = ["--course", str(self.course_app.course_folder)] if self.course_app.course_folder else []
        book = gradebook_file()
        log = book.with_name(f"{book.name}.{name}.log")
        try:
            self.course_app.leave(ChildProcess.start(*command, *course, "--plain", out=log, needs_secret=True))
        except OSError as error:
            self.tell(f"No process could be started: {error.strerror}. Try: tlcourse {' '.join(map(typed, command))}")
            return
        self.notify(f"{message}; what it says: {log}", timeout=8, markup=False)

    def action_export(self) -> None:
        """Say how: files are the shell's business."""
        if self._record is not None:
            known = self._record.platform in ("brightspace", "canvas", "moodle")
            form = f"{self._record.platform} --template THEIR-EXPORT.csv" if known else "csv"
            command = f"tlcourse ta export {self._record.exercise} --format {form} --output marks.csv"
            self.notify(command, title="Export with", timeout=15, markup=False)

    def action_other(self, by: int) -> None:
        """An older or a newer batch."""
        if self._number not in self._numbers:
            return
        index = self._numbers.index(self._number) + by
        if not 0 <= index < len(self._numbers):
            self.tell("There is no older batch." if by < 0 else "This is the newest batch.")
            return
        self._number = self._numbers[index]
        self.refresh_state()

    def action_move(self, by: int) -> None:
        """Up or down."""
        handins = self.query_one("#batch-handins", OptionList)
        (handins.action_cursor_down if by > 0 else handins.action_cursor_up)()


class HandInScreen(CourseScreen):
    """One hand-in in full, as the staff may see it."""

    CSS_PATH = "batch.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="leave"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, status: GradeStatus, record: BatchRecord | None) -> None:
        super().__init__()
        self._status = status
        self._record = record

    @property
    def path(self) -> list[str]:
        """The owner of the hand-in."""
        return ["Batch", _clean(self._status.handin.owner)]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse ta feedback {self._record.exercise if self._record else 'EXERCISE'} DIR"

    def body(self) -> ComposeResult:
        """One text."""
        with VerticalScroll(id="handin-page"):
            yield Static(id="handin-text", markup=False)

    def on_mount(self) -> None:
        """Read the document."""
        super().on_mount()
        self.query_one("#handin-page").focus()
        self.query_one("#handin-text", Static).update(self._text())

    def _text(self) -> Text:
        status = self._status
        exercise = self.course_app.course.exercises.get(self._record.exercise if self._record else "")
        if status.verdict is None or exercise is None:
            return Text("\nNot graded yet." if exercise else "\nThis course has no such exercise.")
        if not status.verdict.readable:
            return Text(f"\nGrader fault: {status.verdict.cause}. tlcourse ta regrade {exercise.about.id} --only infra")
        with Gradebook.reading(gradebook_file()) as book:
            result = book.document(status.verdict.id)
            history = book.history(status.handin.id)
            targets = {status.handin.key, *(f"person:{one}" for one in status.handin.members)}
            asked = [one for one in requests(book, exercise.about.id) if one.target in targets]
        said = feedback_of(exercise, status, result)
        text = Text(f"\n{said.outcome.full}  {said.points}\n", style="bold")
        text.append(f"members: {_clean(', '.join(status.handin.members)) or 'not known'}\n", style="not bold")
        if late := points_with_late(status).strip("; "):
            text.append(f"handed in {_clean(status.handin.submitted_at)}: {_clean(late)}\n", style="not bold")
        text.append(f"{said.next_thing}\n\n", style="not bold")
        for check in said.checks:
            text.append(f"{check.mark} {check.word}  ", style=f"bold ${check.tone}")
            text.append(f"{check.title}: {check.measured}, {check.points}\n", style="not bold")
        for item in said.by_hand:
            text.append(
                f"{_clean(item.title)}, by hand: {item.points}. {_clean(' '.join(item.comment))}\n", style="not bold"
            )
        if said.comment:
            text.append(f"comment: {_clean(' '.join(said.comment))}\n", style="not bold")
        for person, hand in status.hands_of_members.items():
            points = status.points_of(person)
            own_words = f"{'no' if points is None else f'{points:g}'} points. {comments(exercise, hand)}"
            text.append(f"{_clean(person)}: {_clean(own_words)}\n", style="not bold")
        for one in asked:
            text.append(f"{_clean(request_words(one))}\n", style="not bold")
        for person, own in status.overrides_of_members.items():
            text.append(f"\n{_clean(person)}: {decided(own)} by {_clean(override_words(own))}\n", style="not bold")
        if status.override is not None:
            override = status.override
            by = _clean(override_words(override))
            text.append(f"\noverridden to {decided(override)} by {by}\n", style="not bold")
        if result.problem:
            text.append(f"\n{harmless(result.problem)}\n", style="not bold")
        for run in result.runs:
            if tail := "\n".join(harmless(run.log).rstrip().splitlines()[-_LOG_LINES:]):
                text.append(f"\nthe last lines it printed:\n{tail}\n", style="not bold")
        text.append("\nhistory: " + " → ".join(f"{v.outcome} {v.points:g}" for v in history), style="not bold")
        return text

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        page = self.query_one("#handin-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)


def _summary(record: BatchRecord, state: BatchState, asked: int) -> Text:
    text = Text()
    going = "is being graded" if state.going else "stopped" if state.waiting or state.infra else "done"
    text.append(f"{state.final} of {state.total} graded, {going}\n", style="bold")
    facts = []
    if state.rate_per_minute is not None:
        facts.append(f"{state.rate_per_minute:.1f} a minute")
    if state.seconds_left is not None:
        facts.append(f"about {duration(state.seconds_left)} left")
    if facts:
        text.append(", ".join(facts) + "\n", style="not bold")
    for outcome, number in sorted(state.counts.items(), key=lambda item: -item[1]):
        text.append(f"{number:>5}  {OUTCOMES[outcome].full}\n", style=f"not bold ${OUTCOMES[outcome].tone}")
    if state.waiting:
        text.append(f"{state.waiting:>5}  {OUTCOMES['waiting'].word}\n", style="not bold")
    if asked:
        said = f"{counted(asked, 'open request')}: tlcourse ta requests {record.exercise}\n"
        text.append(said, style="not bold")
    text.append(f"graded {on_backend(record.settings.get('on', 'local'))}\n", style="not bold dim")
    if state.queue:
        text.append(f"{_clean(state.queue)}\n", style="not bold")
    for owner, seconds in state.running:
        text.append(f"now: {_clean(owner)} {seconds:.0f} s\n", style="not bold")
    if state.failures:
        text.append("Failures by cause\n", style="bold")
    for group in state.failures[:_CAUSES]:
        names = ", ".join(_clean(owner) for owner in group.owners[:_OWNERS])
        more = f" and {len(group.owners) - _OWNERS} more" if len(group.owners) > _OWNERS else ""
        text.append(f"{len(group.owners)} × {group.outcome}: {_clean(group.cause)} ({names}{more})\n", style="not bold")
    for owner, seconds in state.slowest:
        text.append(f"slow: {_clean(owner)} {seconds:.0f} s\n", style="not bold dim")
    if not state.going and state.waiting:
        text.append(
            f"\nContinue with: tlcourse batch {record.exercise} {typed(record.source)} --resume\n", style="italic"
        )
    return text


def _line(status: GradeStatus) -> Text:
    """One hand-in: a symbol, its owner, the outcome in words, the points."""
    outcome = OUTCOMES[status.outcome]
    points = "" if status.points is None else f" {status.points:g}"
    changed = " (overridden)" if status.override is not None else ""
    if unset := status.to_mark(""):
        changed = f" (to mark by hand: {', '.join(unset)})"
    if status.overrides_of_members:
        changed += f" ({len(status.overrides_of_members)} with points of their own)"
    if status.late is not None and status.late.days:
        changed += " (late)"
    text = Text(no_wrap=True).append(f"{outcome.mark} ", style=f"${outcome.tone}")
    text.append(f"{_clean(status.handin.owner)}  ")
    text.append(f"{outcome.word}{points}{changed}")
    return text


def _clean(text: str) -> str:
    return " ".join(harmless(text).split())[:200]
