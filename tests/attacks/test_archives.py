"""Hostile and careless hand-ins (rows 19 to 26 of the list of threats): what each gets, and what must not happen.

Each is a few bytes. Refused means: one SubmissionError that names the entry, nothing outside the folder of the copy,
and no more than the allowed size in it.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from zipforge import BLOCK, CHARACTER, ENCRYPTED, FIFO, SOCKET, SYMLINK, UTF8, Member, deflated, forge

from tlcourse.errors import SubmissionError
from tlcourse.execution.arrays import BadArraysError, read_predictions
from tlcourse.execution.job import OutputSpec
from tlcourse.grading import archive, copying
from tlcourse.grading.copying import Limits
from tlcourse.grading.submission import Submission, collect

SOLUTION = Member(b"solution.py", b"def fit(task): ...\n")
MB = 2**20


class Desk:
    """A folder with a hand-in, a secret, and the folder of the copy. Whatever else changes was an escape."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / "secret.txt"
        self.secret.write_text("42")
        self.into = folder / "deep" / "er" / "copy"
        self.into.mkdir(parents=True)

    def hand_in(self, data: bytes, name: str = "hand-in.zip") -> Submission:
        origin = self.folder / name
        origin.write_bytes(data)
        return self.collect(origin)

    def collect(self, origin: Path, limits: Limits | None = None) -> Submission:
        limits = limits or Limits()
        before = self._outside()
        try:
            return collect(origin, self.into, limits)
        finally:
            assert self._outside() == before
            assert self.secret.read_text() == "42"
            copied = list(self.into.rglob("*"))
            assert all(path.is_dir() or stat.S_ISREG(path.lstat().st_mode) for path in copied)
            assert sum(path.stat().st_size for path in copied if path.is_file()) <= limits.bytes + MB

    def refuses(self, data: bytes, *words: str, name: str = "hand-in.zip") -> str:
        with pytest.raises(SubmissionError) as caught:
            self.hand_in(data, name)
        message = str(caught.value)
        for word in words:
            assert word in message
        assert all(letter.isprintable() or letter == "\n" for letter in message)
        return message

    def _outside(self) -> set[str]:
        return {str(path) for path in self.folder.rglob("*") if self.into not in path.parents}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# -- row 20: out of the folder -----------------------------------------------------------------------------------------


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


# -- row 21: bombs -----------------------------------------------------------------------------------------------------


def test_an_entry_that_unpacks_to_a_thousand_times_its_size_is_refused_by_name(desk):
    desk.refuses(forge(SOLUTION, Member(b"zeros.bin", bytes(8 * MB))), "zeros.bin", "200 times")


def test_many_entries_that_are_small_alone_are_refused_together(desk):
    parts = [Member(b"%d.bin" % number, bytes(MB)) for number in range(60)]
    desk.refuses(forge(SOLUTION, *parts), "200 times")


def test_entries_that_promise_more_than_the_cap_are_refused_before_one_is_written(desk):
    parts = [Member(b"%d.bin" % number, size=30 * MB, packed_size=30 * MB, packed=b"", method=0) for number in range(4)]
    for number, part in enumerate(parts):
        part.offset = 100 + number * 31 * MB
    data = forge(SOLUTION, *parts, directory_offset=0)
    desk.refuses(data)
    assert not list(desk.into.iterdir())


def test_a_bomb_within_a_zip_stays_packed(desk):
    bomb = forge(Member(b"zeros.bin", bytes(8 * MB)))
    submission = desk.hand_in(forge(SOLUTION, Member(b"inner.zip", bomb, method=0)))
    assert (submission.folder / "inner.zip").stat().st_size == len(bomb)
    assert sorted(path.name for path in submission.folder.iterdir()) == ["inner.zip", "solution.py"]


def test_a_zip_that_holds_only_a_zip_is_not_opened_and_says_so(desk):
    desk.refuses(forge(Member(b"inner.zip", forge(SOLUTION))), "inner.zip", "not opened")


def test_a_million_empty_entries_are_refused(desk):
    names = range(1_000_000)
    local = b"".join(b"PK\x03\x04" + bytes(22) + struct.pack("<HH", 7, 0) + b"%07d" % n for n in names)
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<HHHHHI", 7, 0, 0, 0, 0, 0)
    directory = b"".join(entry + struct.pack("<I", n * 37) + b"%07d" % n for n in names)
    end = struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, len(directory), len(local), 0)
    desk.refuses(local + directory + b"PK\x05\x06" + end, "more than 2000 entries")
    assert not list(desk.into.iterdir())


def test_too_many_files_are_refused_even_if_each_is_empty(desk):
    desk.refuses(forge(SOLUTION, *(Member(b"%d" % number) for number in range(300))), "more than 200 files")


def test_too_many_files_in_a_folder_are_refused(desk, tmp_path_factory):
    origin = tmp_path_factory.mktemp("origin")
    for number in range(300):
        (origin / f"{number}.py").touch()
    with pytest.raises(SubmissionError, match="more than 200 files"):
        desk.collect(origin)


def test_a_file_of_a_folder_that_grows_while_it_is_read_meets_the_cap(desk, tmp_path_factory):
    origin = tmp_path_factory.mktemp("origin")
    (origin / "solution.py").write_text("x")
    with (origin / "large.bin").open("wb") as stream:
        stream.truncate(3 * MB)  # the size is never asked: what comes is counted
    with pytest.raises(SubmissionError, match="more than 2 MB"):
        desk.collect(origin, Limits(bytes=2 * MB))


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_folders_that_are_too_deep_are_refused(desk, tmp_path_factory, kind):
    name = "/".join("abcdefgh") + "/x.py"
    if kind == "zip":
        desk.refuses(forge(SOLUTION, Member(name.encode())), "6 folders deep")
        return
    origin = tmp_path_factory.mktemp("origin")
    (origin / name).parent.mkdir(parents=True)
    with pytest.raises(SubmissionError, match="6 deep"):
        desk.collect(origin)


def test_entries_that_share_their_data_are_refused(desk):
    """The bomb without nesting (Fifield 2019): many entries, one kernel of data."""
    kernel = Member(b"0.bin", bytes(MB))
    others = [Member(b"%d.bin" % n, bytes(MB), offset=0, hidden=True, local_name=b"0.bin") for n in range(1, 50)]
    desk.refuses(forge(kernel, *others, SOLUTION), "overlaps")


def test_an_entry_that_reaches_into_the_next_is_refused(desk):
    first = Member(b"a.py", b"x" * 50, method=0, packed_size=90, size=90)
    desk.refuses(forge(first, SOLUTION), "a.py", "overlaps")


def test_an_entry_inside_the_directory_is_refused(desk):
    data = forge(SOLUTION)
    begin = data.index(b"PK\x01\x02")
    desk.refuses(forge(SOLUTION, Member(b"a.py", hidden=True, offset=begin)), "overlaps")


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ({"size": 5}, "damaged"),
        ({"size": 500}, "not as long"),
        ({"size": 0xFFFFFFF0}, "times its size"),
        ({"packed_size": 3}, "a.py"),
        ({"crc": 1}, "damaged"),
        ({"local_name": b"b.py"}, "damaged"),
        ({"packed": b"\xff" * 40}, "damaged"),
        ({"packed": deflated(bytes(3 * MB)), "size": 19}, "damaged"),
        ({"flags": UTF8 | ENCRYPTED}, "encrypted"),
        ({"flags": UTF8 | 0x40}, "encrypted"),
        ({"flags": UTF8 | 0x20}, "a.py"),
        ({"method": 12}, "method 12"),
        ({"method": 14}, "method 14"),
        ({"method": 99}, "method 99"),
    ],
)
def test_an_entry_that_lies_or_cannot_be_read_is_refused_by_name(desk, lie, why):
    fields = {"data": b"print('nineteen!')\n", **lie}
    desk.refuses(forge(SOLUTION, Member(b"a.py", **fields)), "a.py", why)


def test_what_follows_the_promised_length_is_never_unpacked(desk):
    """A stream of a gigabyte behind a promise of 19 bytes: the promise is checked as it is read."""
    stream = deflated(b"print('nineteen!')\n" + bytes(1 << 26))
    member = Member(b"a.py", b"print('nineteen!')\n", packed=stream)
    submission = desk.hand_in(forge(SOLUTION, member))
    assert (submission.folder / "a.py").read_bytes() == b"print('nineteen!')\n"


@pytest.mark.parametrize(
    "lies",
    [
        {"count": 0},
        {"count": 7},
        {"directory_size": 0},
        {"directory_size": 10_000},
        {"directory_size": 0xFFFFFFFF},
        {"directory_offset": 0xFFFFFFFF},
        {"directory_offset": 3},
        {"comment": b"PK\x05\x06" + bytes(18)},
    ],
)
def test_a_directory_that_lies_ends_in_one_message_or_in_what_is_there(desk, lies):
    try:
        submission = desk.hand_in(forge(SOLUTION, **lies))
    except SubmissionError:
        return
    assert (submission.folder / "solution.py").read_bytes() == SOLUTION.data


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"Rar!\x1a\x07", bytes(5000)])
def test_what_is_no_zip_is_said_to_be_none(desk, data):
    desk.refuses(data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_zip_that_was_not_uploaded_whole_is_said_to_be_damaged(desk, share):
    data = forge(SOLUTION, Member(b"a.py", os.urandom(500), method=0))
    desk.refuses(data[: int(len(data) * share)], "hand-in.zip", "not uploaded whole")


def test_a_zip_larger_than_the_cap_is_refused_while_it_is_read(desk):
    origin = desk.folder / "large.zip"
    with origin.open("wb") as stream:
        stream.truncate(101 * MB)
    with pytest.raises(SubmissionError, match="larger than 100 MB"):
        desk.collect(origin)


# -- row 22: names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("solution.py", "Solution.py"),
        ("data/a.bin", "DATA/b.bin"),
        ("é.py", "e\u0301.py"),
        ("ﬁt.py", "fit.py"),
        ("straße.py", "STRASSE.py"),
        ("a", "a/b"),
        ("a/b", "a"),
    ],
)
def test_names_that_a_system_takes_for_one_are_refused_and_both_named(desk, first, second):
    members = [Member(name.encode(), b"x") for name in (first, second)]
    message = desk.refuses(forge(*members), "is there also as")
    assert second.split("/")[0] in message


def test_the_same_name_twice_is_refused(desk):
    desk.refuses(forge(SOLUTION, SOLUTION), "solution.py", "twice")


def test_names_that_differ_only_in_case_are_refused_in_a_folder_too(desk, tmp_path_factory):
    origin = tmp_path_factory.mktemp("origin")
    for name in ("solution.py", "helper.py", "Helper.py"):
        (origin / name).write_text("x")
    with pytest.raises(SubmissionError, match="is there also as Helper"):
        desk.collect(origin)


@pytest.mark.parametrize(
    ("name", "seen", "why"),
    [
        ("gpj\u202eyp.exe", "\\u202e", "reorder"),
        ("a\u2066b.py", "\\u2066", "reorder"),
        ("a\u200bb.py", "\\u200b", "not seen"),
        ("a\ufeffb.py", "\\ufeff", "not seen"),
        ("a\u2028b.py", "\\u2028", "not seen"),
        ("a\nb.py", "\\n", "not seen"),
        ("\x1b[2Ja.py", "\\x1b", "not seen"),
        ("a\x9bb.py", "\\x9b", "not seen"),
        ("a\x7f.py", "\\x7f", "not seen"),
        ("solution.py\0.txt", "\\x00", "NUL"),
    ],
)
def test_a_name_that_deceives_is_refused_and_shown_by_its_escapes(desk, name, seen, why):
    desk.refuses(forge(SOLUTION, Member(name.encode(), b"x")), seen, why)


@pytest.mark.parametrize("name", [b"a" * 256, b"ab" * 300 + b".py", b"d" * 250 + b"/" + b"e" * 250 + b"/" + b"f" * 600])
def test_a_name_that_is_too_long_is_refused_and_shown_short(desk, name):
    message = desk.refuses(forge(SOLUTION, Member(name, b"x")), "longer than")
    assert len(message) < 600


@pytest.mark.parametrize("flags", [UTF8, 0])
@pytest.mark.parametrize("name", [b"\xdcbung.py", b"a\xff.py", b"\xed\xa0\x80.py", b"\xc0\xae\xc0\xae/x.py"])
def test_a_name_that_is_not_utf8_is_refused_and_shown(desk, name, flags):
    desk.refuses(forge(SOLUTION, Member(name, b"x", flags=flags)), "not UTF-8", ".py")


def test_a_name_that_is_not_utf8_is_refused_in_a_folder(desk, tmp_path_factory):
    origin = tmp_path_factory.mktemp("origin")
    (origin / "solution.py").write_text("x")
    with open(os.fsencode(origin) + b"/a\xff.py", "wb"):  # noqa: PTH123
        pass
    with pytest.raises(SubmissionError, match=r"a\\udcff.py .* not UTF-8"):
        desk.collect(origin)


def test_a_utf8_name_without_the_flag_is_read_as_what_it_is(desk):
    submission = desk.hand_in(forge(SOLUTION, Member("Übung.txt".encode(), b"x", flags=0)))
    assert (submission.folder / "Übung.txt").is_file()


# -- row 23: changed between check and use -----------------------------------------------------------------------------


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

    monkeypatch.setattr(copying.os, "stat", swap)
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
    checked = copying._parts

    def swap(copy, raw):
        if raw == ("data",) and not folder.is_symlink():
            folder.rmdir()
            folder.symlink_to(elsewhere)
        return checked(copy, raw)

    monkeypatch.setattr(copying, "_parts", swap)
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


# -- rows 19, 24, 26: what files and names may hold --------------------------------------------------------------------


class _Touches:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def test_a_pickle_is_a_file_like_any_other_and_is_never_loaded(desk):
    marker = desk.folder / "ran"
    members = [Member(name, pickle.dumps(_Touches(str(marker)))) for name in (b"weights.pt", b"model.pkl", b"a.npy")]
    submission = desk.hand_in(forge(SOLUTION, *members))
    assert (submission.folder / "weights.pt").is_file()
    assert not marker.exists()


def test_predictions_that_are_a_pickle_are_no_predictions(desk):
    marker = desk.folder / "ran"
    with pytest.raises(BadArraysError):
        read_predictions(pickle.dumps(_Touches(str(marker))), 8, (OutputSpec("y"),))
    assert not marker.exists()


def test_names_that_are_commands_elsewhere_are_only_names(desk):
    names = [
        "=cmd|'calc'!A1.csv",
        "<img src=x onerror=alert(1)>.txt",
        "[bold red]x.txt",
        "-rf",
        "$(reboot).txt",
        "`id`",
    ]
    submission = desk.hand_in(forge(SOLUTION, *(Member(name.encode(), b"x") for name in names)))
    assert {path.name for path in submission.folder.iterdir()} == {"solution.py", *names}


@pytest.mark.parametrize("name", ["\x1b]0;owned\x07.zip", "a\nPASS\n.zip", "a\u202epiz.zip"])
def test_the_name_of_the_hand_in_itself_is_shown_by_its_escapes(desk, name):
    desk.refuses(b"no zip", name=name)


def test_no_escape_of_a_name_reaches_the_terminal(tl, tmp_path):
    (tmp_path / "x.zip").write_bytes(forge(SOLUTION, Member(b"\x1b[2J\x1b]0;owned\x07.py", b"x")))
    done = tl("grade", "line", "x.zip")
    assert done.returncode == 2
    assert "\\x1b[2J" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    document = tl("grade", "line", "x.zip", "--json")
    assert "\\x1b" in json.loads(document.stdout)["error"]["what"]


@pytest.mark.slow
def test_setup_and_requirements_are_never_installed_or_executed(tl, tmp_path):
    reference = (Path(__file__).parent.parent / "example_course/graders/references/line.py").read_bytes()
    marker = tmp_path / "ran"
    touch = f"open({str(marker)!r}, 'w')".encode()
    names = (b"setup.py", b"conftest.py", b"sitecustomize.py", b"usercustomize.py", b"__init__.py", b"__main__.py")
    members = [Member(name, touch) for name in names]
    members += [Member(b"requirements.txt", b"no-such-package-in-the-world"), Member(b"x.pth", b"import os; " + touch)]
    (tmp_path / "hand-in.zip").write_bytes(forge(Member(b"solution.py", reference), *members))
    done = tl("grade", "line", "hand-in.zip", "--isolation", "none", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "pass"
    assert not marker.exists()


# -- row 25: notebooks -------------------------------------------------------------------------------------------------


def notebook(*cells: str, **fields: object) -> bytes:
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4, **fields}).encode()


@pytest.mark.slow
def test_a_notebook_full_of_shell_escapes_is_graded_by_its_python(tl, tmp_path):
    reference = (Path(__file__).parent.parent / "example_course/graders/references/line.py").read_text()
    victim = tmp_path / "victim"
    victim.mkdir()
    cells = [
        f"!rm -rf {victim}\n%run evil.py\nfiles = !rm -r {victim}",
        f"%%bash\nrm -rf {victim}",
        f"get_ipython().system('rm -rf {victim}')\nget_ipython().run_cell_magic('bash', '', 'rm -rf {victim}')",
        "IN_COLAB = 'google.colab' in str(get_ipython())",
        "%%time\n" + reference,
    ]
    (tmp_path / "solution.ipynb").write_bytes(notebook(*cells))
    done = tl("grade", "line", "solution.ipynb", "--isolation", "none", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["outcome"] == "pass"
    assert any("cell 1: 3 line(s)" in message for message in result["messages"])
    assert any("cell 2: the whole cell, which is for %%bash" in message for message in result["messages"])
    assert victim.is_dir()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "nbformat"),
        (b"{}", "nbformat"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [3]}', "no list of cells"),
        (b'{"nbformat": 4, "cells": []}', "no code cell"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "cell 1 of all has no source"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "no source"),
        (b'{"nbformat": 99, "cells": []}', "format 99"),
        (b'{"nbformat": 3}', "today's format"),
        (b'{"nbformat": 2, "worksheets": [{"cells": 5}]}', "today's format"),
        (notebook("x", metadata={"kernelspec": {"language": "R\x1b[2J"}}), "R\\x1b"),
        (b"[" * 200_000, "deeply"),
        (b'{"a":' * 100_000, "deeply"),
        ('{"nbformat": 4, "x": "Übung"}'.encode("latin-1"), "UTF-8"),
        ('{"nbformat": 4}'.encode("utf-16"), "UTF-8"),
        (b'{"nbformat": 4, "x": "' + b"a" * (21 * MB) + b'"}', "clear all outputs"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_notebook_that_cannot_be_read_says_why(desk, data, why):
    desk.refuses(data, why, name="solution.ipynb")


def test_outputs_may_be_anything(desk):
    cells = [{"cell_type": "code", "outputs": {"a": [None] * 100_000}, "source": ["x = 1\n", "y = 2"]}]
    data = json.dumps({"nbformat": 4, "cells": cells}).encode()
    submission = desk.hand_in(data, "solution.ipynb")
    assert "x = 1\ny = 2\n" in (submission.folder / "solution.py").read_text()
