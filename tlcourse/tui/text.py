"""Text of the app: colours that are names of the theme, `Text("✓ PASS", style="bold $good")`, and `--ascii`.

Rich knows no such names, and turns a style into a colour when a text is handed to a widget; then a text that is on the
screen would keep the colours of the theme that it was made under. Here the names are kept until a line is drawn.
`themes.py` says which names there are.

With `--ascii` nothing beyond ASCII reaches the terminal. Lessons are spelt out first, where there is room (`θ` becomes
`theta`). What is left, such as the lines that Textual draws, is replaced on its way to the screen by one character of
the same width.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style as RichStyle
from rich.text import Span
from rich.text import Text as RichText
from textual.color import Color
from textual.content import Content
from textual.content import Span as ContentSpan
from textual.filter import LineFilter
from textual.style import Style

from tlcourse.tui.textual_private import active_app

_NAME = re.compile(r"\$([a-z0-9-]+)")


class Text(RichText):
    """Rich's text, with `$names` of the theme in its styles."""

    def blank_copy(self, plain: str = "") -> Text:
        """An empty one of the same kind; Rich joins and splits texts by it."""
        return Text(
            plain,
            style=self.style,
            justify=self.justify,
            overflow=self.overflow,
            no_wrap=self.no_wrap,
            end=self.end,
            tab_size=self.tab_size,
        )

    def copy(self) -> Text:
        """One that changes apart from this one."""
        other = self.blank_copy(self.plain)
        other._spans[:] = self._spans
        return other

    def append(self, text: RichText | str, style: str | RichStyle | None = None) -> Text:
        """Rich's, with the type of this one."""
        super().append(text, style)
        return self

    def append_text(self, text: RichText) -> Text:
        """Rich's, with the type of this one."""
        super().append_text(text)
        return self

    @classmethod
    def of(cls, line: Iterable[tuple[str, str]]) -> Text:
        """A line of marks (`presenting/marks.py`), which does not wrap."""
        text = cls(no_wrap=True, overflow="crop")
        for words, style in line:
            text.append(words, style or None)
        return text

    def visualize(self) -> Content:
        """What Textual draws: it looks the names up itself, again whenever the theme changes."""
        spans = [ContentSpan(span.start, span.end, _kept(span.style)) for span in self.spans]
        content = Content(self.plain, spans)
        return content.stylize_before(_kept(self.style)) if self.style else content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """What Rich draws, within one of its tables: the colours of the present theme."""
        told = RichText(self.plain, style=_told(self.style), no_wrap=self.no_wrap, overflow=self.overflow, end=self.end)
        told.spans = [Span(span.start, span.end, _told(span.style)) for span in self.spans]
        return told.__rich_console__(console, options)


def _kept(style: object) -> str | Style:
    return style if isinstance(style, str) else Style.from_rich_style(style)  # type: ignore[arg-type]


def _told(style: object) -> str:
    """A style without names: `bold $good` becomes bold and the theme's green."""
    variables = active_app.get().theme_variables

    def colour(found: re.Match[str]) -> str:
        parsed = Color.parse(variables[found[1]])
        return "default" if parsed.ansi is not None else parsed.hex6

    return _NAME.sub(colour, str(style))


_WORDS = {
    "→": "->", "←": "<-", "↔": "<->", "⇒": "=>", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "≡": "==", "·": "*",
    "×": "x", "−": "-", "–": "-", "—": "-", "…": "...", "∈": " in ", "∞": "inf", "√": "sqrt", "∑": "sum ", "Σ": "Sigma",
    "∏": "prod ", "∂": "d", "∇": "grad ", "∥": "||", "‖": "||", "⊙": "(*)", "±": "+-", "°": " deg", "½": "1/2",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ν": "nu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ψ": "psi",
    "ω": "omega", "Δ": "Delta", "Θ": "Theta", "Φ": "Phi", "Ω": "Omega", "ℓ": "l", "ℝ": "R", "∘": "o", "†": "+",
    "„": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "′": "'", "✓": "+", "✗": "x", "⁻": "^-", "ᵀ": "^T",
    "⌊": "floor(", "⌋": ")", "∝": "~", "∗": "*", "∪": " or ", "∩": " and ", "¼": "1/4", "↻": "@",
    "⋯": "...", "↦": "|->", "÷": "/", "ℕ": "N", "∅": "{}", "⟨": "<", "⟩": ">", "χ": "chi", "Γ": "Gamma",
    "Λ": "Lambda", "Ψ": "Psi",
}  # fmt: skip
_BEFORE_A_LETTER = re.compile(r"Σ(?=\w)")
_SINGLES = {
    "│": "|", "┃": "|", "─": "-", "━": "=", "╍": "-", "┈": ".", "╌": "-", "▁": "_", "▔": "-", "█": "#", "▌": "|",
    "▐": "|", "▊": "|", "▎": "|", "•": "*", "●": "*", "○": "o", "›": ">", "‹": "<", "▶": ">", "▼": "v", "▲": "^",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "·": ".", "–": "-", "−": "-", "…": ".", "✓": "+", "✗": "x", "×": "x",
    "≥": ">", "≤": "<", "≈": "~", "⏎": "<", "░": ".", "▒": ":", "▓": "%", "■": "#", "□": "o", "▪": "+", "◐": "~",
    "↻": "@", "≡": "=", "╸": "-", "╺": "-", "◆": "<", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#",
    "┤": "|", "◀": "<", "△": "^", "▏": "|", "▍": "|", "▋": "|", "▉": "#", "⊕": "+", "⊗": "x", "∂": "d", "′": "'",
    "⎛": "/", "⎜": "|", "⎝": "\\", "⎞": "\\", "⎟": "|", "⎠": "/", "⎡": "[", "⎢": "|", "⎣": "[", "⎤": "]", "⎥": "|",
    "⎦": "]", "▸": ">", "⎧": "/", "⎨": "{", "⎩": "\\", "⎪": "|", "╱": "/", "╲": "\\",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵢₜₛ₀₁₂₃₄₅₆₇₈₉", "0123456789nits0123456789")


def spelt_out(text: str) -> str:
    """Text of any length in ASCII, with symbols as words."""
    return "".join(_spelt(character) for character in _BEFORE_A_LETTER.sub("Sigma ", text))


@lru_cache(4096)
def _spelt(character: str) -> str:
    if character.isascii():
        return character
    if character in _WORDS:
        return _WORDS[character]
    if ord(character) in _SUPERSCRIPTS:
        return chr(_SUPERSCRIPTS[ord(character)])
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or _single(character)


@lru_cache(4096)
def _single(character: str) -> str:
    """ASCII of the same width."""
    if character.isascii():
        return character
    width = cell_len(character)
    if found := _SINGLES.get(character):
        return found.ljust(width)
    if 0x2500 <= ord(character) <= 0x257F:
        return "+".ljust(width)
    if 0x2800 <= ord(character) <= 0x28FF:  # fine dots: how many
        return " ..::##**"[(ord(character) - 0x2800).bit_count()]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain.ljust(width) if 0 < len(plain) <= width else "?" * width


class AsciiFilter(LineFilter):
    """Replaces what is left, just before it is shown."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, in ASCII."""
        return [
            segment if segment.text.isascii() else Segment(one_by_one(segment.text), segment.style)
            for segment in segments
        ]


def one_by_one(text: str) -> str:
    """Text in ASCII with as many columns. `≥ 95` becomes `>=95`: half of that sign says something else."""
    for sign, spelt in (("≥", ">="), ("≤", "<="), ("≠", "!=")):
        if sign in text:
            text = text.replace(f"{sign} ", spelt).replace(f" {sign}", spelt)
    return "".join(map(_single, text))
