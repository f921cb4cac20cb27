"""Limits and outcomes in the fork server: those of bubblewrap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tlcourse.course.spec import Limits
from tlcourse.execution import supervise
from tlcourse.execution.supervise import run
from tlcourse.sandbox.limits import exceeded
from tlcourse.sandbox.process_tree import Used


@pytest.mark.parametrize(
    ("body", "limits", "status", "said"),
    [
        ("time.sleep(600)", {"wall_time_s": 1.5}, "timeout", "2 s are allowed"),
        ("while True: pass", {"cpu_s": 1}, "timeout", "CPU"),
        ("x = torch.ones(2**28); time.sleep(60)", {"memory_mb": 900}, "memory", "900 MB are allowed"),
        ("while True: print('x' * 1000)", {"output_kb": 64}, "output", "more than 2048 kB"),
        ("sys.exit(0)", {}, "crash", "sys.exit(0)"),
        ("os._exit(0)", {}, "crash", "exit status 0"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", {}, "crash", "killed by SIGSEGV"),
        ("raise ValueError('mine')", {}, "crash", "ValueError in fit: mine"),
        ("open('/dev/shm/x', 'wb').write(bytes(5 * 2**20))", {"scratch_mb": 4}, "crash", "a single file may take 4 MB"),
        (
            "for i in range(9): open(f'/tmp/{i}', 'wb').write(bytes(2**20))",
            {"scratch_mb": 4},
            "crash",
            "were full: 4 MB are allowed",
        ),
        (
            "for _ in range(80): subprocess.Popen(['/usr/bin/sleep', '9'])",
            {"processes": 40},
            "crash",
            "40 processes and threads are allowed",
        ),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_each_limit_has_its_outcome(fork_server_sandbox, job_for, tells, body, limits, status, said):
    report = run(job_for(tells(body), **limits), fork_server_sandbox, lambda _: None)
    assert report.status == status, report
    assert said in report.message
    assert report.sandbox == "fork-server"


def test_a_memory_bomb_of_many_processes_is_stopped(fork_server_sandbox, job_for, tells):
    body = """
        for _ in range(6):
            if os.fork() == 0:
                held = torch.ones(2**26); time.sleep(60)
        time.sleep(60)
        """
    report = run(job_for(tells(body), memory_mb=900), fork_server_sandbox, lambda _: None)
    assert report.status == "memory", report


@pytest.fixture
def seen_when(monkeypatch, fork_server_sandbox, job_for, tells):
    """`seen_when(body, holds)`: runs until it has logged a metric and a look that was begun afterwards `holds`.

    Returns what the run said it used by then, and what was seen of it. The run stays where it is meanwhile: nothing is
    timed. One that is never seen so ends with its time, which fails.
    """

    def measured(body: str, holds: Callable[[Used], bool]) -> tuple[float, Used]:
        said: list[float] = []
        seen: list[Used] = []

        def look(used: Used, limits: Limits, wall_time_s: float) -> tuple[str, str] | None:
            if said and holds(used):
                seen.append(used)
                return "timeout", "seen"
            return exceeded(used, limits, wall_time_s)

        def listen(event: dict[str, Any]) -> None:
            if event["type"] == "metric":
                said.append(event["values"]["used"])

        monkeypatch.setattr(supervise, "exceeded", look)
        report = run(job_for(tells(f"{body}\ntime.sleep(600)")), fork_server_sandbox, listen)
        assert report.message.startswith("seen. fit had not returned"), report
        return said[0], seen[0]

    return measured


def test_memory_is_what_the_run_adds_not_what_its_parent_holds(seen_when, fork_server_sandbox):
    _, little = seen_when("task.log(1, used=0)", lambda used: used.memory_mb > 0)
    added = seen_when("x = torch.ones(2**27); task.log(1, used=512)", lambda used: used.memory_mb > 512)
    assert little.memory_mb < fork_server_sandbox.prewarm().memory_mb()
    assert added[1].memory_mb - little.memory_mb < 700  # 512 MB, which it was seen to reach


def test_cpu_time_is_that_of_the_run(seen_when):
    burns = "begin = time.process_time()\nwhile time.process_time() - begin < 1.5: pass\n"
    said, seen = seen_when(f"{burns}task.log(1, used=time.process_time())", lambda used: used.cpu_s > 1.4)
    assert said - 0.1 < seen.cpu_s < said + 1  # pid 1 of the run builds its root
