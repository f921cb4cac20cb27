"""What a formula is made of: boxes of lines with a baseline, side by side, above one another or in brackets."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len

_TALL = {
    "(": "⎛⎜⎝", ")": "⎞⎟⎠", "[": "⎡⎢⎣", "]": "⎤⎥⎦", "|": "│││", "‖": "‖‖‖", "{": "⎧⎪⎩", "}": "⎫⎪⎭", "⌊": "⎢⎢⎣",
    "⌋": "⎥⎥⎦",
}  # fmt: skip


class Box(Struct, frozen=True):
    """Lines of one width, and which of them is level with what stands beside."""

    lines: tuple[str, ...]
    base: int = 0
    kind: str = "ord"
    """As TeX's: ord, bin, rel, open, close, punct, op (a name), space; frac and inner (brackets, a matrix)."""
    word: bool = False
    """Of letters that are a word, which is not set in small letters."""

    @property
    def width(self) -> int:
        return cell_len(self.lines[0]) if self.lines else 0

    @property
    def below(self) -> int:
        """Lines under the baseline."""
        return len(self.lines) - 1 - self.base


def beside(boxes: Sequence[Box]) -> Box:
    """Side by side, with their baselines level."""
    if not boxes:
        return Box(("",))
    up, down = max(box.base for box in boxes), max(box.below for box in boxes)
    lines = [""] * (up + down + 1)
    for box in boxes:
        for number in range(len(lines)):
            at = number - up + box.base
            lines[number] += box.lines[at] if 0 <= at < len(box.lines) else " " * box.width
    return Box(tuple(lines), up)


def as_inner(box: Box) -> Box:
    """The same, spaced as brackets and matrices are."""
    return Box(box.lines, box.base, "inner")


def between(left: str, inner: Box, right: str) -> Box:
    """In brackets as high as it is; "" is none."""
    height = len(inner.lines)
    if height == 1:
        return Box((left + inner.lines[0] + right,))
    first, last = (_side(sign, height) for sign in (left, right))
    return Box(tuple(f"{a} {line} {b}" for a, line, b in zip(first, inner.lines, last, strict=True)), inner.base)


def _side(sign: str, height: int) -> list[str]:
    if not sign:
        return [""] * height
    top, middle, bottom = list(_TALL.get(sign, sign * 3))
    side = [top, *[middle] * (height - 2), bottom]
    if sign in "{}" and height > 2:
        side[height // 2] = "⎨" if sign == "{" else "⎬"
    return side


def table(rows: list[list[Box]], name: str) -> Box:
    """Cells in rows and columns, as the environment `name` aligns them."""
    count = max(map(len, rows))
    widths = [max((row[c].width for row in rows if c < len(row)), default=0) for c in range(count)]
    gap = "" if name == "aligned" else "  "
    lines: list[str] = []
    tall = False
    for row in rows:
        cells = []
        for c, width in enumerate(widths):
            box = row[c] if c < len(row) else Box(("",))
            fill = str.ljust if name == "cases" or (name == "aligned" and c % 2) else str.rjust
            fill = str.center if name.endswith("matrix") else fill
            cells.append(Box(tuple(fill(line, width) + (gap if c < count - 1 else "") for line in box.lines), box.base))
        drawn = beside(cells).lines
        if lines and name == "aligned" and (len(drawn) > 1 or tall):
            lines.append("")
        lines += drawn
        tall = len(drawn) > 1
    width = max(map(cell_len, lines))
    return Box(tuple(line.ljust(width) for line in lines), len(lines) // 2 if len(lines) != 2 else 1)


def over(above: Box, below: Box, rule: str) -> Box:
    """A fraction; `rule` is the character of the line between."""
    width = max(above.width, below.width) + 2
    lines = [line.center(width) for line in above.lines]
    return Box((*lines, rule * width, *(line.center(width) for line in below.lines)), len(lines), "frac")


def under_root(radicand: Box) -> Box:
    """A root, whose sign is as high as what is below it."""
    height = len(radicand.lines)
    lines = [" " * (height + 1) + "_" * radicand.width]
    for number, line in enumerate(radicand.lines):
        slope = "╲╱" if number == height - 1 else " ╱"
        lines.append(" " * (height - 1 - number) + slope + " " * number + line)
    return Box(tuple(lines), radicand.base + 1)


def with_limits(symbol: Box, below: Box | None, above: Box | None) -> Box:
    """A sum's sign, say, with what stands below and above it."""
    parts = [box for box in (above, symbol, below) if box]
    width = max(box.width for box in parts)
    lines = tuple(line.center(width) for box in parts for line in box.lines)
    return Box(lines, len(above.lines) if above else 0, "op")


def with_scripts(nucleus: Box, below: Box | None, above: Box | None) -> Box:
    """What is raised and lowered in lines of its own, after a nucleus; beside one that is tall."""
    tall = len(nucleus.lines) > 1
    upper = above.lines if above else ()
    lower = below.lines if below else ()
    width = max([cell_len(line) for line in (*upper, *lower)] or [0])
    up = max(len(upper) - (1 if tall else 0), 0)
    down = max(len(lower) - (1 if tall else 0), 0)
    blank = " " * nucleus.width
    lines = [blank] * up + list(nucleus.lines) + [blank] * down
    scripts = [""] * len(lines)
    scripts[: len(upper)] = upper
    if lower:
        scripts[len(scripts) - len(lower) :] = lower
    return Box(
        tuple(line + script.ljust(width) for line, script in zip(lines, scripts, strict=True)), nucleus.base + up
    )


def in_small(box: Box, known: dict[str, str]) -> str:
    """A script in small characters; empty where there are none for it."""
    text = "".join(box.lines[0].split()) if len(box.lines) == 1 and not box.word else ""
    return "".join(known[one] for one in text) if text and all(one in known for one in text) else ""


def run_together(one: Box, other: Box) -> bool:
    """Whether two symbols that are spelt out would run together."""
    before, after = one.lines[one.base][-1:], other.lines[other.base][:1]
    names = [box.lines[box.base].strip() for box in (one, other)]
    return before.isalnum() and after.isalpha() and any(len(name) > 1 and name.isalpha() for name in names)
