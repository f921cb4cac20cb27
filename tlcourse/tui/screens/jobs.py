"""Jobs: what runs here and on clusters. The clusters are asked by `tlcourse jobs list`, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.execution.log import harmless
from tlcourse.tui import places
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.widgets.verdict import OUTCOMES

_ASK_S = 20.0
_REDRAW_S = 1.0
_EMPTY = (
    "\nNothing runs here, and no run was sent to a cluster.\n\n"
    "Runs start on an exercise (4): g grades, o chooses where.\n"
    "A cluster is set up once:  tlcourse config set NAME host=ADDRESS\n"
    "and proved step by step:   tlcourse config check NAME"
)


class JobsScreen(CourseScreen):
    """Runs of this machine and of clusters in one list, with how old what is known of the clusters is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "follow", "Follow", id="jobs.follow"),
        Binding("x", "cancel", "Cancel…", id="jobs.cancel"),
        Binding("r", "resubmit", "Send again", id="jobs.resubmit"),
        Binding("u", "ask", "Ask now", id="jobs.ask"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]
    DEFAULT_CSS = """
    JobsScreen #jobs-said { padding: 0 2; height: auto; }
    JobsScreen #jobs { height: 1fr; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[dict[str, Any]] = []
        self._asked_at: float | None = None
        self._error = ""
        self._asking = False

    @property
    def path(self) -> list[str]:
        """One word."""
        return ["Jobs"]

    @property
    def twin(self) -> str:
        """The command that does the same."""
        return "tlcourse jobs list"

    def body(self) -> ComposeResult:
        """A line on what is known, and the list."""
        yield Static(id="jobs-said", markup=False)
        yield OptionList(id="jobs")

    def on_mount(self) -> None:
        """Ask now, and again from time to time."""
        super().on_mount()
        self.query_one("#jobs").focus()
        self.action_ask()
        self.set_interval(_ASK_S, self.action_ask)
        self.set_interval(_REDRAW_S, self.show)
        self.show()

    # -- asking ----------------------------------------------------------------------------------------------------

    def action_ask(self) -> None:
        """Ask the clusters how the runs stand."""
        if not self._asking:
            self._asking = True
            self.run_worker(self._ask(), group="asking")

    async def _ask(self) -> None:
        try:
            found, said = await command("jobs", "list", "--json")
            try:
                self._rows = json.loads(found)["jobs"]
                self._asked_at, self._error = time.time(), ""
            except (ValueError, KeyError):
                self._error = " ".join(harmless(said).split())[:300] or "tlcourse jobs list said nothing."
        finally:
            self._asking = False
        self.show()

    # -- showing ---------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Draw anew what is known; the cursor stays on its run."""
        if not self.is_mounted:
            return
        here = [run for run in self.course_app.runs.values() if run.going and run.place == places.LOCAL]
        rows: list[tuple[str, Text]] = [
            (f"here/{run.exercise}", _row("here", run.exercise, "this machine", run.state.phase, run.path, ""))
            for run in here
        ]
        rows += [(str(row["run"]), _of(row)) for row in self._rows]
        self.query_one("#jobs-said", Static).update(self._said(bool(rows)))
        jobs = self.query_one("#jobs", OptionList)
        jobs.display = bool(rows)
        if [(option.id, str(option.prompt)) for option in jobs.options] == [(name, str(text)) for name, text in rows]:
            return
        at = self._chosen()
        jobs.clear_options()
        jobs.add_options([Option(text, id=name) for name, text in rows])
        names = [name for name, _ in rows]
        jobs.highlighted = names.index(at) if at in names else (0 if names else None)

    def _said(self, any_rows: bool) -> Text:
        text = Text()
        if self._error:
            text.append(f"\nThe clusters could not be asked: {self._error}\n", style="#E69F00")
        if self._asked_at is None:
            text.append("\nAsking …\n" if not self._error else "")
        else:
            age = time.time() - self._asked_at
            stale = "" if age < 2 * _ASK_S else "; what is below may be out of date"
            asking = ", asking again …" if self._asking else ""
            text.append(f"\nAsked {age:.0f} s ago{asking}{stale}\n", style="dim")
            if not any_rows:
                text.append(_EMPTY)
        return text

    def _chosen(self) -> str:
        jobs = self.query_one("#jobs", OptionList)
        if jobs.highlighted is None or not jobs.option_count:
            return ""
        return jobs.get_option_at_index(jobs.highlighted).id or ""

    def _chosen_row(self) -> dict[str, Any] | None:
        name = self._chosen()
        return next((row for row in self._rows if str(row["run"]) == name), None)

    # -- doing -----------------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#jobs")
    def selected(self, event: OptionList.OptionSelected) -> None:
        """Follow it on its exercise's screen: log, curves, verdict."""
        app = self.course_app
        name = event.option.id or ""
        row = self._chosen_row()
        exercise = name.removeprefix("here/") if row is None else str(row["exercise"])
        if exercise not in app.course.exercises:
            self.tell(f"{exercise} is no exercise of this course.")
            return
        run = app.runs.get(exercise)
        if row is not None and row["state"] == "cancelled":
            self.tell("It was cancelled; r sends it again.")
            return
        if row is not None and not (run and run.going):
            try:
                scored = row["command"] == "grade"
                path, place = Path(str(row["path"])), str(row["on"])
                app.start_run(exercise, path, scored=scored, place=place, follows=str(row["run"]))
            except OSError as error:
                self.tell(f"It could not be followed: {error.strerror}. Try: tlcourse jobs tail {row['run']}")
                return
        app.go(f"exercise/{exercise}")

    def action_follow(self) -> None:
        """Follow the run under the cursor."""
        if self._chosen():
            self.query_one("#jobs", OptionList).action_select()

    def action_cancel(self) -> None:
        """Take the run under the cursor back, after asking."""
        name, row = self._chosen(), self._chosen_row()
        if name.startswith("here/"):
            self.tell("s on its exercise stops a run of this machine.")
        elif row is None or row["state"] != "open":
            self.tell("Nothing runs there.")
        else:

            def decided(yes: bool | None) -> None:
                if yes:
                    self.run_worker(self._cancel(str(row["run"])), group="cancelling")

            self.app.push_screen(CancelDialog(f"Cancel run {row['run']} of {row['exercise']} on {row['on']}?"), decided)

    async def _cancel(self, number: str) -> None:
        found, said = await command("jobs", "cancel", number, "--json")
        if not found.strip():
            self.tell(" ".join(harmless(said).split())[:300])
        self.action_ask()

    def action_resubmit(self) -> None:
        """Send the same file again to the same place."""
        app, row = self.course_app, self._chosen_row()
        if row is None:
            self.tell("Choose a run that was sent to a cluster.")
            return
        run = app.runs.get(str(row["exercise"]))
        if run is not None and run.going:
            self.tell(f"A run of {row['exercise']} goes on already.")
            return
        try:
            scored = row["command"] == "grade"
            app.start_run(str(row["exercise"]), Path(str(row["path"])), scored=scored, place=str(row["on"]))
        except OSError as error:
            self.tell(f"It could not be sent: {error.strerror}.")
            return
        self.notify(f"{row['exercise']} is sent to {row['on']} again.", markup=False)
        self.set_timer(3.0, self.action_ask)

    def action_move(self, by: int) -> None:
        """Up or down."""
        jobs = self.query_one("#jobs", OptionList)
        (jobs.action_cursor_down if by > 0 else jobs.action_cursor_up)()


class CancelDialog(ModalScreen[bool]):
    """Asked before a job is taken back."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Cancel the job"),
        Binding("n,escape", "dismiss(False)", "Leave it"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        from textual.containers import Vertical

        with Vertical(classes="dialog small"):
            yield Static(self._question, classes="title", markup=False)
            yield Static("y  cancel it; nothing is counted\nn  leave it running", markup=False)


async def command(*arguments: str) -> tuple[str, str]:
    """What `tlcourse ARGUMENTS` writes to stdout and to stderr; ended when nobody waits for it any more."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tlcourse", *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    try:
        found, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return found.decode(errors="replace"), said.decode(errors="replace")


def _of(row: dict[str, Any]) -> Text:
    if row["state"] == "ended":
        word = OUTCOMES.get(str(row["outcome"]), (str(row["outcome"]), "", ""))[0]
        graded = row["command"] == "grade"
        state = f"{word}, {row['points']:g} of {row['max_points']:g}" if graded else word
    else:
        state = str(row["state"]) if row["state"] != "open" else str(row.get("slurm", "open")).lower()
    said = "; ".join(str(part).rstrip(".") for part in (row.get("said", ""), row.get("crowd", "")) if part)
    return _row(str(row["run"]), str(row["exercise"]), str(row["on"]), state, str(row["path"]), said)


def _row(number: str, exercise: str, place: str, state: str, path: str, said: str) -> Text:
    text = Text(f"{number:>4}  {exercise:<6} {place:<14} ", no_wrap=False)
    text.append(f"{state:<18} ", style="bold")
    text.append(" ".join(harmless(path).split()), style="dim")
    if said:
        text.append("\n      " + " ".join(harmless(said).split()), style="not bold")
    return text
