"""Batch, for the staff: a class while it is graded and afterwards, read from the gradebook alone.

The grading itself is a process of its own (`tlcourse batch`, or the regrade that `r` starts): this screen may be closed
and opened at will, on any terminal of the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.errors import TlcourseError
from tlcourse.grading.batch.state import state_of
from tlcourse.grading.gradebook.by_hand import requests
from tlcourse.grading.gradebook.deadlines import kept_deadline
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import STATES, PersonStatus, settles
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus
from tlcourse.paths import gradebook_file
from tlcourse.text import counted, typed
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.clusters import backends
from tlcourse.tui.clusters import on as on_backend
from tlcourse.tui.screens.batch_words import export_command, handin_line, person_line, summary
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.screens.hand_in import HandInScreen, clean, next_to_mark
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices

_REFRESH_S = 1.0
_OLDER = "An older version began this batch, and its data cannot be drawn any more: grade anew with --again."


class BatchScreen(CourseScreen):
    """One batch of the gradebook: counts, speed and failures at one side, its hand-ins or its people at the other."""

    CSS_PATH = "batch.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="batch.open", priority=True),
        Binding("m", "mark", "Mark by hand", id="batch.mark"),
        Binding("r", "retry", "Retry faults", id="batch.retry"),
        Binding("g", "go_on", "Continue", id="batch.go_on"),
        Binding("p", "place", "Place", id="batch.place", show=False),
        Binding("t", "who", "People", id="batch.people"),
        Binding("X", "export", "Export", id="batch.export"),
        Binding("left_square_bracket", "other(-1)", "Older", key_display="[", id="batch.older", show=False),
        Binding("right_square_bracket", "other(1)", "Newer", key_display="]", id="batch.newer", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._number: int | None = None
        self._record: BatchRecord | None = None
        self._numbers: list[int] = []
        self._newest = 0
        self._statuses: list[GradeStatus] = []
        self._people: list[PersonStatus] = []
        self._unmatched: list[tuple[str, str]] = []
        self._asked: set[str] = set()
        self._by_people = False
        self._seen: object = None
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
        self.call_after_refresh(self.refresh_state)
        self.set_interval(_REFRESH_S, self.refresh_state)

    def refresh_state(self) -> None:
        """Read the gradebook where it may have changed, and draw what has."""
        seen = (self._number, *_changes(gradebook_file()))
        if seen == self._seen:
            return
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
                self._newest = max(batch.id for batch in batches if batch.exercise == self._record.exercise)
                state, self._statuses = state_of(book, self._record), book.statuses(self._record)
                asked = [one.target for one in requests(book, self._record.exercise) if one.open]
                self._people = book.person_statuses(self._record, self._statuses)
                self._unmatched = book.look(self._record).unmatched
                kept = kept_deadline(book, self._number)
        except TlcourseError as error:
            self._say(Text("\n" + "\n".join(error.lines())))
            return
        self._asked = set(asked)
        # what runs changes by the clock, too; what was read too early was not drawn
        self._seen = (self._number, *seen[1:]) if self.has_widgets and not state.going else None
        self._say(summary(self._record, state, len(asked), self._people, kept))
        self._list()
        self.show_path()
        self.keys_changed()

    def _say(self, text: Text) -> None:
        if not self.has_widgets:
            return
        self.query_one("#batch-text", Static).update(text)

    def _list(self) -> None:
        """The hand-ins or the people anew, where one of them has changed; the cursor stays where it is."""
        of = {member: status for status in self._statuses for member in status.handin.members or [status.handin.owner]}
        if self._by_people:
            lines = [(f"p{n}", person_line(one, of.get(one.person.id), self._asked)) for n, one in self._numbered()]
        else:
            lines = [(f"h{one.handin.id}", handin_line(one, self._asked)) for one in self._statuses]
        shown = [(key, text.plain) for key, text in lines]
        if shown == self._shown or not self.has_widgets:
            return
        self._shown = shown
        listed = self.query_one("#batch-handins", OptionList)
        cursor = listed.highlighted or 0
        listed.clear_options()
        listed.add_options([Option(text, id=key) for key, text in lines])
        listed.highlighted = min(cursor, listed.option_count - 1) if lines else None

    def _numbered(self) -> list[tuple[int, PersonStatus]]:
        """Everybody; first those of whom something is to be done."""
        first = ("unmatched", "ours", "waiting", "to mark", "nothing", "elsewhere")
        order = {state: place for place, state in enumerate(first)}
        return sorted(enumerate(self._people), key=lambda pair: (order.get(pair[1].state, len(first)), pair[0]))

    @on(OptionList.OptionSelected, "#batch-handins")
    def selected(self, event: OptionList.OptionSelected) -> None:
        """Open one hand-in, or that of a person; of one without, say why and what settles it."""
        chosen = event.option.id or ""
        person = self._people[int(chosen[1:])] if chosen.startswith("p") else None
        status = next(
            (
                one
                for one in self._statuses
                if chosen == f"h{one.handin.id}"
                or (person is not None and person.person.id in (one.handin.members or [one.handin.owner]))
            ),
            None,
        )
        if status is not None:
            self.app.push_screen(HandInScreen(status, self._record, self._people))
        elif person is not None:
            self._tell_at_length(self._about(person), clean(person.named))

    def _about(self, person: PersonStatus) -> str:
        """Where somebody without a hand-in stands, and the command that settles it."""
        said = STATES[person.state] + (f": {clean(person.why)}" if person.why else "")
        exercise = self._record.exercise if self._record else "EXERCISE"
        folder = next((name for name, _ in self._unmatched if person.why.startswith(name)), "")
        if person.state == "unmatched" and folder:
            return f"{said}. To say whose it is: {settles(folder, exercise, self._record)}"
        if person.state == "nothing":
            return (
                f"{said}. To set a mark: tlcourse ta override {exercise} {typed(person.person.id)} --points N --why …"
            )
        return said

    def action_who(self) -> None:
        """The people in place of the hand-ins, or back."""
        self._by_people = not self._by_people
        self._shown = None
        self._list()
        if self.has_widgets:
            self.query_one("#batch-handins", OptionList).highlighted = (
                0 if self._people or not self._by_people else None
            )

    def action_open(self) -> None:
        """Open the hand-in under the cursor."""
        self.query_one("#batch-handins", OptionList).action_select()

    def works(self, action: str) -> bool:
        """Marking, where the exercise has something that people mark."""
        exercise = self.course_app.course.exercises.get(self._record.exercise if self._record else "")
        return action != "mark" or (exercise is not None and bool(exercise.about.manual))

    def action_mark(self) -> None:
        """Open the first hand-in of which something is not marked."""
        exercise = self.course_app.course.exercises.get(self._record.exercise if self._record else "")
        if exercise is None or not exercise.about.manual:
            self.tell("Nothing of this exercise is marked by hand.")
        elif (found := next_to_mark(self._statuses, exercise)) is None:
            self.tell("All that is graded is marked.")
        else:
            self.app.push_screen(HandInScreen(found, self._record, self._people))

    def action_retry(self) -> None:
        """Grade again what ended in an internal error, in a process that outlives the app."""
        left = [s for s in self._statuses if s.outcome in ("infra", "waiting")]
        if self._record is None or not left:
            self.tell("Nothing ended in an internal error.")
            return
        if not self._record.can_go_on:
            self.tell(_OLDER)
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
        if not self._record.can_go_on:
            self.tell(_OLDER)
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
            child = ChildProcess.start(*command, *course, "--plain", out=log, needs_secret=True)
            self.course_app.background.leave(child)
        except OSError as error:
            self.tell(f"No process could be started: {error.strerror}. Try: tlcourse {' '.join(map(typed, command))}")
            return
        self.notify(f"{message}; what it says: {log}", timeout=8, markup=False)

    def action_export(self) -> None:
        """Say how: files are the shell's business."""
        if self._record is not None:
            newest = self._newest == self._record.id
            command = export_command(self._record, newest=newest, course=self.course_app.course_folder)
            if unsure := sum(one.state == "unmatched" for one in self._people):
                command += (
                    f"\nIt is refused while {counted(unsure, 'person is', 'people are')} not matched: t shows who."
                )
            self._tell_at_length(command, "Export with")

    def _tell_at_length(self, text: str, title: str) -> None:
        """Something to read and to copy, in the place of what was told before."""
        self.app.clear_notifications()
        self.notify(text, title=title, timeout=15, markup=False)

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


def _changes(path: Path) -> list[tuple[int, int]]:
    """What differs after each writing to the gradebook."""
    found = []
    for one in (path, path.with_name(f"{path.name}-wal")):
        try:
            about = one.stat()
        except OSError:
            continue
        found.append((about.st_mtime_ns, about.st_size))
    return found
