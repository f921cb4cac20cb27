r"""Formulas in two dimensions, from the part of LaTeX that lessons use: `\frac{\alpha}{r}` is set over three lines.

A formula becomes a box of lines with a baseline; boxes are put side by side and above one another. In ASCII the
symbols are words, and scripts are raised or lowered where Unicode's small digits would be lost. `inline` sets one line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from rich.cells import cell_len

from tlcourse.presenting.formula_boxes import (
    Box,
    as_inner,
    beside,
    between,
    in_small,
    over,
    run_together,
    table,
    under_root,
    with_limits,
    with_scripts,
)

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ", "partial": "∂", "nabla": "∇",
    "infty": "∞", "cdots": "⋯", "dots": "…", "ldots": "…", "prime": "′", "top": "ᵀ", "emptyset": "∅", "vert": "|",
    "Vert": "‖", "|": "‖", "{": "{", "}": "}", "%": "%", "$": "$", "#": "#", "_": "_", "&": "&", "lfloor": "⌊",
    "rfloor": "⌋", "langle": "⟨", "rangle": "⟩",
}  # fmt: skip
_BINARY = {
    "cdot": "·", "times": "×", "ast": "∗", "pm": "±", "odot": "⊙", "circ": "∘", "cap": "∩", "cup": "∪", "oplus": "⊕",
    "div": "÷",
}  # fmt: skip
_RELATIONS = {
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "in": "∈", "to": "→",
    "rightarrow": "→", "leftarrow": "←", "gets": "←", "propto": "∝", "sim": "~", "mid": "|", "parallel": "‖",
    "equiv": "≡", "Rightarrow": "⇒", "mapsto": "↦",
}  # fmt: skip
_LIMITS = {"sum": "∑", "prod": "∏", "min": "min", "max": "max", "argmin": "arg min", "argmax": "arg max", "lim": "lim"}
_NAMES = ("log", "exp", "sin", "cos", "tanh", "det", "diag", "cov", "rank", "Pr")
_SPACES = {"quad": "    ", "qquad": "        ", ",": " ", ";": "  ", ":": " ", " ": " ", "!": ""}
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "dot": "\u0307"}
_FAMILIES = ("text", "mathrm", "operatorname", "mathbf", "mathit", "mathcal", "mathbb", "textbf")
_DOUBLE = {"R": "ℝ", "E": "E", "N": "ℕ", "I": "I"}
_UPPER = dict(zip(
    "0123456789+-−=()abcdefghijklmnoprstuvwxyzTαβγδθφ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᵅᵝᵞᵟᶿᵠ", strict=True,
)) | {"′": "′", "ᵀ": "ᵀ", "∗": "*"}  # fmt: skip
_LOWER = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_ENVIRONMENTS = {"matrix": "", "pmatrix": "()", "bmatrix": "[]", "cases": "{", "aligned": ""}
_DEEPEST = 80


class FormulaError(ValueError):
    """A formula that cannot be set; its text says what was not understood."""


@lru_cache(512)
def block(source: str, spell: Callable[[str], str] | None = None, width: int = 0) -> tuple[str, ...]:
    r"""The lines of a displayed formula; `spell` writes symbols in ASCII. Raises FormulaError.

    Where it is wider than `width` what stands between `\qquad` comes into lines of its own.
    """
    pieces = source.split(r"\qquad")
    if r"\\" in source or "&" in source:
        source = rf"\begin{{aligned}}{source}\end{{aligned}}"
        pieces = []
    lines = tuple(line.rstrip() for line in _Setter(source, spell, flat=False).all().lines)
    if not width or max(map(cell_len, lines)) <= width or len(pieces) < 2:
        return lines
    found: tuple[str, ...] = ()
    for piece in pieces:
        found += (*(("",) if found else ()), *block(piece, spell, width))
    return found


@lru_cache(2048)
def inline(source: str) -> str:
    """A formula within a sentence, in one line of Unicode. Raises FormulaError."""
    return _Setter(source, None, flat=True).all().lines[0].strip()


class _Setter:
    def __init__(self, source: str, spell: Callable[[str], str] | None, *, flat: bool) -> None:
        self.tokens = _TOKEN.findall(source.strip())
        self.at, self.depth = 0, 0
        self.spell, self.flat = spell, flat
        self.tight = False

    def all(self) -> Box:
        box = self.row(())
        if self.at < len(self.tokens):
            raise FormulaError(f"`{self.tokens[self.at]}` without its beginning")
        return box

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def row(self, ends: tuple[str, ...]) -> Box:
        """Everything up to one of `ends`, which stays; scripts bind to what stands before them."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError("nested too deeply")
        items: list[Box] = []
        while (part := self.peek()) and part not in ends and part not in ("}", "&", r"\\", r"\right", r"\end"):
            if part.isspace():
                self.at += 1
            elif part in ("^", "_", "'"):
                items.append(self.scripts(items.pop() if items else Box(("",))))
            else:
                items.append(self.one())
        self.depth -= 1
        return beside(self.spaced(items))

    def one(self) -> Box:
        """A symbol, a group, or a command with what belongs to it."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError("nested too deeply")
        box = self._one()
        self.depth -= 1
        return box

    def _one(self) -> Box:
        part = self.next()
        while part.isspace():
            part = self.next()
        if part == "{":
            box = self.row(("}",))
            if self.next() != "}":
                raise FormulaError("a `{` without `}`")
            return Box(box.lines, box.base)
        if not part:
            raise FormulaError("it ends too early")
        if not part.startswith("\\") or part[1:] in ("{", "}", "|", "%", "$", "#", "_", "&"):
            return self.character(part)
        return self.command(part[1:])

    def character(self, part: str) -> Box:
        if part.startswith("\\"):
            part = {"\\|": "‖"}.get(part, part[1:])
            return self.text(part, "open" if part == "{" else "close" if part == "}" else "ord")
        if part.isdigit():
            while self.peek() and (self.peek().isdigit() or self._point()):
                part += self.next()
            return self.text(part)
        kind = "ord"
        for characters, of in (("+-−±·×∗⊙∘∩∪⊕", "bin"), ("=<>≤≥≈≠∈→←∝⇒", "rel"), ("([", "open"), (")]", "close")):
            kind = of if part in characters else kind
        if part in ",;:":
            kind = "punct"
        if part == "~":
            return Box((" ",), kind="space")
        return self.text("−" if part == "-" else "∗" if part == "*" else part, kind)

    def _point(self) -> bool:
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ""
        return self.peek() == "." and after.isdigit()

    def text(self, text: str, kind: str = "ord") -> Box:
        text = {"Σ": "Sigma", "ᵀ": "T"}.get(text, self.spell(text).strip()) if self.spell else text
        return Box((text,), kind=kind)

    def command(self, name: str) -> Box:
        if name in ("frac", "tfrac", "dfrac"):
            return self.fraction(self.argument(), self.argument(), flat=self.flat or name == "tfrac")
        if name == "sqrt":
            return self.root(self.one())
        if name == "left":
            return self.delimited()
        if name == "begin":
            return self.environment(self.raw())
        if name in _FAMILIES:
            text = self.raw()
            box = self.text(_DOUBLE.get(text, text) if name == "mathbb" else text)
            return Box(box.lines, kind="op" if name == "operatorname" else "ord", word=len(text.strip()) > 1)
        if name in _ACCENTS:
            return self.accent(self.one(), name)
        if name in _SPACES:
            return Box((_SPACES[name],), kind="space")
        if name in _LIMITS:
            return self.limits(name)
        for known, kind in ((_SYMBOLS, "ord"), (_BINARY, "bin"), (_RELATIONS, "rel")):
            if name in known:
                return self.text(known[name], kind)
        if name in _NAMES:
            return Box((name,), kind="op")
        raise FormulaError(f"`\\{name}` is not known")

    def argument(self) -> Box:
        r"""A group, or one symbol: `\frac12` is a half."""
        return self.text(self.next()) if self.peek().isdigit() else self.one()

    def raw(self) -> str:
        """The text in the next braces as it stands."""
        if self.next() != "{":
            raise FormulaError("a `{` is missing")
        text = ""
        while (part := self.next()) != "}":
            if not part:
                raise FormulaError("a `{` without `}`")
            text += part[1:] if part.startswith("\\") and len(part) == 2 else part
        return text

    def fraction(self, above: Box, below: Box, *, flat: bool) -> Box:
        if flat:
            return Box((f"{_held(above)}/{_held(below)}",))
        return over(above, below, "-" if self.spell else "─")

    def root(self, inner: Box) -> Box:
        if self.flat or self.spell:
            sign = "sqrt" if self.spell else "√"
            if len(inner.lines) == 1:
                return Box((f"{sign}({inner.lines[0]})" if inner.width > 1 or self.spell else f"√{inner.lines[0]}",))
            return beside([Box((sign,)), between("(", inner, ")")])
        return under_root(inner)

    def accent(self, inner: Box, name: str) -> Box:
        if self.spell:
            return Box((f"{inner.lines[0]}_{name}",))
        return Box((unicodedata.normalize("NFC", inner.lines[0][:1] + _ACCENTS[name]) + inner.lines[0][1:],))

    def delimited(self) -> Box:
        left = self.delimiter()
        inner = self.row(())
        if self.next() != r"\right":
            raise FormulaError(r"a `\left` without `\right`")
        return as_inner(between(left, inner, self.delimiter()))

    def delimiter(self) -> str:
        part = self.next()
        while part.isspace():
            part = self.next()
        found = _SYMBOLS.get(part[1:], "") if part.startswith("\\") else part
        return "" if found == "." else found

    def environment(self, name: str) -> Box:
        if name not in _ENVIRONMENTS:
            raise FormulaError(f"`{name}` is not known, expected one of {', '.join(_ENVIRONMENTS)}")
        rows: list[list[Box]] = [[]]
        while True:
            rows[-1].append(self.row(()))
            part = self.next()
            if part == r"\\":
                rows.append([])
            elif part == r"\end":
                self.raw()
                break
            elif part != "&":
                raise FormulaError(rf"`\begin{{{name}}}` without `\end`")
        if len(rows[-1]) == 1 and not rows[-1][0].width:
            rows.pop()
        inner = table(rows, name)
        if self.flat and len(inner.lines) > 1:
            raise FormulaError("a matrix in a sentence")
        sides = _ENVIRONMENTS[name]
        return as_inner(between(sides[:1], inner, sides[1:])) if sides else inner

    def limits(self, name: str) -> Box:
        sign = _LIMITS[name]
        symbol = self.spell(sign).strip() if self.spell else sign
        below = above = None
        flat, tight = self.flat, self.tight
        self.flat = self.tight = True
        while (part := self.peek()) in ("_", "^") or (part and part.isspace()):
            self.at += 1
            if part == "_":
                below = self.one()
            elif part == "^":
                above = self.one()
        self.flat, self.tight = flat, tight
        if self.flat:
            scripts = self._flat_scripts(below, above)
            return Box((symbol + scripts,), kind="op")
        return with_limits(Box((symbol,)), below, above)

    def scripts(self, nucleus: Box) -> Box:
        """A nucleus with what is raised and lowered after it."""
        flat, tight = self.flat, self.tight
        self.flat = self.tight = True  # fractions in scripts are written with a stroke, and nothing has room
        below = above = None
        primes = ""
        while (part := self.peek()) in ("^", "_", "'"):
            self.at += 1
            if part == "'":
                primes += "'" if self.spell else "′"
            elif part == "_":
                below = self.one()
            else:
                above = self.one()
        self.flat, self.tight = flat, tight
        nucleus = Box((*nucleus.lines[:-1], nucleus.lines[-1] + primes), nucleus.base) if primes else nucleus
        pair = ((below, _LOWER), (above, _UPPER))
        small = [in_small(box, known) for box, known in pair if box]
        if len(nucleus.lines) > 1 and below:
            small = []
        if not self.spell and small and all(small):
            first, *rest = nucleus.lines
            script = "".join(small)
            return Box((first + script, *(line + " " * cell_len(script) for line in rest)), nucleus.base)
        if flat:
            return Box((nucleus.lines[0] + self._flat_scripts(below, above),))
        return with_scripts(nucleus, below, above)

    def _flat_scripts(self, below: Box | None, above: Box | None) -> str:
        said = ""
        for box, sign, known in ((below, "_", _LOWER), (above, "^", _UPPER)):
            if box:
                text = box.lines[0].strip()
                short = len(text) == 1 or (sign == "_" and text.replace(",", "").isalnum())
                said += (in_small(box, known) if not self.spell else "") or sign + (text if short else f"({text})")
        return said

    def spaced(self, items: Sequence[Box]) -> list[Box]:
        """With the spaces that TeX would put around relations, operators and names."""
        found: list[Box] = []
        for number, item in enumerate(items):
            before = items[number - 1].kind if number else "open"
            after = items[number + 1].kind if number + 1 < len(items) else "close"
            unary = item.kind == "bin" and before in ("open", "bin", "rel", "punct", "op", "space")
            gap = " " if item.kind in ("bin", "rel") and not unary and not self.tight else ""
            if item.kind == "op" and before in ("ord", "close", "op"):
                found.append(Box((" ",)))
            fractions = item.kind in ("ord", "frac", "open", "op", "inner") and before == "frac"
            fractions = fractions or (item.kind == before == "inner")
            fractions = fractions or (item.kind == "frac" and before in ("ord", "close"))
            if fractions or (self.spell and number and run_together(items[number - 1], item)):
                found.append(Box((" ",)))
            found.append(Box(tuple(gap + line + gap for line in item.lines), item.base, item.kind))
            name = item.kind == "op" and after in ("ord", "op", "frac", "inner")
            if name or (item.kind == "punct" and not self.tight):
                found.append(Box((" ",)))
        return found


def _held(box: Box) -> str:
    text = box.lines[0].strip()
    return f"({text})" if re.search(r"[ +−/·=]", text) and not re.fullmatch(r"\([^()]*\)", text) else text
