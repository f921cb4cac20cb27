"""The hand-ins that were graded, kept beside the gradebook under their hashes: what a regrade grades again."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from tlcourse.course.model import Exercise
from tlcourse.errors import InfraError
from tlcourse.grading.intake.submission import SOLUTION, Submission, collect, hash_folder


class SubmissionStore:
    """A folder of hand-ins by SHA-256; one that is there is whole, because it was renamed into its place.

    One thread takes hand-ins in.
    """

    def __init__(self, gradebook: Path) -> None:
        self.folder = gradebook.with_name(gradebook.name + ".handins")

    def take(self, origin: Path, starter: Path | None = None, about: Exercise | None = None) -> Submission:
        """Collect a hand-in, and keep it; raises SubmissionError, and OSError such as that of a full disk.

        `starter`: what a solution begins as, which gives way to a notebook beside it. `about`: names files that need
        no solution.
        """
        with self._half() as half:
            submission = collect(origin, half, starter=starter, about=about)
            place = self._place(submission.sha256)
            if not place.is_dir():
                place.parent.mkdir(mode=0o700, exist_ok=True)
                submission.folder.rename(place)  # which may be a folder within: a ZIP often wraps all into one
        return replace(submission, folder=place)

    def again(self, sha256: str, origin: Path) -> Submission:
        """A hand-in as it was graded; raises InfraError where it is gone or was changed."""
        place = self._place(sha256)
        if not sha256 or not place.is_dir() or hash_folder(place) != sha256:
            raise InfraError(
                "The kept copy of a hand-in is missing or was changed.",
                cause=f"somebody cleaned up {self.folder}, or the gradebook was copied without it.",
                remedy=f"copy {self.folder.name} beside the gradebook, or start a new batch from the download.",
            )
        return Submission(origin, place, sha256)

    def source(self, sha256: str, most: int) -> str | None:
        """The text of a kept solution and of the Python files beside it; None without one, or above `most` bytes."""
        place = self._place(sha256)
        others = sorted(path for path in place.rglob("*.py") if path != place / SOLUTION)
        texts: list[str] = []
        room = most
        for path in (place / SOLUTION, *others):
            try:
                with path.open("rb") as stream:
                    data = stream.read(room + 1)
            except OSError:
                return None
            room -= len(data)
            if room < 0:
                return None
            named = "" if path.name == SOLUTION and not texts else f"\n# {path.relative_to(place)}\n"
            texts.append(named + data.decode("utf-8", "replace"))
        return "".join(texts)

    def kept(self, sha256: str) -> Path | None:
        """The folder of a hand-in, to look at and not to write in; None where it is not kept."""
        place = self._place(sha256)
        return place if sha256 and place.is_dir() else None

    def has(self, sha256: str) -> bool:
        """Whether the solution is kept."""
        return (self._place(sha256) / SOLUTION).is_file()

    def gone(self, hashes: Iterable[str]) -> int:
        """How many of these hand-ins are not kept, as where a gradebook was copied without its hand-ins."""
        return sum(1 for sha256 in hashes if sha256 and not self._place(sha256).is_dir())

    def bring(self, other: SubmissionStore) -> int:
        """Keep what another folder has more, each unchanged since it was graded; returns how many. Raises OSError."""
        came = 0
        for place in sorted(other.folder.glob("??/*")):
            mine = self._place(place.name)
            if mine.is_dir() or not place.is_dir() or hash_folder(place) != place.name:
                continue
            with self._half() as half:
                shutil.copytree(place, half / "whole", symlinks=True)
                mine.parent.mkdir(mode=0o700, exist_ok=True)
                (half / "whole").rename(mine)
            came += 1
        return came

    def sweep(self) -> None:
        """Remove what a killed batch left half-made; for the gradebook's one writer."""
        for half in self.folder.glob("half-*"):
            shutil.rmtree(half, ignore_errors=True)

    def _place(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    @contextlib.contextmanager
    def _half(self) -> Iterator[Path]:
        half = self.folder / f"half-{os.getpid()}-{secrets.token_hex(4)}"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half.mkdir(mode=0o700)
        try:
            yield half
        finally:
            shutil.rmtree(half, ignore_errors=True)
