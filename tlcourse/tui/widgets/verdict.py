"""A verdict as the app shows it: the outcome in words, every check, the first failure in full."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from tlcourse.grading.result import Result
from tlcourse.presenting import verdict as in_words
from tlcourse.presenting.words import points
from tlcourse.tui.text import Text


def verdict(result: Result, *, scored: bool) -> RenderableType:
    """The verdict as a table with one row a check, so that long lines stay in their column.

    Args:
        result: What `tlcourse grade` or `run` said.
        scored: False for `tlcourse run`, which trains without scoring.
    """
    words = in_words.outcome(result.outcome, scored=scored)
    head = Text().append(words.short, style=f"bold ${words.tone}")
    head.append(words.full.removeprefix(words.word))
    if scored:
        head.append(f"  {points(result.points, result.max_points)}", style="bold")
    elif words.tone == "good":
        head.append("; g grades it")
    parts: list[RenderableType] = [head]
    checks = Table.grid(padding=(0, 2))
    checks.add_column(no_wrap=True)
    checks.add_column(ratio=1)
    explained = False
    for check in map(in_words.check, result.checks):
        text = Text().append(f"{check.title}\n", style="bold").append(f"{check.measured}, {check.points}")
        if check.tone == "bad" and check.advice and not explained:
            text.append(f"\n→ {check.advice}")
        explained = explained or check.tone == "bad"
        checks.add_row(Text(f"{check.mark} {check.word}", style=f"bold ${check.tone}"), text)
    if result.checks:
        parts.append(checks)
    parts += [Text(message) for message in result.messages]
    if result.problem:
        parts += [Text(), Text(result.problem.rstrip())]
    parts += [Text(in_words.run(run), style="dim") for run in result.runs]
    return Group(*parts)
