"""Python's full garbage collection, when nobody is typing.

It looks at every object that there is, which takes as long as painting a screen, and comes by itself in the middle of
painting one. So the app does it: when there is something to look for, and no key was pressed for a moment.
"""

from __future__ import annotations

import gc
import time

LOOK_S = 0.1
"""How often to look whether it is time."""
_QUIET_S = 0.3
_LATEST_S = 60.0
_DUE = 3  # collections of younger objects after which Python itself would do a full one
_NEVER = 1_000_000
_YOUNG = (10_000, 10)
"""Objects, and collections. With Python's own 700 a dialog that opens waits for a hundred of them; with 50,000 one took
50 to 100 ms, and each tenth 200, in the middle of turning a lesson's pages.
"""


def not_yet() -> None:
    """No collection until there is a `GcScheduler`: a start makes much and leaves little."""
    gc.disable()


class GcScheduler:
    """Schedules the full collections, from when it is made; from then on Python does the others."""

    def __init__(self) -> None:
        self._key = self._last = time.monotonic()
        gc.enable()  # `not_yet` has disabled it
        gc.freeze()  # the course and the program's code stay: no collection need look at them
        self._before = gc.get_threshold()
        gc.set_threshold(*_YOUNG, _NEVER)

    def key_pressed(self) -> None:
        """Somebody is typing."""
        self._key = time.monotonic()

    def look(self) -> bool:
        """Collect, if it is time; whether it was."""
        now = time.monotonic()
        quiet = now - self._key >= _QUIET_S or now - self._last >= _LATEST_S
        if not quiet or gc.get_count()[2] < _DUE:
            return False
        from tlcourse.tui.textual_private import forget_drawn_lines  # Textual, whose import is what waits for `not_yet`

        forget_drawn_lines()
        gc.collect()
        self._last = now
        return True

    def end(self) -> None:
        """Give them back to Python."""
        gc.set_threshold(*self._before)
        gc.unfreeze()
