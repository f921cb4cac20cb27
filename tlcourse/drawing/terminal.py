"""What a terminal's font can show."""

from __future__ import annotations

import os
from typing import Literal

Drawing = Literal["braille", "block", "ascii"]
"""What curves are made of."""


def drawing(ascii_only: bool = False) -> Drawing:
    """What this terminal can show: the Linux console's fonts have half-blocks, and no braille."""
    return "ascii" if ascii_only else "block" if os.environ.get("TERM", "") in ("linux", "vt220") else "braille"
