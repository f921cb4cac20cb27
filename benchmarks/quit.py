"""How long the app takes to end while an exercise trains, from the key to the end of its process. Prints medians.

    python benchmarks/quit.py [--runs 10]

Promised: within half a second. The baseline, run in turn with it, is quitting while nothing trains.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import select
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

from tlcourse.paths import STARTED


def as_installed() -> dict[str, str]:
    """The environment, in which Python keeps what it has compiled: an installation is compiled, too."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Terminal:
    """`tlcourse start` in a terminal of 120×40."""

    def __init__(self, folder: Path) -> None:
        (folder / "home").mkdir(parents=True, exist_ok=True)
        (folder / "home" / STARTED).touch()  # no look at the machine first
        env = {**as_installed(), "TLCOURSE_HOME": str(folder / "home"), "TERM": "xterm-256color"}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-m", "tlcourse", "start"], env)
        import fcntl
        import termios

        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def wait(self, words: bytes) -> None:
        """Read until the words were printed."""
        seen = b""
        while words not in seen:
            if not select.select([self.fd], [], [], 60)[0]:
                raise SystemExit(f"{words!r} did not appear; seen last: {seen[-400:]!r}")
            seen += os.read(self.fd, 1 << 16)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.fd, keys)

    def end(self) -> float:
        """Seconds until the process has ended."""
        begin = time.perf_counter()
        while True:
            if select.select([self.fd], [], [], 0.001)[0]:
                with contextlib.suppress(OSError):
                    os.read(self.fd, 1 << 16)  # a full terminal would hold the process up
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                os.close(self.fd)
                return time.perf_counter() - begin


def quitting(training: bool) -> float:
    """Seconds from the last key to the end."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(Path(folder))
        terminal.wait(b"Course map")
        time.sleep(0.5)
        if not training:
            terminal.press(b"q")
            return terminal.end()
        terminal.press(b"4")
        terminal.wait(b"none yet")
        terminal.press(b"i")
        terminal.wait(b"saved")
        terminal.press(b"g")
        terminal.wait(b"training")
        terminal.press(b"q")
        terminal.wait(b"stop it and quit")
        time.sleep(0.3)
        terminal.press(b"s")
        return terminal.end()


def main() -> None:
    """Quit in turn with and without a run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(runs):
        for training, values in times.items():
            values.append(quitting(training))
    base, busy = (statistics.median(times[training]) for training in (False, True))
    print(f"medians of {runs} runs; Python {sys.version.split()[0]}")
    print(f"nothing runs        {base * 1000:7.1f} ms")
    slowest = f"(slowest {max(times[True]):.2f} s)"
    print(f"a grading trains    {busy * 1000:7.1f} ms  {busy / base:4.1f} × nothing runs  {slowest}")


if __name__ == "__main__":
    main()
