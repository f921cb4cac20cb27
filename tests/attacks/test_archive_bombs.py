"""Row 21 of the list of threats: bombs, and archives that lie about what is in them."""

from __future__ import annotations

import bz2
import lzma
import math
import os
import struct
import zipfile

import pytest
from desk import EVE, MB, SOLUTION
from msgspec import to_builtins
from zipforge import ENCRYPTED, UTF8, Member, deflated, forge

from tlcourse.errors import SubmissionError
from tlcourse.grading.intake.copy import CLASS, SUBMISSION, IntakeLimits


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


def nested(data: bytes, deep: int) -> bytes:
    """A ZIP in ZIPs, the innermost of which is `data`."""
    for _ in range(deep):
        data = forge(Member(b"inner.zip", data, method=0))
    return bytes(data)  # as part of a class's download it would stay a file, refused for nobody


def test_a_zip_that_holds_only_a_zip_is_opened_two_deep(desk):
    assert (desk.hand_in(nested(forge(SOLUTION), 2)).folder / "solution.py").is_file()


def test_a_zip_that_lies_deeper_is_not_opened_and_that_is_said(desk):
    desk.refuses(nested(forge(SOLUTION), 3), "inner.zip", "not opened")


@pytest.mark.parametrize("deep", [1, 2])
@pytest.mark.parametrize(("inside", "why"), [(b"zeros.bin", "200 times"), (b"../up.py", "would lead out")])
def test_what_lies_in_a_zip_within_a_zip_is_held_to_the_same_limits(desk, inside, why, deep):
    desk.refuses(nested(forge(SOLUTION, Member(inside, bytes(8 * MB))), deep), why)


@pytest.mark.slow
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
        desk.collect(origin, IntakeLimits(bytes=2 * MB))


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


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_way_of_packing_that_is_unpacked_without_a_bound_on_memory_is_refused(desk, method):
    """Also in a class's download, whose entries zipfile would read."""
    pack = bz2.compress if method == zipfile.ZIP_BZIP2 else lzma.compress
    desk.refuses(forge(SOLUTION, Member(b"a.py", bytes(MB), method=method, packed=pack(bytes(MB)))), "packed by method")


def test_the_two_policies_differ_in_these_limits_alone():
    """One hand-in of a class may be larger, and the download of any size; the hand-in is then read as a submission."""
    given, of_a_class = to_builtins(SUBMISSION), to_builtins(CLASS)
    assert {name: (given[name], of_a_class[name]) for name in given} == {
        "files": (200, 2000),
        "bytes": (100 * MB, 150 * MB),
        "depth": (6, 12),
        "ratio": (200, math.inf),
        "entries": (2000, 250_000),
        "packed": (100 * MB, None),
    }


def test_a_file_of_zeros_that_a_platform_packed_well_is_no_bomb(desk):
    download = forge(Member(f"{EVE}/weights.bin".encode(), bytes(8 * MB)))
    assert desk.survives_as_a_download(download, CLASS) == {}
    assert (desk.unpacked / EVE / "weights.bin").stat().st_size == 8 * MB


def test_a_name_in_an_old_code_page_is_read_as_the_platform_wrote_it(desk):
    download = forge(Member(f"{EVE}/r\x82sum\x82.py".encode("latin-1"), b"x", flags=0))
    assert desk.survives_as_a_download(download, CLASS) == {}
    assert [path.name for path in (desk.unpacked / EVE).iterdir()] == ["résumé.py"]
