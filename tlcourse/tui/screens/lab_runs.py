"""The kept runs of a lab, to be chosen from: one to replay, or up to three to lay over the present one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.labs.result import KeptRun
from tlcourse.tui.screens.frame import Dialog
from tlcourse.tui.widgets.choices import Choices

MOST = 3
"""Runs that lie over the present one; with more nobody could tell them apart."""


class RunsDialog(Dialog[list[int] | None]):
    """Returns the numbers that were chosen, or None where nothing was to change."""

    CSS_PATH = "lab_runs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, runs: Sequence[KeptRun], chosen: Sequence[int] = (), *, several: bool) -> None:
        super().__init__()
        self._runs = list(reversed(runs))  # the latest first
        self._chosen = [number for number in chosen if any(run.number == number for run in runs)]
        self._several = several

    def compose(self) -> ComposeResult:
        """The list, and what its keys do."""
        what = f"up to {MOST} runs to draw with the present one: enter takes or drops one, esc is done"
        with Vertical(classes="dialog"):
            yield Static(f"Choose {what if self._several else 'a run: enter plays it, esc leaves'}", classes="title")
            yield Choices(id="lab-runs", markup=False)
            yield Static(id="lab-runs-said", markup=False)

    def on_mount(self) -> None:
        """List them."""
        for run in self._runs:
            self.query_one(OptionList).add_option(Option(self._line(run), id=str(run.number)))
        self.query_one(OptionList).highlighted = 0
        self.query_one(OptionList).focus()

    def _line(self, run: KeptRun) -> str:
        taken = ("[x] " if run.number in self._chosen else "[ ] ") if self._several else ""
        return f"{taken}{f'run {run.number}' if run.number else 'with the course'}: {run.words}"

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Take it, or drop it again."""
        run = self._runs[event.option_index]
        if not self._several:
            self.dismiss([run.number])
            return
        if run.number in self._chosen:
            self._chosen.remove(run.number)
        elif len(self._chosen) < MOST:
            self._chosen.append(run.number)
        full = len(self._chosen) == MOST
        said = f"{MOST} are chosen: drop one to take another." if full else f"{len(self._chosen)} chosen."
        self.query_one("#lab-runs-said", Static).update(said)
        event.option_list.replace_option_prompt_at_index(event.option_index, self._line(run))

    def action_move(self, by: int) -> None:
        """Go up or down, as everywhere."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_close(self) -> None:
        """Done."""
        self.dismiss(sorted(self._chosen) if self._several else None)
