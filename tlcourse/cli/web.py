"""The server behind `tlcourse serve`: one page, one web socket, and a process of the app for each.

Who reaches the app runs commands as its owner, so that three things are asked of every visitor. The name of the host
must be ours (another page may have its own name point here: DNS rebinding); the page that opens the socket must be ours
(a browser lets any page open one anywhere); and the address must hold a key, which other users of this machine, who
reach 127.0.0.1 as well, do not know. A key lets in one browser: the first that comes with it is given a cookie, without
which the key is worth nothing from then on. The cookie is for the path of that key alone, since a browser sends one for
all paths to every server of this host, whosever it is. Nothing is loaded from elsewhere.

Of textual-serve (1.1) this uses parts that are not public, since it has no way to start an app in a session of its own:
`AppService._open_app_process` is overridden, `_process` and `_stdin` are set as it sets them, `_build_environment` is
called. `tests/cli/test_serve.py` fails with their names where an upgrade takes one of them away.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import html
import ipaddress
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import webbrowser
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import aiohttp_jinja2
import jinja2
import psutil
from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from tlcourse.cli import out
from tlcourse.own_process import taken

_END_S = 3.0  # an app that was asked to end has this long
_MOST_BYTES = 1 << 20
_PAGE = Path(__file__).parent / "web_page"
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self' {socket}; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_COOKIE = "tlcourse"
_NO_KEY = (
    "The address holds a key that lets in one browser, once. Take the newest one that tlcourse serve printed; "
    "cookies must be allowed for this page."
)
_LEADS_TO = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>tlcourse</title>
<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={url}">
<p><a href="{url}">To the course</a></p></html>
"""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AppProcess(AppService):
    """One app behind one socket, in a session of its own: ctrl-c reaches the server alone, which ends its apps."""

    arguments: Sequence[str] = ()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self.arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**self._build_environment(width, height), **taken},  # its batches draw hidden data
            start_new_session=True,
        )
        self._stdin = process.stdin
        return process

    async def end(self, *, everything: bool) -> None:
        """Have the app leave, as its own key does, and by force if it does not; `everything`: also what it started.

        A page that is closed leaves a grading running, as a terminal that is closed does: the next visit finds it.
        """
        process, self._process = self._process, None
        if process is None:
            return
        below = _descendants(process.pid) if everything else []
        try:
            await asyncio.wait_for(self.stop(), _END_S)
            await asyncio.wait_for(process.wait(), _END_S)
        except (TimeoutError, OSError):
            pass
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            _end_all(below)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _end_all(processes: Iterable[psutil.Process]) -> None:
    """Ask each to end, and after a while make it."""
    processes = list(processes)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(processes, _END_S)[1]:
        with contextlib.suppress(psutil.Error):
            process.kill()


class CourseServer(Server):
    """Serves the app to who has its address.

    Args:
        command: What shows the app.
        host: Where it listens.
        port: The port on which it listens.
        title: Of the page.
    """

    def __init__(self, command: Sequence[str], host: str, port: int, title: str) -> None:
        super().__init__("", host, port, title, statics_path="static", templates_path=_PAGE)
        self._command = list(command)
        self._unused = secrets.token_urlsafe(24)
        self._cookies: dict[str, str] = {}
        """Used key → the cookie of the browser that came with it."""
        self._opening: Path | None = None
        self._apps: set[AppProcess] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def url(self) -> str:
        """The address, with a key that nobody has used yet."""
        shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}/{self._unused}/"

    def open_in_browser(self) -> bool:
        """Have the user's browser open the address; False where none can be started.

        It is told a file that only this user can read and that leads to the address: everybody on this machine can
        read the arguments of a process.
        """
        descriptor, name = tempfile.mkstemp(prefix="tlcourse-serve-", suffix=".html")  # mode 0600
        self._opening = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(_LEADS_TO.format(url=html.escape(self.url)))
        return webbrowser.open(self._opening.as_uri())

    def serve_on(self, listening: socket.socket) -> None:
        """Serve until SIGINT or SIGTERM; no process of an app is left then."""
        logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # a request that is no HTTP is its sender's matter
        asyncio.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, ended.set)
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.SockSite(runner, listening)
        await site.start()
        await ended.wait()
        await site.stop()
        await asyncio.gather(*(app.end(everything=True) for app in list(self._apps)))
        await asyncio.gather(*(one.close() for one in list(self._sockets)), return_exceptions=True)
        self._forget_opening()
        await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(self.templates_path), autoescape=True)
        app.router.add_get("/{key}/", self._page)
        app.router.add_get("/{key}/ws", self.handle_websocket)
        app.router.add_get("/download/{key}", self.handle_download)  # its key is another, and random, too
        app.router.add_get("/page.js", self._script)
        app.router.add_static("/static", self.statics_path)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        own = f"http://{request.host}"
        if not self._is_ours(request.host) or (origin is not None and origin != own):
            raise web.HTTPForbidden(text="This page is for its own address alone.")
        if request.path.endswith("/ws") and origin is None:
            raise web.HTTPForbidden(text="A web socket names the page that opens it.")
        response = await handler(request)
        if not response.prepared:
            for name, value in _HEADERS.items():
                response.headers[name] = value.format(socket=f"ws://{request.host}")
        return response

    def _is_ours(self, name: str) -> bool:
        """Whether a request for that host (`name:port`) is for this server."""
        host, _, port = name.rpartition(":") if not name.endswith("]") else (name, "", "")
        if port != str(self.port):
            return False
        host = host.strip("[]").lower()
        if host in ("127.0.0.1", "localhost", "::1", self.host):
            return True
        if self.host not in ("0.0.0.0", "::"):  # noqa: S104
            return False
        with contextlib.suppress(ValueError):  # an address cannot be made to point elsewhere, as a name can
            return bool(ipaddress.ip_address(host))
        return host in (socket.gethostname().lower(), socket.getfqdn().lower())

    def _is_known(self, request: web.Request) -> bool:
        """Whether it comes from the browser that has used its key."""
        cookie = self._cookies.get(request.match_info["key"], "")
        return bool(cookie) and hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), cookie.encode())

    async def _page(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        new = request.method == "GET" and hmac.compare_digest(key.encode(), self._unused.encode())
        if not new and not self._is_known(request):
            raise web.HTTPNotFound(text=_NO_KEY)
        values = {
            "title": self.title,
            "websocket_url": f"ws://{request.host}/{key}/ws",
            "font_size": min(max(to_int(request.query.get("fontsize", "16"), 16), 6), 60),
        }
        page = aiohttp_jinja2.render_template("app_index.html", request, values)
        if new:
            self._cookies[key], self._unused = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
            page.set_cookie(_COOKIE, self._cookies[key], path=f"/{key}/", httponly=True, samesite="Lax")
            self._forget_opening()
            out.note(f"A browser has come in. For another one: {self.url}")
        return page

    def _forget_opening(self) -> None:
        if self._opening is not None:
            self._opening.unlink(missing_ok=True)

    async def _script(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(_PAGE / "page.js")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """An app for as long as the page is open."""
        if not self._is_known(request):
            raise web.HTTPNotFound(text=_NO_KEY)
        connection = web.WebSocketResponse(heartbeat=15, max_msg_size=_MOST_BYTES)
        await connection.prepare(request)
        app = AppProcess(
            "",
            write_bytes=connection.send_bytes,
            write_str=connection.send_str,
            close=connection.close,  # type: ignore[arg-type]  # its answer is not looked at
            download_manager=self.download_manager,
        )
        app.arguments = self._command
        size = (to_int(request.query.get(name, ""), usual) for name, usual in (("width", 80), ("height", 24)))
        width, height = (min(max(number, 1), 1000) for number in size)
        self._sockets.add(connection)
        self._apps.add(app)
        try:
            await app.start(width, height)
            await self._pass_on(connection, app)
        except OSError as error:
            sys.stderr.write(f"tlcourse: the app cannot be started: {error.strerror}.\n")
        finally:
            await app.end(everything=False)
            self._apps.discard(app)
            self._sockets.discard(connection)
        return connection

    async def _pass_on(self, connection: web.WebSocketResponse, app: AppProcess) -> None:
        """What the page says to the app, until it is closed or says what no page of ours does."""
        focused = False  # an app takes itself for unfocused at first, and draws no footer then
        async for message in connection:
            if message.type != WSMsgType.TEXT:
                continue
            try:
                kind, *more = message.json()
                if kind == "stdin":
                    if not focused:  # the page's own word may have come before the app listened
                        focused = True
                        await app.focus()
                    await app.send_bytes(str(more[0]).encode())
                elif kind == "resize":
                    width, height = (min(max(int(more[0][name]), 1), 1000) for name in ("width", "height"))
                    await app.set_terminal_size(width, height)
                elif kind == "ping":
                    await connection.send_json(["pong", more[0]])
                elif kind == "focus":
                    await app.focus()
                elif kind == "blur":
                    focused = False
                    await app.blur()
            except (ValueError, TypeError, KeyError, IndexError):
                return
