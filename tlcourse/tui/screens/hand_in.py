"""Hand-in, for the staff: one of a batch in full, with the mark of each of its members, and what was decided of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tlcourse.grading.gradebook.by_hand import requests
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import PersonStatus
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus
from tlcourse.paths import gradebook_file
from tlcourse.presenting.report.as_text import decided, override_words, request_words
from tlcourse.presenting.report.feedback_content import comments, feedback_of
from tlcourse.presenting.report.late_words import late_note, points_with_late
from tlcourse.text import harmless
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text

_LOG_LINES = 30


class HandInScreen(CourseScreen):
    """One hand-in in full, as the staff may see it."""

    CSS_PATH = "batch.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="leave"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, status: GradeStatus, record: BatchRecord | None, people: Sequence[PersonStatus] = ()) -> None:
        super().__init__()
        self._people = {one.person.id: one for one in people}
        self._status = status
        self._record = record

    @property
    def path(self) -> list[str]:
        """The owner of the hand-in."""
        return ["Batch", clean(self._status.handin.owner)]

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
        for said_of in self._members():
            text.append(f"{said_of}\n", style="not bold")
        if late := points_with_late(status).strip("; "):
            text.append(f"handed in {clean(status.handin.submitted_at)}: {clean(late)}\n", style="not bold")
        text.append(f"{said.next_thing}\n\n", style="not bold")
        for check in said.checks:
            text.append(f"{check.mark} {check.word}  ", style=f"bold ${check.tone}")
            text.append(f"{check.title}: {check.measured}, {check.points}\n", style="not bold")
        for item in said.by_hand:
            text.append(
                f"{clean(item.title)}, by hand: {item.points}. {clean(' '.join(item.comment))}\n", style="not bold"
            )
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

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        page = self.query_one("#handin-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)


def clean(text: str) -> str:
    """On one line, harmless, and not longer than a line is."""
    return " ".join(harmless(text).split())[:200]
