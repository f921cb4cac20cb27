"""What a screen looks like, kept as text: its lines, and which style each part of them has, by the names of the theme.

A look is kept per stop of the tour in `tests/tui/looks/`: at 80×24 in all themes, at 120×40 and 200×60 in the first.
A style is written with the theme's names (`bold $next on $surface`), so that it is the same words in every theme, and
what a name is in each theme stands in one file, `themes.txt`. Cells of photographs are `picture`: how a picture is
scaled is another library's affair.

Of a dialog only what lies on top is kept. A run of cells is `12Qe`: twelve cells of the style `Qe`, which the list at
the end of the file spells out; a blank that has no colour of its own is left out at the end of a line.
"""

from __future__ import annotations

import difflib
import re
import zlib
from itertools import groupby
from pathlib import Path
from typing import Any

from drawn import ON_TOP, strips_of
from rich.style import Style
from textual.screen import ModalScreen

from tlcourse.tui.themes import NO_COLOUR, PALETTES, ROLES, colour

FOLDER = Path(__file__).parents[1] / "tui" / "looks"
NAMES = (
    "foreground",
    "background",
    *ROLES,
    "muted",
    "good",
    "bad",
    "doubt",
    "fault",
    "live",
    "surface",
    "panel",
    "bar",
)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike")
PICTURE = "picture"
_MARK = "│"
Cells = list[tuple[str, str]]
"""The characters of a line, each with its style in words."""


class Look:
    """One stop of the tour, as it was seen in several sizes and themes."""

    def __init__(self) -> None:
        self.text: dict[str, list[str]] = {}
        self.styles: dict[str, list[list[str]]] = {}

    def see(self, person: Any) -> None:
        """Take down what is on the screen now."""
        app = person.app
        names = _names(app.theme)
        lines = [_cells(strip, names) for strip in strips_of(app.screen)]
        if isinstance(app.screen, ModalScreen):  # what lies below it has a look of its own
            on_top = [widget.region for widget in app.screen.query(ON_TOP)]
            lines = [
                [cell if any(at.contains(x, y) for at in on_top) else (" ", "") for x, cell in enumerate(line)]
                for y, line in enumerate(lines)
            ]
        key = f"{app.size.width}×{app.size.height} {app.theme}"
        self.text[key] = [_counts("".join(letter for letter, _ in line).rstrip()) for line in lines]
        self.styles[key] = [[style for _, style in line] for line in lines]

    def written(self) -> str:
        """As it is kept."""
        codes: dict[str, str] = {}
        parts, seen = [], {}
        for key, lines in self.text.items():
            size = key.partition(" ")[0]
            drawn = [_runs(line, codes) for line in self.styles[key]]
            first = seen.setdefault(size, (key, lines, drawn))
            if first[0] == key:
                body = [_MARK + line for line in lines]
                styled = [f"{number} {line}" for number, line in enumerate(drawn, 1) if line]
            else:  # another theme: what differs from the first
                body = [
                    f"{number}{_MARK}{line}" for number, line in enumerate(lines, 1) if line != first[1][number - 1]
                ]
                styled = [f"{number} {line}" for number, line in enumerate(drawn, 1) if line != first[2][number - 1]]
            parts.append("\n".join([f"# {key}", *body, "", *styled]))
        spelt = [f"{code} {style}" for style, code in sorted(codes.items())]
        return "\n\n".join([*parts, "\n".join(["# styles", *spelt])]) + "\n"

    def against(self, name: str, *, accept: bool) -> str:
        """What differs from what is kept, in words; empty where nothing does. `accept` keeps it as it is now.

        Sizes and themes that are kept and were not seen are not compared.
        """
        if accept:
            return kept_or_differs(f"{name}.txt", self.written(), accept=True)
        kept = _parsed(_kept(f"{name}.txt"))
        return difference({key: kept[key] for key in self.text if key in kept}, _parsed(self.written()))


def kept_or_differs(name: str, now: str, *, accept: bool) -> str:
    """Compare with the file that is kept, or keep it."""
    if accept:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / name).write_text(now, encoding="utf-8")
        return ""
    return "\n".join(difflib.unified_diff(_kept(name).splitlines(), now.splitlines(), "kept", "now", n=0, lineterm=""))


def _kept(name: str) -> str:
    file = FOLDER / name
    return file.read_text(encoding="utf-8") if file.exists() else ""


Parts = dict[str, tuple[dict[int, str], dict[int, list[str]]]]
"""Of each size and theme the lines, and the styles of their cells, by the number of the line."""


def difference(was: Parts, is_: Parts) -> str:
    """Two looks side by side: lines that read otherwise, and cells that have another style."""
    said: list[str] = []
    for key in dict.fromkeys([*was, *is_]):
        (old, old_styles), (new, new_styles) = was.get(key, ({}, {})), is_.get(key, ({}, {}))
        lines = list(difflib.unified_diff(list(old.values()), list(new.values()), "kept", "now", n=1, lineterm=""))[2:]
        if lines:
            said += [f"{key}: it reads otherwise", *lines]
        for number in sorted(old_styles.keys() | new_styles.keys()):
            if old.get(number) == new.get(number):
                words = new.get(number, is_.get(_first(key), ({}, {}))[0].get(number, ""))
                said += _restyled(
                    f"{key}, line {number}", words, old_styles.get(number, []), new_styles.get(number, [])
                )
    return "\n".join(said)


def _first(key: str) -> str:
    return f"{key.partition(' ')[0]} {next(iter(PALETTES))}"


def _restyled(place: str, words: str, old: list[str], new: list[str]) -> list[str]:
    width = max(len(old), len(new))
    pairs = zip([*old, *[""] * (width - len(old))], [*new, *[""] * (width - len(new))], strict=True)
    found, at = [], 0
    for (was, now), run in groupby(pairs):
        end = at + len(list(run))
        if was != now:
            found.append(f"{place}, columns {at + 1} to {end} {words[at:end]!r}: {was or 'plain'} → {now or 'plain'}")
        at = end
    return found


def _parsed(written: str) -> Parts:
    body, _, spelt = written.partition("# styles\n")
    codes = dict(line.split(" ", 1) for line in spelt.splitlines())
    found: Parts = {}
    for part in re.split(r"^# (?=\d+×)", body, flags=re.MULTILINE)[1:]:
        key, *rest = part.splitlines()
        lines: dict[int, str] = {}
        styles: dict[int, list[str]] = {}
        for line in rest:
            number, mark, words = line.partition(_MARK)
            if mark and (number.isdigit() or not number):
                lines[int(number) if number else len(lines) + 1] = words
            elif line[:1].isdigit():
                place, _, runs = line.partition(" ")
                styles[int(place)] = [codes.get(code, code) for count, code in _counted(runs) for _ in range(count)]
        found[key] = (lines, styles)
    return found


def _counted(runs: str) -> list[tuple[int, str]]:
    found, count = [], ""
    letters = iter(runs)
    for letter in letters:
        if letter.isdigit():
            count += letter
        else:
            found.append((int(count or 1), letter + next(letters)))
            count = ""
    return found


def _runs(styles: list[str], codes: dict[str, str]) -> str:
    cells = list(styles)
    while cells and cells[-1] == "":
        cells.pop()
    said = ""
    for style, run in groupby(cells):
        count = len(list(run))
        said += ("" if count == 1 else str(count)) + _code(style, codes)
    return said


def _code(style: str, codes: dict[str, str]) -> str:
    """Two letters that a style has in every file, but for the rare one that meets another."""
    if style not in codes:
        number = zlib.crc32(style.encode())
        while (code := LETTERS[number % 52] + LETTERS[number // 52 % 52]) in codes.values():
            number += 1
        codes[style] = code
    return codes[style]


def _counts(line: str) -> str:
    """A line without how many lessons and questions the course has, which every screen says."""
    return re.sub(r"\d+/\d+ read · \d+/\d+ right$", lambda found: re.sub(r"\d", "#", found[0]), line)


def _names(theme: str) -> dict[str, str]:
    """What each colour of a theme is called."""
    if theme not in PALETTES:
        return {}
    palette = PALETTES[theme]
    named = {colour(palette, name).lower(): f"${name}" for name in reversed(NAMES)}
    series = {value.lower(): f"$series-{number}" for number, value in enumerate(palette.series, 1)}
    return series | named


def _cells(strip: Any, names: dict[str, str]) -> Cells:
    cells: Cells = []
    for segment in strip:
        style = _style(segment.style, segment.text, names)
        cells += [(letter, style(letter)) for letter in segment.text]
    return cells


def _style(style: Style | None, text: str, names: dict[str, str]) -> Any:
    """A function from a character to its style in words."""
    if style is None:
        return lambda letter: ""
    front, back = (_called(one, names) for one in (style.color, style.bgcolor))
    attributes = [name for name in ATTRIBUTES if getattr(style, name)]
    on = [] if back in ("", "$background") else ["on", back]
    inked = " ".join([*attributes, *([] if front in ("", "$foreground") else [front]), *on])
    drawn = [name for name in attributes if name in ("underline", "reverse", "strike")]
    blank = " ".join([*drawn, *([front] if drawn and front not in ("", "$foreground") else []), *on])
    picture = front.startswith("#") and not text.strip("▀▄█")
    return lambda letter: PICTURE if picture else blank if letter == " " else inked


def _called(one: Any, names: dict[str, str]) -> str:
    if one is None or one.is_default:
        return ""
    value = one.get_truecolor().hex.lower()
    return names.get(value, value)


def all_themes() -> str:
    """What each name is in each theme, as it is kept."""
    names = [*NAMES, *(f"series-{number}" for number in range(1, 9))]
    lines = [f"{name:<12} {'  '.join(colour(palette, name) for palette in PALETTES.values())}" for name in names]
    return "\n".join([f"# {'  '.join(PALETTES)}; {NO_COLOUR} has none", *lines]) + "\n"
