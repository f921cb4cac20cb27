"""Feedback as Markdown; the report for the staff as lines for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from tlcourse.grading.gradebook.attempts import Attempt
from tlcourse.grading.gradebook.by_hand import HandMark, Request
from tlcourse.grading.gradebook.changes import decided
from tlcourse.grading.gradebook.people import STATES, settles
from tlcourse.grading.gradebook.records import GradeStatus, Override
from tlcourse.presenting.error_analysis import sentences
from tlcourse.presenting.report.feedback_content import Feedback
from tlcourse.presenting.report.late_words import points_with_late, report_late
from tlcourse.presenting.report.report_data import Report, five_numbers, histogram
from tlcourse.presenting.verdict import OUTCOMES
from tlcourse.text import line, markdown, markdown_block

_BAR = 30
_PUBLIC = "data from a seed that was typed: these marks are public, since who guesses it has the labels"


def feedback_markdown(said: Feedback) -> str:
    """Feedback as Markdown."""
    parts = [
        f"# {markdown(said.title)}",
        f"**{said.outcome.full}** – {said.points} – {markdown(said.owner)}",
    ]
    if said.note:
        parts.append(markdown(said.note, 4000))
    parts.append(f"**Do this next:** {markdown(said.next_thing, 900)}")
    if said.checks:
        rows = [
            f"| {check.mark} {check.word} | {markdown(check.title)} | {markdown(check.measured)} | {check.points} |"
            for check in said.checks
        ]
        parts.append("\n".join(["| | check | measured | points |", "|---|---|---|---|", *rows]))
    if said.by_hand:
        rows = [f"| {markdown(one.title)} | {one.points} |" for one in said.by_hand]
        parts.append("\n".join(["| marked by hand | points |", "|---|---|", *rows]))
    for title, text in [*((one.title, one.comment) for one in said.by_hand), ("Comment", said.comment)]:
        if text:
            parts.append(f"**{markdown(title)}:**\n\n{_quoted(text)}")
    for asked, answer in said.answers:
        parts.append(f"**You asked:**\n\n{_quoted(asked)}\n\n**Answer:**\n\n{_quoted(answer)}")
    if said.errors:
        title, *facts = sentences(said.errors)
        parts.append("\n".join([markdown(title), "", *(f"- {markdown(fact, 900)}" for fact in facts)]))
    if said.problem:
        parts.append("What Python says:\n\n" + markdown_block(said.problem))
    if said.curve_words:
        parts.append(f"Training: {markdown(said.curve_words, 900)}")
    parts += [f"Run: {markdown(ran)}." for ran in said.runs] or ["It did not run."]
    if said.notices:
        parts.append("\n".join(f"- {markdown(notice, 900)}" for notice in said.notices))
    return "\n\n".join(parts) + "\n"


def _quoted(lines: list[str]) -> str:
    """Lines that somebody wrote, as a quotation."""
    return "  \n".join(f"> {markdown(one, 2000)}" for one in lines)


def report_lines(report: Report, *, plain: bool) -> Iterator[str]:
    """One fact a line; without `plain` also bars."""
    yield head(report)
    for outcome, number in sorted(report.state.counts.items(), key=lambda item: -item[1]):
        yield f"  {number:>5}  {OUTCOMES[outcome].word}"
    if report.state.waiting:
        yield f"  {report.state.waiting:>5}  {OUTCOMES['waiting'].word}"
    yield f"points: {five_numbers(report.points)}"
    if not plain:
        counts = histogram(report.points, report.max_points)
        most = max((number for _, number in counts), default=1)
        for label, number in counts:
            yield f"  {label:>11}  {'█' * round(_BAR * number / most)} {number}"
    for check in report.checks:
        passed = f"{check.passed} of {check.of} passed"
        yield f"check {check.name}{check.note}: {passed}; values: {five_numbers(check.values)}"
    for group in report.state.failures:
        yield f"{len(group.owners)} × {group.outcome}: {line(group.cause)} ({', '.join(map(line, group.owners))})"
    for status in report.statuses:
        yield f"hand-in: {row(status)}"
    yield from (f"marked by hand: {mark_row(one)}" for one in report.hand_marks)
    yield from (request_words(one) for one in report.requests)
    yield from (f"earlier decision: {replaced_words(one)}" for one in report.replaced)
    for override in report.overrides:
        yield f"override: {line(override.target)} to {decided(override)} by {override_words(override)}"
    for regrade in report.regrades:
        yield f"regrade {regrade.id}: {line(regrade.selection)}, {line(regrade.who)}, {regrade.at}: {line(regrade.why)}"
    yield from _similar_lines(report)
    yield from (f"{word}: {line(text)}" for word, text in notices(report))


def report_markdown(report: Report) -> str:
    """The same as Markdown."""
    parts = [f"# {markdown(report.title)}", markdown(head(report))]
    counts = [f"| {OUTCOMES[outcome].word} | {number} |" for outcome, number in sorted(report.state.counts.items())]
    parts.append("\n".join(["| outcome | hand-ins |", "|---|---|", *counts]))
    parts.append(f"Points: {five_numbers(report.points)}.")
    rates = [
        f"| {markdown(check.title + check.note)} | {check.passed} of {check.of} "
        f"| {markdown(five_numbers(check.values))} |"
        for check in report.checks
    ]
    if rates:
        parts.append("\n".join(["| check | passed | values |", "|---|---|---|", *rates]))
    rows = [
        f"| {markdown(s.handin.owner)} | {markdown(', '.join(s.handin.members))} | {OUTCOMES[s.outcome].word} "
        f"| {_points_cell(s)} | {markdown(s.verdict.cause if s.verdict else '')} |"
        for s in report.statuses
    ]
    parts.append("\n".join(["| hand-in | members | outcome | points | cause |", "|---|---|---|---|---|", *rows]))
    listed = [
        *(f"marked by hand: {mark_row(one)}" for one in report.hand_marks),
        *(request_words(one) for one in report.requests),
        *(f"earlier decision: {replaced_words(one)}" for one in report.replaced),
        *(f"override of {o.target} to {decided(o)} by {override_words(o)}" for o in report.overrides),
        *(f"regrade {r.id} ({r.selection}) by {r.who}, {r.at}: {r.why}" for r in report.regrades),
        *_similar_lines(report),
        *(f"{word}: {text}" for word, text in notices(report)),
    ]
    if listed:
        parts.append("\n".join(f"- {markdown(one)}" for one in listed))
    return "\n\n".join(parts) + "\n"


def _points_cell(status: GradeStatus) -> str:
    late = markdown(points_with_late(status), 2000)
    return points_words(status) + (f" {late}" if late else "")


def head(report: Report) -> str:
    """The first line."""
    batch = report.batch
    data = f"data from a secret ({batch.fingerprint})" if batch.seed_source == "secret" else _PUBLIC
    return (
        f"{batch.exercise}, batch {batch.id} of {batch.at} by {line(batch.who)}: {report.state.total} hand-ins "
        f"({batch.platform}), {report.state.final} graded; {data}; grader {batch.grader_sha256[:12]}"
    )


def row(status: GradeStatus) -> str:
    """A hand-in on one line."""
    cause = f"  {line(status.verdict.cause)}" if status.verdict and status.verdict.cause else ""
    again = f"  (attempt {status.handin.attempt})" if status.handin.attempt > 1 else ""
    again += f"  (regrade {status.regrade})" if status.regrade else ""
    left = "  (counts for nobody)" if status.handin.left_behind else ""
    ended = OUTCOMES[status.outcome].word
    late = points_with_late(status)
    return f"{line(status.handin.owner)}: {ended}, {points_words(status)} points{late}{again}{left}{cause}"


def override_words(override: Override) -> str:
    """Who, when, why."""
    return f"{line(override.who)}, {override.at}: {line(override.why)}"


def replaced_words(override: Override) -> str:
    """A decision that holds no more, or one that withdrew another."""
    said = "withdrawn" if override.points is None and not override.excused else decided(override)
    return f"{line(override.target)}: {said} by {override_words(override)}"


def mark_row(mark: HandMark) -> str:
    """What was set by hand, by whom, when, why."""
    points = "" if mark.points is None else f" {mark.points:g} points"
    comment = f", comment: {line(mark.comment, 2000)}" if mark.comment else ""
    said = points + comment or " withdrawn"
    why = f": {line(mark.why)}" if mark.why else ""
    return f"{line(mark.target)}: {mark.item or 'the whole'}:{said} by {line(mark.who)}, {mark.at}{why}"


def request_words(one: Request) -> str:
    """`request 3 (open): Group 7, sofie, 2026-…: please look again`, and the answer."""
    asked = f"request {one.id} ({'open' if one.open else 'answered'}): {line(one.target)}, {line(one.who)}, {one.at}"
    asked += f": {line(one.text, 2000)}"
    if one.open:
        return asked
    made = f" (regrade {one.regrade})" if one.regrade is not None else ""
    made += f" (override {one.override})" if one.override is not None else ""
    return f"{asked} – answered by {line(one.answered_by)}, {one.answered_at}{made}: {line(one.answer, 2000)}"


def notices(report: Report) -> Iterator[tuple[str, str]]:
    """What was said of the downloads, the deadline and who is late, who moved, and everybody who has no hand-in."""
    yield from report_late(report.deadline, report.statuses, report.extensions, report.course_due)
    yield from (("note", text) for text in report.look.notices)
    yield from (("not matched", f"{folder}: {reason}") for folder, reason in report.look.unmatched)
    yield from (("given over", f"{folder} to {owner}, {who}, {at}") for folder, owner, who, at in report.given_over)
    for owner, items in report.changed:
        yield "note", f"{line(owner)}: changed since it was marked by hand: {', '.join(items)}"
    came = {one.handin: one.at for one in report.attempts}
    for status in report.statuses:
        at = came.get(status.handin.id, "")
        # what a mark says it was made of tells more than its date
        if old := [one.item or "comment" for one in status.hand.marks.values() if one.at < at and not one.seen]:
            yield "note", f"{status.handin.owner}: marked by hand before its newest attempt came in: {', '.join(old)}"
    named = {one.person.id: one.named for one in report.people}
    group: dict[str, str] = {}
    for one in report.memberships:
        before, group[one.person] = group.get(one.person, ""), one.group
        said = f"{named.get(one.person, one.person)}, {before or 'no group'} to {one.group or 'no group'}"
        if one.counts:
            yield "mark moved", f"{named.get(one.person, one.person)} to {one.group}, {one.who}, {one.at}: {one.why}"
        elif before:
            yield "group changed", f"{said}, {one.who}, {one.at}"
    yield from (("newer attempt", attempt_words(attempt)) for attempt in report.attempts)
    for person in report.people:
        if not person.owner or person.state == "left":
            own = "" if person.points is None else f", {person.points:g} points"
            yield STATES[person.state], person.named + own + (f": {person.why}" if person.why else "")
    if report.look.unmatched and any(person.state == "unmatched" for person in report.people):
        yield (
            "to say whose it is, or nobody's",
            settles(report.look.unmatched[0][0], report.batch.exercise, report.batch),
        )


def attempt_words(attempt: Attempt) -> str:
    """Whose it is, what it replaced, and how it came."""
    when = f" of {attempt.submitted_at}" if attempt.submitted_at else ""
    before = (
        f"{OUTCOMES[attempt.before].word}, {attempt.points_before or 0:g} points" if attempt.before else "no verdict"
    )
    return (
        f"{attempt.owner}: attempt {attempt.number}{when} ({attempt.folder_name}), {attempt.who}, {attempt.at}: "
        f"{attempt.why}; the one before had {before}"
    )


def points_words(status: GradeStatus) -> str:
    if status.override is not None and status.override.excused:
        return "no (excused)"
    if status.override is not None and status.points is not None and status.verdict is not None:
        return f"{status.points:g} (overridden; graded {status.verdict.points:g})"
    said = []
    if unset := status.to_mark(""):
        said.append(f"to mark by hand: {', '.join(unset)}")
    elif status.points is not None and status.hand.items and status.override is None:
        said.append(f"{status.hand.points:g} by hand")
    for person in status.hands_of_members:
        if person not in status.overrides_of_members and (own := status.points_of(person)) != status.points:
            said.append(f"{line(person)}: {'no' if own is None else f'{own:g}'}")
    points = "no" if status.points is None else f"{status.points:g}"
    return points + (f" ({'; '.join(said)})" if said else "")


def _similar_lines(report: Report) -> Iterator[str]:
    if report.similar is None:
        yield f"similar hand-ins: not searched for in a class this large; tlcourse ta similar {report.batch.exercise}"
        return
    for pair in report.similar.pairs:
        yield f"similar: {pair.share:.0%} of the smaller one: {line(pair.owners[0])} and {line(pair.owners[1])}"
    yield from report.similar.not_compared
