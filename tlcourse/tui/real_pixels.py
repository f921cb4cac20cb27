"""Pictures in pixels of their own, where the terminal has them (Sixel, Kitty) and `textual-image` is installed.

That package asks the terminal what it can when it is imported, and the answer comes as if it had been typed: once the
app reads keys it would be lost. So `ask` is called before the app starts, and whoever draws looks at `widget`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

from textual.widget import Widget

_found: type[Widget] | None = None


def ask() -> None:
    """Find out what the terminal can; costs nothing where the package is not installed or colours are not wanted."""
    global _found
    asked = sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if not asked or importlib.util.find_spec("textual_image") is None:
        return
    from textual_image import renderable

    if renderable.Image in (renderable.SixelImage, renderable.TGPImage):  # its half-blocks are no finer than ours
        from textual_image.widget import Image

        _found = Image


def widget(picture: Any) -> Widget | None:
    """A widget that shows a picture of Pillow's in true pixels, or None where the terminal has none."""
    return None if _found is None else _found(picture)


def available() -> bool:
    """Whether `widget` gives any."""
    return _found is not None
