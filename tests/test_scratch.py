"""Folders of a run's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tlcourse.storage import scratch_folder


def test_a_scratch_folder_is_private_and_goes_with_its_run(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch_folder("run") as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_grader_left_is_swept_and_what_a_living_one_uses_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    left = tmp_path / f"tlcourse-run-{dead.pid}-abc"
    left.mkdir()
    (left / "solution.py").write_text("x")
    mine = tmp_path / "tlcourse-notes"
    mine.mkdir()
    with scratch_folder("run") as first, scratch_folder("submission") as second:
        assert first.is_dir()
        assert second.is_dir()
        assert not left.exists()
        assert mine.is_dir()


def test_a_folder_is_removed_whatever_was_made_in_it(tmp_path):
    """Deeper than Python recurses and than a path may be long, and without the right to read."""
    with scratch_folder("run") as folder:
        here = Path.cwd()
        os.chdir(folder)
        try:
            for _ in range(1500):
                Path("x" * 50).mkdir()
                os.chdir("x" * 50)
            Path("closed").mkdir(0o300)
        finally:
            os.chdir(here)
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder to another user needs root")
def test_what_another_user_left_is_not_swept(tmp_path, monkeypatch):
    """In a container processes have other numbers: the one in the name may be alive there."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    theirs = tmp_path / f"tlcourse-run-{dead.pid}-abc"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    with scratch_folder("run"):
        assert theirs.is_dir()
