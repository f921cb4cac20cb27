"""Numbers as marks: each says the same by its shape as by its colour, and fits its columns."""

import math

import pytest

from tlcourse.presenting.marks import cell, ends_of, heated, number_line, parted, plain, share_bar, spark, whiskers
from tlcourse.tui.text import AsciiFilter, Text


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0, "────────"), (1e-9, "╸───────"), (0.5, "━━━━────"), (0.56, "━━━━╸───"), (0.999, "━━━━━━━╸"), (1, "━━━━━━━━")],
)
def test_a_bar_is_exact_to_half_a_column_and_never_says_none_or_all_of_something_between(share, drawn):
    assert plain(share_bar(share, 8)) == drawn


def test_a_bar_outside_its_range_is_full_or_empty_and_of_no_columns_is_nothing():
    assert plain(share_bar(7, 4)) == "━━━━"
    assert plain(share_bar(-1, 4)) == "────"
    assert share_bar(0.5, 0) == []


def test_counts_side_by_side_show_each_that_is_not_nothing():
    line = parted([(1, "$done"), (1, "$wrong")], 100, 10)
    assert [(run.text, run.style) for run in line] == [("━", "$done"), ("━", "$wrong"), ("────────", "$line")]
    assert plain(parted([(99, "$done"), (0, "$wrong")], 100, 10)) == "━━━━━━━━━─"
    assert plain(parted([], 0, 3)) == "───"


def test_a_number_line_shows_value_interval_and_bar_where_they_are():
    line = number_line(0.9, (0.85, 0.95), 0.8, (0.0, 1.0), 21, "$done")
    drawn = plain(line)
    assert drawn[16] == "┃"
    assert drawn[18] == "●"
    assert drawn[17] == drawn[19] == "━"
    assert drawn[:16] == "─" * 16


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 5.0, -5.0])
def test_a_number_line_is_as_wide_as_asked_whatever_the_value_is(value):
    assert len(plain(number_line(value, (value, value), 0.5, (0.0, 1.0), 30, "$wrong"))) == 30


def test_the_ends_of_a_line_hold_what_is_on_it_and_stop_at_the_best():
    assert ends_of(0.96, (0.95, 0.97), 0.94, direction="at_least")[1] == 1.0
    assert ends_of(2.0, (1.8, 2.2), 0.6, direction="at_most")[0] == 0.0
    low, high = ends_of(3.0, (2.0, 4.0), 10.0, direction="at_most")
    assert low <= 2.0
    assert high > 10.0


def test_a_bar_with_whiskers_shows_value_interval_and_tick():
    drawn = plain(whiskers(0.5, (0.4, 0.6), (0.0, 1.0), 21, "$method", tick=0.9))
    assert drawn[10] == "█"
    assert drawn[9] == "▓"
    assert drawn[12] == "┤"
    assert drawn[18] == "◆"
    assert len(drawn) == 21


def test_a_sparkline_has_a_column_a_value():
    assert plain(spark([0, 5, 10, math.nan], 10)) == "▁▅█▁"
    assert plain(spark([1.0], 0)) == "▁"


def test_each_square_of_a_heat_map_has_a_shape_of_its_own():
    assert [cell(share).text for share in (None, 0.0, 0.5, 1.0)] == ["·", "□", "▪", "■"]


def test_marks_keep_their_columns_in_ascii():
    lines = [
        share_bar(0.56, 8),
        number_line(0.9, (0.8, 0.95), 0.5, (0, 1), 20, ""),
        whiskers(0.5, (0.4, 0.6), (0, 1), 20, "", tick=0.9),
        spark(range(8), 7),
    ]
    from rich.segment import Segment
    from textual.color import Color

    for line in lines:
        told = AsciiFilter().apply([Segment(Text.of(line).plain)], Color.parse("black"))
        text = "".join(segment.text for segment in told)
        assert text.isascii()
        assert len(text) == len(plain(line))
        assert "?" not in text


def test_a_picture_has_the_same_line_in_per_cent_and_none_of_what_is_not_finite():
    from tlcourse.presenting.marks import places

    line = places(0.96, (0.95, 0.97), 0.94, direction="at_least")
    low, high = ends_of(0.96, (0.95, 0.97), 0.94, direction="at_least")
    assert line.value == pytest.approx(100 * (0.96 - low) / (high - low), abs=0.05)
    assert line.bar < line.low < line.value < line.high < 100
    assert places(math.nan, (0.0, 1.0), 0.5, direction="at_least") is None


def shades(table: str) -> list[str]:
    """Of each line the shades of its numbers, `0` for none, and that no character is lost."""
    lines = heated(table)
    assert [plain(line).rstrip() for line in lines] == [row.rstrip() for row in table.splitlines()]
    return ["".join(run.style[-1:] or "·" for run in line if run.style) for line in lines]


def test_a_number_beyond_all_numbers_has_no_shade():
    assert shades(f"a  1  {'9' * 400}\nb  2  3\nc  5  4") == ["", "12", "43"]


def test_a_table_on_one_scale_is_shaded_as_a_whole_and_its_head_is_not():
    table = "examples     1     5     20    100\nprototypes  .61   .78   .82   .83\nhead        .52   .74   .83   .90"
    assert shades(table) == ["", "1344", "344"]  # the least one has no shade


def test_columns_of_other_units_are_shaded_each_for_itself():
    table = "          best epoch   accuracy\nfree           3           .80\nanchored      25           .90\n"
    assert shades(table) == ["", "", "44"]


def test_series_of_other_scales_are_shaded_each_for_itself():
    table = "week          1     2     3\nalarms      .20   .30   .40\nconfirmed    10    30    40"
    assert shades(table) == ["", "24", "34"]


def test_a_confusion_matrix_is_shaded_by_rows_and_names_of_rows_never():
    matrix = "          called road   called car\nroad           9000           90\ncar             150          640"
    assert shades(matrix) == ["", "4", "4"]
    numbered = "sample    w1    w2\n  1        2     1\n  2       −2     1"
    assert shades(numbered) == ["", "43", "3"]


@pytest.mark.parametrize("text", ["", "epoch 1 of 3", "x = 3\ny = 4", "only  .5", "adapters, m = 8\nadapters, m = 64"])
def test_what_is_no_table_has_no_shade(text):
    assert all(not found for found in shades(text))
