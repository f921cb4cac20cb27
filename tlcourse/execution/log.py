"""What a run prints: bounded, with head and tail kept, and harmless to show."""

from __future__ import annotations

import codecs
import re

# C0 but newline and tab, DEL, C1, and the bidirectional controls: nothing that moves a cursor or reorders a line
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ESCAPE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_])")


def harmless(text: str) -> str:
    """`text` without terminal escapes, control characters, or carriage returns that overwrite a line."""
    return _CONTROL.sub("", _ESCAPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


class LogTail:
    """Keeps the first and the last part of what was printed, within `cap` bytes."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._seen = 0
        self._head = ""
        self._tail = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def overflowed(self) -> bool:
        """Whether more was printed than is kept."""
        return self._seen > self._cap

    def feed(self, data: bytes) -> str:
        """Take bytes in; returns them as harmless text."""
        self._seen += len(data)
        text = harmless(self._decoder.decode(data))
        half = self._cap // 2
        room = half - len(self._head)
        if room > 0:
            self._head += text[:room]
            self._tail = text[room:][-half:]
        else:
            self._tail = (self._tail + text)[-half:]
        return text

    def text(self) -> str:
        """Head, a line saying what was dropped, tail."""
        if self.overflowed:
            return f"{self._head}\n[… the middle of {self._seen} bytes was dropped …]\n{self._tail}"
        return self._head + self._tail
