"""`tlcourse serve`: for this machine's owner alone, and gone when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from served import refusal, serving

aiohttp = pytest.importorskip("aiohttp", reason="needs textual-serve (extra `web`)")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


async def _status(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


async def _socket(url: str, **headers: str) -> bytes:
    """The first bytes of an app behind a web socket; raises WSServerHandshakeError where it is refused."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as connection:
        return await connection.receive_bytes(timeout=60)


def test_a_port_in_use_is_one_message(own_home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, error = refusal("--port", port, home=own_home)
    assert code == 2
    assert f"port {port}" in error["what"]
    assert error["remedy"] == "tlcourse serve --port 0"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_an_address_that_others_reach_wants_consent(host, own_home):
    code, error = refusal("--host", host, home=own_home)
    assert code == 2
    assert "runs commands as you" in error["what"]
    assert "--let-others-in" in error["remedy"]


def test_without_the_extra_the_command_that_mends_it_is_named(own_home):
    code = (
        "import sys, importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'textual_serve' else find(name, *more)\n"
        "sys.argv = ['tlcourse', 'serve']\n"
        "from tlcourse.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3
    assert "pip install 'textual-serve" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_page_loads_nothing_from_elsewhere(served):
    status, page = asyncio.run(_status(served.url, Cookie=served.cookie))
    assert status == 200
    assert "https://" not in page
    assert "http://" not in page
    assert "/static/js/textual.js" in page
    for path in ("js/textual.js", "css/xterm.css", "fonts/RobotoMono-VariableFont_wght.ttf"):
        assert f"/static/{path}" in page
        assert asyncio.run(_status_only(f"{served.origin}/static/{path}")) == 200


async def _status_only(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


@pytest.mark.slow
def test_without_its_key_an_address_is_not_found(served):
    for path in ("/", "/wrong/", "/wrong/ws"):
        assert asyncio.run(_status(served.origin + path, Origin=served.origin))[0] == 404


@pytest.mark.slow
def test_a_key_lets_in_one_browser_and_its_cookie_is_for_that_address_alone(tmp_path):
    with serving(tmp_path) as served:
        first, cookie = served.url, served.cookie
        second = served.next_url()
        assert asyncio.run(_status(first))[0] == 404
        assert asyncio.run(_status(first, Cookie=cookie))[0] == 200
        assert asyncio.run(_status(second, Cookie=cookie))[0] == 200  # a new address, used by somebody
        assert asyncio.run(_status(second, Cookie=cookie))[0] == 404
        for headers in ({}, {"Cookie": "tlcourse=guessed"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                asyncio.run(_socket(served.socket_url, Origin=served.origin, **headers))
            assert refused.value.status == 404


@pytest.mark.slow
def test_open_tells_the_browser_a_file_of_its_owners_that_leads_to_the_address(tmp_path, monkeypatch):
    browser = tmp_path / "browser"
    browser.write_text(f"#!{sys.executable} -I\n{_BROWSER.format(seen=str(tmp_path / 'seen'))}")
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(tmp_path / "home", options=["--open"]) as served:
        while not (tmp_path / "seen").exists():
            assert served.process.poll() is None
            time.sleep(0.05)
        seen = json.loads((tmp_path / "seen").read_text())
        key = served.url.rstrip("/").rpartition("/")[2]
        assert key not in seen["address"]
        assert key not in Path(f"/proc/{served.process.pid}/cmdline").read_text()
        assert seen["mode"] == 0o600
        assert f'url={served.url}"' in seen["page"]
        assert served.cookie
        served.next_url()
        assert not list(tmp_path.glob("tlcourse-serve-*"))  # it has done its work


_BROWSER = """
import json, os, sys
path = sys.argv[1].removeprefix("file://")
seen = {{"address": sys.argv[1], "mode": os.stat(path).st_mode & 0o777, "page": open(path).read()}}
open({seen!r} + ".new", "w").write(json.dumps(seen))
os.rename({seen!r} + ".new", {seen!r})
"""


@pytest.mark.slow
def test_a_name_that_points_here_is_refused(served):
    port = served.origin.rpartition(":")[2]
    for host in (f"evil.example:{port}", "127.0.0.1:1", f"127.0.0.1.evil.example:{port}", "127.0.0.1"):
        assert asyncio.run(_status(served.url, Host=host))[0] == 403


@pytest.mark.slow
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", None])
def test_a_socket_that_another_page_opens_is_refused_and_starts_no_app(served, origin):
    headers = {"Origin": origin} if origin else {}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        asyncio.run(_socket(served.socket_url, **headers))
    assert refused.value.status == 403
    assert served.apps() == []


@pytest.mark.slow
def test_ctrl_c_ends_the_server_and_its_apps(tmp_path):
    async def visit() -> list:
        headers = {"Origin": served.origin, "Cookie": served.cookie}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(served.socket_url, headers=headers) as connection,
        ):
            assert b"\x1b[?1049h" in await connection.receive_bytes(timeout=60)
            apps = served.apps()
            served.process.send_signal(2)
            async for _ in connection:
                pass
            return apps

    with serving(tmp_path) as served:
        apps = asyncio.run(visit())
        _, said = served.process.communicate(timeout=60)
    assert apps
    assert not any(app.is_running() for app in apps)
    assert served.process.returncode == 0
    assert "Traceback" not in said


@pytest.mark.slow
def test_ctrl_c_ends_what_an_app_has_started_too(tmp_path):
    async def visit() -> list:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                served.socket_url, headers={"Origin": served.origin, "Cookie": served.cookie}
            ) as connection,
        ):
            await connection.receive_bytes(timeout=60)
            await connection.send_json(["stdin", "4"])  # an exercise: a process begins to stand by for its runs
            for _ in range(300):
                with contextlib.suppress(TimeoutError):
                    await connection.receive(timeout=0.2)
                if len(served.apps()) > 1:
                    break
            below = served.apps()
            served.process.send_signal(2)
            async for _ in connection:
                pass
            return below

    with serving(tmp_path) as served:
        below = asyncio.run(visit())
        served.process.communicate(timeout=60)
    assert len(below) > 1
    assert not any(process.is_running() for process in below)


def test_the_parts_of_textual_serve_that_are_not_public_are_as_they_are_used():
    import inspect

    from textual_serve.app_service import AppService
    from textual_serve.server import Server

    opens = inspect.signature(AppService._open_app_process)  # noqa: SLF001 - the page overrides it
    assert list(opens.parameters) == ["self", "width", "height"]
    assert "self._open_app_process(width, height)" in inspect.getsource(AppService.start) + inspect.getsource(
        AppService.run
    )
    source = inspect.getsource(AppService)
    assert {name for name in ("_process", "_stdin") if f"self.{name}" in source} == {"_process", "_stdin"}
    assert list(inspect.signature(AppService._build_environment).parameters) == ["self", "width", "height"]  # noqa: SLF001
    public = ("start", "stop", "focus", "blur", "send_bytes", "set_terminal_size")
    assert [name for name in public if not inspect.iscoroutinefunction(getattr(AppService, name))] == []
    assert inspect.iscoroutinefunction(Server.handle_download)
