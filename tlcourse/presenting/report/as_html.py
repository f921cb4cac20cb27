"""Pages that stand alone: feedback, the report for the staff, and similar hand-ins side by side.

The pages are templates in `templates/`. Whatever a submission, a person or a platform wrote is escaped by default, and
harmless on a terminal too; only our own drawings are handed over as markup. They are small plots as SVG text, for pages
that load nothing: lines of a training run, bars of a distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tlcourse.grading.gradebook.changes import decided
from tlcourse.grading.result import Result
from tlcourse.grading.scoring.error_analysis import ConfusionMatrix, ErrorAnalysis, WorstItem
from tlcourse.presenting import error_analysis, words
from tlcourse.presenting import verdict as in_words
from tlcourse.presenting.board import Board, what_it_is
from tlcourse.presenting.report import feedback_content
from tlcourse.presenting.report.as_text import (
    head,
    mark_row,
    notices,
    override_words,
    replaced_words,
    request_words,
)
from tlcourse.presenting.report.feedback_content import Feedback
from tlcourse.presenting.report.late_words import points_with_late
from tlcourse.presenting.report.report_data import Report, five_numbers, histogram
from tlcourse.presenting.report.similar_handins import Similar, no_pair
from tlcourse.presenting.report.whole_course import WholeCourse, named, shown, summary
from tlcourse.presenting.verdict import OUTCOMES
from tlcourse.presenting.words import bar
from tlcourse.text import harmless, line


class Figure(NamedTuple):
    """A plot, and what it says in words."""

    drawing: Markup
    words: str


def feedback_page(said: Feedback) -> str:
    """Feedback on one hand-in."""
    return _page(
        "feedback", said=said, curves=list(_plotted(said.curves, said.curve_words)), errors=errors_shown(said.errors)
    )


def verdict_in_a_cell(result: Result, note: str = "") -> str:
    """A verdict as the output of a notebook's cell: a part of a page, with a style of its own."""
    found = feedback_content.curves(result.metrics)
    return (
        environment()
        .get_template("cell.html.j2")
        .render(
            head=OUTCOMES.get(result.outcome, OUTCOMES["waiting"]),
            exercise=result.exercise,
            points=words.points(result.points, result.max_points),
            checks=[in_words.check(one) for one in result.checks],
            messages=[*result.messages, *([note] if note else [])],
            problem=result.problem,
            errors=errors_shown(result.error_analysis),
            curves=list(_plotted(found, feedback_content.curve_words(found))),
            runs=[in_words.run(one) for one in result.runs],
        )
    )


class ErrorsShown(NamedTuple):
    """What went most wrong, as a page shows it."""

    title: str
    about: str
    pictures: list[tuple[WorstItem, str]]
    """Each with words for those who do not see its picture."""
    matrix: ConfusionMatrix | None
    rows: list[tuple[str, list[error_analysis.HeatCell]]]
    confused: str
    calibration: Markup


def errors_shown(found: ErrorAnalysis | None) -> ErrorsShown | None:
    """The same facts as in words."""
    if found is None:
        return None
    matrix = found.confusion
    return ErrorsShown(
        title=error_analysis.TITLE,
        about=error_analysis.about(found),
        pictures=[(one, error_analysis.of_item(one)) for one in found.worst],
        matrix=matrix,
        rows=error_analysis.heat(matrix) if matrix else [],
        confused="; ".join(error_analysis.confused(matrix, 3)) if matrix else "",
        calibration=Markup(error_analysis.calibration_svg(found.calibration)),  # noqa: S704 - ours; it escapes texts
    )


def report_page(report: Report, links: Mapping[str, str] | None = None) -> str:
    """The report; `links` leads from a hand-in's key to its feedback, relative to the page."""
    return _page(
        "report",
        report=report,
        head=head(report),
        counts=sorted(report.state.counts.items(), key=lambda item: -item[1]),
        outcomes=OUTCOMES,
        figures=list(_distributions(report)),
        ids={status.handin.owner: status.handin.id for status in report.statuses},
        links=links or {},
        notices=list(notices(report)),
        override_words=override_words,
        decided=decided,
        points_with_late=points_with_late,
        mark_row=mark_row,
        replaced_words=replaced_words,
        request_words=request_words,
        no_pair=no_pair,
    )


def course_page(course: WholeCourse) -> str:
    """All exercises in one table."""
    totals = [row.total for row in course.rows]
    words = f"Sums of {len(totals)} people: {five_numbers(totals)}."
    most = sum(column.max_points for column in course.columns)
    figures = list(_figure(plot_bars(histogram(totals, most), words=words), words)) if totals else []
    return _page("course", course=course, figures=figures, summary=summary, shown=shown, named=named)


class RowShown(NamedTuple):
    """A row of a board: in words, and where the ends of its interval and its value stand, in per cent of the line."""

    places: str
    measured: str
    interval: str
    low: float
    high: float
    value: float


def board_page(board: Board) -> str:
    """Places of a class without names, on one number line for all."""
    ends = [end for row in board.rows for end in row.interval]
    low, high = min(ends), max(ends)
    room = 0.05 * ((high - low) or 1.0)

    def place(value: float) -> float:
        return round(100 * (value - low + room) / (high - low + 2 * room), 1)

    rows = [
        RowShown(
            f"{row.first}–{row.last}" if row.last > row.first else str(row.first),
            f"{words.number(row.value)} {board.unit}".rstrip(),
            " to ".join(map(words.number, row.interval)),
            *(place(end) for end in (*row.interval, row.value)),
        )
        for row in board.rows
    ]
    return _page("board", title=board.name, n=len(rows), rows=rows, about=what_it_is(board))


def similar_page(title: str, looked: Similar) -> str:
    """One page for all pairs, the shared lines marked."""
    shown = [
        (
            pair,
            [
                _numbered(looked.texts.get(key, ""), set(lines))
                for key, lines in zip(pair.keys, pair.lines, strict=True)
            ],
        )
        for pair in looked.pairs
    ]
    return _page("similar", title=title, pairs=shown, nothing=no_pair(looked), not_compared=looked.not_compared)


def _page(name: str, **variables: Any) -> str:
    return environment().get_template(f"{name}.html.j2").render(variables)


@cache
def environment() -> Environment:
    """The templates, and what is done to all that they show."""
    made = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else harmless(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["line"] = lambda value, most=500: line(str(value), most)
    return made


def _plotted(curves: Mapping[str, Points], words: str) -> Iterator[Figure]:
    """What falls (losses, errors), and the rest: they have different scales."""
    falling = {name: points for name, points in curves.items() if "loss" in name or "error" in name}
    rest = {name: points for name, points in curves.items() if name not in falling}
    for some in (falling, rest):
        yield from _figure(plot_lines(some, across="step", words=words), ", ".join(list(some)[:4]))


def _distributions(report: Report) -> Iterator[Figure]:
    words = f"Points of {len(report.points)} hand-ins: {five_numbers(report.points)}."
    yield from _figure(plot_bars(histogram(report.points, report.max_points), words=words), words)
    for check in report.checks:
        required = bar(check.direction, check.threshold, check.unit)
        words = (
            f"{check.title}{check.note}: {check.passed} of {check.of} passed ({required}); {five_numbers(check.values)}"
        )
        yield from _figure(plot_histogram(check.values, check.threshold, words=words), words)


def _figure(drawn: str, words: str) -> Iterator[Figure]:
    if drawn:
        yield Figure(Markup(drawn), words)  # noqa: S704 - our own drawing, which escapes the texts within it


def _numbered(source: str, shared: set[int]) -> list[tuple[str, bool]]:
    return [(text, number in shared) for number, text in enumerate(source.split("\n"), start=1)]


PLOT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito: told apart with any colour vision
_DASHES = ("", "6 3", "2 2", "8 3 2 3")  # and told apart without colour
_W, _H = 460, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 34
_BINS = 24

Points = Sequence[tuple[float, float]]


def plot_lines(series: Mapping[str, Points], *, across: str, words: str) -> str:
    """Curves of up to four series against `across`; `words` say the same to those who cannot see them."""
    kept = {name: _finite(points) for name, points in list(series.items())[: len(PLOT_COLOURS)]}
    kept = {name: points for name, points in kept.items() if points}
    if not kept:
        return ""
    xs = [x for points in kept.values() for x, _ in points]
    ys = [y for points in kept.values() for _, y in points]
    to_x, to_y = _scale(min(xs), max(xs), _LEFT, _W - _RIGHT), _scale(min(ys), max(ys), _H - _BOTTOM, _TOP)
    parts = _axes(min(xs), max(xs), min(ys), max(ys), across)
    for points, colour, dash in zip(kept.values(), PLOT_COLOURS, _DASHES, strict=False):
        path = " ".join(f"{to_x(x):.1f},{to_y(y):.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"/>'
            if len(points) > 1
            else f'<circle cx="{to_x(points[0][0]):.1f}" cy="{to_y(points[0][1]):.1f}" r="3" fill="{colour}"/>'
        )
    rises = sum(points[-1][1] for points in kept.values()) / len(kept) > (min(ys) + max(ys)) / 2
    top = _H - _BOTTOM - 15 * len(kept) if rises else _TOP + 6  # the legend, away from where the curves end
    for number, name in enumerate(kept):
        y = top + 15 * number
        parts.append(
            f'<line x1="{_W - 130}" x2="{_W - 108}" y1="{y}" y2="{y}" stroke="{PLOT_COLOURS[number]}" stroke-width="2" '
            f'stroke-dasharray="{_DASHES[number]}"/>'
            f'<text x="{_W - 102}" y="{y + 4}">{escape(line(name, 18))}</text>'
        )
    return _svg(parts, words)


def plot_bars(counts: Sequence[tuple[str, int]], *, words: str) -> str:
    """One bar for each label; the number stands on it."""
    if not counts:
        return ""
    most = max(max(number for _, number in counts), 1)
    width = (_W - _LEFT - _RIGHT) / len(counts)
    every = max(math.ceil(len(counts) / 11), 1)
    parts = [f'<line x1="{_LEFT}" x2="{_W - _RIGHT}" y1="{_H - _BOTTOM}" y2="{_H - _BOTTOM}" class="axis"/>']
    for place, (label, number) in enumerate(counts):
        height = (_H - _BOTTOM - _TOP - 14) * number / most
        x, y = _LEFT + place * width, _H - _BOTTOM - height
        if number:
            parts.append(f'<rect x="{x + 1:.1f}" y="{y:.1f}" width="{max(width - 2, 1):.1f}" height="{height:.1f}"/>')
            parts.append(f'<text x="{x + width / 2:.1f}" y="{y - 4:.1f}" text-anchor="middle">{number}</text>')
        if place % every == 0:
            at = f'x="{x + width / 2:.1f}" y="{_H - _BOTTOM + 15}"'
            parts.append(f'<text {at} text-anchor="middle">{escape(line(label, 20))}</text>')
    return _svg(parts, words)


def plot_histogram(values: Sequence[float], bar: float, *, words: str) -> str:
    """How measured values are distributed, with the bar as a dashed line."""
    kept = [value for value in values if math.isfinite(value)]
    if not kept:
        return ""
    low, high = min([*kept, bar]), max([*kept, bar])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = [0] * _BINS
    for value in kept:
        counts[min(int((value - low) / (high - low) * _BINS), _BINS - 1)] += 1
    to_x = _scale(low, high, _LEFT, _W - _RIGHT)
    width = (_W - _LEFT - _RIGHT) / _BINS
    parts = _axes(low, high, 0, max(counts), "")
    for place, number in enumerate(counts):
        height = (_H - _BOTTOM - _TOP) * number / max(counts)
        if number:
            x, y = _LEFT + place * width + 0.5, _H - _BOTTOM - height
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{height:.1f}"/>')
    x = to_x(bar)
    parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_H - _BOTTOM}" class="bar"/>')
    parts.append(f'<text x="{x:.1f}" y="{_H - 4}" text-anchor="middle">bar {bar:g}</text>')
    return _svg(parts, words)


def _axes(x0: float, x1: float, y0: float, y1: float, across: str) -> list[str]:
    base = _H - _BOTTOM
    return [
        f'<line x1="{_LEFT}" x2="{_W - _RIGHT}" y1="{base}" y2="{base}" class="axis"/>',
        f'<line x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP}" y2="{base}" class="axis"/>',
        f'<text x="{_LEFT - 5}" y="{base}" text-anchor="end">{y0:.3g}</text>',
        f'<text x="{_LEFT - 5}" y="{_TOP + 9}" text-anchor="end">{y1:.3g}</text>',
        f'<text x="{_LEFT}" y="{base + 15}">{x0:.4g}</text>',
        f'<text x="{_W - _RIGHT}" y="{base + 15}" text-anchor="end">{x1:.4g}</text>',
        f'<text x="{(_LEFT + _W - _RIGHT) / 2}" y="{base + 15}" text-anchor="middle">{escape(across)}</text>',
    ]


def _svg(parts: list[str], words: str) -> str:
    inside = "".join(parts)
    return (
        f'<svg viewBox="0 0 {_W} {_H}" role="img" aria-label="{escape(line(words))}" xmlns="http://www.w3.org/2000/svg">'
        f"{inside}</svg>"
    )


def _scale(low: float, high: float, begin: float, end: float) -> Callable[[float], float]:
    span = high - low
    if not math.isfinite(span) or span == 0:
        return lambda value: (begin + end) / 2
    return lambda value: begin + (value - low) / span * (end - begin)


def _finite(points: Points) -> list[tuple[float, float]]:
    """Points that can be drawn: a loss that became NaN leaves a gap at its end; the huge would flatten the rest."""
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y) and abs(y) < 1e12 and abs(x) < 1e12]
