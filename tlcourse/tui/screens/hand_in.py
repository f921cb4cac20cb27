"""Hand-in, for the staff: one of a batch in full, with the mark of each of its members, and what was decided of it.

Where people mark something of the exercise, what was handed in for it stands below the checks, and the rubric beside.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import OptionList, Static

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import TlcourseError
from tlcourse.grading.gradebook.by_hand import Given, give, requests
from tlcourse.grading.gradebook.changes import decided
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import PersonStatus
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.parts.manual import changed, laid_out, materials, seen
from tlcourse.paths import gradebook_file
from tlcourse.presenting.report.as_text import override_words, request_words
from tlcourse.presenting.report.feedback_content import comments, feedback_of
from tlcourse.presenting.report.late_words import late_note, points_with_late
from tlcourse.storage import new_folder, remove, user
from tlcourse.text import harmless, line, typed
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.screens.marking import THE_WHOLE, MarkDialog, material_text, rubric_options
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices

_LOG_LINES = 30
_WAIT_S = 0.5  # for a batch that writes at this moment: nobody wants to look at a still screen


class HandInScreen(CourseScreen):
    """One hand-in in full, as the staff may see it."""

    CSS_PATH = "batch.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="leave"),
        Binding("enter", "mark", "Mark", id="handin.mark", priority=True),
        Binding("plus", "full", "All points", key_display="+", id="handin.full"),
        Binding("right,right_square_bracket", "next", "Next to mark", id="handin.next"),
        Binding("o", "open", "Open files", id="handin.open"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
        Binding("space,pagedown", "page(1)", "A page on", show=False, priority=True),
        Binding("b,pageup", "page(-1)", "A page back", show=False, priority=True),
    ]

    def __init__(self, status: GradeStatus, record: BatchRecord | None, people: Sequence[PersonStatus] = ()) -> None:
        super().__init__()
        self._people = {one.person.id: one for one in people}
        self._status = status
        self._record = record
        self._seen: dict[str, str] = {}

    @property
    def path(self) -> list[str]:
        """The owner of the hand-in."""
        return ["Batch", clean(self._status.handin.owner)]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        name = self._record.exercise if self._record else "EXERCISE"
        if self._marks_by_hand:
            return f"tlcourse ta mark {name} {typed(clean(self._status.handin.owner))}"
        return f"tlcourse ta feedback {name} DIR"

    @property
    def _exercise(self) -> LoadedExercise | None:
        return self.course_app.course.exercises.get(self._record.exercise if self._record else "")

    @property
    def _marks_by_hand(self) -> bool:
        return self._exercise is not None and bool(self._exercise.about.manual)

    def works(self, action: str) -> bool:
        """Nothing is marked where the exercise has no rubric."""
        return self._marks_by_hand or action not in ("mark", "full", "next", "open")

    def body(self) -> ComposeResult:
        """The text, and the rubric where there is one."""
        with Container(id="handin-panes"):
            with VerticalScroll(id="handin-page"):
                yield Static(id="handin-text", markup=False)
            if self._marks_by_hand:
                yield Choices(id="handin-rubric", markup=False)

    def on_mount(self) -> None:
        """Read the document."""
        super().on_mount()
        self.query_one("#handin-rubric" if self._marks_by_hand else "#handin-page").focus()
        self._show()

    def _show(self) -> None:
        self.query_one("#handin-text", Static).update(self._text())
        for rubric in self.query("#handin-rubric").results(OptionList):
            self._list(rubric)

    def _list(self, rubric: OptionList) -> None:
        """The items anew, with the cursor on the first that is not set, else where it was."""
        assert self._exercise is not None
        about, hand = self._exercise.about, self._status.hand
        since = changed(about, SubmissionStore(gradebook_file()), self._status)
        options = rubric_options(about, hand, since, self.course_app.words)
        first = next((name for name in (*hand.unset, *since)), None)
        at = rubric.highlighted
        rubric.clear_options()
        rubric.add_options(options)
        rubric.highlighted = rubric.get_option_index(first) if first else at if at is not None else 1

    def _material(self) -> Text:
        """What was handed in to be marked; its hashes are kept for the marks that are given on it."""
        assert self._exercise is not None
        about, sha256 = self._exercise.about, self._status.verdict.sha256 if self._status.verdict else ""
        folder = SubmissionStore(gradebook_file()).kept(sha256)
        self._seen = seen(about, sha256, folder)
        return material_text(about, materials(about, folder))

    def _text(self) -> Text:
        status, exercise = self._status, self._exercise
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
        for said_of in self._members():
            text.append(f"{said_of}\n", style="not bold")
        if late := points_with_late(status).strip("; "):
            text.append(f"handed in {clean(status.handin.submitted_at)}: {clean(late)}\n", style="not bold")
        text.append(f"{said.next_thing}\n\n", style="not bold")
        for check in said.checks:
            text.append(f"{check.mark} {check.word}  ", style=f"bold ${check.tone}")
            text.append(f"{check.title}: {check.measured}, {check.points}\n", style="not bold")
        if said.comment:
            text.append(f"comment: {clean(' '.join(said.comment))}\n", style="not bold")
        for person, hand in status.hands_of_members.items():
            points = status.points_of(person)
            own_words = f"{'no' if points is None else f'{points:g}'} points. {comments(exercise, hand)}"
            text.append(f"{clean(person)}: {clean(own_words)}\n", style="not bold")
        for one in asked:
            text.append(f"{clean(request_words(one))}\n", style="not bold")
        for person, own in status.overrides_of_members.items():
            text.append(f"\n{clean(person)}: {decided(own)} by {clean(override_words(own))}\n", style="not bold")
        if status.override is not None:
            override = status.override
            by = clean(override_words(override))
            text.append(f"\noverridden to {decided(override)} by {by}\n", style="not bold")
        if self._marks_by_hand:
            text.append_text(self._material())
        if result.problem:
            text.append(f"\n{harmless(result.problem)}\n", style="not bold")
        for run in result.runs:
            if tail := "\n".join(harmless(run.log).rstrip().splitlines()[-_LOG_LINES:]):
                text.append(f"\nthe last lines it printed:\n{tail}\n", style="not bold")
        text.append("\nhistory: " + " → ".join(f"{v.outcome} {v.points:g}" for v in history), style="not bold")
        return text

    def _members(self) -> Iterator[str]:
        """Each member with the mark that is theirs, and why it is another than the others'."""
        status = self._status
        if not status.handin.members:
            yield "counts for nobody" if status.handin.left_behind else "members: not known"
        for person in status.handin.members:
            points, known = status.points_of(person), self._people.get(person)
            got = "no points yet" if points is None else f"{points:g} points"
            own = status.overrides_of_members.get(person)
            more = "excused" if own is not None and own.excused else ""
            more = more or ("set for them alone" if own is not None else late_note(status, person))
            left = ", left the class" if known is not None and known.state == "left" else ""
            name = clean(known.named if known else person)
            yield f"{name}: {got if more != 'excused' else 'no mark'}{f' ({clean(more)})' if more else ''}{left}"

    @on(OptionList.OptionSelected, "#handin-rubric")
    def action_mark(self) -> None:
        """Set the item under the cursor, or write the comment on the whole."""
        if not self._can_mark():
            return
        name, hand = self._chosen(), self._status.hand
        item = next((one for one in hand.items if one.id == name), None)
        points = hand.points_of(name) if item else None
        comment = hand.comment_on(item.id if item else "")
        dialog = MarkDialog(item, points, comment, partial(self._give, Given(item)))
        self.app.push_screen(dialog, lambda kept: self._show() if kept else None)

    def action_full(self) -> None:
        """All points of the item under the cursor, which goes on to the next one that is not set."""
        item = next((one for one in self._status.hand.items if one.id == self._chosen()), None)
        if not self._can_mark() or item is None:
            return
        if wrong := self._give(Given(item), item.max_points, self._status.hand.comment_on(item.id), ""):
            self.tell(f"{wrong} enter takes one.")
        self._show()

    def _chosen(self) -> str:
        for rubric in self.query("#handin-rubric").results(OptionList):
            if rubric.highlighted is not None:
                return rubric.get_option_at_index(rubric.highlighted).id or THE_WHOLE
        return THE_WHOLE

    def _can_mark(self) -> bool:
        if not self._marks_by_hand:
            self.tell("Nothing of this exercise is marked by hand.")
        return self._marks_by_hand

    def _give(self, given: Given, points: float | None, comment: str, why: str) -> str:
        """Keep a mark, and read where the hand-in stands now; returns what is wrong, or "" """
        assert self._record is not None
        target = self._status.handin.target
        item = given.item.id if given.item else ""
        manual = self.course_app.course.manual
        try:
            with Gradebook.writing(gradebook_file(), "marking in the app", _WAIT_S, manual=manual) as book:
                give(
                    *(book, self._record.exercise, [target], Given(given.item, points, comment)),
                    whom=clean(self._status.handin.owner),
                    who=user(),
                    why=why,
                    seen={target: self._seen.get(item, "")},
                )
                statuses = book.statuses(self._record)
        except TlcourseError as error:
            return line(error.what)
        self._status = next(one for one in statuses if one.handin.id == self._status.handin.id)
        return ""

    def action_next(self) -> None:
        """The next hand-in of the batch of which something is not marked, or has changed since."""
        if not self._can_mark() or self._record is None or self._exercise is None:
            return
        with Gradebook.reading(gradebook_file(), self.course_app.course.manual) as book:
            statuses = book.statuses(self._record)
            people = book.person_statuses(self._record, statuses)
        at = next((n for n, one in enumerate(statuses) if one.handin.id == self._status.handin.id), 0)
        found = next_to_mark([*statuses[at + 1 :], *statuses[:at]], self._exercise)
        if found is None:
            self.tell("No other hand-in has anything left to mark.")
            return
        self.app.switch_screen(HandInScreen(found, self._record, people))

    def action_open(self) -> None:
        """A copy of what is marked, in a folder that is shown; a viewer may write beside what it shows."""
        verdict = self._status.verdict
        kept = SubmissionStore(gradebook_file()).kept(verdict.sha256) if verdict else None
        if not self._can_mark() or self._exercise is None:
            return
        if kept is None:
            self.tell("Nothing is kept of this hand-in.")
            return
        folder = new_folder("marking")
        atexit.register(remove, folder)
        if not (names := laid_out(self._exercise.about, kept, folder)):
            self.tell("Nothing was handed in for what people mark.")
            return
        opener = "open" if sys.platform == "darwin" else "xdg-open"
        has_screen = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
        if has_screen and shutil.which(opener):
            subprocess.Popen(
                [opener, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.notify(f"{', '.join(map(clean, names))}: copied to {folder}", timeout=15, markup=False)

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        page = self.query_one("#handin-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)

    def action_page(self, by: int) -> None:
        """Scroll by a page."""
        page = self.query_one("#handin-page", VerticalScroll)
        (page.scroll_page_down if by > 0 else page.scroll_page_up)(animate=False)


def next_to_mark(statuses: Sequence[GradeStatus], exercise: LoadedExercise) -> GradeStatus | None:
    """The first of which an item is not marked, or has changed since it was."""
    store = SubmissionStore(gradebook_file())
    return next((one for one in statuses if one.to_mark("") or changed(exercise.about, store, one)), None)


def clean(text: str) -> str:
    """On one line, harmless, and not longer than a line is."""
    return " ".join(harmless(text).split())[:200]
