"""Pictures in characters keep their shape, with colours and without."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from tlcourse.data.synthetic import example
from tlcourse.presenting.pictures import RAMP, density, fit, legend, picture, resized, sheet


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
    assert "".join(RAMP).isascii()


def test_each_character_of_the_ramp_covers_more_than_the_one_before():
    covered = {one: inked(one) / inked("@") for one in RAMP}
    assert list(covered.values()) == sorted(covered.values())
    assert all(abs(share - RAMP[one]) < 0.03 for one, share in covered.items())


def inked(letter: str) -> float:
    """What a character covers of its cell."""
    try:
        font = ImageFont.truetype("DejaVuSansMono.ttf", 64)
    except OSError:
        pytest.skip("it is measured in DejaVu Sans Mono")
    page = Image.new("L", (60, 100))
    ImageDraw.Draw(page).text((0, 0), letter, font=font, fill=255)
    return float(np.asarray(page).mean())


def test_dots_are_as_many_as_a_picture_is_light_and_keep_its_edges():
    pixels = np.zeros((32, 32, 1))
    pixels[:, 16:] = 1.0
    lines = text(picture(pixels, 16, colour=False, how="braille"))
    assert lines == ["⠀" * 8 + "⣿" * 8] * 8
    assert text(picture(pixels, 16, colour=False, how="braille", dark=False)) == ["⣿" * 8 + "⠀" * 8] * 8
    sloping = np.linspace(0, 1, 64)[None, :, None] * np.ones((64, 1, 1))
    lines = text(picture(sloping, 32, colour=False, how="braille"))
    dots = [sum((ord(line[column]) - 0x2800).bit_count() for line in lines) for column in range(32)]
    assert dots[0] == 0
    assert dots[-1] > 0.9 * 8 * 16
    assert abs(sum(dots) / (32 * 16 * 8) - 1 / 2.3) < 0.03  # the mean of light ** 1.3


def test_a_terminal_without_braille_has_five_shades():
    sloping = np.linspace(0, 1, 64)[None, :, None] * np.ones((64, 1, 1))
    line = text(picture(sloping, 64, colour=False, how="block"))[0]
    assert "".join(dict.fromkeys(line)) == " ░▒▓█"


def test_a_picture_without_contrast_is_one_character():
    assert len(set("".join(text(picture(np.full((6, 6, 3), 0.4), 6, colour=False))))) == 1


def test_no_word_of_a_caption_is_cut():
    shown = text(sheet([example("stars", 1)], 24, fit(24, 14, 1, 32), 14, colour=False, how="ascii"))
    assert " ".join(" ".join(shown[-2:]).split()) == f"1: {example('stars', 1).caption}"


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
    assert y + fitted.side // 2 + 2 <= rows or fitted.count == 1
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
