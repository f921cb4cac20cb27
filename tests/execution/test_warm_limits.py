"""Limits and outcomes behind the warm wall: those of the cold one."""

from __future__ import annotations

import pytest

from tlcourse.execution.supervise import run


@pytest.mark.parametrize(
    ("body", "caps", "ending", "said"),
    [
        ("time.sleep(600)", {"wall_s": 1.5}, "timeout", "2 s are allowed"),
        ("while True: pass", {"cpu_s": 1}, "timeout", "CPU"),
        ("x = torch.ones(2**28); time.sleep(60)", {"memory_mb": 900}, "memory", "900 MB are allowed"),
        ("while True: print('x' * 1000)", {"output_kb": 64}, "output", "more than 64 kB"),
        ("sys.exit(0)", {}, "crash", "sys.exit(0)"),
        ("os._exit(0)", {}, "crash", "exit status 0"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", {}, "crash", "killed by SIGSEGV"),
        ("raise ValueError('mine')", {}, "crash", "ValueError in fit: mine"),
        ("open('/tmp/x', 'wb').write(bytes(5 * 2**20))", {"scratch_mb": 4}, "crash", "a single file may take 4 MB"),
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
def test_each_limit_has_its_outcome(warm_wall, job_for, tells, body, caps, ending, said):
    report = run(job_for(tells(body), **caps), warm_wall, lambda _: None)
    assert report.ending == ending, report
    assert said in report.message
    assert report.wall == "warm"


def test_a_memory_bomb_of_many_processes_is_stopped(warm_wall, job_for, tells):
    body = """
        for _ in range(6):
            if os.fork() == 0:
                held = torch.ones(2**26); time.sleep(60)
        time.sleep(60)
        """
    report = run(job_for(tells(body), memory_mb=900), warm_wall, lambda _: None)
    assert report.ending == "memory", report


def test_memory_is_what_the_run_adds_not_what_its_parent_holds(warm_wall, job_for, tells):
    little = run(job_for(tells("time.sleep(1.5)")), warm_wall, lambda _: None).usage.peak_rss_mb
    much = run(job_for(tells("x = torch.ones(2**27); time.sleep(1.5)")), warm_wall, lambda _: None).usage.peak_rss_mb
    assert little < warm_wall.warm().memory_mb()
    assert 400 < much - little < 700  # 512 MB


def test_cpu_time_is_that_of_the_run(warm_wall, job_for, tells):
    body = "begin = time.process_time()\nwhile time.process_time() - begin < 1.5: pass"
    used = run(job_for(tells(body)), warm_wall, lambda _: None).usage
    assert 1.3 < used.cpu_s < 2.5
