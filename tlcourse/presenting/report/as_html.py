"""Pages that stand alone: feedback, the report for the staff, and similar hand-ins side by side.

The pages are templates in `templates/`. Whatever a submission, a person or a platform wrote is escaped by default, and
harmless on a terminal too; only our own drawings are handed over as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tlcourse.presenting.report import svg
from tlcourse.presenting.report.as_text import (
    decided,
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
    return _page("feedback", said=said, curves=list(_curves(said)))


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
    figures = list(_figure(svg.bars(histogram(totals, most), words=words), words)) if totals else []
    return _page("course", course=course, figures=figures, summary=summary, shown=shown, named=named)


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


def _curves(said: Feedback) -> Iterator[Figure]:
    """What falls (losses, errors), and the rest: they have different scales."""
    falling = {name: points for name, points in said.curves.items() if "loss" in name or "error" in name}
    rest = {name: points for name, points in said.curves.items() if name not in falling}
    for some in (falling, rest):
        yield from _figure(svg.lines(some, across="step", words=said.curve_words), ", ".join(list(some)[:4]))


def _distributions(report: Report) -> Iterator[Figure]:
    words = f"Points of {len(report.points)} hand-ins: {five_numbers(report.points)}."
    yield from _figure(svg.bars(histogram(report.points, report.max_points), words=words), words)
    for check in report.checks:
        required = bar(check.direction, check.threshold, check.unit)
        words = (
            f"{check.title}{check.note}: {check.passed} of {check.of} passed ({required}); {five_numbers(check.values)}"
        )
        yield from _figure(svg.histogram(check.values, check.threshold, words=words), words)


def _figure(drawn: str, words: str) -> Iterator[Figure]:
    if drawn:
        yield Figure(Markup(drawn), words)  # noqa: S704 - our own drawing, which escapes the texts within it


def _numbered(source: str, shared: set[int]) -> list[tuple[str, bool]]:
    return [(text, number in shared) for number, text in enumerate(source.split("\n"), start=1)]
