"""Folders of a run's own: gone when the run is over, and swept later where the grader itself was killed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

_NAME = re.compile(r"^tlcourse-(?:run|submission|server)-(\d+)-")


@contextlib.contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """A new folder that only this user can enter; `kind` is `run`, `submission` or `server`."""
    folder = new_folder(kind)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder whatever a submission made in it: unreadable folders, or thousands of them in one another."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # these tools neither recurse nor follow links
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], capture_output=True, check=False)


def new_folder(kind: str) -> Path:
    """Such a folder, for its caller to remove."""
    _sweep(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"tlcourse-{kind}-{os.getpid()}-"))


def _sweep(parent: Path) -> None:
    """Remove what killed graders of this user left behind: the process whose number is in the name is gone.

    Only this user's: root would otherwise remove what a grader in a container, whose numbers are others, is using.
    """
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            match = _NAME.match(entry.name)
            mine = match and entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.geteuid()
            if match and mine and not psutil.pid_exists(int(match[1])):
                remove(Path(entry.path))
