"""The app in a real browser: a quiz question is answered through keys, and nothing is asked of other hosts."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from served import serving

aiohttp = pytest.importorskip("aiohttp", reason="needs textual-serve (extra `web`)")
pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync", "--window-size=1100,700"),
    *("--disable-background-networking", "--disable-component-update", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--remote-debugging-port=0", "--remote-allow-origins=*"),
)
_PATIENCE = 90


class Page:
    """One page of a browser, through the DevTools protocol."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._number = 0
        self.asked: list[str] = []
        """The address of everything that the page asked for."""

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._connection.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await self._connection.receive_json(timeout=_PATIENCE)
            if message.get("method") == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
            if message.get("method") == "Network.webSocketCreated":
                self.asked.append(message["params"]["url"])
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]

    async def value(self, expression: str) -> Any:
        return (await self.call("Runtime.evaluate", expression=expression))["result"].get("value")

    async def press(self, key: str) -> None:
        text = "\r" if key == "Enter" else key
        code = 13 if key == "Enter" else ord(key.upper())
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    async def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot"))["data"]))


async def until(condition, what: str):
    """The first true value of `condition`, which is asked again and again."""
    for _ in range(_PATIENCE * 5):
        if value := await condition():
            return value
        await asyncio.sleep(0.2)
    raise AssertionError(f"{what} did not come")


async def visit(url: str, profile: Path, record: Path, pictures: Path) -> list[str]:
    """Open the app, answer the example's first question, and return the addresses asked for."""
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port_file = profile / "DevToolsActivePort"

        async def port():
            return port_file.exists() and port_file.read_text().split()[:1]

        (number,) = await until(port, "the browser")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{number}/json") as answer:
                target = next(one for one in await answer.json() if one["type"] == "page")
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as connection:
                page = Page(connection)
                await page.call("Network.enable")
                await page.call("Page.enable")
                await page.call("Page.navigate", url=url)
                await until(lambda: page.value("document.body.classList.contains('-first-byte')"), "the first screen")
                await until(lambda: page.value("document.activeElement.className.includes('xterm')"), "the focus")
                await page.press("j")  # one line down: keys arrive without a click
                await asyncio.sleep(2)
                await page.picture(pictures / "home.png")
                for key in ("3", "a", "Enter"):
                    await page.press(key)
                    await asyncio.sleep(1)

                async def answered():
                    return rows(record)

                await until(answered, "the answer")
                await page.picture(pictures / "answered.png")
                return page.asked
    finally:
        browser.terminate()
        browser.wait(60)


def rows(record: Path) -> list[tuple]:
    """The answers that the student's own record holds."""
    path = record / "progress.sqlite"
    if not path.is_file():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        return file.execute("select * from answers").fetchall()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")
def test_a_question_is_answered_in_the_browser_and_nothing_comes_from_elsewhere(tmp_path, monkeypatch):
    record = tmp_path / "home"
    monkeypatch.setenv("BROWSER", "true")  # ours is opened below, with the file that leads to the address
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    pictures = Path(os.environ.get("TLCOURSE_TEST_PICTURES") or tmp_path)
    with serving(record, options=["--open"]) as served:
        while not (opening := next(tmp_path.glob("tlcourse-serve-*.html"), None)):
            assert served.process.poll() is None
            time.sleep(0.05)
        monkeypatch.delenv("TMPDIR")  # the path of a browser's own socket in there would be too long
        asked = asyncio.run(visit(opening.as_uri(), tmp_path / "profile", record, pictures))
        assert len(rows(record)) == 1
    assert "minimises" in json.dumps(rows(record), default=str)
    ours = (served.origin, served.origin.replace("http", "ws", 1), opening.as_uri(), "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []
    assert any(url.startswith("ws://") for url in asked)
    for name in ("home.png", "answered.png"):
        assert (pictures / name).stat().st_size > 10_000
