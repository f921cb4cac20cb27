"""How many steps a regular expression takes: matched as `re` matches, by backtracking, one step a character looked at.

`re` itself cannot be asked. What it does better (it looks for literal beginnings first) only saves steps, so that what
is linear here is linear there.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Then = Callable[[int], int | None]
"""What follows: takes a place, gives the end of the whole match or None."""
Matcher = Callable[[int, Then], int | None]
_OPTIMISED = {c.AT_BEGINNING_STRING, c.AT_END_STRING}
MOST = 200_000
"""Steps after which it is given up: 500 for each character of the longest attack."""


class Steps:
    """One expression on one text."""

    def __init__(self, pattern: re.Pattern[Any], text: str) -> None:
        sys.setrecursionlimit(50_000)
        self.text, self.count, self.flags = text, 0, pattern.flags
        source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
        self._whole = self._sequence(list(_parser.parse(source, pattern.flags & ~re.UNICODE)))

    def match(self, start: int = 0, *, to_the_end: bool = False) -> int | None:
        """The end of a match that begins at `start`."""
        return self._whole(start, (lambda at: at if at == len(self.text) else None) if to_the_end else lambda at: at)

    def everywhere(self) -> None:
        """As `search`, `sub`, `split` and `finditer` go over the whole text."""
        at = 0
        while at <= len(self.text):
            end = self.match(at)
            at = max(end or 0, at + 1)

    def _step(self) -> None:
        self.count += 1
        if self.count > MOST:
            raise OverflowError

    def _sequence(self, items: list[Any]) -> Matcher:
        matchers = [self._item(*item) for item in items]

        def run(at: int, then: Then, number: int = 0) -> int | None:
            if number == len(matchers):
                return then(at)
            return matchers[number](at, lambda end: run(end, then, number + 1))

        return run

    def _item(self, kind: Any, value: Any) -> Matcher:
        if kind in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN):
            fits = self._one(kind, value)
            return lambda at, then: then(at + 1) if fits(at) else None
        if kind is c.SUBPATTERN:
            return self._sequence(list(value[3]))
        if kind is c.ATOMIC_GROUP:
            return self._atomic(self._sequence(list(value)))
        if kind is c.BRANCH:
            branches = [self._sequence(list(branch)) for branch in value[1]]
            return lambda at, then: next((end for one in branches if (end := one(at, then)) is not None), None)
        if kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            repeated = self._repeat(kind is c.MIN_REPEAT, *value)
            return self._atomic(repeated) if kind is c.POSSESSIVE_REPEAT else repeated
        if kind in (c.ASSERT, c.ASSERT_NOT):
            return self._looking(kind is c.ASSERT, value[0], self._sequence(list(value[1])), value[1].getwidth()[0])
        if kind is c.AT:
            return lambda at, then: then(at) if self._at(value, at) else None
        raise NotImplementedError(kind)

    def _atomic(self, matcher: Matcher) -> Matcher:
        def run(at: int, then: Then) -> int | None:
            end = matcher(at, lambda place: place)
            return None if end is None else then(end)

        return run

    def _looking(self, wanted: bool, direction: int, matcher: Matcher, width: int) -> Matcher:
        def run(at: int, then: Then) -> int | None:
            start = at if direction > 0 else at - width
            found = start >= 0 and matcher(start, lambda end: end) is not None
            return then(at) if found is wanted else None

        return run

    def _repeat(self, lazy: bool, least: int, most: Any, items: Any) -> Matcher:
        limit = len(self.text) + 1 if most is c.MAXREPEAT else most
        item = list(items)
        if len(item) == 1 and item[0][0] in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN):
            return self._repeat_one(lazy, least, limit, self._one(*item[0]))
        body = self._sequence(item)

        def run(at: int, then: Then, done: int = 0) -> int | None:
            def again(end: int) -> int | None:
                return None if end == at and done >= least else run(end, then, done + 1)

            if lazy and done >= least and (end := then(at)) is not None:
                return end
            if done < limit and (end := body(at, again)) is not None:
                return end
            return then(at) if done >= least and not lazy else None

        return run

    def _repeat_one(self, lazy: bool, least: int, limit: int, fits: Callable[[int], bool]) -> Matcher:
        def run(at: int, then: Then) -> int | None:
            end = at
            if lazy:
                while end - at < least or (found := then(end)) is None:
                    if end - at >= limit or not fits(end):
                        return None
                    end += 1
                return found
            while end - at < limit and fits(end):
                end += 1
            for place in range(end, at + least - 1, -1):
                self._step()
                if (last := then(place)) is not None:
                    return last
            return None

        return run

    def _one(self, kind: Any, value: Any) -> Callable[[int], bool]:
        allowed = _fits(kind, value, self.flags)

        def fits(at: int) -> bool:
            self._step()
            return at < len(self.text) and allowed(self.text[at])

        return fits

    def _at(self, where: Any, at: int) -> bool:
        self._step()
        before, after = self.text[at - 1 : at] if at else "", self.text[at : at + 1]
        if where in (c.AT_BOUNDARY, c.AT_NON_BOUNDARY):
            return (_is_word(before) != _is_word(after)) == (where is c.AT_BOUNDARY)
        lines = bool(self.flags & re.MULTILINE)
        if where in (c.AT_BEGINNING, c.AT_BEGINNING_LINE):
            return at == 0 or (lines and before == "\n")
        if where in (c.AT_END, c.AT_END_LINE):
            return at == len(self.text) or (after == "\n" and (lines or at == len(self.text) - 1))
        assert where in _OPTIMISED
        return at == (0 if where is c.AT_BEGINNING_STRING else len(self.text))


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _fits(kind: Any, value: Any, flags: int) -> Callable[[str], bool]:
    if kind is c.IN:
        # asked of `re` itself: one character is one step, and classes have their own rules of case and category
        inner = re.compile(_class_source(value), flags & (re.IGNORECASE | re.ASCII))
        return lambda letter: inner.fullmatch(letter) is not None
    if kind is c.ANY:
        return lambda letter: bool(flags & re.DOTALL) or letter != "\n"
    same = (lambda a: a.lower() == chr(value).lower()) if flags & re.IGNORECASE else (lambda a: ord(a) == value)
    return same if kind is c.LITERAL else lambda letter: not same(letter)


_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d",
    c.CATEGORY_NOT_DIGIT: r"\D",
    c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w",
    c.CATEGORY_NOT_WORD: r"\W",
}


def _class_source(items: Any) -> str:
    parts = []
    for kind, value in items:
        if kind is c.NEGATE:
            parts.append("^")
        elif kind is c.LITERAL:
            parts.append(f"\\U{value:08x}")
        elif kind is c.RANGE:
            parts.append(f"\\U{value[0]:08x}-\\U{value[1]:08x}")
        else:
            parts.append(_CATEGORIES[value])
    return f"[{''.join(parts)}]"


def samples(pattern: re.Pattern[Any], rng: random.Random, number: int) -> Iterator[str]:
    """Texts that it matches, nearly: what an attack is made of."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = list(_parser.parse(source, pattern.flags & ~re.UNICODE))
    return ("".join(_sample(item, rng) for item in tree) for _ in range(number))


def _sample(item: Any, rng: random.Random) -> str:
    kind, value = item
    if kind is c.LITERAL:
        return chr(value)
    if kind is c.IN and value[0][0] is not c.NEGATE:
        return _sample(rng.choice(value), rng)
    if kind is c.RANGE:
        return chr(rng.choice(value))
    if kind is c.CATEGORY:
        return {c.CATEGORY_DIGIT: "1", c.CATEGORY_SPACE: rng.choice(" \n")}.get(value, "a")
    if kind in (c.ANY, c.NOT_LITERAL, c.IN):
        return rng.choice("a1 ")
    if kind is c.BRANCH:
        return "".join(_sample(one, rng) for one in rng.choice(value[1]))
    if kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
        times = rng.randint(value[0], min(max(value[0], 3), int(value[1])))
        return "".join(_sample(one, rng) for _ in range(times) for one in value[2])
    inner = {c.SUBPATTERN: lambda: value[3], c.ATOMIC_GROUP: lambda: value}.get(kind, list)()
    return "".join(_sample(one, rng) for one in inner)
