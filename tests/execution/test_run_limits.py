"""What a run has used, which limit ends it, and what is said then: by workers that are texts."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import psutil
import pytest
from msgspec.structs import replace
from scripted import Scripted, of_kind

from tlcourse.course.spec import CallSpec
from tlcourse.execution import supervise
from tlcourse.execution.supervise import run


def test_a_worker_that_reads_no_test_inputs_is_stopped_by_its_limits_like_any_other(ran, job):
    """Nobody waits for it to read: 2 MB are more than its pipe holds."""
    big = {"x": np.zeros((8, 2**16), np.float32)}
    report = ran("fitted()\ntime.sleep(2)\nanswer()", spec=replace(job, test_inputs=big), wall_time_s=0.5)
    assert (report.status, report.results) == ("timeout", b"")


def test_the_time_of_fit_begins_with_fit(ran):
    report = ran("""
        time.sleep(0.4)
        fitted()
        answer()
        """)
    assert report.usage.fit_s <= report.usage.wall_time_s - 0.4


def test_fit_ends_with_it_and_not_with_what_is_made_of_its_module(ran):
    report = ran("started()\ntell('phase', name='export')\ntime.sleep(1)\ntell('phase', name='fitted')\nanswer()")
    assert 0 < report.usage.fit_s <= report.usage.wall_time_s - 0.5  # however late it is noticed on a busy machine


@pytest.mark.parametrize(("device", "by_the_clock"), [("cuda:1", True), ("mps", True), ("cpu", False)])
def test_a_gpus_work_is_counted_by_the_clock_and_a_processors_by_its_time(ran, device, by_the_clock):
    waits = "time.sleep(0.1)"  # that no processor's time is that of the clock by chance
    report = ran(f"runs_on({device!r})\ntell('phase', name='fit')\n{waits}\ntell('phase', name='fitted')\nanswer()")
    used = report.usage
    assert (used.reference_s == used.wall_time_s) is by_the_clock
    assert (used.fit_reference_s == used.fit_s) is by_the_clock
    assert 0 <= used.cpu_s < 10
    assert 0 <= used.peak_rss_mb < 4096
    assert (report.status, report.device, used.speed) == ("done", device, 0.0 if by_the_clock else 1.0)


def test_what_was_computed_before_fit_is_no_time_of_it(ran):
    report = ran("while time.process_time() < 0.3: pass\nfitted()\nanswer()")
    assert report.usage.cpu_s > 0.2
    assert report.usage.fit_reference_s < report.usage.reference_s / 3


def test_a_run_without_fit_took_all_of_its_time_for_it(ran):
    ends = "tell('phase', name='fitted')\nhanded_over()\ntime.sleep(0.2)\nanswer()"
    report = ran(f"time.sleep(0.3)\nruns_on('a cpu')\n{ends}")
    assert 0.3 <= report.usage.fit_s <= report.usage.wall_time_s - 0.2
    assert 0 < report.usage.fit_reference_s <= report.usage.reference_s


def test_limits_are_looked_at_every_50_ms_and_not_with_every_line(ran, job, monkeypatch):
    looks: list[tuple[Any, ...]] = []
    measure = supervise.ProcessTree.measure
    monkeypatch.setattr(supervise.ProcessTree, "measure", lambda *given: looks.append(given[1:]) or measure(*given))
    report = ran("started()\nfor _ in range(200):\n    print('a line', flush=True)\n    time.sleep(0.002)")
    of_fit = 1
    assert 2 < len(looks) <= report.usage.wall_time_s / 0.05 + 1 + of_fit
    assert set(looks) == {(), (job.limits.memory_mb,)}  # near the limit of memory an estimate is made exact


def test_what_a_stopped_run_had_not_handed_in_counts_no_more(job, tmp_path):
    """Answers of calls count where a run was stopped, but none that nobody had read when its time was over."""
    seen, answered = tmp_path / "seen", tmp_path / "answered"

    def slow(event: dict[str, Any]) -> None:
        if event["type"] == "log":
            seen.touch()
            time.sleep(2.1)
            while not answered.exists():
                time.sleep(0.01)

    text = f"""
        fitted()
        handed_over()
        answer(b"in time, ")
        time.sleep(0.2)
        print("now", flush=True)
        while not os.path.exists({str(seen)!r}): time.sleep(0.01)
        answer(b"too late")
        open({str(answered)!r}, "w").close()
        time.sleep(60)
    """
    spec = replace(job, task_spec=replace(job.task_spec, calls=CallSpec(("f",), 3, 1.0, 256, 64)))
    report = run(replace(spec, limits=replace(job.limits, wall_time_s=2.0)), Scripted(text), slow)
    assert (report.status, report.results) == ("timeout", b"in time, ")


def test_an_exception_that_a_limit_explains_says_so_and_another_problem_does_not(ran):
    said = "OSError: [Errno 28] No space left on device"
    crash, invalid = (
        ran(f"started()\ntell('problem', kind={kind!r}, message={said!r}, trace='')", scratch_mb=16)
        for kind in ("exception", "contract")
    )
    assert crash.message.startswith(f"{said} (its scratch folders were full: 16 MB")
    assert crash.message.endswith(")")
    assert invalid.message == said


def test_the_kernel_ended_it_for_its_memory(ran, monkeypatch):
    monkeypatch.setattr(supervise.ProcessTree, "killed_for_memory", property(lambda _: True))
    report = ran("fitted()\nanswer()", memory_mb=700)
    assert (report.status, report.results) == ("memory", b"")
    assert report.message.endswith("MB of memory; 700 MB are allowed")


EVENTS = "sent more progress events than are kept (8 MB); log once an epoch, not once a batch"


@pytest.mark.parametrize(
    ("text", "limits", "status", "said"),
    [
        ("time.sleep(60)", {"wall_time_s": 0.4}, "timeout", ".*are allowed.*"),
        ("while True: pass", {"cpu_s": 0.3}, "timeout", ".*of CPU.*"),
        ("x = bytearray(b'1') * 2**28; time.sleep(60)", {"memory_mb": 200}, "memory", ".*; 200 MB are allowed"),
        (
            "while True: print('x' * 100, flush=True)",
            {"output_kb": 2},
            "output",
            "printed more than 64 kB and.*",
        ),
        (
            "while True: tell('metric', step=1, values={'loss': 0.5})",
            {},
            "output",
            re.escape(EVENTS),
        ),
    ],
    ids=["wall time", "CPU", "memory", "output", "events"],
)
def test_each_limit_ends_the_run_and_all_that_it_started(ran, text, limits, status, said):
    child = "child = subprocess.Popen(['sleep', '60'])\nprint('child', child.pid, flush=True)\nstarted()\n"
    report = ran(child + text, **limits)
    assert report.status == status
    assert re.fullmatch(said, report.message)
    assert report.results == b""
    assert report.usage.wall_time_s < 60
    pid = int(report.log.split()[1])
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.slow
def test_cpu_time_is_counted_in_seconds_of_the_reference_machine(ran, job):
    """Two threads at half its speed: four CPU seconds here are one there."""
    spec = replace(job, task_spec=replace(job.task_spec, threads=2, speed=0.5), limits=replace(job.limits, cpu_s=0.4))
    burn = "def burn(s):\n    end = time.process_time() + s\n    while time.process_time() < end: pass\n"
    report = ran(burn + "fitted()\nburn(0.8)\nanswer()", spec=spec)
    assert report.status == "done"
    assert report.usage.speed == 0.5
    report = ran(burn + "started()\nburn(0.8)\ntell('phase', name='fitted')\ntime.sleep(0.2)\nanswer()", spec=spec)
    used = report.usage
    assert used.reference_s == pytest.approx(used.cpu_s / 4)
    assert used.fit_reference_s == pytest.approx(0.2, abs=0.05)
    report = ran("started()\nwhile True: pass", spec=spec)
    assert report.status == "timeout"
    assert report.usage.cpu_s >= 1.6
    assert report.message == (
        "used 0 reference seconds of CPU; 0 are allowed (the machine runs at 0.5 × the reference). fit had not returned"
    )


def test_who_sleeps_is_stopped_by_the_clock_which_a_slow_machine_lets_go_on(ran, job):
    slow = replace(job, task_spec=replace(job.task_spec, speed=0.5))
    assert ran("started()\ntime.sleep(60)", spec=slow, wall_time_s=0.4).usage.wall_time_s >= 0.8
    asked_for = replace(slow, wall_time_given=True)
    report = ran("started()\ntime.sleep(60)", spec=asked_for, wall_time_s=1, cpu_s=30)
    assert report.message == (
        "stopped after 1 s; 1 s are allowed, and it used 0 of 30 reference seconds of CPU. fit had not returned"
    )


def test_what_a_run_said_before_it_was_stopped_is_kept(job, tmp_path):
    spoken = tmp_path / "spoken"

    def slow(event: dict[str, Any]) -> None:
        """A busy watcher: the run speaks, and goes past its limit, before anybody looks again."""
        while event["type"] == "phase" and not spoken.exists():
            time.sleep(0.01)

    text = f"""
        started()
        keep = b'x' * (300 << 20)
        print('last words', flush=True)
        tell('metric', step=1, values={{'loss': 2.0}})
        open({str(spoken)!r}, "w").close()
        time.sleep(60)
    """
    report = run(replace(job, limits=replace(job.limits, memory_mb=200)), Scripted(text), slow)
    assert (report.status, report.log) == ("memory", "last words\n")
    assert report.metrics == [{"step": 1, "values": {"loss": 2.0}}]


def test_the_first_limit_that_was_hit_is_the_one_that_is_said(ran):
    report = ran("started()\nanswer()\nwhile True: print('x' * 100)", output_kb=2)
    assert report.status in ("invalid", "output")
    assert report.results == b""


def test_output_within_its_limit_is_no_fault(ran):
    report = ran("fitted()\nprint('x' * 2047)\nanswer()", output_kb=2)
    assert (report.status, len(report.log)) == ("done", 2048)


def test_more_output_than_is_kept_costs_its_middle_and_nothing_else(ran):
    report = ran("print('first')\nfitted()\nprint('x' * 20000)\nprint('last')\nanswer()", output_kb=2)
    assert report.status == "done"
    assert report.log.startswith("first\n")
    assert report.log.endswith("x\nlast\n")
    dropped = "\n[… the middle of 20012 bytes was dropped …]\n"
    assert dropped in report.log
    assert len(report.log) == 2048 + len(dropped)
    assert sum(len(event["text"]) for event in of_kind(ran.told, "log")) <= 2048


def test_output_one_byte_past_its_limit_is_one(ran):
    assert ran(f"fitted()\nprint('x' * {64 * 1024 - 1})\nanswer()", output_kb=2).status == "done"
    report = ran(f"fitted()\nprint('x' * {64 * 1024})\nanswer()", output_kb=2)
    said = "printed more than 64 kB and was stopped; of the log, the first and the last 1 kB are kept"
    assert (report.status, report.message) == ("output", said)


ASKED = """
def asked(*_):
    print("asked", flush=True)
    {answers}
signal.signal(signal.SIGXCPU, asked)
{begins}
while True: time.sleep(0.01)
"""


HERE = 'tell("where", place="solution.py, line 3", trace="a trace")'


def test_a_run_whose_time_is_over_says_where_it_is(ran):
    report = ran(ASKED.format(answers=HERE, begins="started()"), wall_time_s=0.4)
    assert report.status == "timeout"
    assert report.message.endswith(". fit had not returned (solution.py, line 3)")
    assert (report.problem.kind, report.problem.message, report.problem.trace) == ("exception", "", "a trace")
    assert report.log == "asked\n"
    assert of_kind(ran.told, "where") == []


def test_a_run_that_does_not_say_where_it_is_gets_half_a_second(ran):
    report = ran(ASKED.format(answers="pass", begins="started()"), wall_time_s=0.4)
    assert (report.status, report.log, report.problem) == ("timeout", "asked\n", None)
    assert report.message.endswith(". fit had not returned")
    assert 0.9 <= report.usage.wall_time_s < 5


@pytest.mark.parametrize(
    ("begins", "limits", "said"),
    [
        ("pass", {"wall_time_s": 0.4}, "The solution was not loaded yet"),
        (
            "tell('phase', name='load')",
            {"wall_time_s": 0.4},
            "fit had not begun: code at the top level was still running",
        ),
        ("fitted()", {"wall_time_s": 0.4}, "fit had returned, and the returned module was being called"),
        ("started(); x = bytearray(b'1') * 2**28", {"memory_mb": 200}, "200 MB are allowed"),
    ],
)
def test_a_run_is_not_asked_before_it_started_after_fit_or_for_another_limit(ran, begins, limits, said):
    report = ran(ASKED.format(answers=HERE, begins=begins), **limits)
    assert report.message.endswith(said)
    assert (report.log, report.problem) == ("", None)


def test_a_run_of_calls_alone_whose_time_is_over_speaks_of_no_fit(ran, job):
    calls = replace(job, task_spec=replace(job.task_spec, calls=CallSpec(("f",), 3, 1.0, 256, 64)))
    report = ran(
        "runs_on('a cpu')\ntell('phase', name='load')\ntime.sleep(60)",
        spec=calls,
        wall_time_s=0.4,
    )
    assert report.message.endswith(". Code at the top level was still running")
