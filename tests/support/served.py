"""`tlcourse serve` in a process, for tests: its address, and whether anything of it is left."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from signals import heard

from tlcourse.paths import STARTED

EXAMPLE = Path(__file__).parent.parent / "example_course"


class Served:
    """A running server."""

    def __init__(
        self,
        home: Path,
        program: Sequence[str | Path] = (sys.executable, "-m", "tlcourse"),
        options: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        (home / STARTED).touch()  # no look at the machine first
        self.process = subprocess.Popen(
            [*program, "serve", "--port", "0", "--plain", "--course", str(EXAMPLE), *options],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TLCOURSE_HOME": str(home)},
            preexec_fn=heard,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("url: "):
            raise AssertionError(f"serve said {line!r}, {self.process.communicate(timeout=60)}")
        self.url = line.split()[1]
        host = self.url.removeprefix("http://").partition("/")[0]
        self.origin = f"http://{host}"
        self.socket_url = f"{self.url.replace('http', 'ws', 1)}ws"

    @functools.cached_property
    def cookie(self) -> str:
        """The cookie of the one browser that the address lets in; asking for it uses the address."""
        with urllib.request.urlopen(self.url, timeout=60) as answer:
            return str(answer.headers["Set-Cookie"]).partition(";")[0]

    def apps(self) -> list[psutil.Process]:
        """The processes below the server."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def next_url(self) -> str:
        """The address for another browser, of the line that is printed once one has come in."""
        assert self.process.stderr is not None
        while "For another one: " not in (line := self.process.stderr.readline()):
            assert line
        return line.split()[-1]

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-c: exit status, and what it said on stderr."""
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=60)[1]
        return self.process.returncode, said


@contextlib.contextmanager
def serving(
    home: Path, *program: str | Path, options: Sequence[str] = (), folder: Path | None = None
) -> Iterator[Served]:
    """A server for the example course, by this environment's program or another one; ended at the end."""
    served = Served(home, program or (sys.executable, "-m", "tlcourse"), options, folder)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.interrupt()


def refusal(*arguments: str, home: Path) -> tuple[int, dict[str, str]]:
    """Exit status and message of a `serve` that must refuse."""
    done = subprocess.run(
        [sys.executable, "-m", "tlcourse", "serve", "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TLCOURSE_HOME": str(home)},
    )
    return done.returncode, json.loads(done.stdout)["error"]
