"""Themes: which there are, that they can be read, that all colours follow them, and that the choice is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from drawn import contrast, drawn, notices_of
from textual.color import Color
from tour import STOPS

import tlcourse.tui
from tlcourse.cluster.profile import load_profiles
from tlcourse.config import ThemeName, load_config
from tlcourse.presenting.marks import HEAT
from tlcourse.tui.themes import NO_COLOUR, PALETTES, WHAT, themes
from tlcourse.tui.themes import colour as colour_of

HUES = ("foreground", "muted", "good", "bad", "doubt", "fault", "live")
NAMES = get_args(ThemeName)


@pytest.fixture
def config(tmp_path, monkeypatch) -> Path:
    """The configuration file, which is not there yet."""
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("TLCOURSE_CONFIG", str(path))
    return path


def told(person) -> list[str]:
    return notices_of(person.app)


def fronts(person, words: str) -> set[str]:
    """The colours in which `words` are drawn."""
    return {Color.from_rich_color(style.color).hex for text, style in drawn(person) if words in text}


def test_the_configuration_the_palette_and_the_app_know_the_same_themes():
    assert list(NAMES) == list(WHAT) == [*PALETTES, NO_COLOUR] == [theme.name for theme in themes()]


@pytest.mark.parametrize(("name", "least"), [("dark", 4.5), ("light", 4.5), ("high-contrast", 7.0)])
def test_every_colour_can_be_read_on_every_background(name, least):
    palette = PALETTES[name]
    fronts = {hue: getattr(palette, hue) for hue in HUES} | {f"series {n}": c for n, c in enumerate(palette.series)}
    faint = {
        (front, back): contrast(Color.parse(colour), Color.parse(getattr(palette, back)))
        for front, colour in fronts.items()
        for back in ("background", "surface", "panel")
    }
    for shade in (f"heat-{n}" for n in range(1, HEAT + 1)):
        ratio = contrast(Color.parse(palette.foreground), Color.parse(colour_of(palette, shade)))
        faint["foreground", shade] = ratio
    assert {pair: round(ratio, 2) for pair, ratio in faint.items() if ratio < least} == {}
    assert len(set(palette.series)) == 8


def test_no_other_file_of_the_app_names_a_colour():
    folder = Path(tlcourse.tui.__file__).parent
    files = [path for path in folder.rglob("*") if path.suffix in (".py", ".tcss") and path.name != "themes.py"]
    named = {
        path.name: found for path in files if (found := re.findall(r"#[0-9A-Fa-f]{6}\b|\brgb\(", path.read_text()))
    }
    assert len(files) > 30
    assert named == {}


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "words"), [("quiz-answered", "✓ right"), ("exercise-bench", "0.981")])
async def test_what_is_on_the_screen_changes_with_the_theme_within_tables_too(visit, config, stop, words):
    async with visit(80, 40) as person:
        await STOPS[stop](person)
        for name, palette in PALETTES.items():
            person.app.theme = name
            await person.press()
            assert fronts(person, words) == {palette.good}


@pytest.mark.slow
async def test_a_theme_of_the_palette_is_kept_beside_all_else_that_the_file_says(visit, config):
    config.write_text("# mine\nkeys:\n  quit: z\nprofiles:\n  moon:\n    gpus: 1  # small\n")
    async with visit(80, 24) as person:
        assert person.app.theme == "dark"
        await person.choose("theme light", "Theme: light")
        assert person.app.theme == "light"
    assert config.read_text().startswith("# mine\nkeys:\n  quit: z\nprofiles:\n  moon:\n    gpus: 1  # small\n")
    assert load_config().theme == "light"
    async with visit(80, 24) as person:
        assert person.app.theme == "light"
        person.app.choose_theme("high-contrast")
    assert load_config().theme == "high-contrast"
    assert load_profiles()["moon"].gpus == 1


@pytest.mark.slow
async def test_a_theme_that_there_is_not_gets_one_message_and_the_app_works(visit, config):
    config.write_text("keys:\n  quit: z\ntheme: purple\n")
    async with visit(100, 30) as person:
        assert ["config.yaml:3: theme" in message for message in told(person)] == [True]
        assert "dark, high-contrast, light, no-colour" in told(person)[0]
        assert person.app.theme == "dark"
        await person.press("6")
        await person.sees("› Progress")
        person.app.choose_theme("light")  # the file is not written over
        await person.press()
        assert person.app.theme == "light"
        assert "for this visit alone" in told(person)[-1]
    assert config.read_text() == "keys:\n  quit: z\ntheme: purple\n"


async def test_where_the_choice_cannot_be_kept_it_holds_for_this_visit_and_that_is_said(visit, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(tmp_path / "file" / "config.yaml"))
    async with visit(100, 30) as person:
        person.app.choose_theme("light")
        await person.press()
        assert person.app.theme == "light"
        assert "cannot be written" in told(person)[-1]


@pytest.mark.slow
async def test_no_color_goes_before_every_choice(visit, config, monkeypatch):
    config.write_text("theme: light\n")
    monkeypatch.setenv("NO_COLOR", "1")
    async with visit(80, 24) as person:
        assert person.app.theme == NO_COLOUR
        person.app.choose_theme("dark")
        await person.press()
        assert "unset NO_COLOR" in told(person)[-1]
        await STOPS["quiz-answered"](person)
        await person.press()
        colours = [colour for _, style in drawn(person) for colour in (style.color, style.bgcolor) if colour]
        assert colours
        assert all(colour.is_default for colour in colours)
    assert config.read_text() == "theme: light\n"


@pytest.mark.parametrize("name", NAMES)
async def test_the_line_under_the_cursor_is_in_reverse_video_in_every_theme(visit, config, name):
    config.write_text(f"theme: {name}\n")
    async with visit(80, 24) as person:
        lines = {text.strip() for text, style in drawn(person) if style.reverse and any(map(str.isalpha, text))}
        assert len(lines) == 1
        assert "Practicalities" in lines.pop()  # nothing but the cursor is in reverse


@pytest.mark.slow
async def test_so_is_that_of_a_list_in_a_dialog(visit, config):
    config.write_text(f"theme: {NO_COLOUR}\n")
    async with visit(100, 30) as person:
        await person.go("lesson/multi-task-learning")
        await person.press("x")
        lines = [text for text, style in drawn(person) if style.reverse and any(map(str.isalpha, text))]
        assert len(lines) == 1
        await person.press("down")
        assert [text for text, style in drawn(person) if style.reverse and any(map(str.isalpha, text))] != lines
