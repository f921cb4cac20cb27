"""A place to hand something in: whatever changes there beside the copy was an escape."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from zipforge import Member

from tlcourse.errors import SubmissionError
from tlcourse.grading.intake.copy import IntakeLimits
from tlcourse.grading.intake.submission import Submission, collect

SOLUTION = Member(b"solution.py", b"def fit(task): ...\n")
MB = 2**20


class Desk:
    """A folder with a hand-in, a secret, and the folder of the copy. Whatever else changes was an escape."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / "secret.txt"
        self.secret.write_text("42")
        self.into = folder / "deep" / "er" / "copy"
        self.into.mkdir(parents=True)

    def hand_in(self, data: bytes, name: str = "hand-in.zip") -> Submission:
        origin = self.folder / name
        origin.write_bytes(data)
        return self.collect(origin)

    def collect(self, origin: Path, limits: IntakeLimits | None = None) -> Submission:
        limits = limits or IntakeLimits()
        before = self._outside()
        try:
            return collect(origin, self.into, limits)
        finally:
            assert self._outside() == before
            assert self.secret.read_text() == "42"
            copied = list(self.into.rglob("*"))
            assert all(path.is_dir() or stat.S_ISREG(path.lstat().st_mode) for path in copied)
            assert sum(path.stat().st_size for path in copied if path.is_file()) <= limits.bytes + MB

    def refuses(self, data: bytes, *words: str, name: str = "hand-in.zip") -> str:
        with pytest.raises(SubmissionError) as caught:
            self.hand_in(data, name)
        message = str(caught.value)
        for word in words:
            assert word in message
        assert all(letter.isprintable() or letter == "\n" for letter in message)
        return message

    def _outside(self) -> set[str]:
        return {str(path) for path in self.folder.rglob("*") if self.into not in path.parents}
