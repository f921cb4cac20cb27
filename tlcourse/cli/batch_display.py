"""A batch while it runs: a table that changes on a terminal, one line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tlcourse.cli import out
from tlcourse.cli.verdict import COLOURS
from tlcourse.grading.batch.state import BatchState
from tlcourse.presenting.verdict import OUTCOMES
from tlcourse.presenting.words import duration
from tlcourse.text import harmless

if TYPE_CHECKING:
    from rich.live import Live

_REDRAW_S, _LINE_S = 0.5, 5.0
_CAUSES, _OWNERS, _CAUSE_CHARS = 8, 4, 200


def display_for(*, plain: bool) -> PlainDisplay | RichDisplay:
    """What fits the place where stderr goes."""
    return RichDisplay() if sys.stderr.isatty() and not plain else PlainDisplay()


class PlainDisplay:
    """A line when something has changed, at most every few seconds."""

    def __init__(self) -> None:
        self._due = 0.0
        self._said = ""

    def show(self, read: Callable[[], BatchState]) -> None:
        """Say where it stands."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _LINE_S
        state = read()
        line = headline(state)
        counted = f"{state.final} {state.infra} {state.queue}"
        if counted != self._said and (state.final + state.infra or state.queue):
            self._said = counted
            out.note(f"{line}; {state.queue}" if state.queue else line)

    def close(self) -> None:
        """Nothing to put right."""


class RichDisplay:
    """A table on stderr, redrawn twice a second."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._due = 0.0

    def show(self, read: Callable[[], BatchState]) -> None:
        """Draw it anew."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _REDRAW_S
        from rich.console import Console
        from rich.live import Live

        if self._live is None:
            self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(drawn(read()), refresh=True)

    def close(self) -> None:
        """Take the table away; the summary follows."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def headline(state: BatchState) -> str:
    """`12 of 40 graded (9 pass, 3 fail), 3.1 a minute, about 9 min left`."""
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(state.counts.items()))
    parts = [f"{state.final} of {state.total} graded" + (f" ({counts})" if counts else "")]
    if state.rate_per_minute is not None:
        parts.append(f"{state.rate_per_minute:.1f} a minute")
    if state.seconds_left is not None:
        parts.append(f"about {duration(state.seconds_left)} left")
    return ", ".join(parts)


def summary(state: BatchState) -> Iterator[str]:
    """The end of a batch, one fact a line."""
    yield headline(state) + "."
    for group in state.failures:
        if group.outcome != "fail":
            word = OUTCOMES[group.outcome].word
            yield f"  {word} × {len(group.owners)}: {_clean(group.cause, _CAUSE_CHARS)} ({_some(group.owners)})"
    if state.slowest:
        yield "  slowest: " + ", ".join(f"{_clean(owner)} {seconds:.1f} s" for owner, seconds in state.slowest)
    if state.infra or state.waiting:
        yield f"  {state.infra + state.waiting} without a verdict: give the command again with --resume."


def drawn(state: BatchState) -> Any:
    from rich.console import Group as Rows
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    counts = Table.grid(padding=(0, 2))
    for outcome, number in sorted(state.counts.items()):
        words = OUTCOMES[outcome]
        colour = COLOURS[words.tone]
        counts.add_row(Text(f"{number:>5}", style=f"bold {colour}"), Text(words.word, style=colour))
    parts: list[Any] = [
        Text(f"{state.exercise}  {headline(state)}", style="bold"),
        ProgressBar(total=max(state.total, 1), completed=state.final, width=60),
        counts,
    ]
    if state.queue:
        parts.append(Text(_clean(state.queue)))
    if state.running:
        now = ", ".join(f"{_clean(owner)} {seconds:.0f} s" for owner, seconds in state.running[:_OWNERS])
        parts.append(Text(f"now: {now}"))
    if state.slowest:
        parts.append(Text("slowest: " + ", ".join(f"{_clean(o)} {s:.0f} s" for o, s in state.slowest)))
    for group in state.failures[:_CAUSES]:
        parts.append(
            Text(
                f"  {group.outcome} × {len(group.owners)}: {_clean(group.cause, _CAUSE_CHARS)} ({_some(group.owners)})"
            )
        )
    parts.append(Text("ctrl-c stops; --resume continues", style="dim"))
    return Rows(*parts)


def _some(owners: list[str]) -> str:
    more = f" and {len(owners) - _OWNERS} more" if len(owners) > _OWNERS else ""
    return ", ".join(_clean(owner) for owner in owners[:_OWNERS]) + more


def _clean(text: str, most: int = 120) -> str:
    return " ".join(harmless(text).split())[:most]
