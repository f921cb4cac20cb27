"""A place to hand something in: whatever changes there beside the copy was an escape.

What is refused as a hand-in is handed in once more as one person's part of a class's download: there it costs that
person the hand-in, and nobody else, or the whole download is refused.
"""

from __future__ import annotations

import io
import shutil
import stat
from pathlib import Path

import pytest
from zipforge import Forged, Member

from tlcourse.errors import SubmissionError, UsageError
from tlcourse.grading.intake.archive import bounded, unpack_each
from tlcourse.grading.intake.copy import SUBMISSION, IntakeLimits
from tlcourse.grading.intake.submission import Submission, collect

SOLUTION = Member(b"solution.py", b"def fit(task): ...\n")
MB = 2**20
EVE, JANE = "1-2 - Eve Vil - 5 maj 2026 0812", "1-1 - Jane Doe - 5 maj 2026 0812"
NOT_BELOW_A_FOLDER = ("absolute path", "names nothing", "holds no solution")
"""What is no harm in a folder of somebody's own, or was refused for what it is and not for its archive."""


class Desk:
    """A folder with a hand-in, a secret, and the folder of the copy. Whatever else changes was an escape."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / "secret.txt"
        self.secret.write_text("42")
        self.into = folder / "deep" / "er" / "copy"
        self.into.mkdir(parents=True)
        self.unpacked = self.into.with_name("class")

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
        if name.endswith(".zip"):
            self.survives_as_a_download(data)
            if isinstance(data, Forged) and not any(words in message for words in NOT_BELOW_A_FOLDER):
                self.refuses_one_person(data)
        return message

    def refuses_one_person(self, data: Forged) -> None:
        """Under the same limits, as Eve's part of a class in which Jane was honest."""
        download = data.below(EVE.encode(), Member(f"{JANE}/solution.py".encode(), b"# Jane"))
        refused = self.survives_as_a_download(download)
        if refused is None or data.lies:
            return  # nobody's files are read from an archive that lies about all of them
        assert refused.keys() == {EVE}
        assert all(letter.isprintable() for letter in refused[EVE])
        assert list((self.unpacked / EVE).iterdir()) == []
        assert (self.unpacked / JANE / "solution.py").read_bytes() == b"# Jane"

    def survives_as_a_download(self, data: bytes, limits: IntakeLimits = SUBMISSION) -> dict[str, str] | None:
        """What is refused of it, by the hand-in's name; None where all of it was, before a byte was written."""
        shutil.rmtree(self.unpacked, ignore_errors=True)
        self.unpacked.mkdir()
        before = self._outside()
        try:
            for _ in bounded([data], self.folder, limits):
                pass
            return unpack_each(io.BytesIO(data), self.folder, self.unpacked, lambda name: name in (EVE, JANE), limits)
        except (UsageError, SubmissionError):
            assert list(self.unpacked.iterdir()) == []
            return None
        finally:
            assert self._outside() == before
            written = [path for path in self.unpacked.rglob("*") if not path.is_dir()]
            assert all(stat.S_ISREG(path.lstat().st_mode) for path in written)
            assert sum(path.stat().st_size for path in written) <= limits.bytes + MB

    def _outside(self) -> set[str]:
        ours = {self.into, self.unpacked}
        return {str(path) for path in self.folder.rglob("*") if ours.isdisjoint({path, *path.parents})}
