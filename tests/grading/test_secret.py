"""The secret: only its owner reads it, the same one gives the same data, and nothing that is kept leads back to it."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from tlcourse.cli.main import main
from tlcourse.cluster.shell import HereShell
from tlcourse.errors import UsageError
from tlcourse.grading.secret import data_seed, fingerprint, new_salt, new_secret, read_secret
from tlcourse.tui.child_process import ChildProcess


def test_a_new_secret_can_be_read_by_its_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        new_secret(tmp_path / "deep" / "secret")
    finally:
        os.umask(before)
    assert (tmp_path / "deep" / "secret").stat().st_mode & 0o777 == 0o600
    assert len(read_secret(tmp_path / "deep" / "secret") or b"") == 64


def test_a_secret_that_is_there_is_never_overwritten(tmp_path):
    new_secret(tmp_path / "secret")
    text = (tmp_path / "secret").read_text()
    with pytest.raises(UsageError, match="was left as it is"):
        new_secret(tmp_path / "secret")
    assert (tmp_path / "secret").read_text() == text


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    new_secret(tmp_path / "secret")
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(UsageError) as found:
        read_secret(tmp_path / "secret")
    assert "chmod 600" in found.value.remedy


@pytest.mark.parametrize("text", ["", "short", " " * 40])
def test_a_secret_that_can_be_guessed_is_refused(tmp_path, text):
    (tmp_path / "secret").write_text(text)
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(UsageError, match="fewer than"):
        read_secret(tmp_path / "secret")


def test_the_environment_serves_where_no_file_is_named(monkeypatch):
    assert read_secret(None) is None
    monkeypatch.setenv("TLCOURSE_SECRET", " from the environment ")
    assert read_secret(None) == b"from the environment"
    assert read_secret(None) == b"from the environment"  # again, and from us alone:
    assert "TLCOURSE_SECRET" not in os.environ


def test_no_process_that_is_started_inherits_it_but_our_own_that_need_it(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_SECRET", "a secret of the environment")
    monkeypatch.setattr("sys.argv", ["tlcourse", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert "TLCOURSE_SECRET" not in HereShell("here").run("env").text
    assert "TLCOURSE_SECRET" not in subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    monkeypatch.setattr("tlcourse.tui.child_process.own_command", lambda *words: ["env"])
    for needs in (False, True):
        child = ChildProcess.start("batch", out=tmp_path / "out", needs_secret=needs)
        while child.alive:
            time.sleep(0.01)
        assert ("TLCOURSE_SECRET=a secret of the environment" in (tmp_path / "out").read_text()) is needs


def test_the_same_secret_draws_the_same_data_and_each_exercise_its_own():
    secret = b"0123456789abcdef"
    assert data_seed(secret, "ex2") == data_seed(secret, "ex2")
    assert len({data_seed(s, e) for s in (secret, b"fedcba9876543210") for e in ("ex1", "ex2")}) == 4
    assert 0 <= data_seed(secret, "ex2") < 2**64


def test_a_fingerprint_tells_secrets_apart_only_beside_its_own_salt():
    one, other = new_salt(), new_salt()
    assert fingerprint(b"0123456789abcdef", one) == fingerprint(b"0123456789abcdef", one)
    assert fingerprint(b"0123456789abcdef", one) != fingerprint(b"0123456789abcdeF", one)
    assert fingerprint(b"0123456789abcdef", one) != fingerprint(b"0123456789abcdef", other)
