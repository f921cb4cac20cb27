"""The app's settings in the configuration file: its theme and its keys. What is wrong there is said once.

    theme: dark
    motion: off
    keys:
      exercise.grade: ctrl+g
      home.review: v,f5

The names of keys are those that the help (`?`) shows beside each.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

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
    from tlcourse.config import load_config
    from tlcourse.paths import config_file

    if not config_file().exists():
        return
    try:
        chosen = load_config()
    except TlcourseError as error:
        app.notify(f"{error.what}\n{error.remedy}", severity="warning", timeout=10, markup=False)
        return
    if chosen.theme and theme_at_start() != NO_COLOUR:
        app.theme = chosen.theme
    if chosen.motion is not None:
        app.motion_wanted = chosen.motion
    if chosen.keys:
        app.set_keymap(chosen.keys)
        app.set_timer(_CHECK_KEYS_S, lambda: _check_keys(app, chosen.keys or {}))


def _check_keys(app: CourseApp, chosen: dict[str, str]) -> None:
    for problem in problems(chosen, names(type(app))):
        app.notify(problem, severity="warning", timeout=10, markup=False)


def choose_theme(app: CourseApp, name: str) -> None:
    """Another theme, now and at every start from now on."""
    from tlcourse.config import edit_config, set_theme
    from tlcourse.paths import config_file

    if theme_at_start() == NO_COLOUR != name:
        app.notify("NO_COLOR is set, so there is no colour. To have one: unset NO_COLOR", timeout=8, markup=False)
        return
    app.theme = name
    file = config_file()
    try:
        edit_config(lambda text: set_theme(text, name, file), file)
    except TlcourseError as error:
        said = f"{error.what}\nSo the theme is kept for this visit alone."
        app.notify(said, severity="warning", timeout=10, markup=False)


def names(app: type[App[int]]) -> dict[str, str]:
    """The name of every key that has one, and what it does. Imports all screens: not before the first paint."""
    import tlcourse.tui.screens as screens

    owners: list[type[App[int]] | type[Screen[None]]] = [app]
    for module in pkgutil.iter_modules(screens.__path__):
        members = vars(importlib.import_module(f"tlcourse.tui.screens.{module.name}")).values()
        owners += [one for one in members if inspect.isclass(one) and issubclass(one, Screen)]
    bindings = (one for owner in owners for one in owner.BINDINGS if isinstance(one, Binding))
    return {one.id: one.description for one in bindings if one.id}


def problems(chosen: dict[str, str], known: Iterable[str]) -> list[str]:
    """What is wrong with the chosen keys, one sentence each."""
    known = set(known)
    said = [
        f"keys: {name!r} is not the name of a key; the help (?) shows the names."
        for name in sorted(chosen)
        if name not in known
    ]
    by_key: dict[str, list[str]] = {}
    for name in sorted(chosen.keys() & known):
        for key in chosen[name].split(","):
            # keys of one screen, or of the whole app, must differ; two screens may use the same one
            by_key.setdefault(key.strip(), []).append(name)
    for key, users in by_key.items():
        for one in users:
            rivals = [other for other in users if other > one and _meet(one, other)]
            said += [f"keys: {key!r} is given to {one} and to {other}." for other in rivals]
    return said


def _meet(one: str, other: str) -> bool:
    """Whether both may work at once: of the same screen, or one of them everywhere."""
    first, second = (name.partition(".") for name in (one, other))
    return not first[1] or not second[1] or first[0] == second[0]
