"""How long commands take to start, against `python -c pass` run in turn with them. Prints medians and ratios.

    python benchmarks/startup.py [--runs 20]

Promised: `tlcourse --help` and `tlcourse progress` at most 100 ms above `python -c pass`; the first paint of
`tlcourse start` within 600 ms of the start of its process, on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tlcourse.paths import STARTED

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "tlcourse --help": [sys.executable, "-m", "tlcourse", "--help"],
    "tlcourse progress": [sys.executable, "-m", "tlcourse", "progress"],
    "tlcourse exercise list": [sys.executable, "-m", "tlcourse", "exercise", "list"],
}
BASELINE = "python -c pass"
FIRST_WORD = b"Continue"


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Wall time of one run."""
    begin = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def first_paint(env: dict[str, str]) -> float:
    """Seconds from the start of `tlcourse start` in a terminal of 120×40 to the first screen with its first line."""
    begin = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "tlcourse", "start"], env)
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    try:
        while FIRST_WORD not in seen:
            if not select.select([terminal], [], [], 20)[0]:
                raise SystemExit(f"no first screen within 20 s; seen: {seen[-500:]!r}")
            seen += os.read(terminal, 1 << 16)
        return time.perf_counter() - begin
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def main() -> None:
    """Interleave the commands, so that what disturbs one disturbs all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / STARTED).touch()  # the look at the machine comes once, and is none of this
        env = {**os.environ, "TLCOURSE_HOME": home, "TERM": "xterm-256color"}
        times: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "tlcourse start")}
        for command in COMMANDS.values():
            seconds(command, env)  # once for the disk's and the course's caches
        for _ in range(runs):
            for name, command in COMMANDS.items():
                times[name].append(seconds(command, env))
            times["tlcourse start"].append(first_paint(env))
    base = statistics.median(times[BASELINE])
    print(f"medians of {runs} runs; Python {sys.version.split()[0]}")
    for name, values in times.items():
        median = statistics.median(values)
        label = f"{name} (first paint)" if name == "tlcourse start" else name
        print(f"{label:<32} {median * 1000:7.1f} ms  {median / base:5.1f} × bare  {(median - base) * 1000:+7.1f} ms")


if __name__ == "__main__":
    main()
