"""`tlcourse start` and `serve`: the app in the terminal, or in a browser of this machine."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import socket
import sys
from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.errors import UnableError, UsageError
from tlcourse.own_process import own_command


def start(
    course: CourseFolder = None,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="No character beyond ASCII.")] = False,
) -> None:
    """Open the course in the terminal."""
    served = os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")  # `tlcourse serve`: the screen is a page
    if not served and (not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb"):
        raise UsageError(
            "tlcourse start needs a terminal, and this is not one.",
            cause="input or output is piped, or runs in a job or an editor without a terminal.",
            remedy="use the commands instead: tlcourse lesson list, tlcourse quiz list, tlcourse exercise list, "
            "tlcourse grade ex2 PATH, tlcourse progress (each takes --plain and --json).",
        )
    from tlcourse import logs
    from tlcourse.course.loader import load_course
    from tlcourse.paths import app_log
    from tlcourse.tui.app import run

    log = app_log()
    if logs.wanted():  # stderr is the screen
        logs.into(log)

    code = run(load_course(course), course_folder=course, ascii=ascii_only)
    if logs.wanted():
        out.note(f"The log is in {log}.")
    # Python would take as long again to throw away one by one what the app has made; the record is closed already.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8000,
    let_others_in: Annotated[
        bool, typer.Option("--let-others-in", help="Listen on an address that other machines reach.")
    ] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Show the course in a browser of this machine, until ctrl-c."""
    if importlib.util.find_spec("textual_serve") is None:
        raise UnableError(
            "tlcourse serve needs textual-serve, which is not installed here.",
            cause="tlcourse was installed without its extra `web`.",
            remedy=f"{sys.executable} -m pip install 'textual-serve>=1.1,<2'",
        )
    if not _is_loopback(host):
        _warn(host, let_others_in)
    from tlcourse.cli.web import CourseServer
    from tlcourse.course.loader import load_course

    title = load_course(course).about.title
    listening = _listen(host, port)
    command = own_command("tlcourse", "start", *(["--course", str(course)] if course else []))
    server = CourseServer(command, host, listening.getsockname()[1], title)
    if json:
        out.document({"schema": 1, "url": server.url, "host": host, "port": server.port})
    else:
        out.say(f"url: {server.url}" if plain else f"The course is at {server.url}")
        out.note("Who comes with this address first runs commands as you: keep it to yourself. Ctrl-c ends it.")
    sys.stdout.flush()
    if open_browser and not server.open_in_browser():
        out.note("No browser could be started: take the address.")
    server.serve_on(listening)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _warn(host: str, agreed: bool) -> None:
    """What another address means; raises UsageError where that was not agreed to."""
    danger = (
        f"On {host} the app can be reached from other machines, unencrypted: anyone who reads or is given its "
        "address runs commands as you."
    )
    if not agreed:
        raise UsageError(
            danger,
            cause="--host names another address than 127.0.0.1.",
            remedy="leave --host out (from another machine: ssh -L 8000:127.0.0.1:8000 THIS_MACHINE), "
            "or add --let-others-in.",
        )
    out.note(f"Warning: {danger}")


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises UsageError where that cannot be."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"{host} is not an address: {error.strerror}.", remedy="leave --host out.") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen()
    except OSError as error:
        made.close()
        raise UsageError(
            f"Nothing can listen on {host}, port {port}: {error.strerror}.",
            cause="another program has the port (another tlcourse serve?), or the address is not this machine's.",
            remedy="tlcourse serve --port 0",
        ) from None
    return made
