"""Row 20 of the list of threats: names, links and devices that lead out of the folder of the copy, in a ZIP or a folder."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest
from desk import SOLUTION
from zipforge import BLOCK, CHARACTER, FIFO, SOCKET, SYMLINK, Member, forge

from tlcourse.errors import SubmissionError


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"../escaped.py", "`..`"),
        (b"a/../../escaped.py", "`..`"),
        (b"..\\escaped.py", "`..`"),
        (b"a\\..\\..\\escaped.py", "`..`"),
        (b"..", "`..`"),
        (b"../", "`..`"),
        (b"/tmp/escaped.py", "absolute"),
        (b"\\escaped.py", "absolute"),
        (b"\\\\server\\share\\escaped.py", "absolute"),
        (b"C:\\escaped.py", "drive letter"),
        (b"c:escaped.py", "drive letter"),
        (b"a/C:/escaped.py", "drive letter"),
        (b"./", "names nothing"),
        (b"", "names nothing"),
        (b"__MACOSX/../../escaped.py", "`..`"),
    ],
)
def test_a_name_that_leads_out_is_refused(desk, name, why):
    desk.refuses(forge(SOLUTION, Member(name, b"x")), why)
    assert not Path("/tmp/escaped.py").exists()


@pytest.mark.parametrize(
    ("mode", "what"),
    [
        (SYMLINK, "symbolic link"),
        (FIFO, "named pipe"),
        (CHARACTER, "device"),
        (BLOCK, "device"),
        (SOCKET, "socket"),
        (0o150000, "special file"),
    ],
)
def test_a_member_that_is_no_file_is_refused_by_name(desk, mode, what):
    desk.refuses(forge(SOLUTION, Member(b"data/member", b"/etc/passwd", mode=mode)), "data/member", what)


def test_a_file_behind_a_symbolic_link_is_not_written(desk):
    link = Member(b"out", str(desk.folder).encode(), mode=SYMLINK)
    desk.refuses(forge(SOLUTION, link, Member(b"out/escaped.py", b"x")), "symbolic link")


def test_a_hard_link_member_is_refused_by_name(desk):
    target = b"/etc/shadow"
    extra = struct.pack("<HHIIHH", 0x000D, 12 + len(target), 0, 0, 0, 0) + target
    desk.refuses(forge(SOLUTION, Member(b"linked.py", extra=extra)), "linked.py", "link")


def test_links_pipes_and_sockets_in_a_folder_are_left_out_and_told(desk, tmp_path_factory):
    origin = tmp_path_factory.mktemp("origin")
    (origin / "solution.py").write_text("x")
    (origin / "link.py").symlink_to(desk.secret)
    (origin / "folder").symlink_to(desk.folder)
    os.mkfifo(origin / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(origin / "s"))
        submission = desk.collect(origin)
    assert [path.name for path in submission.folder.rglob("*")] == ["solution.py"]
    told = "\n".join(submission.notices)
    assert all(name in told for name in ("link.py", "pipe", "s was"))


def test_a_solution_that_is_only_a_link_is_said_to_be_one(desk, tmp_path_factory):
    origin = tmp_path_factory.mktemp("origin")
    (origin / "solution.py").symlink_to(desk.secret)
    with pytest.raises(SubmissionError, match=r"solution\.py was left out: it is a link"):
        desk.collect(origin)


def test_a_pipe_does_not_make_the_grader_wait(desk, tmp_path_factory):
    pipe = tmp_path_factory.mktemp("origin") / "solution.py"
    os.mkfifo(pipe)
    with pytest.raises(SubmissionError, match="neither a file nor a folder"):
        desk.collect(pipe)
