"""Draws the pictures of these documents from the app itself: `python docs/images/draw.py`."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCREENS = {
    "home": [],
    "quiz": ["3", "b", "enter"],
    "exercise": ["4"],
}


def plain(svg: str) -> str:
    """Without the fonts that the picture would fetch from elsewhere: any monospaced one will do."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    return re.sub(r"font-family: Fira Code, monospace", "font-family: monospace", svg)


async def draw() -> None:
    """Open each screen at 100×30 in an empty home, and keep what it shows."""
    from tlcourse.course.loader import load_course
    from tlcourse.tui.app import CourseApp

    for name, keys in SCREENS.items():
        with tempfile.TemporaryDirectory() as home:
            os.environ["TLCOURSE_HOME"] = home
            os.chdir(home)
            app = CourseApp(load_course())
            async with app.run_test(size=(100, 30)) as pilot:
                for key in keys:
                    await pilot.press(key)
                    await pilot.pause(0.5)
                await pilot.pause(1.0)
                (HERE / f"{name}.svg").write_text(plain(app.export_screenshot(title="tlcourse start")), "utf-8")
            app.record.close()


if __name__ == "__main__":
    asyncio.run(draw())
