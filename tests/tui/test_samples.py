"""Samples in the app: seen at every size, leafed through by keys, in true pixels where there are some."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import termios
import threading
import tty as tty_module
from pathlib import Path

import pytest
from drawn import drawn

from tlcourse.tui.themes import PALETTES

EXAMPLE = Path(__file__).parent.parent / "example_course"


@pytest.fixture
def colours(monkeypatch):
    """A terminal with all colours."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.slow
async def test_the_exercise_leads_to_its_samples(visit, colours):
    async with visit(80, 24) as person:
        await person.go("exercise/ex2")
        await person.press("v")
        assert "practice seeds" in await person.sees("1: 3 points, radius 13.0")
        await person.press("e")
        assert person.app.screen.__class__.__name__ == "ExerciseScreen"
        assert len(person.app.screen_stack) == 2  # the same one, not another on top


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 20), pytest.param((120, 40), marks=pytest.mark.nightly)], ids=str)
async def test_keys_leaf_through_them(visit, size, colours):
    async with visit(*size) as person:
        await person.go("samples/ex2")
        shown = await person.sees("1: 3 points, radius 13.0")
        assert "▀▀▀▀▀▀▀▀▀▀▀▀" in shown
        await person.press("left")
        await person.sees("These are the first ones")
        count = len(person.app.screen.query_one("#samples").examples)
        await person.press("right")
        await person.sees(f"{count + 1}: ")
        assert f"--first {count + 1}" in person.app.screen.cli_equivalent
        await person.press("left")
        await person.sees("1: 3 points")
        await person.press("z")
        await person.sees("Sample 1,")
        await person.press("e")
        assert person.app.screen.__class__.__name__ == "ExerciseScreen"


async def test_without_colours_the_shape_is_still_there_and_all_of_it_is_ascii(visit, colours):
    async with visit(80, 24, ascii_only=True) as person:
        await person.go("samples/ex2")
        await person.sees("2: 7 points")
        assert "@@@" in person.screen
        await person.go("samples/ex3")
        shown = await person.sees("two-humped: median")
        assert shown.isascii()
        assert "###" in shown


async def test_no_colour_is_used_where_none_is_wanted(visit, colours, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with visit(80, 24) as person:
        await person.go("samples/ex1")
        shown = await person.sees("1: an ant (label 0)")
        assert "▀" not in shown


async def test_the_theme_without_colours_has_none_here_either(visit, colours):
    async with visit(80, 24) as person:
        person.app.choose_theme("no-colour")
        await person.go("samples/ex1")
        assert "▀" not in await person.sees("1: an ant (label 0)")


async def test_distributions_have_the_hues_of_the_theme_and_change_with_it(visit, colours):
    async with visit(80, 24) as person:
        await person.go("samples/ex3")
        await person.sees("two-humped: median")
        for name in ("dark", "light", "high-contrast"):
            person.app.choose_theme(name)
            hue = PALETTES[name].series[0].lower()
            await person.until(lambda hue=hue: hue in hill_hues(person), name)
            assert len(hill_hues(person)) == 1


def hill_hues(person) -> set[str]:
    """The colours in which hills are drawn."""
    return {style.color.name.lower() for text, style in drawn(person) if "█" in text and style.color}


@pytest.mark.slow
async def test_until_the_first_run_the_bench_shows_two_of_them(visit, colours):
    async with visit(120, 40) as person:
        await person.go("exercise/ex1")
        shown = await person.sees("2: a bee (label 1)")
        assert "Its data (v shows more)" in shown


@pytest.mark.slow
async def test_the_lesson_of_the_exercise_shows_them_and_others_say_why_not(visit):
    async with visit(100, 30) as person:
        unit = next(unit for unit in person.app.course.about.units if unit.exercises)
        await person.go(f"lesson/{unit.id}")
        await person.press("v")
        await person.sees("practice seeds")
        assert person.app.screen.exercise == unit.exercises[0]
        await person.go("lesson/what-is-transfer-learning")
        await person.press("v")
        await person.sees("has no exercise")


@pytest.mark.slow
async def test_a_course_without_a_generator_says_so(visit):
    async with visit(100, 30, course=EXAMPLE) as person:
        await person.go("exercise/line")
        assert "Its data" not in person.screen
        await person.press("v")
        await person.sees("names no `generator`")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")  # textual-image's, with Pillow 12
async def test_true_pixels_lie_exactly_over_the_half_blocks(visit, colours, monkeypatch):
    from textual_image.widget import HalfcellImage

    from tlcourse.tui import graphics_protocol

    monkeypatch.setattr(
        graphics_protocol, "_found", HalfcellImage
    )  # of its kinds the one that needs no answering terminal
    async with visit(120, 40) as person:
        await person.go("samples/ex1")
        await person.sees("6: an ant")
        gallery = person.app.screen.query_one("#samples")
        await person.until(lambda: len(gallery.children) == 6)
        await person.pilot.pause()
        corner = gallery.region
        side = gallery.children[0].region.width
        for number, child in enumerate(gallery.children):
            row, column = divmod(number, 3)
            assert child.region.offset == (corner.x + column * (side + 2), corner.y + row * (side // 2 + 2))
            assert child.region.size == (side, side // 2)
        await person.press("z")
        await person.sees("Sample 1,")
        await person.until(lambda: len(gallery.children) == 1)


def test_a_terminal_is_not_asked_where_there_is_none(monkeypatch):
    from tlcourse.tui import graphics_protocol

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with graphics_protocol.asked():
        pass
    assert not graphics_protocol.available()
    assert graphics_protocol.widget(None) is None


KITTY = b"\x1b_Gi=1;OK\x1b\\"


@pytest.mark.parametrize(
    ("says", "is_", "name", "found"),
    [
        (KITTY, b"\x1b[?62;c", b"\x1bP>|kitty(0.26.5)\x1b\\", "none"),  # it would show empty boxes
        (KITTY, b"\x1b[?62;c", b"\x1bP>|kitty(0.9.1)\x1b\\", "none"),
        (KITTY, b"\x1b[?62;c", b"\x1bP>|kitty(0.28.0)\x1b\\", "TGPImage"),
        (KITTY, b"\x1b[?62;c", b"\x1bP>|kitty(0.35.2)\x1b\\", "TGPImage"),
        (KITTY, b"\x1b[?62;22c", b"\x1bP>|ghostty 1.1.0\x1b\\", "TGPImage"),
        (KITTY, b"\x1b[?62;c", b"", "TGPImage"),
        (b"", b"\x1b[?64;4;22c", b"", "SixelImage"),
        (b"", b"\x1b[?64;14;44c", b"", "none"),
        (b"\x1b_Gi=1;ENOTSUPPORTED:no\x1b\\", b"\x1b[?62;c", b"", "none"),
        (b"", b"", b"", "none"),
    ],
)
def test_pictures_in_true_pixels_are_for_terminals_that_say_so_and_what_is_typed_then_stays(
    monkeypatch, says, is_, name, found
):
    from textual_image import renderable

    from tlcourse.tui import graphics_protocol

    terminal, screen = os.openpty()
    heard = []

    def answers() -> None:
        heard.append(os.read(terminal, 100))
        os.write(terminal, says + is_ + (b"q" if is_ else b""))
        if says == KITTY:
            heard.append(os.read(terminal, 100))
            os.write(terminal, name)

    with os.fdopen(screen, "r+b", buffering=0) as tty:
        monkeypatch.setattr(sys, "stdin", tty)
        monkeypatch.setattr(sys, "stdout", tty)
        monkeypatch.setattr(renderable, "Image", getattr(renderable, found, renderable.TGPImage))
        monkeypatch.setattr(graphics_protocol, "_found", None)
        monkeypatch.setattr(graphics_protocol, "_ANSWERS_S", 30.0 if is_ and (name or says != KITTY) else 0.5)
        monkeypatch.delenv("NO_COLOR", raising=False)
        before = termios.tcgetattr(screen)
        other_end = threading.Thread(target=answers)
        other_end.start()
        with graphics_protocol.asked():
            pass
        other_end.join()
        assert graphics_protocol.available() == (found != "none")
        assert heard[0].endswith(b"\x1b[c")
        assert len(heard) == 1 or heard[1] == b"\x1b[>0q"
        assert termios.tcgetattr(screen) == before
        if is_ and not name and says != KITTY:
            tty_module.setcbreak(screen, termios.TCSANOW)
            assert os.read(screen, 10) == b"q"
    os.close(terminal)


def test_a_terminal_is_as_it_was_where_the_app_does_not_come(monkeypatch):
    from tlcourse.tui import graphics_protocol

    terminal, screen = os.openpty()
    with os.fdopen(screen, "r+b", buffering=0) as tty:
        monkeypatch.setattr(sys, "stdin", tty)
        monkeypatch.setattr(sys, "stdout", tty)
        monkeypatch.delenv("NO_COLOR", raising=False)
        before = termios.tcgetattr(screen)
        with pytest.raises(ZeroDivisionError), graphics_protocol.asked():
            assert not termios.tcgetattr(screen)[3] & termios.ECHO
            raise ZeroDivisionError
        assert termios.tcgetattr(screen) == before
    os.close(terminal)


@pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")
async def test_true_pixels_need_no_colours_of_the_terminals_own(visit, colours, monkeypatch):
    """Xterm has Sixel and says that it has 16 colours."""
    from textual_image.widget import HalfcellImage

    from tlcourse.tui import graphics_protocol
    from tlcourse.tui.widgets import gallery

    monkeypatch.setattr(graphics_protocol, "_found", HalfcellImage)
    monkeypatch.setattr(gallery, "shows_colours", lambda app: False)
    async with visit(120, 40) as person:
        await person.go("samples/ex2")
        await person.until(lambda: person.app.screen.query_one("#samples").children)


def test_numpy_comes_with_the_first_sample_and_torch_never(own_home, tmp_path):
    code = """
import asyncio, sys
from tlcourse.course.loader import load_course
from tlcourse.tui.app import CourseApp

async def visit():
    app = CourseApp(load_course())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "numpy" not in sys.modules, "the first paint waits for numpy"
        app.go("samples/ex1")
        while "numpy" not in sys.modules or not app.screen.query_one("#samples").examples:
            await pilot.pause(0.05)
        assert "torch" not in sys.modules
    app.record.close()
    print("seen")

asyncio.run(visit())
"""
    env = {**os.environ, "TLCOURSE_HOME": str(own_home)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "seen", done.stderr[-2000:]
