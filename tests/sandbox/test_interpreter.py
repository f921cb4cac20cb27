"""Folders below a closed home, shown to another user by root, and to nobody else."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from tlcourse.sandbox.bubblewrap import tool
from tlcourse.sandbox.interpreter import closed_above, opened

_OTHER = "64321"


@pytest.fixture
def home():
    """A closed home with an environment and a secret in it, in a folder that everybody may pass."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        (home / "env/deep").mkdir(parents=True)
        (home / "env/deep/file").write_text("the environment")
        (home / "secret").write_text("a secret")
        (home / "secret").chmod(0o644)
        home.chmod(0o700)
        yield home


def test_the_topmost_closed_folder_is_found(home):
    (home / "env/deep").chmod(0o700)
    assert closed_above(home / "env/deep/file") == home
    assert closed_above(home) is None
    assert closed_above(Path("/usr/bin")) is None


def test_nothing_is_done_where_everybody_can_pass():
    assert opened([Path("/usr"), Path("/usr/lib")], "unshare") == []


@pytest.mark.skipif("os.geteuid() != 0", reason="only root shows its folders to others")
def test_another_user_reaches_what_is_wanted_and_nothing_else(home):
    before = Path("/proc/self/mountinfo").read_text()
    command = [
        *opened([home / "env"], tool("unshare")),
        *(tool("setpriv"), f"--reuid={_OTHER}", f"--regid={_OTHER}", "--clear-groups", "--"),
        *("/bin/sh", "-c", 'cat "$0/env/deep/file"; cat "$0/secret" || echo " is not there"', str(home)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.stdout == "the environment is not there\n", done.stderr
    assert Path("/proc/self/mountinfo").read_text() == before
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif("os.geteuid() != 0", reason="only root shows its folders to others")
def test_a_folder_in_a_folder_that_is_itself_wanted_is_shown_too(home):
    """A run's own folder below a closed TMPDIR, which lies in the same closed home as the environment."""
    (home / "tmp/run").mkdir(parents=True)
    os.chown(home / "tmp/run", int(_OTHER), int(_OTHER))
    command = [
        *opened([home / "env", home / "tmp/run"], tool("unshare")),
        *(tool("setpriv"), f"--reuid={_OTHER}", f"--regid={_OTHER}", "--clear-groups", "--"),
        *("/bin/sh", "-c", 'cp "$0/env/deep/file" "$0/tmp/run/copy"', str(home)),
    ]
    subprocess.run(command, check=True, cwd="/")
    assert (home / "tmp/run/copy").read_text() == "the environment"
