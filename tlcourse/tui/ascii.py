"""`--ascii`: nothing beyond ASCII reaches the terminal.

Lessons are spelt out first, where there is room (`θ` becomes `theta`). What is left, such as the lines that Textual
draws, is replaced on its way to the screen by one character of the same width.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_WORDS = {
    "→": "->", "←": "<-", "↔": "<->", "⇒": "=>", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "≡": "==", "·": "*",
    "×": "x", "−": "-", "–": "-", "—": "-", "…": "...", "∈": " in ", "∞": "inf", "√": "sqrt", "∑": "sum ", "Σ": "Sum ",
    "∏": "prod ", "∂": "d", "∇": "grad ", "∥": "||", "‖": "||", "⊙": "(*)", "±": "+-", "°": " deg", "½": "1/2",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ν": "nu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ψ": "psi",
    "ω": "omega", "Δ": "Delta", "Θ": "Theta", "Φ": "Phi", "Ω": "Omega", "ℓ": "l", "ℝ": "R", "∘": "o", "†": "+",
    "„": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "′": "'", "✓": "+", "✗": "x", "⁻": "^-", "ᵀ": "^T",
    "⌊": "floor(", "⌋": ")", "∝": "~", "∗": "*", "∪": " or ", "∩": " and ", "¼": "1/4", "↻": "@",
}  # fmt: skip
_SINGLES = {
    "│": "|", "┃": "|", "─": "-", "━": "=", "╍": "-", "┈": ".", "╌": "-", "▁": "_", "▔": "-", "█": "#", "▌": "|",
    "▐": "|", "▊": "|", "▎": "|", "•": "*", "●": "*", "○": "o", "›": ">", "‹": "<", "▶": ">", "▼": "v", "▲": "^",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "·": ".", "–": "-", "−": "-", "…": ".", "✓": "+", "✗": "x", "×": "x",
    "≥": ">", "≤": "<", "≈": "~", "⏎": "<", "░": ".", "▒": ":", "▓": "#", "■": "#", "□": "o", "◐": "~",
    "↻": "@", "≡": "=",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵢₜₛ₀₁₂₃₄₅₆₇₈₉", "0123456789nits0123456789")


def spelt_out(text: str) -> str:
    """Text of any length in ASCII, with symbols as words."""
    return "".join(_spelt(character) for character in text)


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
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain.ljust(width) if 0 < len(plain) <= width else "?" * width


class AsciiFilter(LineFilter):
    """Replaces what is left, just before it is shown."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, in ASCII."""
        return [
            segment if segment.text.isascii() else Segment("".join(map(_single, segment.text)), segment.style)
            for segment in segments
        ]
