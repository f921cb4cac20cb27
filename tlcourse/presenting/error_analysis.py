"""What went most wrong on validation items, in words, as marks, and as drawings of pages: the same facts everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from tlcourse.presenting.marks import TRACK, Line, Run, joined

if TYPE_CHECKING:
    from tlcourse.grading.scoring.error_analysis import Calibration, ConfusionMatrix, ErrorAnalysis, WorstItem

TITLE = "What went most wrong"
_PAIRS = 5
_DOUBT = 2.576  # standard errors: 99 % of what chance does to a share


def about(analysis: ErrorAnalysis) -> str:
    """`Of 1,000 validation items, which count for nothing.`"""
    return f"Of {analysis.n:,} validation items, which count for nothing."


def of_item(one: WorstItem) -> str:
    """What stands for a picture, too: `Validation item 17: answered 5 points; true: 6 points.`"""
    return f"Validation item {one.item + 1}: answered {one.answer}; true: {one.truth}."


def confused(matrix: ConfusionMatrix, most: int = _PAIRS) -> list[str]:
    """The commonest mistakes: `5 taken for 6: 12 of 140 (9 %)`."""
    pairs = sorted(
        (-count, true, answered)
        for true, row in enumerate(matrix.counts)
        for answered, count in enumerate(row)
        if count and true != answered
    )
    names, sums = matrix.classes, [sum(row) for row in matrix.counts]
    return [
        f"{names[true]} taken for {names[answered]}: {-minus} of {sums[true]} ({-minus / sums[true]:.0%})"
        for minus, true, answered in pairs[:most]
    ]


def of_calibration(one: Calibration) -> str:
    """`gaussian: below 0.05 lie 0.08, …`"""
    shares = (f"{nominal:g}: {observed:.3f}" for nominal, observed in zip(one.nominal, one.observed, strict=True))
    return f"{one.title}, share of targets below each quantile: {', '.join(shares)}"


def is_off(nominal: float, observed: float, n: int) -> bool:
    """Whether chance does not explain the distance, at 99 %, with n targets."""
    return abs(observed - nominal) > _DOUBT * math.sqrt(max(nominal * (1 - nominal), 1e-12) / max(n, 1))


def sentences(analysis: ErrorAnalysis) -> Iterator[str]:
    """All of it, one fact a line."""
    yield f"{TITLE}. {about(analysis)}"
    yield from map(of_item, analysis.worst)
    if analysis.confusion is not None:
        wrong = confused(analysis.confusion)
        yield f"{analysis.confusion.title}, most often confused: {'; '.join(wrong) if wrong else 'none'}."
    yield from (f"{of_calibration(one)}." for one in analysis.calibration)


# -- marks -------------------------------------------------------------------------------------------------------------


def matrix_marks(matrix: ConfusionMatrix) -> list[Line]:
    """A row for each true class, a column for each answer; what is right lies on the diagonal."""
    most = max(count for row in matrix.counts for count in row)
    wide = max(len(str(most)), *map(len, matrix.classes)) + 2
    head = max(len(matrix.title) + 6, *(len(name) + 2 for name in matrix.classes))
    lines = [[Run(f"{matrix.title}, true"[:head].ljust(head), "bold"), Run("  answered", "bold")]]
    lines.append([Run(" " * head), *(Run(name.rjust(wide), "$muted") for name in matrix.classes)])
    for true, (name, row) in enumerate(zip(matrix.classes, matrix.counts, strict=True)):
        cells = [Run(name.rjust(head), "$muted")]
        for answered, count in enumerate(row):
            style = TRACK if not count else "$done" if true == answered else "$wrong"
            strong = "bold " if true != answered and count * 20 >= max(sum(row), 1) else ""
            cells.append(Run((str(count) if count else "·").rjust(wide), f"{strong}{style}"))
        lines.append(joined(cells))
    return lines


def calibration_marks(curves: Sequence[Calibration], n: int) -> list[Line]:
    """A row for each curve: the share below each quantile, beside the share that should be; `!` is more than chance."""
    head = max(len("should be"), *(len(one.title) for one in curves))
    shared = all(one.nominal == curves[0].nominal for one in curves)
    lines: list[Line] = [[Run("Share of targets below each quantile", "bold")]]
    for number, one in enumerate(curves):
        if number == 0 or not shared:
            lines.append(
                joined([Run("should be".ljust(head), "$muted"), *(Run(f"  {p:.2f}", "$muted") for p in one.nominal)])
            )
        cells = [Run(one.title.ljust(head))]
        for nominal, observed in zip(one.nominal, one.observed, strict=True):
            off = is_off(nominal, observed, n)
            cells.append(Run(f" {'!' if off else ' '}{observed:.2f}", "bold $wrong" if off else "$done"))
        lines.append(joined(cells))
    return lines


# -- pages -------------------------------------------------------------------------------------------------------------

_SIDE, _MARGIN = 220, 34
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito: told apart with any colour vision
_DASHES = ("", "6 3", "2 2", "8 3 2 3")


def calibration_svg(curves: Sequence[Calibration]) -> str:
    """Observed against nominal shares; on the diagonal they are the same. Empty where there is nothing to draw."""
    if not curves:
        return ""
    inner = _SIDE - _MARGIN - 10
    legend = 15 * len(curves)

    def place(nominal: float, observed: float) -> str:
        return f"{_MARGIN + inner * nominal:.1f},{10 + inner * (1 - observed):.1f}"

    text = 'font-size="11" font-family="sans-serif" fill="currentColor"'
    parts = [
        f'<rect x="{_MARGIN}" y="10" width="{inner}" height="{inner}" style="fill:none" stroke="currentColor" '
        'stroke-opacity=".4"/>',
        f'<polyline points="{place(0, 0)} {place(1, 1)}" fill="none" stroke="currentColor" stroke-opacity=".6"/>',
        f'<text x="{_MARGIN - 6}" y="18" text-anchor="end" {text}>1</text>',
        f'<text x="{_MARGIN - 6}" y="{10 + inner}" text-anchor="end" {text}>0</text>',
        f'<text x="{_MARGIN + inner}" y="{24 + inner}" text-anchor="end" {text}>1</text>',
        f'<text x="{_MARGIN + inner / 2}" y="{24 + inner}" text-anchor="middle" {text}>should be below</text>',
        f'<text transform="translate(12 {10 + inner / 2}) rotate(-90)" text-anchor="middle" {text}>are below</text>',
    ]
    for number, one in enumerate(curves):
        hue, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
        points = [place(*pair) for pair in zip(one.nominal, one.observed, strict=True)]
        stroke = f'fill="none" stroke="{hue}" stroke-width="1.8" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{" ".join(points)}" {stroke}/>')
        parts += [
            f'<circle cx="{x}" cy="{y}" r="2.5" style="fill:{hue}"/>' for x, y in (at.split(",") for at in points)
        ]
        y = _SIDE + 8 + 15 * number
        parts.append(f'<line x1="{_MARGIN}" x2="{_MARGIN + 24}" y1="{y}" y2="{y}" {stroke}/>')
        parts.append(f'<text x="{_MARGIN + 30}" y="{y + 4}" {text}>{escape(one.title)}</text>')
    words = escape("; ".join(map(of_calibration, curves)))
    return (
        f'<svg viewBox="0 0 {_SIDE} {_SIDE + 4 + legend}" role="img" aria-label="{words}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


class HeatCell(NamedTuple):
    """How often one class was taken for another: the number, its share of the true class, whether it is right."""

    number: int
    share: float
    right: bool


def heat(matrix: ConfusionMatrix) -> list[tuple[str, list[HeatCell]]]:
    """Of each true class its name, and a cell for each answer."""
    return [
        (name, [HeatCell(count, round(count / max(sum(row), 1), 3), true == at) for at, count in enumerate(row)])
        for true, (name, row) in enumerate(zip(matrix.classes, matrix.counts, strict=True))
    ]
