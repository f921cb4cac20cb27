"""The report for the staff as one page: plots as SVG within it, links to each hand-in's part and feedback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.report import svg
from tlcourse.grading.report.facts import WORDS
from tlcourse.grading.report.gathered import Report, five_numbers, histogram
from tlcourse.grading.report.page import figure, page
from tlcourse.grading.report.staff import head, notices, override_words
from tlcourse.text import markup


def as_page(report: Report, links: Mapping[str, str] | None = None) -> str:
    """The page; `links` leads from a hand-in's key to its feedback, relative to the page."""
    parts = [
        f"<h1>{markup(report.title)}: batch {report.batch.id}</h1>",
        f'<p class="dim">{markup(head(report))}</p>',
        _counts(report),
        "<h2>Points and checks</h2>",
        f'<div class="plots">{"".join(_plots(report))}</div>',
        "<h2>Failures by cause</h2>",
        _failures(report),
        "<h2>Hand-ins</h2>",
        _handins(report, links or {}),
        *_decisions(report),
        *_similar(report),
        *_notices(report),
    ]
    return page(f"{report.title}: batch {report.batch.id}", "\n".join(parts))


def _counts(report: Report) -> str:
    rows = "".join(
        f'<tr><td>{_outcome(outcome)}</td><td class="number">{number}</td></tr>'
        for outcome, number in sorted(report.state.counts.items(), key=lambda item: -item[1])
    )
    return f'<table class="small">{rows}</table>'


def _plots(report: Report) -> Iterator[str]:
    words = f"Points of {len(report.points)} hand-ins: {five_numbers(report.points)}."
    yield figure(svg.bars(histogram(report.points, report.batch.max_points), words=words), words)
    for check in report.checks:
        sign = "≥" if check.direction == "at_least" else "≤"
        words = (
            f"{check.title}: {check.passed} of {check.of} passed ({sign} {check.threshold:g} {check.unit}".rstrip()
            + f"); {five_numbers(check.values)}"
        )
        yield figure(svg.histogram(check.values, check.threshold, words=words), words)


def _failures(report: Report) -> str:
    if not report.state.failures:
        return "<p>None.</p>"
    keys = {status.handin.owner: status.handin.id for status in report.statuses}
    rows = []
    for group in report.state.failures:
        owners = ", ".join(f'<a href="#h{keys[owner]}">{markup(owner)}</a>' for owner in group.owners)
        rows.append(
            f'<tr><td class="number">{len(group.owners)}</td><td>{_outcome(group.outcome)}</td>'
            f"<td>{markup(group.cause)}</td><td>{owners}</td></tr>"
        )
    return f"<table><tr><th>Number</th><th>Outcome</th><th>Cause</th><th>Hand-ins</th></tr>{''.join(rows)}</table>"


def _handins(report: Report, links: Mapping[str, str]) -> str:
    rows = "".join(_row(status, links.get(status.handin.key)) for status in report.statuses)
    return (
        "<table><tr><th>Hand-in</th><th>Members</th><th>Outcome</th><th>Points</th><th>Cause</th><th>Seconds</th>"
        f"<th>Feedback</th></tr>{rows}</table>"
    )


def _row(status: GradeStatus, link: str | None) -> str:
    verdict, override = status.verdict, status.override
    points = "–" if status.points is None else f"{status.points:g}"
    if override is not None:
        was = f"; graded {verdict.points:g}" if verdict else ""
        points += f' <span class="dim">(overridden{was})</span>'
    for person, own in status.overrides_of_members.items():
        points += f'<br><span class="dim">{markup(person)}: {own.points:g}</span>'
    again = f' <span class="dim">(regrade {verdict.round})</span>' if verdict and verdict.round else ""
    feedback = f'<a href="{markup(quote(link), 2000)}">open</a>' if link else ""
    return (
        f'<tr id="h{status.handin.id}"><td>{markup(status.handin.owner)}</td>'
        f"<td>{markup(', '.join(status.handin.members))}</td><td>{_outcome(status.outcome)}{again}</td>"
        f'<td class="number">{points}</td><td>{markup(verdict.cause if verdict else "")}</td>'
        f'<td class="number">{verdict.wall_time_s if verdict else 0:.1f}</td><td>{feedback}</td></tr>'
    )


def _decisions(report: Report) -> Iterator[str]:
    if report.overrides or report.regrades:
        yield "<h2>Overrides and regrades</h2><ul>"
        for override in report.overrides:
            words = markup(override_words(override))
            yield f"<li>{markup(override.target)}: {override.points or 0:g} points by {words}</li>"
        for regrade in report.regrades:
            said = f"{regrade.selection}, by {regrade.who}, {regrade.at}: {regrade.why}"
            yield f"<li>regrade {regrade.id}: {markup(said)}</li>"
        yield "</ul>"


def _similar(report: Report) -> Iterator[str]:
    yield "<h2>Similar hand-ins</h2>"
    if report.similar is None:
        yield f"<p>Not looked for in so large a class: <code>tlcourse ta similar {report.batch.exercise}</code></p>"
    elif not report.similar:
        yield "<p>No pair shares more than the starter's code.</p>"
    else:
        rows = "".join(
            f'<tr><td class="number">{pair.share:.0%}</td><td>{markup(pair.owners[0])}</td>'
            f"<td>{markup(pair.owners[1])}</td></tr>"
            for pair in report.similar
        )
        yield f"<table><tr><th>Of the smaller one</th><th></th><th></th></tr>{rows}</table>"
        yield f"<p>Side by side: <code>tlcourse ta similar {report.batch.exercise} --html FILE</code></p>"


def _notices(report: Report) -> Iterator[str]:
    listed = "".join(f"<li>{word}: {markup(text)}</li>" for word, text in notices(report))
    if listed:
        yield f"<h2>Said before it began</h2><ul>{listed}</ul>"


def _outcome(outcome: str) -> str:
    kind = "pass" if outcome == "pass" else "fail"
    return f'<span class="{kind}">{"✓" if outcome == "pass" else "✗"} {WORDS[outcome]}</span>'
