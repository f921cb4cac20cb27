"""How long commands take to start, against `python -c pass` run in turn with them. Prints medians and ratios.

    python benchmarks/startup.py [--runs 20]

Promised: `tlcourse --help` and `tlcourse progress` at most 100 ms above `python -c pass`; the first paint of
`tlcourse start` within 600 ms of the start of its process, on an idle machine; the first frame of `tlcourse lab play`
within 800 ms; the first point of a curve within 1.5 s of the key where a process stands by (here: of the request).
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

import psutil
from quit import as_installed

from tlcourse.paths import STARTED

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "tlcourse --help": [sys.executable, "-m", "tlcourse", "--help"],
    "tlcourse progress": [sys.executable, "-m", "tlcourse", "progress"],
    "tlcourse exercise list": [sys.executable, "-m", "tlcourse", "exercise", "list"],
}
BASELINE = "python -c pass"
FIRST_WORDS = {"start": b"Course map", "lab play dann": b"Playing"}


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Wall time of one run."""
    begin = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def first_point(env: dict[str, str]) -> float:
    """Seconds from the request to the first point of the lab `dann`, in a process that stands by as the app's does."""
    command = [sys.executable, "-m", "tlcourse", "prewarm", "--lab"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        watched, used = psutil.Process(process.pid), -1.0
        while (now := sum(watched.cpu_times()[:2])) != used or now < 1:
            used = now
            time.sleep(2)
        begin = time.perf_counter()
        process.stdin.write(b'["lab", "run", "dann", "--events"]\n')
        process.stdin.flush()
        while b'"metric"' not in process.stdout.readline():
            pass
        found = time.perf_counter() - begin
        process.kill()
    return found


def first_paint(env: dict[str, str], command: str = "start") -> float:
    """Seconds from the start of a command in a terminal of 120×40 to the first screen with its first words."""
    first_words = FIRST_WORDS[command]
    begin = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "tlcourse", *command.split()], env)
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    try:
        while first_words not in seen:
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
        env = {**as_installed(), "TLCOURSE_HOME": home, "TERM": "xterm-256color"}
        times: dict[str, list[float]] = {
            name: [] for name in (*COMMANDS, *(f"tlcourse {name}" for name in FIRST_WORDS))
        }
        for command in COMMANDS.values():
            seconds(command, env)  # once for the disk's and the course's caches
        for _ in range(runs):
            for name, command in COMMANDS.items():
                times[name].append(seconds(command, env))
            for name in FIRST_WORDS:
                times[f"tlcourse {name}"].append(first_paint(env, name))
        points = [first_point(env) for _ in range(3)]
    base = statistics.median(times[BASELINE])
    print(f"medians of {runs} runs; Python {sys.version.split()[0]}")
    for name, values in times.items():
        median = statistics.median(values)
        label = name if name in COMMANDS else f"{name} (first paint)"
        print(f"{label:<38} {median * 1000:7.1f} ms  {median / base:5.1f} × bare  {(median - base) * 1000:+7.1f} ms")
    print(f"first point of a lab that stands by: {statistics.median(points) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
