"""The keys that work here (`?`): of the field or list in use, of the screen below and of the app."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from tlcourse.tui.screens.frame import Dialog
from tlcourse.tui.text import Text
from tlcourse.tui.textual_private import mounted

_KEYS = "keys"
Keys = list[tuple[str, str, str]]
"""(key, what it does, the name to change it by)"""
_FOCUSED, _HERE, _EVERYWHERE = "What has the focus", "This screen", "Everywhere"
_KINDS = {
    "Choices": "The list",
    "Input": "The field",
    "OwnWordsField": "The field",
    "VerticalScroll": "The page",
    "Bench": "The page",
}


class HelpDialog(Dialog[None]):
    """The keys of the field or list in use, of the screen below and of the app, searched as one types.

    It is made once (`show_keys`): to make and style its widgets takes as long as to draw them.
    """

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[str, Keys] = {}
        self._cli_equivalent = ""

    def compose(self) -> ComposeResult:
        """A field and the list."""
        with Vertical(classes="dialog"):
            yield Static("Keys that work here (type to search, esc closes)", classes="title", markup=False)
            yield Input(placeholder="search")
            yield Static(id="cli_equivalent", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(id="keys", markup=False)

    def tell_of(self, below: Screen[Any]) -> None:
        """Tell the keys of this screen, from now on."""
        self._groups = keys_of(below)
        self._cli_equivalent = str(getattr(below, "cli_equivalent", ""))
        self.forget_below()
        if self.is_mounted:
            self._begin()

    def on_mount(self) -> None:
        """Show all."""
        self.query_one(Input).focus()
        self._begin()

    def _begin(self) -> None:
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = ""
        line = self.query_one("#cli_equivalent", Static)
        line.display = bool(self._cli_equivalent)
        line.update(f"The same without the app: {self._cli_equivalent}")
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self._show("")

    @on(Input.Changed)
    def search(self, event: Input.Changed) -> None:
        """Show what has the words."""
        self._show(event.value.strip().lower())

    def _show(self, wanted: str) -> None:
        text = Text()
        for where, keys in self._groups.items():
            found = [one for one in keys if wanted in " ".join(one).lower()]
            if found:
                text.append(f"{where}\n", style="bold $live")
            for key, what, name in found:
                text.append(f"{key:>12}", style="bold").append(f"   {what}").append(f"  {name}\n", style="$muted")
        if not text.plain:
            text.append("No key has these words.\n")
        self.query_one("#keys", Static).update(text)

    def action_scroll(self, by: int) -> None:
        """Scroll the list, from the field."""
        page = self.query_one(VerticalScroll)
        (page.scroll_down if by > 0 else page.scroll_up)(animate=False)


async def make_help(app: App[Any]) -> None:
    """Make the dialog, where it is not there yet."""
    if not app.is_screen_installed(_KEYS):
        app.install_screen(HelpDialog(), _KEYS)
        await mounted(app, _KEYS)


def show_keys(app: App[Any]) -> None:
    """The keys that work now, over what is shown."""
    if not app.is_screen_installed(_KEYS):
        app.install_screen(HelpDialog(), _KEYS)
    dialog = app.get_screen(_KEYS, HelpDialog)
    if dialog not in app.screen_stack:  # the palette may be opened over it
        dialog.tell_of(app.screen)
        app.push_screen(dialog)


def keys_of(screen: Screen[Any]) -> dict[str, Keys]:
    """The keys that work now, each once, by where they come from: what has the focus, the screen, the app."""
    app, focused = screen.app, screen.focused
    groups: dict[str, dict[str, tuple[list[str], str]]] = {}
    order = sorted(screen.active_bindings.values(), key=lambda active: not active.binding.show)  # stable
    for active in order:
        binding = active.binding
        if not binding.description or binding.system:
            continue
        where = _EVERYWHERE if active.node is app else _HERE if active.node is screen else _FOCUSED
        keys, _ = groups.setdefault(where, {}).setdefault(binding.description, ([], binding.id or ""))
        if (shown := app.get_key_display(binding)) not in keys:
            keys.append(shown)
    first = (_FOCUSED, _HERE) if isinstance(focused, (Input, TextArea)) else (_HERE, _FOCUSED)  # a field takes letters
    return {
        (_KINDS.get(type(focused).__name__, where) if where == _FOCUSED else where): [
            (" ".join(keys[:3]), what, name) for what, (keys, name) in groups[where].items()
        ]
        for where in (*first, _EVERYWHERE)
        if where in groups
    }
