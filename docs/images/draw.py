"""Draws the pictures of these documents from the app itself: `python docs/images/draw.py`."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SIZE = (110, 34)
SCREENS = {
    "home": ("", []),
    "lesson": ("lesson/fine-tuning#how-much-to-retrain", []),
    "quiz": ("quiz/residual-connections", ["c", "enter"]),
    "exercise": ("exercise/ex3", ["i", "g"]),
}
PLAYED, FRAMES, FRAME_S = "dann", 9, 1.0
"""The recorded run of the moving picture, and its frames."""
COURSE = "transfer-learning"


def plain(svg: str) -> str:
    """Without the fonts that the picture would fetch from elsewhere (any monospaced one will do), and without clips."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = re.sub(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#[^)]*-line-\d+\)"', "", svg)
    return re.sub(r"font-family: Fira Code, monospace", "font-family: monospace", svg)


async def shown(where: tuple[str, list[str]], size: tuple[int, int], theme: str, title: str) -> str:
    """What the app shows at a place after these keys, in an empty home."""
    from tlcourse.course.loader import load_course
    from tlcourse.tui.app import CourseApp

    with tempfile.TemporaryDirectory() as home:
        os.environ["TLCOURSE_HOME"], os.environ["TLCOURSE_CONFIG"] = home, f"{home}/config.yaml"
        os.chdir(home)
        app = CourseApp(load_course())
        app.record.seed = lambda course: 1  # the options in the same order in every drawing
        begin(app)
        async with app.run_test(size=size) as pilot:
            app.theme = theme
            place, keys = where
            if place:
                app.go(place)
                await pilot.pause(0.5)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.5)
            while any(run.going for run in app.runs.values()):  # a picture of a verdict shows one that was given
                await pilot.pause(0.5)
            await pilot.pause(1.0)
            drawn = plain(app.export_screenshot(title=title))
        app.record.close()
    return drawn


def begin(app: Any) -> None:
    """Some lessons read and some questions answered, so that there is something to see."""
    units = list(app.course.about.units)[:6]
    for number, unit in enumerate(units):
        app.record.mark_read(COURSE, unit.id)
        for quiz in unit.quizzes:
            for place, question in enumerate(app.course.quizzes[quiz].questions[: 8 - number]):
                app.record.record_answer(COURSE, quiz, question.id, 0, correct=place % 4 != 3)
    app.record.keep_place(COURSE, "lesson/fine-tuning")
    app.changed()


async def played() -> str:
    """A recorded run of a lab as one picture that moves, and stands at its end where motion is not wanted."""
    from tlcourse.course.loader import load_course
    from tlcourse.tui.app import CourseApp

    frames: list[str] = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["TLCOURSE_HOME"], os.environ["TLCOURSE_CONFIG"] = home, f"{home}/config.yaml"
        app = CourseApp(load_course())
        async with app.run_test(size=SIZE) as pilot:
            app.go(f"play/{PLAYED}/0")
            for _ in range(FRAMES):
                await pilot.pause(FRAME_S)
                frames.append(plain(app.export_screenshot(title=f"tlcourse lab play {PLAYED}")))
        app.record.close()
    box = re.search(r'viewBox="([^"]+)"', frames[0])
    assert box is not None
    whole, share = len(frames) * FRAME_S, 100 / len(frames)
    style = (
        f".frame {{ visibility: hidden; animation: shown {whole:.1f}s step-end infinite }}\n"
        f"@keyframes shown {{ 0% {{ visibility: visible }} {share:.2f}% {{ visibility: hidden }} }}\n"
        "@media (prefers-reduced-motion: reduce) { .frame { animation: none } .frame.last { visibility: visible } }\n"
    )
    parts = []
    for number, one in enumerate(frames):
        last = " last" if number == len(frames) - 1 else ""
        delay = f"animation-delay: {number * FRAME_S:.1f}s"
        parts.append(f'<g class="frame{last}" style="{delay}">{one.strip()}</g>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1]}">\n<style>{style}</style>\n'
    return head + "\n".join(parts) + "\n</svg>\n"


def side_by_side(pictures: list[str]) -> str:
    """Two pictures a row, at half their size."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', pictures[0])
    assert box is not None
    wide, high = (float(side) / 2 for side in box.groups())
    parts = []
    for number, one in enumerate(pictures):
        x, y = (number % 2) * (wide + 8), (number // 2) * (high + 8)
        place = f'<svg x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" '
        parts.append(one.strip().replace("<svg ", place, 1))
    rows = (len(pictures) + 1) // 2
    box = f"0 0 {2 * wide + 8:.1f} {rows * (high + 8) - 8:.1f}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">\n' + "\n".join(parts) + "\n</svg>\n"


async def draw() -> None:
    """Each screen in the usual theme, one of them small in all themes, and a run that is played."""
    from tlcourse.tui.themes import WHAT

    for name, where in SCREENS.items():
        (HERE / f"{name}.svg").write_text(await shown(where, SIZE, "dark", "tlcourse start"), "utf-8")
    themes = [await shown(SCREENS["quiz"], (72, 18), name, f"theme: {name}") for name in WHAT]
    (HERE / "themes.svg").write_text(side_by_side(themes), "utf-8")
    (HERE / "play.svg").write_text(await played(), "utf-8")


if __name__ == "__main__":
    asyncio.run(draw())
