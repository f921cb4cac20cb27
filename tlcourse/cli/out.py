"""What commands print: data on stdout, words for people on stderr once stdout carries data."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import typer

from tlcourse.errors import TlcourseError


def document(value: Any) -> None:
    """One JSON document on stdout. NaN and infinities become null, as JSON has none."""
    import msgspec

    data = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(data.decode() + "\n")


def event(value: Any) -> None:
    """One JSON line on stdout, at once."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def say(text: str = "") -> None:
    """A line for people, on stdout."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(text + "\n")


@contextlib.contextmanager
def waiting(what: str, *, quiet: bool = False) -> Iterator[None]:
    """While this lasts, `what` and a sign that it goes on, on stderr where it is a terminal; `quiet`: nothing."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    from rich.console import Console

    with Console(file=sys.stderr).status(what, spinner="line"):
        yield


def paint(text: str, colour: str, *, plain: bool, stream: Any = None) -> str:
    """`text` in a colour where a person looks at a terminal that shows some."""
    stream = stream or sys.stdout
    if plain or os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return str(typer.style(text, fg=colour, bold=True))


def complain(error: TlcourseError, *, document: bool = True) -> None:
    """The one message of an error: on stderr, and as a `document` on stdout where one was asked for."""
    import json  # what goes well needs none

    sys.stdout.flush()
    fields = {"what": error.what, "cause": error.cause, "remedy": error.remedy}
    if not document:
        pass
    elif "--events" in sys.argv:
        sys.stdout.write(json.dumps({"v": 1, "type": "error", **fields}) + "\n")
    elif "--json" in sys.argv:
        sys.stdout.write(json.dumps({"schema": 1, "error": fields, "exit_code": int(error.exit_code)}, indent=2) + "\n")
    sys.stderr.write("tlcourse: " + "\n  ".join(error.lines()) + "\n")
