"""Waiting for a condition, never for a time; and solutions that go on when a test says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
# A solution calls `hold(task)`: it says that it trains, and stays until `cluster.go_on()`. SIGCONT means nothing to all
# other processes of a job.
HOLD = """
import signal, time
def hold(task):
    going = []
    signal.signal(signal.SIGCONT, lambda *_: going.append(1))
    task.log(1, going=1)
    while not going:
        time.sleep(0.05)
"""


def wait_for(holds: Callable[[], T], seconds: float = 90, pause: float = 0.1) -> T:
    """What `holds` gives as soon as that is true; fails with what it gave at last."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, found
        time.sleep(pause)
    return found


def together(
    pool: Any, jobs: Sequence[Any], on_report: Callable[[int, Any], None] = lambda number, report: None
) -> list[Any]:
    """Run jobs at once, from a thread each, as a batch does; reports in their order."""

    def one(number: int) -> Any:
        report = pool.run(jobs[number])
        on_report(number, report)
        return report

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(one, range(len(jobs))))
