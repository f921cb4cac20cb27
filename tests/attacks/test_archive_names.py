"""Row 22 of the list of threats: names that collide, deceive, or cannot be read."""

from __future__ import annotations

import os

import pytest
from desk import EVE, JANE, SOLUTION
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


NOT_UTF8 = [b"\xdcbung.py", b"a\xff.py", b"\xed\xa0\x80.py", b"\xc0\xae\xc0\xae/x.py"]


@pytest.mark.parametrize("name", NOT_UTF8)
def test_a_name_that_says_it_is_utf8_and_is_not_is_refused_and_shown(desk, name):
    desk.refuses(forge(SOLUTION, Member(name, b"x", flags=UTF8)), "not UTF-8", ".py")


def test_names_in_an_old_code_page_are_data_and_stay_as_many(desk):
    members = [Member(name, b"x", flags=0) for name in NOT_UTF8]
    submission = desk.hand_in(forge(SOLUTION, Member(b"hj\x91lpe.py", b"x", flags=0), *members))
    assert (submission.folder / "hjælpe.py").is_file()
    assert sum(path.is_file() for path in submission.folder.rglob("*")) == 2 + len(NOT_UTF8)


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


@pytest.mark.parametrize(
    ("letter", "is_refused"), [("\u200b", False), ("\u00ad", False), ("\u202e", True), ("\x1b", True)]
)
def test_a_name_that_a_platform_gave_may_hide_a_letter_and_not_move_the_line(desk, letter, is_refused):
    """People copy a zero-width space into their names; it is no reason not to grade them."""
    name = f"1-3 - Max{letter} Mus - 5 maj 2026 0812"
    honest = Member(f"{JANE}/solution.py".encode(), b"x")
    refused = desk.survives_as_a_download(forge(honest, Member(f"{name}/solution.py".encode(), b"x")))
    assert (name in refused) == is_refused
    assert (desk.unpacked / name / "solution.py").exists() != is_refused


def test_what_systems_and_tools_leave_behind_is_passed_over_in_a_class_too(desk):
    names = ["solution.py", ".git/config", "__MACOSX/._solution.py", "venv/lib/x.py", "Thumbs.db"]
    assert desk.survives_as_a_download(forge(*(Member(f"{EVE}/{name}".encode(), b"x") for name in names))) == {}
    assert [path.name for path in desk.unpacked.rglob("*") if path.is_file()] == ["solution.py"]


def test_a_hand_in_that_is_called_like_a_tools_folder_is_not_lost(desk):
    download = forge(Member(b"venv/solution.py", b"x"), Member(b"__pycache__/solution.py", b"x"))
    assert desk.survives_as_a_download(download) == {}
    assert {path.name for path in desk.unpacked.iterdir()} == {"venv", "__pycache__"}
