"""Data sets that torchvision downloads: its own code does it, in a process of its own, and compares its checksums.

Torchvision brings torch along, which takes seconds and is not for the process that parses a command. What was fetched
is read by this package itself, with NumPy alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tlcourse.data.download import Tell
from tlcourse.errors import UnableError

_CODE = """
import sys, torchvision
made = getattr(torchvision.datasets, sys.argv[1])
for part in ({"train": True}, {"train": False}) if sys.argv[1] == "USPS" else ({"split": "train"}, {"split": "test"}):
    made(sys.argv[2], download=True, **part)
"""
_LONGEST_S = 3600.0


def fetch(name: str, folder: Path, remedy: str, tell: Tell) -> Path:
    """Both parts of `torchvision.datasets.NAME` as files below `folder`; returns it.

    Raises UnableError where they cannot be had, with the last line of what torchvision says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tell(f"Downloading with torchvision.datasets.{name}; this can take minutes.")
    command = [sys.executable, "-c", _CODE, name, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        said, failed = done.stderr, done.returncode != 0
    except subprocess.TimeoutExpired:
        said, failed = f"it took longer than {_LONGEST_S / 60:.0f} minutes", True
    if failed:
        last = said.strip().splitlines()[-1:] or ["it ended without a word"]
        raise UnableError(
            f"torchvision could not download {name}: {last[0][:200]}.",
            cause="there is no network here, or the server has moved.",
            remedy=remedy,
        )
    return folder
