"""A real terminal, and SIGKILL at any key press: at most the last answer is lost, and the app starts again.

Six kills in `.ci/run`, two of them in a lesson; four times as many nightly.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tlcourse.paths import STARTED, record_file
from tlcourse.student.record import Record

pty = pytest.importorskip("pty", reason="no pseudo-terminals here")
termios = pytest.importorskip("termios")

COURSE = "transfer-learning"
LIMIT_S = 120.0
KILLS = [*range(6), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(6, 24))]
QUIZ = ["3", *["a", "\r", "\r", "b", "\r", "\r", "2.5", "\r", "\r", "a", "\r", "\r", "c", "\r", "\r", "d", "\r"]]
LESSON = ["2", " ", "j", " ", "]", " ", " ", "\x1b[F", "]", " ", "[", " ", "k", " ", "]", "]", " "]


class Terminal:
    """`tlcourse start` in a pseudo-terminal of 100×30."""

    def __init__(self, home: Path) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # the child: nothing of pytest may go on in it
            with contextlib.suppress(BaseException):
                environment = {**os.environ, "TLCOURSE_HOME": str(home), "TERM": "xterm-256color"}
                os.execve(sys.executable, [sys.executable, "-m", "tlcourse", "start"], environment)
            os._exit(127)
        termios.tcsetwinsize(self.fd, (30, 100))
        self.seen = b""

    def read(self, seconds: float) -> bool:
        """Take in what is drawn within `seconds`; False once nothing comes or it has ended."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:  # Linux says EIO once the other end is closed
            return False
        self.seen += data
        return bool(data)

    def sees(self, words: str) -> None:
        """Wait until `words` were drawn."""
        until = time.monotonic() + LIMIT_S
        while words.encode() not in self.seen:
            assert time.monotonic() < until, self.seen[-2000:]
            self.read(0.5)

    def press(self, key: str) -> None:
        """Press a key, and let the app do as much as it does within a moment of chance."""
        os.write(self.fd, key.encode())

    def kill(self) -> None:
        """SIGKILL, as by a dead battery."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def started(own_home: Path) -> Iterator[list[Terminal]]:
    """Terminals that a test opened; none is left running."""
    opened: list[Terminal] = []
    (own_home / STARTED).touch()  # no look at the machine first
    yield opened
    for terminal in opened:
        with contextlib.suppress(ProcessLookupError, ChildProcessError, OSError):
            terminal.kill()


def answers() -> list[tuple[str, int]]:
    with Record.open() as record:
        assert record.notice == ""  # neither damaged nor moved aside
    with contextlib.closing(sqlite3.connect(record_file())) as db:
        return [(q, n) for n, q in db.execute("SELECT id, question FROM answers ORDER BY id")]


def was_marked(drawn: bytes) -> bool:
    """Whether what was drawn after a key says how an answer was."""
    return "✓ Right".encode() in drawn or "✗ Wrong".encode() in drawn


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
@pytest.mark.parametrize("seed", KILLS)
def test_a_kill_at_any_key_press_loses_at_most_the_last_answer(started, own_home, seed):
    chance = random.Random(seed)
    keys = QUIZ if seed % 3 else LESSON
    before = answers()
    terminal = Terminal(own_home)
    started.append(terminal)
    terminal.sees("Continue")
    marked = 0
    for key in keys[: chance.randint(1, len(keys))]:
        drawn_before = len(terminal.seen)
        terminal.press(key)
        while terminal.read(chance.uniform(0.0, 0.25)):
            pass
        marked += key == "\r" and was_marked(terminal.seen[drawn_before:])
    terminal.kill()
    kept = answers()
    assert kept[: len(before)] == before
    assert len(kept) >= len(before) + marked - 1
    again = Terminal(own_home)
    started.append(again)
    again.sees("Continue")
