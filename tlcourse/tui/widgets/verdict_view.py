"""A verdict as a picture: a badge, points as a bar, and each check on a number line with its bar and interval."""

from __future__ import annotations

import datetime
import math

from rich.console import Group, RenderableType

from tlcourse.grading.result import CheckResult, Result
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis, WorstItem, pixels
from tlcourse.presenting import verdict as in_words
from tlcourse.presenting.attempts import Comparison, change_in_words, code_in_words
from tlcourse.presenting.board import Board, Own, own_in_words
from tlcourse.presenting.error_analysis import about, calibration_marks, confused, matrix_marks
from tlcourse.presenting.marks import ends_of, number_line, share_bar, spark
from tlcourse.presenting.verdict import outcome
from tlcourse.presenting.words import Drawing, bar, number, points
from tlcourse.student.record import Attempt
from tlcourse.tui.text import Text

_LINE_MOST, _LINE_LEAST = 48, 12
"""Columns of a number line."""
_POINTS_MOST = 32
"""Columns of the bar of points."""
_ATTEMPTS = 5
_CHANGES = {True: ("▲", "$good"), False: ("▼", "$bad"), None: ("·", "$muted")}
"""Of a check that is better, worse, or the same."""
_PICTURE, _LARGE, _GAP = 24, 36, 2
"""Columns of a picture of an item, at least and at most, and between two of them."""
_SPARKS = 30
_NUMBER = 8
"""Columns of a number at an end of a board's values, with a space."""
NARROW = 60
"""Columns that are assumed where nothing is known."""


def verdict(
    result: Result, *, scored: bool, width: int = NARROW, best: float | None = None, details: bool = False
) -> RenderableType:
    """The whole of a verdict.

    Args:
        result: What `tlcourse grade` or `run` said.
        scored: False for `tlcourse run`, which trains without scoring.
        width: Columns that there are.
        best: The points of the best attempt, this one among them; None where it is not known.
        details: With what each check measured in full, and what each run took.
    """
    parts: list[RenderableType] = [_head(result, scored=scored, width=width, best=best)]
    explained = False
    column = max((_numbers(check).cell_len for check in result.checks), default=0)
    for check in result.checks:
        parts += [Text(), *_check(check, width, column, details=details)]
        if not check.passed and (said := in_words.advice(check, on_screen=True)) and not explained:
            parts.append(Text(f"  → {said}"))
        explained = explained or not check.passed
    parts += [Text(), *(Text(message) for message in result.messages)] if result.messages else []
    if result.problem:
        parts += [Text(), Text(result.problem.rstrip())]
    if details:
        parts += [Text(), *(Text(in_words.run(run), style="$muted") for run in result.runs)]
    return Group(*parts)


def _head(result: Result, *, scored: bool, width: int, best: float | None) -> Text:
    words = outcome(result.outcome, scored=scored)
    text = Text().append(f" {words.short} ", style=f"bold reverse ${words.tone}")
    text.append(words.full.removeprefix(words.word))
    if not scored:
        return text.append("; g grades it" if words.tone == "good" else "")
    said = f"  {points(result.points, result.max_points)}  "
    text.append(said, style="bold")
    more = f"  best so far {best:g}" if best is not None and best > result.points else ""
    columns = min(width - text.cell_len - len(more), _POINTS_MOST)
    if columns >= _LINE_LEAST and result.max_points > 0:
        text.append_text(Text.of(share_bar(result.points / result.max_points, columns, f"${words.tone}")))
    return text.append(more, style="$muted")


def _numbers(check: CheckResult) -> Text:
    """`0.981  ≥ 0.95`"""
    text = Text("  ").append(f"{check.value:.4g} {check.unit}".rstrip(), style=f"bold ${in_words.check(check).tone}")
    return text.append(f"  {bar(check.direction, check.threshold, check.unit)}", style="$muted")


def _check(check: CheckResult, width: int, column: int, *, details: bool) -> list[Text]:
    """A check in two or three lines; its number line begins after `column` columns, as that of the others."""
    words = in_words.check(check)
    got = words.points
    first = Text().append(f"{words.mark} ", style=f"bold ${words.tone}").append(check.title, style="bold")
    room = width - first.cell_len - len(got)
    first.append(" " * room if room >= 2 else "\n  ").append(got, style=f"${words.tone}")
    second = _numbers(check)
    if (drawn := _number_line(check, width - column - 3, words.tone)) is not None:
        second.append(" " * (column - second.cell_len + 2)).append_text(drawn)
    lines = [first, second]
    if details:
        lines.append(Text(f"  {words.mark} {words.word} · {words.measured}", style="$muted"))
    elif said := _said(check):
        lines.append(Text(f"  {said}", style="$muted"))
    return lines


def _number_line(check: CheckResult, room: int, tone: str) -> Text | None:
    """The line with the numbers at its ends; None where there is nothing to place on it, or no room."""
    if not (math.isfinite(check.value) and math.isfinite(check.threshold)):
        return None
    low, high = ends_of(check.value, check.interval, check.threshold, direction=check.direction)
    begin, end = number(low), number(high)
    columns = min(room - max(len(begin), 5) - len(end) - 2, _LINE_MOST)
    if columns < _LINE_LEAST:
        return None
    drawn = number_line(check.value, check.interval, check.threshold, (low, high), columns, f"${tone}")
    return Text(f"{begin:>5} ", style="$muted").append_text(Text.of(drawn)).append(f" {end}", style="$muted")


def _said(check: CheckResult) -> str:
    """What a picture cannot say of a check."""
    said = []
    if check.status == "in doubt":
        said.append(f"in doubt, and passed for that reason: {check.accepted:.4g} is enough")
    if check.self_reported:
        said.append("self-reported: seen beside your code alone")
    return "; ".join(said)


def errors_view(
    found: ErrorAnalysis, width: int, *, colour: bool, how: Drawing = "ascii", dark: bool = True, details: bool = False
) -> Text:
    """What went most wrong: pictures with answer and truth, what is taken for what, how quantiles lie.

    Args:
        found: Of validation items.
        width: Columns that there are.
        colour: Whether half-blocks can have the colours of a picture; else it is drawn as `how` says.
        how: What this terminal can show.
        dark: Whether the background is.
        details: All items that there are; else a row of pictures, or two short ones.
    """
    text = Text(no_wrap=True, overflow="crop").append(f"{about(found)}\n", style="$muted")
    pictured = [one for one in found.worst if one.picture]
    across = max(min((width + _GAP) // (_PICTURE + _GAP), len(pictured)), 1)
    side = min((width + _GAP) // across - _GAP, _LARGE) // 2 * 2
    shown = pictured if details else pictured[: across * (1 if across > 2 else 2)]
    for start in range(0, len(shown), across):
        _pictures(text, shown[start : start + across], side, colour=colour, how=how, dark=dark)
    for one in (one for one in found.worst if not one.picture):
        text.append(f"✗ {one.answer}", style="$wrong").append(f"  true: {one.truth}\n", style="not bold")
    tables = [matrix_marks(found.confusion)] if found.confusion else []
    tables += [calibration_marks(found.calibration, found.n)] if found.calibration else []
    for table in tables:
        text.append("\n")
        for line in table:
            text.append_text(Text.of(line)).append("\n")
    if found.confusion and (wrong := confused(found.confusion, 3)):
        text.append("".join(f"{pair}\n" for pair in wrong), style="$muted")
    text.right_crop(1)
    return text


def _pictures(text: Text, items: list[WorstItem], side: int, *, colour: bool, how: Drawing, dark: bool) -> None:
    """A row of pictures, below each what was answered and what is true."""
    from tlcourse.presenting.pictures import picture  # NumPy comes with the first picture

    gap = " " * _GAP
    drawn = [picture(pixels(one.picture), side, colour=colour, how=how, dark=dark) for one in items]
    for parts in zip(*drawn, strict=True):
        for place, segments in enumerate(parts):
            text.append(gap if place else "")
            for segment in segments:
                text.append(segment.text, segment.style)
        text.append("\n")
    for place, one in enumerate(items):
        text.append((gap if place else "") + f"✗ {one.answer}"[:side].ljust(side), style="$wrong")
    text.append("\n")
    for place, one in enumerate(items):
        text.append((gap if place else "") + f"✓ {one.truth}"[:side].ljust(side), style="$done")
    text.append("\n")


def attempts_view(attempts: list[Attempt], now: datetime.datetime, since: Comparison | None = None) -> Text | None:
    """All attempts as a sparkline, and the last ones by their time on this machine's clock; None before the first.

    `since`: what changed in the code and in each check since the attempt before.
    """
    if not attempts:
        return None
    most = max((attempt.max_points for attempt in attempts), default=0.0)
    best = max(attempt.points for attempt in attempts)
    shown = attempts[-_SPARKS:]
    styles = [f"${outcome(attempt.outcome).tone}" for attempt in shown]
    text = Text.of(spark([attempt.points for attempt in shown], most, styles=styles))
    count = f"{len(attempts)} attempts" if len(attempts) > 1 else "1 attempt"
    text.append(f"  {count}, best {points(best, most)}\n", style="bold")
    for attempt in reversed(attempts[-_ATTEMPTS:]):
        words = outcome(attempt.outcome)
        text.append(f"{words.short:<16}", style=f"not bold ${words.tone}")
        text.append(f"{points(attempt.points, attempt.max_points)}  {_when(attempt.at, now)}\n", style="not bold")
    if since is not None:
        text.append("Since the attempt before: ", style="bold").append(f"{code_in_words(since)}\n", style="not bold")
        for check in since.checks:
            mark, style = _CHANGES[check.better]
            text.append(f"{mark} ", style=f"bold {style}").append(f"{change_in_words(check)}\n", style="not bold")
    return text


def board_view(board: Board, own: Own | None, width: int, *, ascii_only: bool = False) -> Text:
    """Where one's own last grading would stand in a class: values as columns, one's own marked below."""
    text = Text()
    values = [row.value for row in board.rows] + ([own.value] if own else [])
    low, high = min(values), max(values)
    columns = max(min(width - 2 * _NUMBER, _LINE_MOST), _LINE_LEAST)

    def column(value: float) -> int:
        return round((value - low) / ((high - low) or 1.0) * (columns - 1))

    counts = [0] * columns
    for row in board.rows:
        counts[column(row.value)] += 1
    if not ascii_only:
        begin = number(low).rjust(_NUMBER - 1)
        text.append(f"{begin} ", style="$muted")
        text.append_text(Text.of(spark(counts, max(counts), styles=["$done"] * columns)))
        text.append(f" {number(high)}\n", style="$muted")
        if own is not None:
            text.append(" " * (_NUMBER + column(own.value)) + "▲ you\n", style="bold $live")
    first, *rest = own_in_words(board, own)
    text.append(first, style="bold" if own else "not bold")
    for said in rest:
        text.append(f"\n{said}", style="$muted")
    return text


def _when(at: str, now: datetime.datetime) -> str:
    """`today 14:05`, `2026-11-28 14:05`."""
    moment = datetime.datetime.fromisoformat(at).astimezone()
    day = "today" if moment.date() == now.astimezone().date() else f"{moment:%Y-%m-%d}"
    return f"{day} {moment:%H:%M}"
