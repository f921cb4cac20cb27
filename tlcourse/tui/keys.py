"""Keys that a person has changed: `keys:` of the configuration file, from the name of a binding to the keys that do it.

    keys:
      exercise.grade: ctrl+g
      home.review: v,f5

The names are those that the help (`?`) shows beside each key.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

import tlcourse.tui.screens


def names(app: type[App[int]]) -> dict[str, str]:
    """The name of every key that has one, and what it does. Imports all screens: not before the first paint."""
    owners: list[type[App[int]] | type[Screen[None]]] = [app]
    for module in pkgutil.iter_modules(tlcourse.tui.screens.__path__):
        members = vars(importlib.import_module(f"tlcourse.tui.screens.{module.name}")).values()
        owners += [one for one in members if inspect.isclass(one) and issubclass(one, Screen)]
    bindings = (one for owner in owners for one in owner.BINDINGS if isinstance(one, Binding))
    return {one.id: one.description for one in bindings if one.id}


def problems(chosen: dict[str, str], known: Iterable[str]) -> list[str]:
    """What is wrong with the chosen keys, one sentence each."""
    known = set(known)
    said = [
        f"keys: {name!r} is the name of no key; the help (?) shows the names."
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
