"""How a write-it exercise stands, in words: the command and the app say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tlcourse.presenting.verdict import OUTCOMES, Tone
from tlcourse.text import sentence

if TYPE_CHECKING:
    from tlcourse.course.write_it import WriteIt
    from tlcourse.grading.write_it_result import CheckState, WriteItResult


class CheckWords(NamedTuple):
    """One check: a mark that needs no colour, a word, and what it means where it does not pass."""

    mark: str
    word: str
    tone: Tone
    meaning: str


_WORDS: dict[str, tuple[str, str, Tone]] = {
    "pass": ("✓", "passed", "good"),
    "fail": ("✗", "failed", "bad"),
    "error": ("✗", "error", "bad"),
    "slow": ("✗", "too slow", "doubt"),
    "todo": ("○", "not written yet", "muted"),
    "not run": ("○", "not run", "muted"),
}


def check_words(check: CheckState) -> CheckWords:
    """A check in words."""
    mark, word, tone = _WORDS[check.status]
    meaning = sentence(check.message[:1].upper() + check.message[1:]) if check.message else ""
    return CheckWords(mark, word, tone, meaning)


class Heading(NamedTuple):
    """How all of them ended."""

    word: str
    tone: Tone
    counted: str
    """`3 of 4 checks`"""


def heading(one: WriteIt, result: WriteItResult) -> Heading:
    """One line over the checks."""
    words = OUTCOMES[result.outcome]
    return Heading(words.word, words.tone, f"{result.passed} of {len(one.checks)} checks")


def after(one: WriteIt, result: WriteItResult) -> Iterator[str]:
    """What to do next."""
    if result.outcome == "pass":
        if one.compare:
            yield sentence(f"Now compare: {one.compare}")
    else:
        yield f"A hint: tlcourse write hint {one.id}"
        yield f"The lesson: tlcourse lesson show {one.unit}"
