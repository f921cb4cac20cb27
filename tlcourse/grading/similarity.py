"""Hand-ins that share code: winnowed fingerprints (Schleimer, Wilkerson and Aiken, SIGMOD 2003), the starter's
discounted.

Names, numbers and texts count by their kind only, comments and spaces not at all: renaming variables hides nothing.
Any run of `GUARANTEED` equal tokens is found; runs shorter than `NOISE` tokens are not. A pair is a lead for a person
to look at, never a verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import combinations

from msgspec import Struct

NOISE = 18
GUARANTEED = 28
MOST_PAIRS = 20
LEAST = 0.2
"""Shares below this are not listed: two solutions of one task always share something."""
_COMMON, _FEW, _MANY = 0.5, 3, 60
"""A fingerprint says nothing about copying where more than this share of the class has it, and more than a few; nor
where many have it, however large the class."""


class Token(Struct, frozen=True):
    """A token's kind or text, and the line on which it stands."""

    text: str
    line: int


class Pair(Struct, frozen=True):
    """Two hand-ins, and what they share: of the smaller one's own fingerprints, that is without the starter's."""

    keys: tuple[str, str]
    owners: tuple[str, str]
    share: float
    shared: int
    lines: tuple[list[int], list[int]]
    """Lines of each that carry shared code."""


def similar_pairs(
    sources: Mapping[str, str],
    owners: Mapping[str, str],
    known: Sequence[str] = (),
    most: int = MOST_PAIRS,
    least: float = LEAST,
) -> list[Pair]:
    """The pairs that share most, ranked; `known` are texts that everybody was given."""
    given = {mark for text in known for mark in fingerprints(text, every=True)}
    prints = {
        key: {mark: lines for mark, lines in fingerprints(source).items() if mark not in given}
        for key, source in sources.items()
    }
    holders: dict[int, list[str]] = defaultdict(list)
    for key, marks in prints.items():
        for mark in marks:
            holders[mark].append(key)
    usual = min(max(_COMMON * len(sources), _FEW), _MANY)
    shared: dict[tuple[str, str], list[int]] = defaultdict(list)
    for mark, having in holders.items():
        if 2 <= len(having) <= usual:
            for one, other in combinations(sorted(having), 2):
                shared[one, other].append(mark)
    pairs = []
    for (one, other), common in shared.items():
        share = len(common) / min(len(prints[one]), len(prints[other]))
        if share >= least:
            lines = (_lines(prints[one], common), _lines(prints[other], common))
            pairs.append(Pair((one, other), (owners[one], owners[other]), share, len(common), lines))
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.shared, pair.keys))[:most]


def fingerprints(source: str, *, every: bool = False) -> dict[int, list[int]]:
    """Of each fingerprint the lines that it covers. `every`: of all windows, as for code that is to be discounted."""
    tokens = tokens_of(source)
    grams = [
        (_hash(tokens[i : i + NOISE]), tokens[i].line, tokens[i + NOISE - 1].line)
        for i in range(len(tokens) - NOISE + 1)
    ]
    kept = range(len(grams)) if every else _winnowed([mark for mark, _, _ in grams], GUARANTEED - NOISE + 1)
    found: dict[int, list[int]] = {}
    for i in kept:
        mark, first, last = grams[i]
        found.setdefault(mark, []).extend(range(first, last + 1))
    return found


def tokens_of(source: str) -> list[Token]:
    """Tokens of Python source, whether or not it is valid."""
    from pygments.lexers.python import PythonLexer
    from pygments.token import Token as Kind

    tokens: list[Token] = []
    number = 1
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        if kind in Kind.Name and kind not in Kind.Name.Builtin:
            shown = "name"
        elif kind in Kind.Literal.String:
            shown = "" if kind in Kind.Literal.String.Doc else "text"
        elif kind in Kind.Literal.Number:
            shown = "number"
        elif kind in Kind.Comment or kind in Kind.Text:
            shown = ""
        else:
            shown = text.strip()
        if shown and not (shown == "text" and tokens and tokens[-1].text == "text"):  # a text comes in several parts
            tokens.append(Token(shown, number))
        number += text.count("\n")
    return tokens


def _hash(tokens: Sequence[Token]) -> int:
    text = "\0".join(token.text for token in tokens).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def _winnowed(marks: Sequence[int], window: int) -> list[int]:
    """Places of the least hash of every window, the rightmost of equals: at least one of each is kept."""
    kept: list[int] = []
    for start in range(max(len(marks) - window + 1, min(len(marks), 1))):
        part = marks[start : start + window]
        least = min(part)
        place = start + max(i for i, mark in enumerate(part) if mark == least)
        if not kept or kept[-1] != place:
            kept.append(place)
    return kept


def _lines(marks: Mapping[int, Iterable[int]], shared: Iterable[int]) -> list[int]:
    return sorted({number for mark in shared for number in marks[mark]})
