"""Hand-ins that share code: winnowed fingerprints (Schleimer, Wilkerson and Aiken, SIGMOD 2003), the starter's
discounted.

Names, numbers and texts count by their kind only, comments and spaces not at all: renaming variables hides nothing.
Any run of `GUARANTEED` equal tokens is found; runs shorter than `NOISE` tokens are not. A pair is a lead for a person
to look at, never a verdict. Whoever is compared wrote the text, and may have written it for this code: its work grows
no faster than the text, and texts above `MAX_SOURCE` are not compared.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import combinations

from msgspec import Struct
from msgspec.structs import replace

NOISE = 18
GUARANTEED = 28
MAX_SOURCE = 100_000
"""Bytes: about 2,500 lines."""
MOST_PAIRS = 20
LEAST = 0.2
"""Shares below this are not listed: two solutions of one task always share something."""
LEAST_KNOWN = 0.5
"""The same of known solutions, of which what half of the class has counts as well."""
_FEWEST = 10
"""Fingerprints that a share of a known solution is taken of at least: some wrong ones are a few lines long."""
_COMMON, _FEW, _MANY = 0.5, 3, 60
"""A fingerprint says nothing about copying where more than this share of the class has it, and more than a few; nor
where many have it, however large the class."""


class Token(Struct, frozen=True):
    """A token's kind or text, and the line on which it stands."""

    text: str
    line: int


class Pair(Struct, frozen=True):
    """Two hand-ins, or a hand-in and a known solution, and what they share of the smaller one's own fingerprints, that
    is without the starter's."""

    keys: tuple[str, str]
    owners: tuple[str, str]
    share: float
    shared: int
    lines: tuple[list[int], list[int]]
    """Lines of each that carry shared code."""
    known: bool = False
    """Whether the second is a known solution: the reference, or a wrong one."""
    earlier: bool = False
    """Whether the second is of another class, such as that of an earlier year."""


def similar_pairs(
    sources: Mapping[str, str],
    owners: Mapping[str, str],
    given: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
    most: int = MOST_PAIRS,
    least: float = LEAST,
    earlier: Mapping[str, str] | None = None,
) -> list[Pair]:
    """The pairs that share most, ranked: at most `most` with known solutions, with `earlier` ones, and in the class.

    `given` are texts that everybody has, `known` solutions by their names. A hand-in is listed with the one of them
    that it shares most with, however many others share as much: the whole class may have found the reference.
    `earlier` ones, whose owners are in `owners` too, are compared with those of the class, and not with each other.
    """
    discounted = {mark for text in given for mark in fingerprints(text, every=True)}
    marks = {key: fingerprints(source).keys() - discounted for key, source in sources.items()}
    holders: dict[int, list[str]] = defaultdict(list)
    for key, own in marks.items():
        for mark in own:
            holders[mark].append(key)
    usual = min(max(_COMMON * len(sources), _FEW), _MANY)
    rare = {mark: having for mark, having in holders.items() if 2 <= len(having) <= usual}
    shared = Counter(pair for having in rare.values() for pair in combinations(sorted(having), 2))
    found = [
        Pair((one, other), (owners[one], owners[other]), share, count, ([], []))
        for (one, other), count in shared.items()
        if (share := count / min(len(marks[one]), len(marks[other]))) >= least
    ]
    before = {key: fingerprints(source).keys() - discounted for key, source in (earlier or {}).items()}
    across, with_earlier = _across(marks, before, holders, usual)
    found_before = [
        Pair((one, other), (owners[one], owners[other]), share, count, ([], []), earlier=True)
        for (one, other), count in with_earlier.items()
        if (share := count / min(len(marks[one]), len(before[other]))) >= least
    ]
    texts, solutions = {**sources, **(earlier or {})}, dict(known or {})
    copied = list(_copied(marks, owners, {name: fingerprints(text) for name, text in solutions.items()}, discounted))
    texts.update(solutions)

    @cache
    def prints_of(key: str) -> dict[int, list[int]]:
        return fingerprints(texts[key])

    def with_lines(pair: Pair) -> Pair:
        prints = [prints_of(key) for key in pair.keys]
        common = prints[0].keys() & prints[1].keys() - discounted
        common = common if pair.known else common & (across if pair.earlier else rare.keys())
        return replace(pair, lines=(_lines(prints[0], common), _lines(prints[1], common)))

    return [with_lines(pair) for group in (copied, found_before, found) for pair in sorted(group, key=_rank)[:most]]


def _across(
    marks: Mapping[str, Set[int]], before: Mapping[str, Set[int]], holders: Mapping[int, Sequence[str]], usual: float
) -> tuple[set[int], Counter[tuple[str, str]]]:
    """The fingerprints that tell something of a hand-in and an earlier one, and how many of them each two share.

    Held by few in either class: at most `_MANY` times `_MANY` pairs for each, however large the classes.
    """
    held: dict[int, list[str]] = defaultdict(list)
    for key, own in before.items():
        for mark in own:
            held[mark].append(key)
    usual_before = min(max(_COMMON * len(before), _FEW), _MANY)
    telling = {
        mark
        for mark, having in held.items()
        if len(having) <= usual_before and 1 <= len(holders.get(mark, ())) <= usual
    }
    shared = Counter((one, other) for mark in telling for one in holders[mark] for other in held[mark])
    return telling, shared


def _copied(
    marks: Mapping[str, Set[int]],
    owners: Mapping[str, str],
    known: Mapping[str, Mapping[int, object]],
    discounted: Set[int],
) -> Iterator[Pair]:
    """Of each hand-in the known solution that it shares most with, if it shares much."""
    solutions = {name: prints.keys() - discounted for name, prints in known.items()}
    for key, own in marks.items():
        pairs = []
        for name, its in solutions.items():
            share = len(own & its) / max(min(len(own), len(its)), _FEWEST)
            pairs.append(Pair((key, name), (owners[key], name), share, len(own & its), ([], []), known=True))
        yield from (pair for pair in sorted(pairs, key=_rank)[:1] if pair.share >= LEAST_KNOWN)


def _rank(pair: Pair) -> tuple[float, int, tuple[str, str]]:
    return (-pair.share, -pair.shared, pair.keys)


def fingerprints(source: str, *, every: bool = False) -> dict[int, list[int]]:
    """Of each fingerprint the lines that it covers. `every`: of all windows, as for code that is to be discounted."""
    tokens = tokens_of(source)
    marks = _rolling_hashes([token.text for token in tokens])
    kept = range(len(marks)) if every else _winnowed(marks, GUARANTEED - NOISE + 1)
    found: dict[int, list[int]] = {}
    for i in kept:
        found.setdefault(marks[i], []).extend(range(tokens[i].line, tokens[i + NOISE - 1].line + 1))
    return found


# Every alternative takes what it began or fails at its first few characters, and gives nothing back (the `+` after a
# quantifier), so that each character is looked at a few times at most. A text that is not closed ends with its line,
# a long one with the source.
_TOKEN = re.compile(
    r"""(?P<space>   \s++ | \# [^\n]*+ | \\\n )
    |   (?P<text>    (?: [rRbBuUfFtT]{1,2}+ (?=["']) )?+
                     (?: \"{3} [^"\\]*+ (?: (?: \\. | "(?!"") ) [^"\\]*+ )*+ (?: \"{3} | \\?+ \Z )
                     |   '{3}   [^'\\]*+ (?: (?: \\. | '(?!'') ) [^'\\]*+ )*+ (?: '{3}   | \\?+ \Z )
                     |   "      [^"\\\n]*+ (?: \\. [^"\\\n]*+ )*+ "?+
                     |   '      [^'\\\n]*+ (?: \\. [^'\\\n]*+ )*+ '?+ ) )
    |   (?P<number>  (?: \d | \.\d ) (?: [eE][+-]\d | [\w.] )*+ )
    |   (?P<name>    \w++ )
    |   (?P<mark>    \*\*= | //= | >>= | <<= | \.\.\. | [-+*/%@&|^=<>!:]= | -> | \*\* | // | << | >> | . )""",
    re.VERBOSE | re.DOTALL,
)
_SAID = frozenset(keyword.kwlist) | frozenset(name for name in dir(builtins) if name.islower())
"""Names that count as they are: whoever renames them changes what the code does."""


def pieces_of(source: str) -> Iterator[tuple[str, str]]:
    """All of a source in order, as `(kind, text)`: `space` (comments as well), `text`, `number`, `name`, `mark`."""
    return ((found.lastgroup or "", found[0]) for found in _TOKEN.finditer(source))


def tokens_of(source: str) -> list[Token]:
    """Tokens of Python source, whether or not it is valid; docstrings count as little as comments."""
    tokens: list[Token] = []
    number = ended = 1
    for found in _TOKEN.finditer(source):
        kind, text = found.lastgroup or "", found[0]
        first, number = number, number + text.count("\n")
        if kind == "space" or (kind == "text" and text.endswith(('"""', "'''")) and (not tokens or ended < first)):
            continue
        ended = number
        if not (kind == "text" and tokens and tokens[-1].text == "text"):  # a text may be written in several parts
            tokens.append(Token(text if kind == "mark" or text in _SAID else kind, first))
    return tokens


_PRIME, _BASE = 2**61 - 1, 0x1B873593CC9E2D51
_LEAVING = pow(_BASE, NOISE, _PRIME)


@lru_cache(maxsize=4096)
def _value(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "little")


def _rolling_hashes(texts: Sequence[str]) -> list[int]:
    """A number of each run of `NOISE` tokens, from that of the run before it (Karp and Rabin, 1987)."""
    values = [_value(text) for text in texts]
    found = []
    mark = 0
    for i, value in enumerate(values):
        mark = mark * _BASE + value - (values[i - NOISE] * _LEAVING if i >= NOISE else 0)
        mark %= _PRIME
        if i >= NOISE - 1:
            found.append(mark)
    return found


def _winnowed(marks: Sequence[int], window: int) -> list[int]:
    """Places of the least hash of every window, the rightmost of equals: at least one of each is kept."""
    kept: list[int] = []
    place = -1
    for end in range(min(window, len(marks)) - 1, len(marks)) if marks else ():
        start = max(end - window + 1, 0)
        if place < start:  # it has left the window, or this is the first one
            place = min(range(start, end + 1), key=lambda i: (marks[i], -i))
        elif marks[end] <= marks[place]:
            place = end
        if not kept or kept[-1] != place:
            kept.append(place)
    return kept


def _lines(marks: Mapping[int, Iterable[int]], shared: Iterable[int]) -> list[int]:
    return sorted({number for mark in shared for number in marks[mark]})
