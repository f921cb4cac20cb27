"""Draws the pictures of these documents from the app itself: `python docs/images/draw.py`."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCREENS = {
    "home": ("", []),
    "quiz": ("quiz/residual-connections", ["c", "enter"]),
    "exercise": ("exercise/ex2", []),
}


def plain(svg: str) -> str:
    """Without the fonts that the picture would fetch from elsewhere: any monospaced one will do."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
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
        async with app.run_test(size=size) as pilot:
            app.theme = theme
            place, keys = where
            if place:
                app.go(place)
                await pilot.pause(0.5)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.5)
            await pilot.pause(1.0)
            drawn = plain(app.export_screenshot(title=title))
        app.record.close()
    return drawn


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
    """Each screen at 100×30 in the usual theme, and one of them small in all themes."""
    from tlcourse.tui.themes import WHAT

    for name, where in SCREENS.items():
        (HERE / f"{name}.svg").write_text(await shown(where, (100, 30), "dark", "tlcourse start"), "utf-8")
    themes = [await shown(SCREENS["quiz"], (72, 18), name, f"theme: {name}") for name in WHAT]
    (HERE / "themes.svg").write_text(side_by_side(themes), "utf-8")


if __name__ == "__main__":
    asyncio.run(draw())
