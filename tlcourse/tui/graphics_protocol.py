"""Graphics protocols of terminals: pictures in real pixels, where there is one (Sixel, Kitty) and `textual-image`.

The answer of a terminal comes as if it had been typed: once the app reads keys it would be lost. So it is `asked` while
the app is still imported, and whoever draws looks at `widget`. Most terminals have neither protocol: for them the
package, which asks again and waits for each answer, is not imported.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import select
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.widget import Widget

_found: type[Widget] | None = None
_ASK = b"\x1b_Gi=1,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
"""Whether it takes a picture of Kitty's; then what it is, which every terminal says (DA1), and with it that it has said
all."""
_IS = re.compile(rb"\x1b\[\?([\d;]*)c\Z")
_KITTY_OK, _SIXEL = b"\x1b_Gi=1;OK\x1b\\", b"4"
_ASK_NAME, _NAMED = b"\x1b[>0q", re.compile(rb"\x1b\\\Z")
_ANSWERS_S = 0.1
_OLD_KITTY = re.compile(rb"kitty\(0\.(?:1?\d|2[0-7])\.")
"""Kitty places pictures by characters from 0.28 on; before, it shows an empty box for each of these."""


@contextlib.contextmanager
def asked(*, wanted: bool = True) -> Iterator[None]:
    """Ask the terminal what it can when this begins, and find out when it ends: imports take longer than its answer.

    Asks nothing where the package is not installed, colours are not wanted, or there is no terminal.
    """
    at_one = sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if not (wanted and at_one) or importlib.util.find_spec("textual_image") is None:
        yield
        return
    if sys.platform == "win32":  # a console there is asked by the package alone
        yield
        _look()
        return
    import termios
    import tty

    keys, screen = sys.stdin.fileno(), sys.stdout.fileno()
    before, said = termios.tcgetattr(keys), b""
    try:
        tty.setcbreak(keys, termios.TCSANOW)  # or the answer would be seen
        os.write(screen, _ASK)
        until = time.monotonic() + _ANSWERS_S
        yield
        said = _answer(keys, _IS, until)
        kitty = _KITTY_OK in said
        if kitty:
            os.write(screen, _ASK_NAME)
            kitty = not _OLD_KITTY.search(_answer(keys, _NAMED, time.monotonic() + _ANSWERS_S))
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)
    is_ = _IS.search(said)
    if kitty or (is_ and _SIXEL in is_[1].split(b";")):
        _look()


def _look() -> None:
    """Let the package find out which of its protocols it is; its half-blocks are no finer than ours."""
    global _found
    from textual_image import renderable

    if renderable.Image in (renderable.TGPImage, renderable.SixelImage):
        from textual_image.widget import Image

        _found = Image


def _answer(keys: int, end: re.Pattern[bytes], until: float) -> bytes:
    """What comes up to that end, or until then; what was typed after it stays where it is."""
    said = b""
    while not end.search(said) and select.select([keys], [], [], max(until - time.monotonic(), 0))[0]:
        if not (read := os.read(keys, 1)):
            break
        said += read
    return said


def widget(picture: Any) -> Widget | None:
    """A widget that shows a picture of Pillow's in true pixels, or None where the terminal has none."""
    return None if _found is None else _found(picture)


def available() -> bool:
    """Whether `widget` gives any."""
    return _found is not None
