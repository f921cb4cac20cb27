"""This machine: what works here, and what would mend the rest; and the same, shorter, at the very first start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tlcourse.execution.machine import MachineFinding
from tlcourse.tui import doctor
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text

_WAIT = "\nTrying Python, torch, sandbox and GPU … (enter goes on without)"


class MachineScreen(CourseScreen):
    """The findings of `tlcourse doctor`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "leave", "Go on", id="machine.leave"),
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
    def twin(self) -> str:
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
        self.run_worker(self._examine(), exclusive=True)

    async def _examine(self) -> None:
        size = self.app.size
        try:
            found = [*await doctor.examined(), doctor.terminal(size.width, size.height)]
            shown: RenderableType = _words([one for one in found if self.shown is None or one.name in self.shown])
        except doctor.UnansweredError as said:
            shown = Text(f"\nThe machine could not be examined:\n{said}\nTry in a terminal: {self.twin}\n")
        self.query_one("#findings", Static).update(shown)

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        page = self.query_one("#machine-page", VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)


class FirstScreen(MachineScreen):
    """Shown once, over Home, at the first start: nothing has to be mended before one reads."""

    head = (
        "\nWelcome. This is a look at your machine, shown once: what works, and the command that mends the rest. "
        "Reading and quizzes need none of it. enter begins; 6 shows more of it at any time."
    )
    shown = frozenset("Python,torch,GPU,sandbox,fork server,landlock,clusters,terminal".split(","))

    @property
    def path(self) -> list[str]:
        """Two words."""
        return ["First start"]


def _words(findings: Sequence[MachineFinding]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for finding in findings:
        lacking = "✗ lacks" if finding.needed else "– without"
        mark, colour = ("✓ works", "$good") if finding.works else (lacking, "$doubt")
        text = Text(f"{finding.name}: {finding.detail}")
        if finding.remedy and not finding.works:
            text.append(f"\nto mend it: {finding.remedy}", style="$muted")
        table.add_row(Text().append(mark, style=f"bold {colour}"), text)
    return Group(Text(), table, Text().append("\nenter goes on", style="italic"))
