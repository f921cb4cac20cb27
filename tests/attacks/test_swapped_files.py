"""Row 23 of the list of threats: what changes between the check and the use."""

from __future__ import annotations

import os
import zipfile

import pytest
from desk import SOLUTION
from zipforge import Member, forge

from tlcourse.errors import SubmissionError
from tlcourse.grading.intake import archive, copy
from tlcourse.grading.intake.submission import collect


def test_a_file_that_is_swapped_for_a_link_after_it_was_looked_at_is_not_followed(desk, tmp_path_factory, monkeypatch):
    origin = tmp_path_factory.mktemp("origin")
    solution = origin / "solution.py"
    solution.write_text("x")
    looked = os.stat

    def swap(path, **where):
        found = looked(path, **where)
        if path == "solution.py" and not solution.is_symlink():
            solution.unlink()
            solution.symlink_to(desk.secret)
        return found

    monkeypatch.setattr(copy.os, "stat", swap)
    with pytest.raises(SubmissionError, match="cannot be read"):
        desk.collect(origin)
    assert "42" not in [path.read_text() for path in desk.into.iterdir()]


def test_a_folder_that_is_swapped_for_a_link_after_it_was_listed_is_not_entered(desk, tmp_path_factory, monkeypatch):
    origin = tmp_path_factory.mktemp("origin")
    (origin / "solution.py").write_text("x")
    folder = origin / "data"
    folder.mkdir()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "label.txt").write_text("42")
    checked = copy.checked_parts

    def swap(copy, raw):
        if raw == ("data",) and not folder.is_symlink():
            folder.rmdir()
            folder.symlink_to(elsewhere)
        return checked(copy, raw)

    monkeypatch.setattr(copy, "checked_parts", swap)
    try:
        desk.collect(origin)
    except SubmissionError:
        return
    assert "label.txt" not in [path.name for path in desk.into.rglob("*")]


def test_an_archive_that_is_rewritten_while_it_is_read_is_read_from_the_copy(desk, monkeypatch):
    origin = desk.folder / "hand-in.zip"
    opened = zipfile.ZipFile

    def rewrite(stream):
        origin.write_bytes(forge(Member(b"solution.py", b"another")))
        return opened(stream)

    monkeypatch.setattr(archive.zipfile, "ZipFile", rewrite)
    submission = desk.hand_in(forge(SOLUTION))
    assert (submission.folder / "solution.py").read_bytes() == SOLUTION.data


def test_what_changes_after_the_copy_changes_neither_the_hash_nor_what_is_run(desk, tmp_path_factory):
    origin = tmp_path_factory.mktemp("origin")
    (origin / "solution.py").write_text("first")
    submission = desk.collect(origin)
    (origin / "solution.py").write_text("second")
    assert (submission.folder / "solution.py").read_text() == "first"
    again = collect(origin, tmp_path_factory.mktemp("again"))
    assert again.sha256 != submission.sha256


def test_a_hard_link_to_another_users_file_is_left_out(desk, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user")
    origin = tmp_path_factory.mktemp("origin")
    (origin / "solution.py").write_text("x")
    os.chown(desk.secret, 65534, 65534)
    os.link(desk.secret, origin / "key.txt")
    submission = desk.collect(origin)
    assert not (submission.folder / "key.txt").exists()
    assert "key.txt was left out: it is a hard link" in submission.notices[0]
