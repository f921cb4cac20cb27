"""How long the app takes from a key to what it paints, while a lab trains on both cores. Prints the 95th percentiles.

    python benchmarks/repaint.py [--keys 200]

Promised: at most 50 ms while a lab trains. The baseline is the same screen and keys while nothing trains. In a real
terminal (a pty) of 120×40; `?` (keys) is pressed again and again, and the time ends when words have arrived
that only the answer to this key has: the charts of the training go on painting meanwhile.
"""

from __future__ import annotations

import argparse
import os
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

from quit import Terminal

QUIET = 0.05  # seconds without output: what was painted before the key has arrived
PAUSE = 0.6  # after esc: an app that is still waiting would take esc and the next key for one
ANSWER = (b"?", b"Keys that work here")


class Painted(Terminal):
    """The app, asked how long it takes to paint."""

    def drain(self, seconds: float) -> None:
        """Read what comes until nothing has come for so long, or for a second at most: a chart goes on painting."""
        until = time.perf_counter() + 1.0
        while time.perf_counter() < until and select.select([self.fd], [], [], seconds)[0]:
            os.read(self.fd, 1 << 16)

    def repaint(self, key: bytes, words: bytes) -> float:
        """Seconds from the key to the words that it brings."""
        begin = time.perf_counter()
        self.press(key)
        self.wait(words)
        return time.perf_counter() - begin


def open_lab(terminal: Painted, lab: str) -> None:
    """Open a lab through the palette, and predict."""
    terminal.wait(b"Course map")
    terminal.drain(0.3)
    terminal.press(b"\x10")  # ctrl+p
    terminal.drain(0.5)
    terminal.press(lab.encode())
    terminal.drain(0.7)
    terminal.press(b"\r")
    terminal.wait(b"Predict first")
    terminal.drain(0.3)
    terminal.press(b"\r")
    terminal.wait(b"Your prediction")


def times(training: bool, keys: int, lab: str) -> list[float]:
    """Seconds of each key."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Painted(Path(folder))
        open_lab(terminal, lab)
        if training:
            terminal.press(b"m")  # eight seeds, one process a core
            terminal.wait(b"Training")
        terminal.drain(0.3)
        found = []
        for _ in range(keys):
            terminal.drain(QUIET)
            found.append(terminal.repaint(*ANSWER))
            terminal.press(b"\x1b")  # close it again
            time.sleep(PAUSE)
        terminal.press(b"\x1b")  # leaving the lab stops it
        terminal.drain(0.3)
        terminal.press(b"q")
        terminal.end()
        return found


def percentile(values: list[float], share: float) -> float:
    """The value that so many of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def main() -> None:
    """Press the keys without and with training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--lab", default="Lab: Features that hide", help="words by which the palette finds the lab")
    given = parser.parse_args()
    print(f"{given.keys} keys each; Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    for name, training in (("nothing trains", False), ("a lab trains", True)):
        found = times(training, given.keys, given.lab)
        median, late, slowest = (
            1000 * some for some in (statistics.median(found), percentile(found, 0.95), max(found))
        )
        print(f"{name:<16} median {median:6.1f} ms   95th percentile {late:6.1f} ms   slowest {slowest:6.1f} ms")


if __name__ == "__main__":
    main()
