"""Text of others: harmless, cut, and what a run prints with its head and tail; counts in words."""

from __future__ import annotations

import ast
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tlcourse
from tlcourse.text import LogTail, counted, cut, harmless, line


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\rb", "a\nb"),
        ("a\r\nb", "a\nb"),
        ("bell\x07 nul\x00 del\x7f c1\x9b2J", "bell nul del c12J"),
        ("\u202eevil\u2066", "evil"),
        ("tab\tand\nline stay, so does ü", "tab\tand\nline stay, so does ü"),
        ("pa\u200bs\u00ads\u2060w\ufeffo\u200drd", "password"),
        ("fa" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all") + "il\ufe01\U000e0101", "fail"),
        ("\u115f\u3164\uffa0name", "name"),
        ("one\u2028two\u2029three\r\nfour\rfive", "one\ntwo\nthree\nfour\nfive"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬 \u200d\u200cü\u200d\u200c\u200dü", "👩\u200d🔬 ü\u200dü"),
        ("ü\u200b\u200d\u200bx", "üx"),
    ],
)
def test_nothing_that_moves_a_cursor_or_reorders_a_line_is_shown(hostile, shown):
    assert harmless(hostile) == shown


def test_no_character_that_formats_and_is_not_seen_stays():
    marks = {"ARABIC", "SYRIAC", "KAITHI"}  # signs before a number, which are seen
    unseen = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cf", "Zl", "Zp")]
    unseen = [c for c in unseen if c == "\u061c" or unicodedata.name(c).split()[0] not in marks]
    assert len(unseen) > 140
    assert not [c for c in unseen if harmless(f"a{c}b") not in ("ab", "a\nb")]


@given(st.text())
def test_no_text_keeps_an_escape(text):
    assert not set(harmless(text)) & {"\x1b", "\x07", "\r", "\x9b", "\u202e"}


def test_head_and_tail_are_kept_with_a_line_that_says_what_was_dropped():
    log = LogTail(100)
    log.feed(b"first\n")
    for _ in range(1000):
        log.feed(b"middle\n")
    log.feed(b"last\n")
    assert log.overflowed
    assert log.text().startswith("first\n")
    assert log.text().endswith("last\n")
    assert "the middle of 7011 bytes was dropped" in log.text()
    assert len(log.text()) < 200


def test_a_character_that_is_cut_between_two_reads_is_whole():
    log = LogTail(100)
    data = "ü".encode()
    log.feed(data[:1])
    log.feed(data[1:])
    assert log.text() == "ü"


@given(st.lists(st.binary(max_size=50), max_size=30))
def test_no_bytes_raise(chunks):
    log = LogTail(64)
    for chunk in chunks:
        log.feed(chunk)
    assert len(log.text()) < 64 + 80


@pytest.mark.parametrize(("number", "said"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (12000, "12,000 runs")])
def test_a_count_agrees_with_its_noun(number, said):
    assert counted(number, "run") == said


def test_a_plural_of_its_own_is_given():
    assert counted(2, "class", "classes") == "2 classes"


@pytest.mark.parametrize(("most", "shown"), [(6, "abcdef"), (5, "abcd…"), (1, "…")])
def test_what_is_cut_has_at_most_so_many_characters(most, shown):
    assert cut("abcdef", most) == shown


def test_one_line_of_several_with_no_escape():
    assert line("a\x1b[2J\r\n\n  b\tc") == "a b c"
    assert line("x" * 501) == "x" * 499 + "…"


@pytest.mark.slow
def test_no_pattern_of_ours_ends_so_that_a_last_line_break_passes():
    found = []
    for path in sorted(Path(tlcourse.__file__).parent.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or "MULTILINE" in ast.unparse(call):
                continue
            name = ast.unparse(call.func)
            given = [keyword.value for keyword in call.keywords if keyword.arg == "pattern"]
            given += call.args[:1] if name.startswith("re.") else []
            texts = [one.value for one in given if isinstance(one, ast.Constant)]
            found += [f"{path.name}:{call.lineno} {text}" for text in texts if str(text).endswith("$")]
    assert found == []
