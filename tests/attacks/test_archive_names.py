"""Row 22 of the list of threats: names that collide, deceive, or cannot be read."""

from __future__ import annotations

import os

import pytest
from desk import SOLUTION
from zipforge import UTF8, Member, forge

from tlcourse.errors import SubmissionError


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
