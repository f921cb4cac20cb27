"""This machine: what works here, and what would mend the rest. Each thing is tried in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tlcourse.tui.screens.frame import CourseScreen

_WAIT = "\nTrying Python, torch, sandbox and GPU … (enter goes on without)"


class MachineScreen(CourseScreen):
    """The findings of `tlcourse doctor`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave", "Go on", id="machine.leave")]

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
            yield Static(_WAIT, id="findings", markup=False)

    def on_mount(self) -> None:
        """Ask, and show the answer when it is there."""
        super().on_mount()
        self.query_one("#machine-page").focus()
        self.run_worker(self._examine(), exclusive=True)

    async def _examine(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tlcourse", "doctor", "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            found, said = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        try:
            text = _words(json.loads(found)["findings"], self.size.width, self.app.size.height)
        except (ValueError, KeyError):
            text = Text(f"\nThe machine could not be examined:\n{said.decode(errors='replace')[-500:]}")
        self.query_one("#findings", Static).update(text)


def _words(findings: list[dict[str, Any]], columns: int, rows: int) -> Text:
    text = Text("\n")
    for finding in findings:
        lacking = "✗ lacks  " if finding["needed"] else "– without"
        mark, colour = ("✓ works  ", "#009E73") if finding["works"] else (lacking, "#E69F00")
        text.append(f" {mark}", style=f"bold {colour}")
        text.append(f" {finding['name']}: {finding['detail']}\n", style="not bold")
        if finding["remedy"] and not finding["works"]:
            text.append(f"            to mend it: {finding['remedy']}\n", style="not bold dim")
    text.append(f" ✓ works   terminal: {columns}×{rows}\n", style="not bold")
    text.append("\n enter goes on", style="italic")
    return text
