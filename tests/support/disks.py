"""A disk that is really full or really read-only: a file system of its own, where this user may mount one."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class Disk:
    """A small file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
            while True:
                stream.write(b"\0" * 4096)

    def make_room(self) -> None:
        """Take back what `fill` did."""
        self._filler.unlink()

    def read_only(self) -> None:
        """From now on nothing can be written; no file may be open."""
        _mount("-o", "remount,ro", str(self.folder))


@contextlib.contextmanager
def mounted(folder: Path, size: str = "600k") -> Iterator[Disk]:
    """Such a disk at `folder`; skips the test where this user may mount none."""
    folder.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={size}", "none", str(folder)):
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def _mount(*arguments: str) -> bool:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
