"""Curves as text: the right shape, the right labels, nothing that is not a number, ASCII where asked for."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tlcourse.presenting.words import curve, number
from tlcourse.tui.widgets.chart import chart, panels

FALLING = [(step, 2.0 - step / 10) for step in range(11)]


def test_a_falling_curve_begins_at_the_top_and_ends_at_the_bottom():
    lines = chart("loss", {"": FALLING}, 40, 8).plain.splitlines()
    assert lines[0].startswith("loss")
    assert "1" in lines[0]
    assert lines[1].strip().startswith("2")
    first, last = lines[1][9:], lines[6][9:]
    assert first.strip()
    assert len(first) - len(first.lstrip()) == 0
    assert len(last.rstrip()) > len(first.rstrip())


def test_the_axes_name_both_ends_with_enough_digits_to_tell_them_apart():
    lines = chart("loss", {"": [(0, 1.9501), (1, 1.9502)]}, 40, 5).plain.splitlines()
    assert lines[1].split()[0] != lines[3].split()[0]
    assert lines[-1].split() == ["0", "1"]


def test_metrics_of_one_unit_share_a_panel():
    found = panels({"train_loss": FALLING, "val_loss": FALLING, "accuracy": FALLING})
    assert [(title, list(series)) for title, series in found] == [("loss", ["train", "val"]), ("accuracy", [""])]


def test_two_curves_are_told_apart_without_colour():
    marks = chart("loss", {"train": FALLING, "val": [(x, 2 - y) for x, y in FALLING]}, 40, 8, ascii_only=True).plain
    assert "*" in marks
    assert "o" in marks


def test_a_loss_that_became_nan_says_so_and_keeps_the_curve():
    text = chart("loss", {"": [*FALLING, (11, math.nan)]}, 60, 8).plain
    assert "not finite" in text
    assert "2" in text.splitlines()[1]
    assert "no finite value" in chart("loss", {"": [(0, math.inf)]}, 40, 8).plain


def test_a_curve_in_words():
    assert curve("loss", FALLING) == "loss fell from 2 to 1 from step 0 to 10."
    assert curve("loss", [(0, math.nan)]) == "loss has no finite value yet."
    assert curve("loss", [*FALLING, (11, math.nan)]).endswith("1 value was not finite.")


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.floats(width=64)), max_size=30),
    st.integers(30, 120),
    st.integers(1, 40),
    st.booleans(),
)
def test_whatever_a_solution_logs_is_drawn_within_its_panel(points, width, height, ascii_only):
    lines = chart("loss", {"": sorted(points)}, width, height, ascii_only=ascii_only).plain.splitlines()
    assert len(lines) <= max(height, 3)
    assert all(len(line) <= width for line in lines[1:])
    if ascii_only:
        assert all(line.isascii() for line in lines)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_stay_short(value):
    assert len(number(value)) <= 9


def test_eight_curves_have_eight_colours_and_eight_marks():
    from tlcourse.tui.widgets.chart import COLOURS, MARKS, legend

    series = {f"arm{i}": [(x, y + i) for x, y in FALLING] for i in range(8)}
    for ascii_only in (False, True):
        places = {name: place for place, name in enumerate(series)}
        drawn = chart("loss", series, 100, 30, ascii_only=ascii_only, places=places)
        marks = MARKS["ascii" if ascii_only else "braille"]
        assert len(set(marks)) == len(set(COLOURS)) == 8
        assert all(mark in drawn.plain for mark in marks)
        named = legend(series, places, [series], 40, ascii_only=ascii_only).plain.splitlines()
        assert all(len(line) <= 40 for line in named)
        assert all(any(f"{marks[i]}" in line and f"arm{i}" in line for line in named) for i in range(8))


def test_where_fonts_have_no_braille_curves_are_half_blocks(monkeypatch):
    monkeypatch.setenv("TERM", "linux")
    plain = chart("loss", {"": FALLING}, 40, 8).plain
    assert set("▀▄█") & set(plain)
    assert not any(0x2800 <= ord(character) < 0x2900 for character in plain)
