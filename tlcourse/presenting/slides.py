"""A lesson as slides: cut at its sections, a figure first, a question by itself with its answer one click later.

Where it is cut depends on the text alone, so that slide 7 is slide 7 at every size of the terminal. What a small
terminal cannot show at once is scrolled by the same click that goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it import MarkdownIt
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.markdown import sections
from tlcourse.course.model import Lesson
from tlcourse.presenting.lesson import as_markdown

MOST_LINES = 16
"""Lines of text on a slide, 76 columns wide: with a title they fit 80×24."""
_COLUMNS = 76
_LOOSE = 4
_IMAGE_LINES = 12
_ASKED = ("**Check.**", "**Discuss.**")
_SHOWN = re.compile(r"^\*\*Labs?\.\*\*")
_OFFERED = re.compile(r"^\*\*Write it\.\*\*")
_PLACED = re.compile(r"^```question\n(.*)\n```\Z")
_LAB = re.compile(r"\]\(lab/([\w-]+)\)")


class Slide(Struct, frozen=True):
    """One slide: what it is called, the figure that comes first, its text in Markdown, or the lab that is played."""

    title: str
    kind: Literal["title", "text", "lab", "question", "end"] = "text"
    figure: str = ""
    """A figure's description; empty where it has none."""
    text: str = ""
    more: str = ""
    """The second half of the text, which stands beside the first where there is room: of a question the answer."""
    lab: str = ""
    question: str = ""
    """The identifier of a question of the unit's quizzes, which is answered one click later."""
    kept: str = ""
    """A figure that was shown before, of its section or of the lesson, where there is room beside or below the text."""


class _Block(Struct, frozen=True):
    """A paragraph, list, table, listing or formula, with the lines that it takes; or a figure."""

    text: str
    lines: int
    figure: bool = False


def slides(lesson: Lesson, labs: Sequence[str], following: str = "") -> list[Slide]:
    """The slides of a lesson.

    Args:
        lesson: What is cut.
        labs: Those that there are; a link to another is none.
        following: The title of the lesson after it, which the last slide names.
    """
    begin, *rest = _parted(lesson.body)
    found = [Slide(lesson.title, "title", text=as_markdown(begin[1]).strip())]
    for title, text in rest:
        found += _of_section(title, text, labs)
    return [*_illustrated(found), Slide("The end", "end", text=f"Next: **{following}**" if following else "")]


def _illustrated(found: Sequence[Slide]) -> Iterator[Slide]:
    """Text that would stand alone gets the lesson's figure that was shown last."""
    last = ""
    for slide in found:
        last = slide.figure or slide.kept or last
        alone = slide.kind == "text" and not (slide.figure or slide.kept)
        yield replace(slide, kept=last) if alone else slide


def _parted(body: str) -> list[tuple[str, str]]:
    """What stands before the first section, and the sections."""
    parts = sections(body)
    first = re.search(r"^## ", body, re.MULTILINE)
    return [("", body[: first.start()] if first else body), *parts]


def _of_section(title: str, text: str, labs: Sequence[str]) -> Iterator[Slide]:
    kept = ""
    for group in _groups(text):
        if found := _PLACED.match(group[0].text):
            yield Slide(title, "question", question=found[1])
            continue
        if _SHOWN.match(group[0].text):
            linked = [name for name in dict.fromkeys(_LAB.findall(group[0].text)) if name in labs]
            for number, lab in enumerate(linked):
                yield Slide(title, "lab", text="" if number else group[0].text, lab=lab)
            if linked:
                continue
        figure = next((block.text for block in group if block.figure), "")
        prose = [block for block in group if not block.figure]
        half = len(prose) if figure or kept else _half(prose)
        text, more = ("\n\n".join(block.text for block in part) for part in (prose[:half], prose[half:]))
        yield Slide(title, figure=figure, text=text, more=more, kept="" if figure else kept)
        kept = figure or kept


def _half(blocks: Sequence[_Block]) -> int:
    """How many blocks the first of two columns has."""
    answer = next((number for number, block in enumerate(blocks) if _answers(block)), 0)
    if answer:
        return answer
    lines = [block.lines for block in blocks]
    whole = len(blocks)
    ends = [end for end in range(1, whole + 1) if end == whole or not _leads(blocks[end - 1], blocks[end])] or [0]
    return min(ends, key=lambda end: abs(sum(lines[:end]) - sum(lines[end:])))


def _groups(text: str) -> list[list[_Block]]:
    """The blocks of a section, those of a slide together."""
    groups: list[list[_Block]] = []
    for block in _blocks(text):
        if _OFFERED.match(block.text):
            continue  # it is for whoever reads alone
        last = groups[-1] if groups else []
        if last and not _begins(last, block):
            last.append(block)
            continue
        leads = len(last) > 1 and not _answers(last[-1]) and _leads(last[-1], block)
        led = [last.pop()] if leads else []  # it leads to what comes
        groups.append([*led, block])
    return groups


def _answers(block: _Block) -> bool:
    return block.text.startswith("**Answer.**")


def _leads(one: _Block, other: _Block) -> bool:
    """Whether a block says nothing without the one that comes after it."""
    ends = (":", "?") if other.text.startswith("|") else ":"
    return one.text.endswith(ends) or other.text.startswith("```math")


def _begins(group: Sequence[_Block], block: _Block) -> bool:
    """Whether a block begins another slide. A short one does not: they stay with what they end.

    An answer is always on the slide of its question, and last there: what stood below it would be read before it.
    """
    if _answers(block):
        return False
    if _answers(group[-1]):
        return True
    if any(_SHOWN.match(one) or _PLACED.match(one) for one in (group[0].text, block.text)):
        return True
    if block.text.startswith(_ASKED):
        return True
    if block.figure:
        return any(other.figure for other in group)
    taken = sum(other.lines for other in group if not other.figure)
    return taken + block.lines > MOST_LINES + (_LOOSE if block.lines <= _LOOSE else 0)


def _blocks(text: str) -> Iterator[_Block]:
    source = as_markdown(text)
    lines = source.splitlines()
    for token in MarkdownIt("gfm-like").parse(source):
        if token.level or not token.map or token.nesting < 0:
            continue
        block = "\n".join(lines[token.map[0] : token.map[1]]).strip("\n")
        figure = token.type == "fence" and token.info.strip() == "figure"
        yield _Block(token.content if figure else block, _height(token.type, token.info.strip(), block), figure)


def _height(kind: str, info: str, block: str) -> int:
    lines = block.splitlines()
    if kind == "fence":
        return {"math": 5, "image": _IMAGE_LINES}.get(info, len(lines) + 1)
    if kind == "table_open":
        return len(lines) + 2
    if kind == "paragraph_open":
        return -(-len(" ".join(lines)) // _COLUMNS) + 1
    return len(lines) + 1


_GLYPHS = {
    "A": " ## /#  #/####/#  #/#  #", "B": "### /#  #/### /#  #/### ", "C": " ###/#   /#   /#   / ###",
    "D": "### /#  #/#  #/#  #/### ", "E": "####/#   /### /#   /####", "F": "####/#   /### /#   /#   ",
    "G": " ###/#   /# ##/#  #/ ###", "H": "#  #/#  #/####/#  #/#  #", "I": "###/ # / # / # /###",
    "J": "  ##/   #/   #/#  #/ ## ", "K": "#  #/# # /##  /# # /#  #", "L": "#   /#   /#   /#   /####",
    "M": "#   #/## ##/# # #/#   #/#   #", "N": "#   #/##  #/# # #/#  ##/#   #", "O": " ## /#  #/#  #/#  #/ ## ",
    "P": "### /#  #/### /#   /#   ", "Q": " ## /#  #/#  #/# ##/ ###", "R": "### /#  #/### /# # /#  #",
    "S": " ###/#   / ## /   #/### ", "T": "#####/  #  /  #  /  #  /  #  ", "U": "#  #/#  #/#  #/#  #/ ## ",
    "V": "#   #/#   #/ # # / # # /  #  ", "W": "#   #/#   #/# # #/## ##/#   #", "X": "#   #/ # # /  #  / # # /#   #",
    "Y": "#   #/ # # /  #  /  #  /  #  ", "Z": "####/  # / #  /#   /####", "0": " ## /#  #/#  #/#  #/ ## ",
    "1": " # /## / # / # /###", "2": "### /   #/ ## /#   /####", "3": "### /   #/ ## /   #/### ",
    "4": "#  #/#  #/####/   #/   #", "5": "####/#   /### /   #/### ", "6": " ## /#   /### /#  #/ ## ",
    "7": "####/   #/  # / #  / #  ", "8": " ## /#  #/ ## /#  #/ ## ", "9": " ## /#  #/ ###/   #/ ## ",
    " ": "  /  /  /  /  ", ".": " / / / /#", ",": "  /  /  / #/# ", ":": " /#/ /#/ ", "-": "   /   /###/   /   ",
    "–": "   /   /###/   /   ", "?": "### /   #/ ## /    / #  ", "!": "#/#/#/ /#", "'": "#/#/ / / ", "’": "#/#/ / / ",
    "(": " #/# /# /# / #", ")": "# / #/ #/ #/# ", "/": "   #/  # / #  /#   /#   ", '"': "# #/# #/   /   /   ",
    "&": " #  /# # / #  /# # / # #", "+": "   / # /###/ # /   ", "=": "   /###/   /###/   ",
    "“": "# #/# #/   /   /   ", "”": "# #/# #/   /   /   ",
}  # fmt: skip
ROWS = 5
"""Of a large letter: its dots, one above the other."""


def large(text: str, width: int, height: int, *, halves: bool = True, squares: bool = True) -> list[str]:
    """A title in large letters that fits so many columns and lines, in several lines of words where that helps.

    Of two sizes the larger one that fits: a dot is two columns of a line (with `squares`), or (with `halves`) half a
    line of one column. Empty where neither fits, or a character has no large form.
    """
    words = text.upper().split()
    if not words or any(letter not in _GLYPHS for word in words for letter in word):
        return []
    for columns, tall in [(2, ROWS)] * squares + [(1, 3)] * halves:
        lines = _wrapped(words, width // columns)
        if lines and len(lines) * (tall + 1) - 1 <= height:
            drawn = [_dots(line) for line in lines]
            made = [_squares(dots) if columns == 2 else _halves(dots) for dots in drawn]
            return [row for number, rows in enumerate(made) for row in (["", *rows] if number else rows)]
    return []


def _wide(text: str) -> int:
    return sum(_GLYPHS[letter].index("/") + 1 for letter in text) - 1


def _wrapped(words: Sequence[str], width: int) -> list[str]:
    """Words in lines; empty where one is too wide."""
    lines: list[str] = []
    for word in words:
        if _wide(word) > width:
            return []
        if lines and _wide(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _dots(text: str) -> list[str]:
    glyphs = [_GLYPHS[letter].split("/") for letter in text]
    return [" ".join(glyph[row] for glyph in glyphs) for row in range(ROWS)]


def _squares(dots: Sequence[str]) -> list[str]:
    return ["".join("██" if dot == "#" else "  " for dot in row).rstrip() for row in dots]


def _halves(dots: Sequence[str]) -> list[str]:
    rows = [*dots, " " * len(dots[0])]
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return [
        "".join(
            {"##": "█", "# ": "▀", " #": "▄"}.get(upper + lower, " ") for upper, lower in zip(*pair, strict=True)
        ).rstrip()
        for pair in pairs
    ]
