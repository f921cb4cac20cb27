"""The parts of Textual that are not public are as the app needs them; an upgrade that changes one fails here first."""

from __future__ import annotations

import re
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import Footer

from tlcourse.tui import textual_private
from tlcourse.tui.textual_private import FooterKey, active_app, forget_watchers

PACKAGE = Path(textual_private.__file__).parent
PRIVATE = re.compile(r"(?:from|import) textual(?:\.[a-z]\w*)*\._|\"__watchers\"|\b_compositor\b")


class Small(App[None]):
    """A footer with one key."""

    BINDINGS = [("x", "quit", "End")]  # noqa: RUF012 - Textual's

    def compose(self) -> ComposeResult:
        yield Footer()


def test_one_file_alone_uses_what_is_not_public():
    users = {path.name for path in PACKAGE.rglob("*.py") if PRIVATE.search(path.read_text(encoding="utf-8"))}
    assert users == {"textual_private.py"}


async def test_the_active_app_is_the_one_that_runs():
    async with Small().run_test() as pilot:
        assert active_app.get() is pilot.app


async def test_a_footer_is_made_of_its_keys_and_watches_them():
    async with Small().run_test() as pilot:
        await pilot.pause()
        footer = pilot.app.query_one(Footer)
        keys = list(footer.query(FooterKey))
        shown = [(key.key, key.key_display, key.description, key.action) for key in keys]
        assert ("x", "x", "End", "quit") in shown
        bound = [pair for pairs in getattr(footer, textual_private.WATCHERS).values() for pair in pairs]
        assert any(isinstance(watcher, FooterKey) for watcher, _ in bound)
        forget_watchers(footer, FooterKey)
        left = [pair for pairs in getattr(footer, textual_private.WATCHERS).values() for pair in pairs]
        assert not any(isinstance(watcher, FooterKey) for watcher, _ in left)
