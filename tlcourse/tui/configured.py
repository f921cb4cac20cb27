"""What of the app is chosen in the configuration file: its theme and its keys. What is wrong there is said once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tlcourse.errors import TlcourseError
from tlcourse.tui.themes import NO_COLOUR, PALETTES

if TYPE_CHECKING:
    from tlcourse.tui.app import CourseApp

_CHECK_KEYS_S = 0.5
_USUAL = next(iter(PALETTES))


def theme_at_start() -> str:
    """The theme before the configuration was read: NO_COLOR is heeded by all programs, and goes before it."""
    return NO_COLOUR if os.environ.get("NO_COLOR") else _USUAL


def apply(app: CourseApp) -> None:
    """Theme and keys as the file has them; where it does not hold, it is said, and the usual ones stay."""
    from tlcourse.execution.cluster.profile import config_path, load_config

    if not config_path().exists():
        return
    try:
        chosen = load_config()
    except TlcourseError as error:
        app.notify(f"{error.what}\n{error.remedy}", severity="warning", timeout=10, markup=False)
        return
    if chosen.theme and theme_at_start() != NO_COLOUR:
        app.theme = chosen.theme
    if chosen.keys:
        app.set_keymap(chosen.keys)
        app.set_timer(_CHECK_KEYS_S, lambda: _check_keys(app, chosen.keys))


def _check_keys(app: CourseApp, chosen: dict[str, str]) -> None:
    from tlcourse.tui.keys import names, problems

    for problem in problems(chosen, names(type(app))):
        app.notify(problem, severity="warning", timeout=10, markup=False)


def choose_theme(app: CourseApp, name: str) -> None:
    """Another theme, now and at every start from now on."""
    from tlcourse.execution.cluster.config_text import set_theme, write_config
    from tlcourse.execution.cluster.profile import config_path, read_config

    if theme_at_start() == NO_COLOUR != name:
        app.notify("NO_COLOR is set, so there is no colour. To have one: unset NO_COLOR", timeout=8, markup=False)
        return
    app.theme = name
    file = config_path()
    try:
        write_config(set_theme(read_config(file), name, file), file)
    except TlcourseError as error:
        said = f"{error.what}\nSo the theme is kept for this visit alone."
        app.notify(said, severity="warning", timeout=10, markup=False)
