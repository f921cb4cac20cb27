"""Pairs of similar hand-ins side by side, the shared lines marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tlcourse.grading.report.page import page
from tlcourse.grading.similarity import Pair
from tlcourse.text import markup, markup_block


def as_page(title: str, pairs: Sequence[Pair], source_of: Callable[[str], str]) -> str:
    """One page for all pairs; `source_of` gives the text of a hand-in's solution by its key."""
    parts = [
        f"<h1>{markup(title)}: similar hand-ins</h1>",
        "<p>Winnowed fingerprints of tokens: names, numbers, texts, comments and spaces do not count, and the "
        "starter's code is discounted. A pair is a lead for a person to look at, never a verdict.</p>",
    ]
    if not pairs:
        parts.append("<p>No pair shares more than the starter's code.</p>")
    for number, pair in enumerate(pairs, start=1):
        parts.append(
            f'<h2 id="p{number}">{number}. {pair.share:.0%}: {markup(pair.owners[0])} and {markup(pair.owners[1])}</h2>'
        )
        columns = [
            f"<pre>{_marked(source_of(key), set(lines))}</pre>"
            for key, lines in zip(pair.keys, pair.lines, strict=True)
        ]
        parts.append(f'<div class="columns">{"".join(columns)}</div>')
    return page(f"{title}: similar hand-ins", "\n".join(parts))


def _marked(source: str, shared: set[int]) -> str:
    lines = []
    for number, text in enumerate(source.split("\n"), start=1):
        shown = markup_block(text)
        lines.append(f"{number:>4}  " + (f"<mark>{shown}</mark>" if number in shared and shown.strip() else shown))
    return "\n".join(lines)
