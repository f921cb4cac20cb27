"""`tlcourse start`, `serve`, `prewarm` (hidden): the app in the terminal, or in a browser of this machine.

What is prewarmed is a fork server for the app, and the one command that it is asked to run. It waits with torch
imported, becomes the run when the app asks for one, and ends with it: such a run is stopped, kept and found again as
one that was not prewarmed. Until it is asked it lives as long as its standard input does, so that it goes with the app,
however the app goes.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import queue
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.cli.own_record import own_record
from tlcourse.errors import UnableError, UsageError
from tlcourse.own_process import own_command


def start(
    course: CourseFolder = None,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="No character beyond ASCII.")] = False,
    lesson: Annotated[
        str, typer.Option("--lesson", metavar="UNIT", help="Begin with a unit's lesson; its name or number.")
    ] = "",
    present: Annotated[
        bool, typer.Option("--present", help="For a projector: a lesson as slides (a clicker's keys, b blanks).")
    ] = False,
) -> None:
    """Open the course in the terminal."""
    if not on_a_terminal():
        raise UsageError(
            "tlcourse start needs a terminal, and this is not one.",
            cause="input or output is piped, or runs in a job or an editor without a terminal.",
            remedy="use the commands instead: tlcourse lesson list, tlcourse quiz list, tlcourse exercise list, "
            "tlcourse grade ex2 PATH, tlcourse progress (each takes --plain and --json).",
        )
    open_app(
        course, ascii_only=ascii_only, route=route_of(course, lesson, present=present) if lesson or present else ""
    )


def route_of(course: Path | None, lesson: str, *, present: bool) -> str:
    """Where the app begins: with a lesson, or its slides; raises UsageError where there is none of that name."""
    from tlcourse.cli.lesson import unit_of
    from tlcourse.course.loader import load_course

    loaded = load_course(course)
    if not lesson:
        from tlcourse.student.overview import overview
        from tlcourse.tui.routes import resumed

        with own_record() as record:
            lesson = resumed("lesson", loaded, overview(loaded, record)).removeprefix("lesson/")
    return f"{'present' if present else 'lesson'}/{unit_of(loaded, lesson).id}"


def on_a_terminal() -> bool:
    """Whether there is a screen to draw on: a terminal, or the page of `tlcourse serve`."""
    if os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver"):
        return True
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def open_app(course: Path | None, *, ascii_only: bool = False, route: str = "") -> NoReturn:
    """Show the app, at `route` or where it begins, until it is left; the process ends with it."""
    from tlcourse import logs
    from tlcourse.tui import graphics_protocol

    with graphics_protocol.asked(wanted=not ascii_only):
        from tlcourse.course.loader import load_course
        from tlcourse.paths import app_log
        from tlcourse.tui import gc_scheduler

        gc_scheduler.not_yet()
        from tlcourse.tui.app import run

        loaded = load_course(course)
    log = app_log()
    if logs.wanted():  # stderr is the screen
        logs.into(log)

    code = run(loaded, course_folder=course, ascii=ascii_only, route=route)
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


_NEEDED_MB = 2048
_MAX_REQUEST = 64 * 1024


def prewarm(
    lab: Annotated[bool, typer.Option("--lab", help="For a lab, whose output goes where this process's does.")] = False,
) -> None:
    """Wait for a line {"file": …, "arguments": […]}, and run `tlcourse ARGUMENTS`, its output in FILE."""
    import msgspec

    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        signal.signal(getattr(signal, name), _interrupt)
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(asked,), daemon=True, name="tlcourse-asked").start()
    if lab:
        from tlcourse.cli.main import main
        from tlcourse.labs.runner import get_ready

        if _has_memory():
            get_ready()
        sys.argv = ["tlcourse", *msgspec.json.decode(asked.get(), type=list[str])]
        main()
        return
    sandbox_kind = _sandbox_kind()
    request = msgspec.json.decode(asked.get(), type=dict[str, Any])
    with open(request["file"], "ab") as stream:  # noqa: PTH123
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
    sys.argv = ["tlcourse", *request["arguments"], "--sandbox", sandbox_kind]
    from tlcourse.cli.main import main

    main()


def _receive(asked: queue.SimpleQueue[bytes]) -> None:
    """The one request, or the end of the app; not through `sys.stdin`, whose lock would hold up the end of Python."""
    data = b""
    while not data.endswith(b"\n"):
        chunk = os.read(0, _MAX_REQUEST)
        data += chunk
        if not chunk or len(data) > _MAX_REQUEST:
            os.kill(os.getpid(), signal.SIGTERM)
            return
    asked.put(data)


def _sandbox_kind() -> str:
    """`fork-server` once a parent is ready here; `auto` where none can start, or a run may want a GPU or all memory."""
    from tlcourse.errors import TlcourseError
    from tlcourse.execution.gpu import uses_gpu
    from tlcourse.sandbox.choose import choose
    from tlcourse.torch_install import is_here

    if not is_here("torch") or uses_gpu("auto") or not _has_memory():
        return "auto"
    try:
        choose("fork-server")
    except TlcourseError:
        return "auto"
    return "fork-server"


def _has_memory() -> bool:
    import psutil

    return bool(psutil.virtual_memory().available >= _NEEDED_MB * 2**20)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
