"""The last line: the keys that work now, as many as fit the terminal; a click on one presses it.

One widget with one line of text. Textual's footer makes a widget of each key anew whenever the focus moves, and styles
each of them three times: that took longer than all else that a key did (decision 541).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import Struct
from textual.events import Leave, MouseDown, MouseMove
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from tlcourse.tui.text import Text

if TYPE_CHECKING:
    from textual.binding import ActiveBinding

    from tlcourse.tui.screens.frame import CourseScreen

_KEPT = ("help", "leave_app")
"""Whoever knows these two finds all others."""
_IN_FIELDS = ("enter", "escape", "f1")
_USUAL, _TIGHT = 4, 3
"""Columns that a key takes beside its words: with a space at either end, and without."""


class ShownKey(Struct, frozen=True):
    """A key of the last line."""

    key: str
    shown: str
    """How the key is written."""
    what: str
    action: str
    tooltip: str


class KeyLine(Static):
    """The keys that work now."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.keys: list[ShownKey] = []
        self.ends: list[int] = []
        """Behind which column each of them ends."""
        self._pointed: ShownKey | None = None
        self._drawn: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Follow the keys of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if self.app.app_focus and screen is self.screen:
            self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """Another width has room for more keys, or for fewer."""
        if self.keys:
            self.call_after_refresh(self.show)

    def show(self) -> None:
        """Write the line anew, where it is another one."""
        if not self.is_attached:
            return
        keys = self._that_work()
        width = self.app.size.width
        beside = _USUAL if _taken(keys, _USUAL) <= width else _TIGHT
        while _taken(keys, beside) > width and (extra := [key for key in keys if key.action not in _KEPT]):
            keys.remove(extra[-1])
        drawn = (keys, beside, self._pointed)
        if drawn == self._drawn:
            return
        self.keys, self._drawn = keys, drawn
        text, self.ends = Text(no_wrap=True), []
        margin = " " if beside == _USUAL else ""
        for key in keys:
            back = " on $block-hover-background" if key == self._pointed else ""
            text.append(f"{margin}{key.shown}{margin}", style=f"bold $footer-key-foreground{back}")
            text.append(
                f"{key.what}{margin}" if margin else f" {key.what}", style=f"$footer-description-foreground{back}"
            )
            self.ends.append(text.cell_len)
            text.append(" " if margin else "  ")
        self.update(text, layout=False)

    def _that_work(self) -> list[ShownKey]:
        screen = cast("CourseScreen", self.screen)
        active, found = screen.active_bindings, dict[str, ShownKey]()
        for one in active.values():
            action = one.binding.action
            if one.binding.show and action not in found and screen.works(action):
                found[action] = self._shown(one, screen.says(action))
        keys = list(found.values())
        if isinstance(screen.focused, (Input, TextArea)):  # what is left while all letters go into it
            there = {key.key for key in keys}
            keys += [self._shown(active[key]) for key in _IN_FIELDS if key in active and key not in there]
        return keys

    def _shown(self, one: ActiveBinding, says: str = "") -> ShownKey:
        binding = one.binding
        shown = self.app.get_key_display(binding)
        return ShownKey(binding.key, shown, says or binding.description, binding.action, one.tooltip)

    # -- the mouse -------------------------------------------------------------------------------------------------

    def _at(self, column: int) -> ShownKey | None:
        return next((key for key, end in zip(self.keys, self.ends, strict=True) if column < end), None)

    def on_mouse_down(self, event: MouseDown) -> None:
        """A click on a key presses it."""
        if (key := self._at(event.x)) is not None:
            self.app.simulate_key(key.key)

    def on_mouse_move(self, event: MouseMove) -> None:
        """The key under the mouse stands out, and says more where there is more to say."""
        self._point_at(self._at(event.x))

    def on_leave(self, event: Leave) -> None:
        """No key is under the mouse."""
        self._point_at(None)

    def _point_at(self, key: ShownKey | None) -> None:
        if key != self._pointed:
            self._pointed = key
            self.tooltip = key.tooltip or None if key else None
            self.show()


def _taken(keys: list[ShownKey], beside: int) -> int:
    return sum(len(key.shown) + len(key.what) + beside for key in keys)
