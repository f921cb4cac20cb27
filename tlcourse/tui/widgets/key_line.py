"""The last line: the keys that work here. Of those that do not fit, the last ones are left to the help (`?`)."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer, Input, TextArea

from tlcourse.tui.textual_private import FooterKey, forget_watchers

_KEPT = ("help", "leave_app")
"""Whoever knows these two finds all others."""
_IN_FIELDS = ("enter", "escape", "f1")
_USUAL, _TIGHT = 4, 3
"""Columns that a key takes beside its words, with Textual's spacing and without."""


class KeyLine(Footer):
    """Textual's footer, within the width of the terminal."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._fitted = 0

    def compose(self) -> ComposeResult:
        """The keys that fit, closer together where that helps."""
        forget_watchers(self, FooterKey)
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        if isinstance(self.screen.focused, (Input, TextArea)):
            keys += self._of_a_field({key.key for key in keys})
        self._fitted = width = self.app.size.width
        self.compact = _taken(keys, _USUAL) > width
        beside = _TIGHT if self.compact else _USUAL
        while _taken(keys, beside) > width and (extra := [key for key in keys if key.action not in _KEPT]):
            keys.remove(extra[-1])
        yield from keys

    def _of_a_field(self, shown: set[str]) -> list[FooterKey]:
        """What is left while all letters go into a field."""
        active = self.screen.active_bindings
        bindings = [active[key].binding for key in _IN_FIELDS if key in active and key not in shown]
        return [
            FooterKey(key.key, self.app.get_key_display(key), key.description, key.action).data_bind(
                compact=Footer.compact
            )
            for key in bindings
        ]

    def on_resize(self) -> None:
        """Another width has room for more keys, or for fewer."""
        if self._fitted != self.app.size.width:
            self.call_after_refresh(self.recompose)


def _taken(keys: list[FooterKey], beside: int) -> int:
    return sum(len(key.key_display) + len(key.description) + beside for key in keys)
