"""Feedback for those who handed in, as Markdown and as a page."""

from __future__ import annotations

from tlcourse.grading.report import svg
from tlcourse.grading.report.facts import WORDS, Feedback, margin
from tlcourse.grading.report.page import figure, page
from tlcourse.text import markdown, markdown_block, markup, markup_block


def as_markdown(said: Feedback) -> str:
    """Feedback as Markdown."""
    parts = [
        f"# {markdown(said.title)}",
        f"**{WORDS[said.outcome]}** – {said.points} points – {markdown(said.owner)}",
    ]
    if said.note:
        parts.append(said.note)
    parts.append(f"**Do this next:** {markdown(said.next_thing, 900)}")
    if said.checks:
        rows = [
            f"| {'✓ passed' if check.passed else '✗ failed'} | {markdown(check.title)} | {markdown(margin(check))} "
            f"| {check.points:g} of {check.max_points:g} |"
            for check in said.checks
        ]
        parts.append("\n".join(["| | check | measured | points |", "|---|---|---|---|", *rows]))
    if said.problem:
        parts.append("What Python says:\n\n" + markdown_block(said.problem))
    parts += [f"Training: {markdown(said.curve_words, 900)}", f"Run: {markdown(said.ran)}"]
    if said.notices:
        parts.append("\n".join(f"- {markdown(notice, 900)}" for notice in said.notices))
    return "\n\n".join(parts) + "\n"


def as_page(said: Feedback) -> str:
    """Feedback as HTML that stands alone."""
    kind = "pass" if said.outcome == "pass" else "fail"
    parts = [
        f"<h1>{markup(said.title)}</h1>",
        f'<p><span class="{kind}">{WORDS[said.outcome]}</span> – {said.points} points – {markup(said.owner)}</p>',
        f"<p>{markup(said.note)}</p>" if said.note else "",
        f'<p class="next"><strong>Do this next:</strong> {markup(said.next_thing, 900)}</p>',
    ]
    if said.checks:
        parts.append("<table><tr><th></th><th>Check</th><th>Measured</th><th>Points</th></tr>")
        for check in said.checks:
            word = '<span class="pass">✓ passed</span>' if check.passed else '<span class="fail">✗ failed</span>'
            parts.append(
                f"<tr><td>{word}</td><td>{markup(check.title)}</td><td>{markup(margin(check))}</td>"
                f'<td class="number">{check.points:g} of {check.max_points:g}</td></tr>'
            )
        parts.append("</table>")
    if said.problem:
        parts.append(f"<h2>What Python says</h2><pre>{markup_block(said.problem)}</pre>")
    parts.append("<h2>Training</h2>" + curves(said))
    parts.append(f'<p class="dim">{markup(said.curve_words, 900)}<br>{markup(said.ran)}</p>')
    if said.notices:
        parts.append("<ul>" + "".join(f"<li>{markup(notice, 900)}</li>" for notice in said.notices) + "</ul>")
    return page(f"{said.title}: {said.owner}", "\n".join(part for part in parts if part))


def curves(said: Feedback) -> str:
    """A plot of what falls (losses, errors) and one of the rest: they have different scales."""
    falling = {name: points for name, points in said.curves.items() if "loss" in name or "error" in name}
    rest = {name: points for name, points in said.curves.items() if name not in falling}
    plots = [
        figure(svg.lines(some, across="step", words=said.curve_words), ", ".join(list(some)[:4]))
        for some in (falling, rest)
        if some
    ]
    return f'<div class="plots">{"".join(plots)}</div>' if plots else ""
