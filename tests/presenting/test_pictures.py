"""Pictures in characters keep their shape, with colours and without."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.data.synthetic import example
from tlcourse.presenting.pictures import RAMP, density, fit, legend, picture, ramp, resized, sheet


def text(lines) -> list[str]:
    return ["".join(segment.text for segment in line) for line in lines]


def test_a_half_block_has_the_colour_of_the_pixel_above_and_that_of_the_pixel_below():
    pixels = np.zeros((4, 4, 3))
    pixels[0, 0], pixels[1, 0] = (1, 0, 0), (0, 0, 1)
    lines = picture(pixels, 4, colour=True)
    assert text(lines) == ["▀▀▀▀"] * 2
    style = lines[0][0].style
    assert style.color.triplet == (255, 0, 0)
    assert style.bgcolor.triplet == (0, 0, 255)
    assert lines[1][3].style.color.triplet == (0, 0, 0)


def test_without_colours_light_is_dense_and_dark_is_blank_and_all_of_it_is_ascii():
    pixels = np.zeros((8, 8, 1))
    pixels[:, 4:] = 0.3  # faint, but all the contrast that there is
    assert text(picture(pixels, 8, colour=False)) == ["    @@@@"] * 4
    assert RAMP.isascii()


def test_a_picture_without_contrast_is_one_character():
    assert len(set("".join(ramp(np.full((6, 6, 3), 0.4))))) == 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90))
def test_resizing_keeps_the_mean_whatever_the_sizes(height, width, rows, columns):
    pixels = np.random.default_rng(1).random((height, width, 3))
    found = resized(pixels, rows, columns)
    assert found.shape == (rows, columns, 3)
    assert np.allclose(found.mean((0, 1)), pixels.mean((0, 1)))


def test_enlarging_by_a_whole_number_repeats_pixels():
    pixels = np.random.default_rng(2).random((4, 4, 1))
    assert np.allclose(resized(pixels, 8, 8), pixels.repeat(2, 0).repeat(2, 1))


@given(st.integers(10, 200), st.integers(3, 60), st.integers(1, 12), st.sampled_from([32, 64]))
def test_what_fits_does_fit(columns, rows, wanted, pixels):
    fitted = fit(columns, rows, wanted, pixels)
    assert fitted.count >= 1
    x, y = fitted.corner(fitted.count - 1)
    assert x + fitted.side <= columns
    assert y + fitted.side // 2 + 1 <= rows
    assert fitted.side >= 24 or fitted.count == 1


@pytest.mark.parametrize("generator", ["insects", "stars", "quantiles"])
@pytest.mark.parametrize(("columns", "rows"), [(58, 16), (78, 20), (118, 36)])
def test_a_sheet_stays_within_its_room_and_names_every_sample(generator, columns, rows):
    first = example(generator, 1)
    fitted = fit(columns, rows, 6, 0 if first.picture is None else len(first.picture))
    count = 1 if first.picture is None else fitted.count
    examples = [example(generator, number) for number in range(1, count + 1)]
    lines = text(sheet(examples, columns, fitted, rows, colour=False, how="ascii"))
    assert len(lines) <= rows
    assert max(map(len, lines)) <= columns
    assert all(f"{one.number}: " in "\n".join(lines) for one in examples)
    assert "".join(lines).isascii()


def test_a_hill_is_highest_where_the_density_is_and_its_quantiles_lie_below_it():
    gaussian = example("quantiles", 1).distributions[0]
    heading, *hill, line = text(density(gaussian, 70, 8, "ascii"))
    assert heading.startswith("gaussian: median")
    top = hill[0]
    peak = (top.index("#") + top.rindex("#")) / 2 if "#" in top else len(top.rstrip()) - 1
    assert abs(peak - line.index("|")) <= 2 or line.index("^") == line.find("|")
    assert len(line.split()) == 1 or "^" in line
    assert line.index("=") > line.index("-")
    assert all(mark in legend(gaussian.y, "ascii") for mark in ("=", "-", "|", "^", "half"))


def test_where_fonts_have_no_eighths_only_half_blocks_are_used():
    skewed = example("quantiles", 2).distributions[1]
    assert set("".join(text(density(skewed, 60, 6, "block")[1:-1]))) <= set(" ▄█")
