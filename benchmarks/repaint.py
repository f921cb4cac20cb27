"""How long the app takes from a key to what it paints, while a lab trains on all cores. Prints a line for each key.

    python benchmarks/repaint.py [--keys 100]

Promised: of each key, 95 % within 50 ms while a lab trains and a figure moves (the lesson's first page has one). The
baseline is the same keys while nothing trains. In a real terminal (a pty) of 120×40 each key is pressed again and
again, in turn with one that undoes it, and the time ends when words have arrived that its answer alone brings: charts
and figures go on painting meanwhile. Who goes Home leaves a lab, which ends its training, and while one trains its
sliders cannot be moved: these two are measured while nothing trains.
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
from typing import NamedTuple

from quit import Terminal

QUIET = 0.05  # seconds without output: what was painted before the key has arrived
PAUSE = 0.6  # after esc: an app that is still waiting would take esc and the next key for one
ESC, UP, DOWN, RIGHT, LEFT, BACK_TAB = b"\x1b", b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[Z"
STEPS = b"5000"  # of the lab: it trains until all keys were pressed


class Key(NamedTuple):
    """What is pressed in turn, each with the words that it brings; without words, it only undoes the other one."""

    name: str
    key: bytes
    words: bytes
    back: bytes
    back_words: bytes = b""


HOME = Key("Home: another unit (down)", DOWN, b" Unit 3 ", UP, b" Unit 2 ")
SLIDER = Key("lab: a setting (right)", RIGHT, b"2 settings changed", LEFT, b"1 setting changed")
KEYS = Key("lab: all keys (?)", b"?", b"Keys that work here", ESC)
# in the sliders what has the cursor is reverse up to its last letter, or to the column of the longest name
FOCUS = Key("lab: the focus (tab)", b"\t", b"degrees \x1b", BACK_TAB, b"degrees   \x1b")
CHOOSE = Key("lab: another setting (down)", DOWN, b"strength\x1b", UP, b"degrees \x1b")
PAGE = Key("lesson: a page (space)", b" ", b"Half of each", b"b", b"After this unit you can")
SLIDE = Key("slides: the next (page down)", b"\x1b[6~", b"m2 / ", b"\x1b[5~", b"m1 / ")
OPTION = Key("quiz: another option (down)", DOWN, b"\x1b[7;", UP, b"\x1b[7;")


class Painted(Terminal):
    """The app, asked how long it takes to paint."""

    def drain(self, seconds: float) -> None:
        """Read what comes until nothing has come for so long, or for a second at most: a chart goes on painting."""
        until = time.perf_counter() + 1.0
        while time.perf_counter() < until and select.select([self.fd], [], [], seconds)[0]:
            os.read(self.fd, 1 << 16)

    def do(self, key: bytes, words: bytes = b"") -> None:
        """Press a key that is not measured."""
        self.press(key)
        if words:
            self.wait(words)
        self.drain(0.3)
        if key == ESC:
            time.sleep(PAUSE)

    def open(self, place: bytes, words: bytes) -> None:
        """Go somewhere through the palette."""
        self.do(b"\x10", b"Search for")  # ctrl+p
        self.do(place)
        self.do(b"\r", words)

    def times(self, one: Key, number: int) -> list[float]:
        """Seconds from a key to the words that it brings, so many times."""
        found = []
        while len(found) < number:
            for key, words in ((one.key, one.words), (one.back, one.back_words)):
                self.drain(QUIET)
                if not words:
                    self.do(key)
                    continue
                begin = time.perf_counter()
                self.press(key)
                self.wait(words)
                found.append(time.perf_counter() - begin)
        return found


def visit(training: bool, number: int, lab: str) -> dict[str, list[float]]:
    """The times of each key."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        terminal = Painted(Path(folder))

        def measure(one: Key) -> None:
            found[one.name] = terminal.times(one, number)

        terminal.do(b"", b"Course map")
        if not training:
            terminal.do(DOWN, b" Unit 2 ")
            measure(HOME)
        terminal.open(lab.encode(), b"Predict first")
        terminal.do(b"\r", b"Your prediction")
        for key in (b"p", DOWN, DOWN, b"\r", STEPS, b"\r", DOWN):
            terminal.do(key)
        if training:
            terminal.do(b"m", b"Training")  # eight seeds, one process a core
        else:
            measure(SLIDER)
            terminal.do(ESC)
        measure(KEYS)
        terminal.do(b"\t")
        measure(FOCUS)
        terminal.do(b"p")
        measure(CHOOSE)
        terminal.do(ESC)
        terminal.do(b"l", b"Contents")
        measure(PAGE)
        terminal.do(b"\x1b[15~", b"m1 / ")  # F5
        measure(SLIDE)
        for _ in range(2):
            terminal.do(ESC)
        terminal.open(b"Quiz: Residual", b"Question 1 of")
        measure(OPTION)
        terminal.do(ESC)
        if training:
            terminal.wait(b"s stops")  # it has not ended meanwhile
        terminal.do(ESC)  # leaving the lab stops it
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
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--lab", default="Lab: Features that hide", help="words by which the palette finds the lab")
    given = parser.parse_args()
    print(f"{given.keys} times each, in ms; Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    for title, training in (("nothing trains", False), ("a lab trains", True)):
        print(f"{title:<30}{'median':>10}{'95 %':>10}{'slowest':>10}", flush=True)
        for name, times in visit(training, given.keys, given.lab).items():
            median, late, slowest = statistics.median(times), percentile(times, 0.95), max(times)
            print(f"  {name:<28}" + "".join(f"{1000 * some:>10.1f}" for some in (median, late, slowest)))


if __name__ == "__main__":
    main()
