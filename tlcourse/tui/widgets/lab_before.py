"""What stands in a lab's room before its run, on a large terminal: who is compared, the method, and what decides.

Nothing here tells how it comes out: no curve, no result, and of a paper no number of a method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest

from textual.geometry import Size

from tlcourse.course.figure_reading import alt_of, read
from tlcourse.course.lab import Lab
from tlcourse.errors import ContentError
from tlcourse.presenting import figures
from tlcourse.presenting.figures.canvas import padded, widest, wrapped
from tlcourse.presenting.lab_run import ROLE, better
from tlcourse.presenting.lesson import formula_lines
from tlcourse.presenting.marks import Line, Run, share_bar
from tlcourse.tui.text import Text

_ROOMY = Size(170, 48)
_STANDS_FOR = {
    "method": "the idea",
    "control": "has everything but the idea",
    "baseline": "what one would do without it",
    "oracle": "sees labels that the others do not have",
}
_IN_WORDS = 88
"""Columns of a figure's words: longer lines read badly."""
_LOOSE, _FEW = 3, 4
_SEEN = [
    ("Curves", "of every arm while it trains, in its colour and with its mark"),
    ("Features", "before and after, where the lab has pictures of them"),
    ("Result", "a bar for each arm, with its interval; the verdict takes the first line"),
    ("Why", "the reason for each answer to the prediction, and how it comes about"),
]
_KEYS = [
    ("space", "holds it; ← → go back and on, + − change the speed"),
    ("o", "lays earlier runs over this one"),
    ("w", "shows the training over 10 s, or as fast as it comes"),
    ("t l", "features by t-SNE or PCA; the lesson"),
    ("home end", "to its beginning, to its end"),
]


def roomy(size: Size) -> bool:
    """Whether a terminal is so large that a lab shows more than what it asks."""
    return size.width >= _ROOMY.width and size.height >= _ROOMY.height


def arms(lab: Lab, width: int, keys: Mapping[str, Run], words: Callable[[str], str]) -> Text:
    """A legend: each arm with its mark, what it stands for, and the bar that a run will fill."""
    text = Text(no_wrap=True, overflow="crop")
    longest = max(len(words(arm.title)) for arm in lab.arms) + 3
    between = "\n\n" if len(lab.arms) > _FEW else "\n\n\n"
    for number, arm in enumerate(lab.arms):
        key = keys[arm.id]
        compared = arm.id in (lab.compare.method, lab.compare.control)
        text.append(between if number else "").append(f"{key.text} ", style=key.style)
        text.append(words(arm.title).ljust(longest), style="bold" if compared else "")
        text.append(f"{arm.role:<10}", style=ROLE[arm.role]).append(_STANDS_FOR[arm.role], style="$muted")
        if compared:
            text.append(", and one of the two that decide", style="$muted")
        known = " ◆ " + words(_known(lab, arm.id)) if _known(lab, arm.id) else ""
        text.append("\n  ").append_text(Text.of(share_bar(0.0, max(width - 7 - len(known), 4))))
        text.append("  ?", style="$muted").append(known, style="$muted")
    return text


def _known(lab: Lab, arm: str) -> str:
    """What a paper reports of an arm, but for those whose result is to be predicted."""
    role = next(one.role for one in lab.arms if one.id == arm)
    if role == "method" or arm == lab.compare.method:
        return ""
    return " ".join(f"{paper.values[arm]:g} in the paper" for paper in lab.paper if arm in paper.values)


def method(figure: str, formula: str, width: int, height: int, spell: Callable[[str], str] | None) -> Text:
    """The figure of the lesson, the formula below it, and what the figure shows in words: as much as is whole.

    Args:
        figure: Its description.
        formula: LaTeX.
        width: Columns.
        height: Lines, over which they are spread.
        spell: Writes their texts in ASCII.
    """
    shown: list[list[Line]] = []
    below, said = _formula(formula, width, spell), _words(figure, width, spell)
    for block in (_figure(figure, width, height - len(below) - len(said) - 3, spell), below, said):
        taken = sum(map(len, shown)) + len(shown) + len(block)
        if block and widest(block) <= width and taken <= height:
            shown.append(block)
    text = Text(no_wrap=True, overflow="crop")
    if not shown:
        return text
    free = height - sum(map(len, shown))
    gap = min(max(free // (len(shown) + 1), 1), _LOOSE)
    text.append("\n" * ((free - gap * (len(shown) - 1)) // 2))
    for number, block in enumerate(shown):
        text.append("\n" * (gap + 1) if number else "")
        left = " " * ((width - widest(block)) // 2)
        for line_number, line in enumerate(block):
            text.append("\n" if line_number else "").append(left).append_text(Text.of(line))
    return text


def _figure(code: str, width: int, height: int, spell: Callable[[str], str] | None) -> list[Line]:
    if not code:
        return []
    try:
        figure = read(code)
        return figures.large(figures.spelt(figure, spell) if spell else figure, width - 2, height)
    except (ContentError, ValueError, ArithmeticError, LookupError):
        return []  # its words stand below


def _formula(formula: str, width: int, spell: Callable[[str], str] | None) -> list[Line]:
    return [[Run(line, "$live")] for line in formula_lines(formula, width, spell)] if formula else []


def _words(figure: str, width: int, spell: Callable[[str], str] | None) -> list[Line]:
    said = alt_of(figure) if figure else ""
    return wrapped(spell(said) if spell else said, min(width, _IN_WORDS), "$muted") if said else []


def shows(width: int, words: Callable[[str], str]) -> Text:
    """What will be seen of a run, and the keys that hold and turn it, side by side."""
    half = (width - 3) // 2
    told = [
        [line for name, said in part for line in _keyed(name, words(said), half, look, column)]
        for part, look, column in ((_SEEN, "bold", 10), (_KEYS, "bold $next", 10))
    ]
    return Text("\n", no_wrap=True, overflow="crop").join(  # type: ignore[return-value]
        Text.of([*padded(line, half + 3), *other]) for line, other in zip_longest(*told, fillvalue=[])
    )


def decides(
    lab: Lab, width: int, keys: Mapping[str, Run], words: Callable[[str], str], took_s: float | None, many: int
) -> Text:
    """What is measured, when the claim holds, what a run takes, and what a paper says; `many` are its seeds."""
    titles = {arm.id: words(arm.title) for arm in lab.arms}
    first, second = lab.compare.method, lab.compare.control
    above = "lies above 0" if lab.compare.effect == "better" else "holds 0, so that chance explains it"
    once = f"one seed, all {len(lab.arms)} arms on the same data" + (f": some {took_s:.0f} s" if took_s else "")
    lines: list[Line] = [
        *wrapped(words(better(lab)), width, "bold"),
        [],
        [Run("         "), Run(f"{keys[first].text} ", keys[first].style), Run(titles[first], "bold")],
        [Run("against  ", "$muted"), Run(f"{keys[second].text} ", keys[second].style), Run(titles[second], "bold")],
        [],
        *wrapped(f"The claim holds where the interval of their difference, 95 % over {many} seeds, {above}.", width),
        [],
        *_keyed("r", f"{once}. It may be chance, and has no interval.", width),
        *_keyed("m", f"{many} seeds, each with data of its own, and intervals.", width),
    ]
    for paper in lab.paper:
        hidden = " and ".join(titles[arm] for arm in paper.values if not _known(lab, arm))
        rest = f" Its number for {hidden} comes with the result." if hidden else ""
        lines += [[], *_keyed("◆", f"{words(paper.title)}. {words(paper.note)}{rest}", width, "$muted")]
    return Text("\n", no_wrap=True, overflow="crop").join(Text.of(line) for line in lines)  # type: ignore[return-value]


def _keyed(key: str, said: str, width: int, style: str = "bold $next", column: int = 3) -> list[Line]:
    """A key or mark, and beside it what it means."""
    beside = wrapped(said, width - column, "$muted" if style == "$muted" else "")
    return [[Run(("" if number else key).ljust(column), style), *line] for number, line in enumerate(beside)]
