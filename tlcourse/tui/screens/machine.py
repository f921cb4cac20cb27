"""This machine: what works here, and what would fix the rest; and the same, shorter, at the very first start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from tlcourse.presenting.machine import MachineFinding
from tlcourse.sandbox import KINDS
from tlcourse.text import counted
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text

_COLUMNS, _ROWS = 80, 24  # a terminal in which nothing is cut
_WAIT = "\nTrying Python, torch, sandbox and GPU … (enter continues without)"


class UnansweredError(Exception):
    """The doctor gave no findings; its text is what it printed instead."""


async def examined() -> list[MachineFinding]:
    """All findings, from a process of its own: torch is imported there, and sandboxes are tried.

    Raises UnansweredError. Whoever cancels this ends the process, and what it tries just then.
    """
    try:
        child = ChildProcess.start("doctor", "--json")
    except OSError as error:
        raise UnansweredError(error.strerror) from None
    try:
        document = await child.document() or {}
        return msgspec.convert(document["findings"], list[MachineFinding])
    except (KeyError, msgspec.ValidationError):
        raise UnansweredError(child.errors()) from None
    finally:
        child.kill()


def terminal(columns: int, rows: int) -> MachineFinding:
    """The size of this terminal."""
    size = f"{columns}×{rows}"
    if columns >= _COLUMNS and rows >= _ROWS:
        return MachineFinding("terminal", True, size)
    remedy = f"enlarge the window, or: printf '\\e[8;{_ROWS};{_COLUMNS}t'"
    return MachineFinding("terminal", False, f"{size}; at {_COLUMNS}×{_ROWS} more is seen at once", remedy)


class MachineScreen(CourseScreen):
    """The findings of `tlcourse doctor`."""

    AREA = "machine"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "leave", "Continue", id="machine.leave"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]
    head = ""
    """What is said above the findings."""
    shown: frozenset[str] | None = None
    """The findings that are shown, by name; None: all of them."""

    @property
    def path(self) -> list[str]:
        """Two words."""
        return ["This machine"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse doctor"

    def body(self) -> ComposeResult:
        """One text."""
        with VerticalScroll(id="machine-page"):
            yield Static(self.head, id="machine-head", markup=False)
            yield Static(_WAIT, id="findings", markup=False)

    def on_mount(self) -> None:
        """Ask, and show the answer when it is there."""
        super().on_mount()
        self.query_one("#machine-page").focus()
        self.query_one("#machine-head").display = bool(self.head)
        # the function, not its coroutine: one that is replaced before it began would never be awaited
        self.run_worker(self._examine, exclusive=True)  # type: ignore[arg-type]

    async def _examine(self) -> None:
        size = self.app.size
        try:
            findings = [*await examined(), terminal(size.width, size.height)]
            shown: RenderableType = _words([f for f in findings if self.shown is None or f.name in self.shown])
        except UnansweredError as error:
            shown = Text(f"\nThe machine could not be examined:\n{error}\nTry in a terminal: {self.cli_equivalent}\n")
        self.query_one("#findings", Static).update(shown)

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        page = self.query_one("#machine-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)


_PARTS_FROM = 110
"""From how many columns on the welcome names the parts of the course."""


class FirstScreen(MachineScreen):
    """Shown once, over Home, at the first start: nothing has to be fixed before one reads."""

    head = "Your machine: what works, and the command that fixes the rest. Reading and quizzes need none of it."
    shown = frozenset(["Python", "torch", "GPU", *KINDS[:-1], "clusters", "terminal"])

    @property
    def path(self) -> list[str]:
        """Two words."""
        return ["First start"]

    def body(self) -> ComposeResult:
        """What the course is, then the machine."""
        with Horizontal(id="first-panes"):
            yield Static(self._welcome(), id="welcome", classes="pane", markup=False)
            yield from super().body()

    def on_mount(self) -> None:
        """Name the panes."""
        super().on_mount()
        self.query_one("#welcome").border_title = "Welcome"
        page = self.query_one("#machine-page")
        page.add_class("pane")
        page.border_title = "This machine"

    def _welcome(self) -> Text:
        """The course in a dozen lines: what it is for, its parts, and which keys lead on."""
        app, state = self.course_app, self.course_app.state
        text = Text(f"{state.title}\n\n", style="bold $next")
        text.append(f"{app.course.about.description.strip()}\n\n", style="not bold $foreground")
        wide = app.size.width >= _PARTS_FROM
        parts = [unit for unit in state.units if unit.part]
        for unit, following in zip(parts, [*(one.number for one in parts[1:]), len(state.units) + 1], strict=True):
            if wide:
                text.append(f"{unit.part}", style="bold $foreground")
                text.append(f"  {counted(following - unit.number, 'unit')}\n", style="not bold $muted")
        asked, tasks = state.questions[1], state.exercises[1]
        said = [counted(state.lessons[1], "lesson"), counted(asked, "question"), counted(len(app.labs), "lab")]
        break_ = "\n" if wide else ""
        text.append(f"{break_}{', '.join(said)}, {counted(tasks, 'exercise')}.\n\n", style="not bold $muted")
        text.append("⏎ begins", style="bold $next")
        return text.append("   ? lists the keys   7 shows this machine again", style="not bold $muted")


def _words(findings: Sequence[MachineFinding]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for finding in findings:
        lacking = "✗ lacks" if finding.needed else "– without"
        mark, colour = ("✓ works", "$good") if finding.works else (lacking, "$doubt")
        text = Text(f"{finding.name}: {finding.detail}")
        if finding.remedy and not finding.works:
            text.append(f"\nfix: {finding.remedy}", style="$muted")
        table.add_row(Text().append(mark, style=f"bold {colour}"), text)
    return Group(Text(), table, Text().append("\nenter continues", style="italic"))
