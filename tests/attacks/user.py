"""Starting a grader as root, or as an ordinary user with a virtual environment below a home that only they may enter."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tlcourse.sandbox.bubblewrap import tool
from tlcourse.sandbox.interpreter import opened
from tlcourse.sandbox.view import machine_view

ROOT = Path(__file__).parents[2]
_UID = 65_000 + os.getpid() % 500
"""A user that nobody is, and in each test process another: what one signals, or counts as its own, is not another's."""
_BIND = 'mount --bind "$1" "$2" || exit 125; shift 2; exec "$@"'


class Grader(Struct, frozen=True):
    """How a grader process is started."""

    prefix: list[str]
    python: str
    env: dict[str, str]
    folder: Path
    """Where it may write."""


@contextlib.contextmanager
def grader(user: str, environment: Path = Path(sys.prefix)) -> Iterator[Grader]:
    """A grader of `root`, or of an `ordinary` user; this process must be root's, or `user` ordinary.

    `environment`: the virtual environment that the ordinary user has in their home.
    """
    folder = Path(tempfile.mkdtemp(prefix="attacks-"))
    try:
        is_other = user == "ordinary" and os.geteuid() == 0
        yield _ordinary(folder, environment) if is_other else _same(folder, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _same(folder: Path, environment: Path) -> Grader:
    folder.chmod(0o755)  # as /tmp is
    return Grader([], str(environment / "bin" / "python"), _environment(folder, folder), folder)


def _ordinary(folder: Path, environment: Path) -> Grader:
    """Another user's number; the interpreter, wherever it lies, as they would see it below their own closed home.

    All in a mount namespace: the machine's folders keep their modes, and nothing is copied.
    """
    folder.chmod(0o755)
    home, scratch = folder / "home", folder / "tmp"
    venv = home / "venv"
    for each in (home, scratch, venv):
        each.mkdir()
    for each in (home, scratch):
        os.chown(each, _UID, _UID)
        each.chmod(0o700)
    reach = opened([*machine_view().folders(), ROOT], tool("unshare"))
    prefix = [
        *(tool("unshare"), "-m", "--propagation", "private", "--"),
        *reach,
        *("/bin/sh", "-c", _BIND, "sh", str(environment), str(venv)),
        *(tool("setpriv"), f"--reuid={_UID}", f"--regid={_UID}", "--clear-groups", "--inh-caps=-all", "--"),
    ]
    return Grader(prefix, str(venv / "bin" / "python"), _environment(scratch, home), scratch)


def _environment(scratch: Path, home: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "TLCOURSE_SPEED")}
    return {"TMPDIR": str(scratch), "HOME": str(home), "TLCOURSE_HOME": str(scratch), **inherited}
