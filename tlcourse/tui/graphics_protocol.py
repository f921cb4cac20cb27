"""Graphics protocols of terminals: pictures in real pixels, where there is one (Sixel, Kitty) and `textual-image`.

That package asks the terminal what it can when it is imported, and the answer comes as if it had been typed: once the
app reads keys it would be lost. So `ask` is called before the app starts, and whoever draws looks at `widget`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import select
import sys
import time
from typing import Any

from textual.widget import Widget

_found: type[Widget] | None = None
_ASK_NAME, _NAME_ENDS = b"\x1b[>0q", b"\x1b\\"
_ANSWERS_S = 0.1
_OLD_KITTY = re.compile(r"kitty\(0\.(?:1?\d|2[0-7])\.")
"""Kitty places pictures by characters from 0.28 on; before, it shows an empty box for each of these."""


def ask() -> None:
    """Find out what the terminal can; costs nothing where the package is not installed or colours are not wanted."""
    global _found
    asked = sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if not asked or importlib.util.find_spec("textual_image") is None:
        return
    from textual_image import renderable

    kitty = renderable.Image is renderable.TGPImage
    placed = kitty and not _OLD_KITTY.search(_name(sys.stdin.fileno(), sys.stdout.fileno()))
    if placed or renderable.Image is renderable.SixelImage:  # its half-blocks are no finer than ours
        from textual_image.widget import Image

        _found = Image


def _name(keys: int, screen: int) -> str:
    """Name and version of a terminal that tells them (XTVERSION); empty where it does not in time."""
    import termios  # a terminal with Kitty's protocol is never Windows' own
    import tty

    before, answer, until = termios.tcgetattr(keys), b"", time.monotonic() + _ANSWERS_S
    try:
        tty.setcbreak(keys)
        os.write(screen, _ASK_NAME)
        while _NAME_ENDS not in answer and select.select([keys], [], [], max(until - time.monotonic(), 0))[0]:
            if not (read := os.read(keys, 1024)):
                break
            answer += read
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)
    return answer.decode(errors="replace")


def widget(picture: Any) -> Widget | None:
    """A widget that shows a picture of Pillow's in true pixels, or None where the terminal has none."""
    return None if _found is None else _found(picture)


def available() -> bool:
    """Whether `widget` gives any."""
    return _found is not None
