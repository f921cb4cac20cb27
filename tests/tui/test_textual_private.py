"""The parts of Textual that are not public are as the app needs them; an upgrade that changes one fails here first."""

from __future__ import annotations

import re
from pathlib import Path

from textual.app import App

from tlcourse.tui import textual_private
from tlcourse.tui.textual_private import active_app

PACKAGE = Path(textual_private.__file__).parent
PRIVATE = re.compile(r"(?:from|import) textual(?:\.[a-z]\w*)*\._|\b_compositor\b")


def test_one_file_alone_uses_what_is_not_public():
    users = {path.name for path in PACKAGE.rglob("*.py") if PRIVATE.search(path.read_text(encoding="utf-8"))}
    assert users == {"textual_private.py"}


async def test_the_active_app_is_the_one_that_runs():
    async with App[None]().run_test() as pilot:
        assert active_app.get() is pilot.app
