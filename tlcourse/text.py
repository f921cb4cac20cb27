"""Text that others wrote made harmless and cut; counts and signs in words."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

# The texts of patterns: `re` compiles one when it is first used, and keeps it. A short command uses none of them.
# C0 but newline and tab, DEL, C1: what moves a cursor. Bidirectional controls: what reorders a line. And what is not
# seen, but read by machines, or splits a word: zero-width and tag characters, fillers, variation selectors.
_CONTROL = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = "[\u200c\u200d]+"
_LINE_ENDS = "\r\n?|[\u2028\u2029]"
_ESCAPE = "\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_])"
_PATH = r"(?<![\w./])(?:/[\w.+@~-]+)+/([\w.+@~-]+)"
_MARKDOWN = r"([\\`*_\[\]#!|~>])"
SIGN = {"at_least": "≥", "at_most": "≤"}
"""Of a check's direction."""


def harmless(text: str) -> str:
    """`text` without terminal escapes, control and invisible characters, or carriage returns that overwrite a line.

    Words of some languages, and emoji, are spelt with joiners: between two characters beyond ASCII one stays.
    """
    text = re.sub(_CONTROL, "", re.sub(_ESCAPE, "", re.sub(_LINE_ENDS, "\n", text)))
    return re.sub(_JOINERS, _joiner, text)


def _joiner(found: re.Match[str]) -> str:
    start, end, text = found.start(), found.end(), found.string
    between = start > 0 and end < len(text) and not text[start - 1].isascii() and not text[end].isascii()
    return found[0][0] if between else ""


def without_paths(text: str) -> str:
    """`/opt/venv/lib/torch/nn/linear.py` becomes `…/linear.py`: where we grade is nobody's business."""
    return re.sub(_PATH, r"…/\1", text)


def cut(text: str, most: int) -> str:
    """At most `most` characters; an ellipsis stands for what was dropped."""
    return text if len(text) <= most else text[: most - 1] + "…"


def line(text: str, most: int = 500) -> str:
    """One harmless line of at most `most` characters."""
    return cut(" ".join(harmless(text).split()), most)


def typed(name: str) -> str:
    """A name as one word of a command to type, whatever is in it."""
    import shlex

    return shlex.quote(line(name, 1000))


def markdown(text: str, most: int = 500) -> str:
    """One line in which every character means itself in Markdown."""
    return re.sub(_MARKDOWN, r"\\\1", line(text, most)).replace("<", "&lt;")


def markdown_block(text: str) -> str:
    """Lines as they are: indented, because no text can end an indented block as it can end a fenced one."""
    return "\n".join("    " + one for one in harmless(text).splitlines())


def sentence(text: str) -> str:
    """`text` with exactly one mark at its end."""
    text = text.rstrip(" .:")
    return text if text.endswith(("?", "!", "…")) else f"{text}."


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 seed`, `3 seeds`, `0 seeds`; a plural that is not the noun with an s is given."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


class LogTail:
    """Keeps the first and the last part of what was printed, within `cap` bytes."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._seen = 0
        # in the pieces in which they came, which may be single bytes: joined when there is twice what is kept
        self._head: list[str] = []
        self._room = cap // 2
        self._tail: list[str] = []
        self._tail_size = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def seen(self) -> int:
        """Bytes that were printed."""
        return self._seen

    @property
    def overflowed(self) -> bool:
        """Whether more was printed than is kept."""
        return self._seen > self._cap

    def feed(self, data: bytes) -> str:
        """Take bytes in; returns them as harmless text."""
        self._seen += len(data)
        text = harmless(self._decoder.decode(data))
        half = self._cap // 2
        if self._room > 0:
            self._head.append(text[: self._room])
        rest = text[self._room :]
        self._room -= len(text) - len(rest)
        self._tail.append(rest)
        self._tail_size += len(rest)
        if self._tail_size > 2 * half or len(self._tail) > half:
            self._tail = [self._kept_tail()]
            self._tail_size = len(self._tail[0])
        return text

    def _kept_tail(self) -> str:
        return "".join(self._tail)[-(self._cap // 2) :]

    def text(self) -> str:
        """Head, a line saying what was dropped, tail."""
        if self.overflowed:
            dropped = f"\n[… the middle of {self._seen} bytes was dropped …]\n"
            return "".join(self._head) + dropped + self._kept_tail()
        return "".join(self._head) + self._kept_tail()


def misspelt(name: str, known: Iterable[str], *, otherwise: str = "a spelling mistake.") -> str:
    """The likely cause of an unknown name: `did you mean dann?`, with the one or two known names that are near."""
    import difflib

    near = difflib.get_close_matches(name.lower(), list(known), 2, 0.5)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
