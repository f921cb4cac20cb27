"""Images of lessons in characters: half-blocks, each of them two square pixels in their own colours, or dots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlcourse.presenting.pictures import Lines
    from tlcourse.presenting.words import Drawing

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PIXELS = 50_000_000
MAX_COLUMNS, MAX_ROWS = 96, 32
_COLUMN_PX = 8
"""Pixels of a small picture that are a column at least: an icon is not blown up to the whole screen."""


def why_no_image(path: Path) -> str | None:
    """What keeps a file from being shown, as the end of a sentence; None where nothing does."""
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as found:
            found.verify()
            size = found.size
    except Exception as error:  # of damaged files a reader of pictures raises nearly anything
        return f"cannot be read ({type(error).__name__})"
    return None if size[0] * size[1] <= MAX_PIXELS else f"has more than {MAX_PIXELS // 1_000_000} million pixels"


def image(path: Path) -> Any:
    """A picture of Pillow's in RGB, transparent parts white; None where the file cannot be shown."""
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as found:
            if found.size[0] * found.size[1] > MAX_PIXELS:
                return None
            found.thumbnail((4 * MAX_COLUMNS * _COLUMN_PX, 4 * MAX_ROWS * _COLUMN_PX))
            whole = found.convert("RGBA")
    except Exception:  # as above
        return None
    ground = Image.new("RGBA", whole.size, "white")
    return Image.alpha_composite(ground, whole).convert("RGB")


def cells(path: Path, width: int) -> tuple[int, int]:
    """Columns and rows that a picture takes in a text of `width` columns; (0, 0) where it cannot be shown."""
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as found:
            across, down = found.size
    except Exception:  # as above
        return 0, 0
    if across * down > MAX_PIXELS or not across or not down:
        return 0, 0
    columns = max(min(width, MAX_COLUMNS, -(-across // _COLUMN_PX)), 1)
    rows = max(round(columns * down / across / 2), 1)
    if rows > MAX_ROWS:
        columns, rows = max(round(columns * MAX_ROWS / rows), 1), MAX_ROWS
    return columns, rows


def drawn(picture: Any, columns: int, rows: int, *, colour: bool, how: Drawing, dark: bool = True) -> Lines:
    """A picture of Pillow's as so many columns and rows: half-blocks in colours, else as `how` says."""
    import numpy as np

    from tlcourse.presenting import pictures

    return pictures.drawn(np.asarray(picture, dtype=float) / 255, columns, rows, colour=colour, how=how, dark=dark)
