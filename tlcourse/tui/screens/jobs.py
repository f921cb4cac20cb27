"""Jobs: one's runs on clusters – the status of each and why, followed, cancelled, fetched and marked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.presenting.verdict import outcome
from tlcourse.presenting.words import ago
from tlcourse.text import harmless
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.clusters import backends
from tlcourse.tui.runs import Run
from tlcourse.tui.screens.dialogs import ConfirmDialog
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.screens.job import JobScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.bench import error_text
from tlcourse.tui.widgets.choices import Choices

if TYPE_CHECKING:
    from tlcourse.grading.remote_grading import JobRow

_TICK_S = 0.2
_ASK_S = 10.0
_STALE_S = 60.0
_NO_ANSWER = {"error": {"what": "tlcourse gave no answer.", "cause": "its process was ended.", "remedy": "ask again"}}
_NONE = (
    "\nNo run was sent to a cluster. In an exercise, p chooses where it runs and g grades there; "
    "the same without the app: tlcourse grade ex2 --on {backend}"
)
_NO_CLUSTER = (
    "\nNo cluster is set up, so all runs on this machine.\n\nTo have one, in a terminal:\n"
    "  tlcourse config show --ready                    the profiles to start from\n"
    "  tlcourse config set lumi account=project_1      takes one over\n"
    "  tlcourse config check lumi                      tests it, step by step\n\n"
    "After that, p in an exercise chooses where it runs."
)


class JobsScreen(CourseScreen):
    """The list of runs, and all that is known of the one under the cursor."""

    CSS_PATH = "jobs.tcss"
    FITTED = "#jobs-list"
    AUTO_FOCUS = ""  # a list of no runs is not shown
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "follow", "Follow", id="jobs.follow", priority=True, tooltip="Its output, curves, verdict"),
        Binding("s", "cancel", "Cancel…", id="jobs.cancel", tooltip="Cancel a run; asks first"),
        Binding("f", "ask", "Fetch", id="jobs.fetch", tooltip="Ask now, and mark what has ended"),
        Binding("p", "prove", "Test a profile", id="jobs.prove", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._question: ChildProcess | None = None
        self._kind = ""
        self._next = 0.0
        self._shown: object = None

    @property
    def path(self) -> list[str]:
        """One word."""
        return ["Jobs"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse jobs list"

    def body(self) -> ComposeResult:
        """What is wrong or going on, the list, and the one under the cursor."""
        yield Static(id="jobs-head", markup=False)
        with Container(id="jobs-panes"):
            yield Choices(id="jobs-list")
            with VerticalScroll(id="jobs-about", can_focus=False):
                yield Static(id="jobs-text", markup=False)

    def on_mount(self) -> None:
        """Show what is known here at once, then ask the clusters."""
        super().on_mount()
        self.query_one("#jobs-panes").display = False
        self._ask("kept", "jobs", "list", "--kept")
        self.set_interval(_TICK_S, self._tick)
        self.show()

    def on_unmount(self) -> None:
        """An open question is not interrupted: it may be recording a verdict."""
        if self._question is not None:
            self.course_app.background.leave(self._question)

    def fit(self) -> None:
        """Lines fit the list."""
        self.show()

    # -- asking ----------------------------------------------------------------------------------------------------

    def _ask(self, kind: str, *arguments: str) -> None:
        try:
            self._question, self._kind = ChildProcess.start(*arguments, "--json"), kind
        except OSError as error:
            self.tell(f"No process could be started: {error.strerror}. Try: {self.cli_equivalent}")
            return
        self.run_worker(self._hear(self._question, kind), group="jobs")

    async def _hear(self, question: ChildProcess, kind: str) -> None:
        document = await question.document()
        if question is self._question:  # else another one was asked in its place
            self._question = None
            self._answered(kind, document or _NO_ANSWER)

    def _tick(self) -> None:
        if self._question is None and time.monotonic() >= self._next and self._going():
            self.action_ask()

    def _going(self) -> bool:
        return any(row.state == "open" for row in self.course_app.clusters.rows.values())

    def _answered(self, kind: str, document: dict[str, Any]) -> None:
        clusters = self.course_app.clusters
        if kind == "cancel":
            if "error" in document:
                clusters.take(document, time.time(), asked=True)
            self._next = time.monotonic() + (_ASK_S if "error" in document else 0.0)
        else:
            before = {number: row.state for number, row in clusters.rows.items()}
            clusters.take(document, time.time(), asked=kind == "list")
            self._next = time.monotonic() + (_ASK_S if kind == "list" else 0.0)
            self._announce(before)
        self.show()

    def _announce(self, before: Mapping[str, str]) -> None:
        """A verdict that was fetched is in the student's record now."""
        for number, row in self.course_app.clusters.rows.items():
            if before.get(number) == "open" and row.state == "ended":
                self.course_app.changed()
                self.notify(f"Run {number} was fetched: {_state(row)[0]}.", timeout=8, markup=False)

    # -- showing ---------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Write everything anew; the cursor stays on its run."""
        if not self.has_widgets:
            return
        clusters, runs = self.course_app.clusters, self.query_one("#jobs-list", OptionList)
        rows = sorted(clusters.rows.values(), key=lambda row: -row.created)
        width = max(runs.size.width - 2, 20)
        shown = (width, [_line(row, width).plain for row in rows])
        if shown != self._shown:
            chosen = self._chosen()
            self._shown = shown
            runs.clear_options()
            runs.add_options([Option(_line(row, width), id=row.run) for row in rows])
            numbers = [row.run for row in rows]
            if numbers:
                runs.highlighted = numbers.index(chosen.run) if chosen and chosen.run in numbers else 0
        panes = self.query_one("#jobs-panes")
        if rows and not panes.display:
            panes.display = True
            self.call_after_refresh(runs.focus)  # what is not shown cannot have the focus
        panes.display = bool(rows)
        self._show_head(bool(rows))
        self._show_chosen()

    def _show_head(self, any_: bool) -> None:
        clusters, head = self.course_app.clusters, self.query_one("#jobs-head", Static)
        text = Text()
        if clusters.problem is not None:
            text.append("! ", style="bold $doubt").append_text(error_text(clusters.problem))
            text.append("What is below is the last known state.\n" if any_ else "")
        elif self._question is not None and self._kind != "cancel" and not clusters.heard:
            text.append("Asking …\n", style="italic")
        elif not any_:
            text.append(self._empty())
        text.rstrip()
        head.display = bool(text.plain)
        head.update(text)

    def _empty(self) -> str:
        known = backends()
        if known.problem is not None:
            return "\n" + "\n".join(known.problem.lines())
        return _NONE.format(backend=known.names[1]) if len(known.names) > 1 else _NO_CLUSTER

    def _chosen(self) -> JobRow | None:
        runs = self.query_one("#jobs-list", OptionList)
        if runs.highlighted is None or not runs.option_count:
            return None
        return self.course_app.clusters.rows.get(str(runs.get_option_at_index(runs.highlighted).id))

    @on(OptionList.OptionHighlighted, "#jobs-list")
    def _show_chosen(self) -> None:
        row, seen = self._chosen(), self.course_app.clusters.seen
        about = _about(row, time.time(), seen.get(row.run)) if row else ""
        self.query_one("#jobs-text", Static).update(about)

    # -- doing -----------------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#jobs-list")  # a click; the key itself is taken before the list sees it
    def action_follow(self) -> None:
        """Follow the run under the cursor, or see its verdict."""
        row = self._chosen()
        if row is None:
            self.tell("There is no run to follow.")
            return
        try:
            run = self._own(row) or Run.follow(
                row.run, row.exercise, row.path, scored=row.command == "grade", on=row.on
            )
        except OSError as error:
            self.tell(f"It cannot be followed: {error.strerror}. Try: tlcourse jobs tail {row.run}")
            return
        self.app.push_screen(JobScreen(run, followed=self._own(row) is None), lambda _: self.action_ask())

    def _own(self, row: JobRow) -> Run | None:
        """A process of this app that follows it already."""
        runs = self.course_app.background.runs.values()
        return next((run for run in runs if run.remote and run.state.number == row.run and run.alive), None)

    def action_cancel(self) -> None:
        """Cancel the run under the cursor, after a question."""
        row = self._chosen()
        if row is None or row.state != "open":
            self.tell("Nothing is left of it to cancel." if row else "There is no run to cancel.")
            return

        def decided(yes: bool | None) -> None:
            if not yes:
                return
            if (run := self._own(row)) is not None:
                run.ask_to_stop()  # it follows the job, and cancels it itself
                self._next = time.monotonic() + 1.0
            elif self._question is None or self._kind != "cancel":
                if self._question is not None:
                    self.course_app.background.leave(self._question)
                self._ask("cancel", "jobs", "cancel", row.run)

        what = f"Cancel run {row.run} ({row.exercise} on {row.on})?"
        self.app.push_screen(ConfirmDialog(what, "Its job is cancelled, and nothing is counted."), decided)

    def action_ask(self) -> None:
        """Ask the clusters; what has ended is fetched and marked."""
        if self._question is None:
            self._ask("list", "jobs", "list")
            self.show()

    def action_prove(self) -> None:
        """How a connection is tested: ssh may ask for a password then, which belongs in a terminal of its own."""
        row, known = self._chosen(), backends()
        name = row.on if row else known.names[1] if len(known.names) > 1 else "PROFILE"
        text = (
            f"tlcourse config check {name}\nIn a terminal: login, Slurm, work folder, torch, a small job, the sandbox."
        )
        self.notify(text, title="Test the connection with", timeout=15, markup=False)

    def action_move(self, by: int) -> None:
        """Up or down."""
        runs = self.query_one("#jobs-list", OptionList)
        (runs.action_cursor_down if by > 0 else runs.action_cursor_up)()


def _state(row: JobRow) -> tuple[str, str]:
    """A run's state as symbol and word, and its colour."""
    if row.state == "ended":
        words = outcome(row.outcome, scored=row.command == "grade")
        scored = f" {row.points:g}/{row.max_points:g}" if row.command == "grade" else ""
        return words.short + scored, f"${words.tone}"
    if row.state == "cancelled":
        return "– cancelled", "$muted"
    if row.state == "failed":
        return "! failed", "$fault"
    states = {"PENDING": "○ waits", "RUNNING": "▶ runs", "": "○ sent"}
    slurm = row.status.slurm if row.status else ""
    place = f", place {row.status.position}" if row.status and row.status.position else ""
    return states.get(slurm, f"○ {slurm.lower()}") + place, "$live"


def _line(row: JobRow, width: int) -> Text:
    """One run: its number, exercise, place and state; the file where there is room."""
    word, _ = _state(row)  # the cursor's line has a colour of its own, on which not every other can be read
    text = Text(f"{row.run:>3}  {row.exercise:<6}  {row.on:<8.16}  ", no_wrap=True)
    text.append(word)
    room = width - text.cell_len - 2
    path = _clean(row.path)
    if room >= 12:
        text.append("  " + (path if len(path) <= room else "…" + path[1 - room :]))
    text.truncate(width, overflow="ellipsis")
    return text


def _about(row: JobRow, now: float, seen: float | None) -> Text:
    what = "grading" if row.command == "grade" else "trial run"
    word, colour = _state(row)
    text = Text(f"Run {row.run}: {what} of {row.exercise} on {row.on}\n", style="bold")
    text.append(word, style=f"bold {colour}")
    said = row.status.said if row.status else row.said
    text.append(f"  {_clean(said)}\n" if said else "\n", style="not bold")
    if row.status:
        if row.status.crowd:
            text.append(f"{_clean(row.status.crowd)}\n", style="not bold")
        node = f", node {_clean(row.status.node)}" if row.status.node else ""
        text.append(f"job {_clean(row.status.job)}{node}\n", style="not bold")
    text.append(f"file: {_clean(row.path)}\n", style="not bold")
    text.append(f"sent {ago(now - row.created)}", style="not bold dim")
    if row.state == "open":
        if seen is None:
            text.append("; the cluster has not answered yet", style="not bold dim")
        elif now - seen > _STALE_S:
            text.append(f"; what stands here is from {ago(now - seen)}", style="not bold $doubt")
    return text


def _clean(text: object) -> str:
    return " ".join(harmless(str(text)).split())[:300]
