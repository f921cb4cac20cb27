"""What supervision decides, from outside: the tests' workers are ten lines that write to the pipes what they like."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
from msgspec.structs import replace

from tlcourse.course.spec import CallSpec
from tlcourse.execution import arrays, supervise
from tlcourse.execution.gpu import WAITING, Card
from tlcourse.execution.spec import Checked, RunReport, RunSpec
from tlcourse.execution.supervise import run
from tlcourse.sandbox.base import SandboxedProcess, Start

PRELUDE = """
import json, os, select, signal, struct, subprocess, sys, time
events, result = int(sys.argv[1]), int(sys.argv[2])
inputs, submission = sys.argv[3], sys.argv[4]
def write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data):]
def tell(event, /, **fields): write(events, json.dumps({"v": 1, "type": event, **fields}).encode() + b"\\n")
def runs_on(device): tell("started", device=device, torch="2.9")
def started(): runs_on("a cpu"); tell("phase", name="fit")
def fitted(): started(); tell("phase", name="fitted")
def read(n):
    data = b""
    while len(data) < n: data += os.read(0, n - len(data)) or sys.exit("no inputs")
    return data
def handed_over(): return read(struct.unpack("<Q", read(8))[0])
def answer(data=b"predictions"): write(result, data)
"""


class Scripted:
    """A sandbox whose worker is a text, run by a bare Python; it keeps how it was asked to start."""

    name = "none"

    def __init__(self, text: str, **traits: Any) -> None:
        self.text = PRELUDE + textwrap.dedent(text)
        self.traits = traits
        self.asked: Start | None = None

    def start(self, start: Start) -> SandboxedProcess:
        self.asked = start
        process = SandboxedProcess(
            [sys.executable, "-I", "-S", "-c", self.text, *start.arguments, str(start.inputs), str(start.submission)],
            stdin=start.stdin,
            stdout=start.output,
            stderr=start.output,
            env=start.env,
            pass_fds=start.pass_fds,
            start_new_session=True,
        )
        for name, value in self.traits.items():
            setattr(process, name, value)
        return process


@pytest.fixture
def job(job_for) -> RunSpec:
    """A job whose solution nobody imports."""
    return job_for("mine = 1")


@pytest.fixture
def ran(job):
    """`ran(text, …)` runs such a worker on the job, with these limits; `told` are the events that were passed on."""
    told: list[dict[str, Any]] = []

    def run_it(text: str, *, spec: RunSpec = job, traits: dict[str, Any] | None = None, **limits: Any) -> RunReport:
        changed = replace(spec, limits=replace(spec.limits, **limits))
        return run(changed, Scripted(text, **(traits or {})), told.append)

    run_it.told = told  # type: ignore[attr-defined]
    return run_it


def of_kind(told: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in told if event["type"] == kind]


def test_a_run_to_its_end_is_reported_whole(ran, job):
    report = ran("""
        print("hello", flush=True)
        started()
        tell("metric", step=1, values={"loss": 0.5})
        tell("metric", step=2, values={"loss": 0.25})
        tell("phase", name="fitted")
        tell("probe", values={"shared": 0.75})
        tell("probe", values={"heads": 2})
        answer(handed_over())
        tell("finished")
        """)
    assert (report.status, report.message, report.sandbox) == ("done", "predictions came out", "none")
    assert report.results == arrays.pack(job.test_inputs)  # the worker gave back what it was handed
    assert (report.device, report.torch) == ("a cpu", "2.9")
    assert report.metrics == [{"step": 1, "values": {"loss": 0.5}}, {"step": 2, "values": {"loss": 0.25}}]
    assert report.probes == {"shared": 0.75, "heads": 2}
    assert (report.log, report.problem) == ("hello\n", None)
    assert report.usage.peak_rss_mb > 1
    assert report.usage.cpu_s >= 0
    kinds = [event["type"] for event in ran.told if event["type"] != "log"]
    assert kinds == ["started", "phase", "metric", "metric", "phase", "probe", "probe", "finished"]
    assert of_kind(ran.told, "log") == [{"v": 1, "type": "log", "text": "hello\n"}]


def test_a_probe_is_taken_once_after_fit_and_two_that_differ_are_worth_nothing(ran):
    report = ran("""
        started()
        tell("probe", values={"shared_share": 1.0, "early": 1})  # the worker has not measured anything yet
        tell("phase", name="fitted")
        tell("probe", values={"shared_share": 0.0, "parameters": 8})
        tell("probe", values={"parameters": 8, "more": 2})
        answer(handed_over())
        """)
    assert report.probes == {"shared_share": 0.0, "parameters": 8, "more": 2}
    report = ran("""
        started()
        tell("phase", name="fitted")
        tell("probe", values={"shared_share": 1.0, "parameters": 8})  # one forged line, and then the worker's own
        tell("probe", values={"shared_share": 0.0, "parameters": 8})
        tell("probe", values={"shared_share": 1.0})
        answer(handed_over())
        """)
    assert report.probes == {"parameters": 8}


def test_what_a_worker_is_given(ran, job, tmp_path):
    weights = tmp_path / "weights.pth"
    weights.write_text("numbers")
    files = {"pretrained/deep/one.pth": weights, "pretrained/deep/two.pth": weights}
    spec = replace(job, files=files, env={"MINE": "1"})
    sandbox = Scripted("""
        files = sorted(os.path.relpath(os.path.join(top, n), inputs) for top, _, ns in os.walk(inputs) for n in ns)
        print(json.dumps([files, sorted(os.listdir(submission)), open(inputs + "/task_spec.json").read(),
                          open(inputs + "/pretrained/deep/one.pth").read(), os.environ["MINE"],
                          os.environ["OMP_NUM_THREADS"], inputs, submission]))
        fitted()
        for name in ("train", "val"):
            answer(open(inputs + "/" + name + ".safetensors", "rb").read())
        """)
    spec = replace(spec, task_spec=replace(spec.task_spec, threads=3), val={"x": np.zeros((2, 2), np.float32)})
    report = run(spec, sandbox, lambda _: None)
    files, handed_in, task_spec, text, mine, threads, inputs, submission = msgspec.json.decode(report.log)
    both = ["pretrained/deep/one.pth", "pretrained/deep/two.pth"]
    assert files == [*both, "task_spec.json", "train.safetensors", "val.safetensors"]
    assert handed_in == ["solution.py"]
    assert msgspec.json.decode(task_spec, type=type(spec.task_spec)) == replace(spec.task_spec, speed=1.0)
    assert (text, mine, threads) == ("numbers", "1", "3")
    assert report.results == arrays.pack(spec.train) + arrays.pack(spec.val)
    assert (sandbox.asked.inputs, sandbox.asked.submission) == (Path(inputs), Path(submission))
    assert Path(submission) != job.submission  # a copy
    assert Path(submission).parent == Path(inputs).parent
    assert (Path(inputs).name, Path(submission).name) == ("inputs", "submission")
    assert re.match(r"tlcourse-run-\d+-", Path(inputs).parent.name)  # by which a later run removes what was left
    assert not Path(inputs).exists()  # and gone
    assert sandbox.asked.limits == replace(spec.limits, cpu_s=3 * spec.limits.cpu_s)  # of three threads
    assert (sandbox.asked.gpu, sandbox.asked.devices) == (False, ())
    assert [str(one) for one in sandbox.asked.pass_fds] == list(sandbox.asked.arguments)


def test_test_inputs_come_after_fit_has_returned_and_not_before(ran):
    report = ran("""
        started()
        before = select.select([0], [], [], 0.3)[0]
        tell("phase", name="fitted")
        answer(handed_over())
        print("before:", before)
        """)
    assert report.log == "before: []\n"
    assert report.status == "done"


def test_test_inputs_come_in_an_order_of_this_runs_own(ran, job):
    report = ran("fitted()\nanswer(handed_over())", spec=replace(job, order_seed=5))
    x = job.test_inputs["x"]
    order = arrays.order_of(5, len(x))
    assert order.tolist() != sorted(order)
    assert report.results == arrays.pack({"x": x[order]})
    calls = np.arange(16, dtype=np.uint8)  # what is called is no item: it comes as it is
    calling = replace(job, order_seed=5, test_inputs={"x": x, arrays.CALLS: calls})
    report = ran("import hashlib\nfitted()\nanswer(hashlib.sha256(handed_over()).digest())", spec=calling)
    assert report.results == hashlib.sha256(arrays.pack({"x": x[order], arrays.CALLS: calls})).digest()


FIRST = """
started()
answer(struct.pack("<Q", {length}) + b"of validation" + b"a graph")
tell("phase", name="fitted")
{then}
"""


def test_a_graph_and_what_is_predicted_of_validation_items_came_before_the_test_inputs(ran, job):
    asked = replace(job, task_spec=replace(job.task_spec, graph=True, val_predictions=8))
    report = ran(FIRST.format(length=13, then="answer(handed_over())"), spec=asked)
    assert (report.graph, report.val_predictions) == (b"a graph", b"of validation")
    assert report.results == arrays.pack(job.test_inputs)
    for length in (10_000, 2**63):  # what is not whole is worth nothing, and costs nothing
        report = ran(FIRST.format(length=length, then="answer(handed_over())"), spec=asked)
        assert (report.status, report.graph, report.val_predictions) == ("done", b"", b"")
    crashed = ran(FIRST.format(length=13, then="handed_over()\nos._exit(1)"), spec=asked)
    assert (crashed.status, crashed.graph, crashed.val_predictions) == ("crash", b"", b"")
    late = FIRST.format(
        length=13, then="seen = handed_over()\nanswer(struct.pack('<Q', len(seen)) + seen)\nanswer(seen)"
    )
    report = ran(late, spec=asked)  # with the test inputs in hand, nothing is taken for an answer to validation items
    assert report.val_predictions == b"of validation"
    assert len(report.results) == 8 + 2 * len(arrays.pack(job.test_inputs))


def test_test_inputs_larger_than_a_pipe_arrive_whole(ran, job):
    big = {"x": np.arange(2**19, dtype=np.float32).reshape(8, -1)}
    report = ran(
        "import hashlib\nfitted()\nanswer(hashlib.sha256(handed_over()).digest())", spec=replace(job, test_inputs=big)
    )
    assert report.results == hashlib.sha256(arrays.pack(big)).digest()


@pytest.mark.parametrize("closes", ["os.close(0)", ""])
def test_a_worker_that_reads_no_test_inputs_may_still_answer(ran, job, closes):
    big = {"x": np.zeros((8, 2**16), np.float32)}
    report = ran(f"{closes}\nfitted()\nanswer()\ntime.sleep(0.2)", spec=replace(job, test_inputs=big))
    assert (report.status, report.results) == ("done", b"predictions")


def test_a_worker_that_reads_no_test_inputs_is_stopped_by_its_limits_like_any_other(ran, job):
    """Nobody waits for it to read: 2 MB are more than its pipe holds."""
    big = {"x": np.zeros((8, 2**16), np.float32)}
    report = ran("fitted()\ntime.sleep(2)\nanswer()", spec=replace(job, test_inputs=big), wall_time_s=0.5)
    assert (report.status, report.results) == ("timeout", b"")


def test_test_inputs_are_handed_over_once_and_fit_takes_until_it_returns_first(ran):
    report = ran("""
        started()
        time.sleep(0.2)
        tell("phase", name="fitted")
        handed_over()
        time.sleep(0.3)
        tell("phase", name="fitted")
        again = select.select([0], [], [], 0.3)[0]
        answer()
        print("again:", again)
        """)
    assert report.log == "again: []\n"
    assert 0.1 <= report.usage.fit_s <= report.usage.wall_time_s - 0.6


def test_the_time_of_fit_begins_with_fit(ran):
    report = ran("""
        time.sleep(0.4)
        fitted()
        answer()
        """)
    assert report.usage.fit_s <= report.usage.wall_time_s - 0.4


def test_fit_ends_with_it_and_not_with_what_is_made_of_its_module(ran):
    report = ran("started()\ntell('phase', name='export')\ntime.sleep(0.3)\ntell('phase', name='fitted')\nanswer()")
    assert 0 < report.usage.fit_s <= report.usage.wall_time_s - 0.3


@pytest.mark.parametrize(("device", "by_the_clock"), [("cuda:1", True), ("mps", True), ("cpu", False)])
def test_a_gpus_work_is_counted_by_the_clock_and_a_processors_by_its_time(ran, device, by_the_clock):
    waits = "time.sleep(0.1)"  # that no processor's time is that of the clock by chance
    report = ran(f"runs_on({device!r})\ntell('phase', name='fit')\n{waits}\ntell('phase', name='fitted')\nanswer()")
    used = report.usage
    assert (used.reference_s == used.wall_time_s) is by_the_clock
    assert (used.fit_reference_s == used.fit_s) is by_the_clock
    assert 0 <= used.cpu_s < 10
    assert (report.status, report.device, used.speed) == ("done", device, 0.0 if by_the_clock else 1.0)


def test_what_was_computed_before_fit_is_no_time_of_it(ran):
    report = ran("while time.process_time() < 0.3: pass\nfitted()\nanswer()")
    assert report.usage.cpu_s > 0.2
    assert report.usage.fit_reference_s < report.usage.reference_s / 3


def test_a_run_without_fit_took_all_of_its_time_for_it(ran):
    report = ran("time.sleep(0.3)\nruns_on('a cpu')\ntell('phase', name='fitted')\ntime.sleep(0.2)\nanswer()")
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


def test_metrics_after_fit_are_dropped_because_they_could_carry_test_inputs(ran):
    report = ran("""
        fitted()
        handed_over()
        tell("metric", step=1, values={"secret": 0.125})
        tell("metric", step=2, values={"secret": 0.25})
        answer()
        """)
    assert report.status == "done"
    assert report.metrics == []
    assert of_kind(ran.told, "metric") == []


def test_predictions_that_were_not_asked_for_are_refused(ran):
    report = ran("started()\nanswer(b'x')\ntime.sleep(60)")
    assert (report.status, report.results) == ("invalid", b"")
    assert report.message == "wrote predictions that were not asked for, or more than the contract allows"


def test_predictions_may_take_what_the_contract_allows_and_not_a_byte_more(ran, job):
    cap = arrays.size_cap(8, job.task_spec.outputs)
    enough = ran(f"fitted()\nhanded_over()\nanswer(bytes({cap}))")
    assert (enough.status, len(enough.results)) == ("done", cap)
    more = ran(f"fitted()\nhanded_over()\nanswer(bytes({cap + 1}))\ntime.sleep(60)")
    assert (more.status, more.results) == ("invalid", b"")


def test_what_was_written_just_before_the_end_counts(ran):
    report = ran("fitted()\nhanded_over()\nprint('x' * 60000, flush=True)\nanswer(bytes(60000))\nos._exit(0)")
    assert (report.status, len(report.results), len(report.log)) == ("done", 60_000, 60_001)


def test_what_was_written_when_nobody_looked_any_more_counts_too(job, tmp_path):
    """A busy watcher: the run answers, and ends, before anybody looks again."""
    seen = tmp_path / "seen"

    def slow(event: dict[str, Any]) -> None:
        if event["type"] == "log":
            seen.touch()
            while psutil.Process(int(event["text"])).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)

    text = f"""
        fitted()
        handed_over()
        print(os.getpid(), flush=True)
        while not os.path.exists({str(seen)!r}): time.sleep(0.01)
        answer()
    """
    report = run(job, Scripted(text), slow)
    assert (report.status, report.results) == ("done", b"predictions")


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


def test_what_was_said_of_checks_is_reported(ran):
    report = ran("""
        started()
        tell("check", id="shape", status="pass", message="", trace="")
        tell("check", id="sum", status="fail", message="3, not 4", trace="line 2")
    """)
    assert report.checks == [Checked("shape", "pass"), Checked("sum", "fail", "3, not 4", "line 2")]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("exception", "crash"),
        ("syntax", "invalid"),
        ("no_fit", "invalid"),
        ("contract", "invalid"),
        ("no_device", "invalid"),
    ],
)
def test_each_kind_of_problem_has_its_status(ran, kind, status):
    report = ran(f"started()\ntell('problem', kind={kind!r}, message='It broke.', trace='line 1')\nanswer_not = 1")
    assert (report.status, report.message) == (status, "It broke.")
    assert (report.problem.kind, report.problem.message, report.problem.trace) == (kind, "It broke.", "line 1")
    assert len(of_kind(ran.told, "problem")) == 1


def test_a_device_that_is_not_there_is_no_fault_of_the_submission(ran):
    report = ran("tell('problem', kind='no_device', message='No cuda:1 here.', trace='')")
    assert (report.status, report.message) == ("infra", "No cuda:1 here.")


def test_another_problem_before_the_start_is_a_worker_that_did_not_start(ran):
    report = ran("tell('problem', kind='exception', message='It broke.', trace='')\nsys.exit(7)")
    assert (report.status, report.message) == ("infra", "the worker did not start (exit status 7)")


def test_the_first_problem_counts_and_one_of_no_known_kind_does_not(ran):
    report = ran("""
        started()
        tell("problem", kind="forged", message="zero", trace="")
        tell("problem", kind="contract", message="first", trace="")
        tell("problem", kind="exception", message="second", trace="")
        """)
    assert (report.status, report.message) == ("invalid", "first")


def test_an_exception_that_a_limit_explains_says_so_and_another_problem_does_not(ran):
    said = "OSError: [Errno 28] No space left on device"
    crash, invalid = (
        ran(f"started()\ntell('problem', kind={kind!r}, message={said!r}, trace='')", scratch_mb=16)
        for kind in ("exception", "contract")
    )
    assert crash.message.startswith(f"{said} (its scratch folders were full: 16 MB")
    assert crash.message.endswith(")")
    assert invalid.message == said


BEFORE_FIT = "the process ended before fit returned"
BEFORE_THE_END = "the process ended before all predictions were out"


@pytest.mark.parametrize(
    ("text", "where", "how"),
    [
        ("started()", BEFORE_FIT, 0),
        ("started(); sys.exit(3)", BEFORE_FIT, 3),
        ("started(); os._exit(128)", BEFORE_FIT, 128),
        ("started(); os._exit(128 + 65)", BEFORE_FIT, 193),
        ("started(); os._exit(9)", BEFORE_FIT, 9),
        ("fitted()", BEFORE_THE_END, 0),
        ("fitted(); answer(); os._exit(1)", BEFORE_THE_END, 1),
        ("started(); os.kill(os.getpid(), signal.SIGSEGV)", BEFORE_FIT, "SIGSEGV"),
        ("started(); os._exit(128 + 9)", BEFORE_FIT, "SIGKILL"),
        ("started(); os._exit(128 + 1)", BEFORE_FIT, "SIGHUP"),
        ("started(); os._exit(128 + 64)", BEFORE_FIT, "SIGRTMAX"),
    ],
)
def test_a_process_that_ends_too_early_crashed_and_its_predictions_do_not_count(ran, text, where, how):
    report = ran(text)
    asked = f"exit status {how}; does the solution call os._exit or quit?"
    assert report.message == f"{where} ({asked if isinstance(how, int) else f'killed by {how}'})"
    assert (report.status, report.results) == ("crash", b"")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the worker did not start (exit status 0)"),
        ("sys.exit(7)", "the worker did not start (exit status 7)"),
        ("print('one'); print('two')", "the worker did not start: two"),
        ("print('x' * 400)", "the worker did not start: " + "x" * 300),
        ("answer_not = fitted", "the worker did not start (exit status 0)"),
    ],
)
def test_a_worker_that_never_said_that_it_started_is_ours(ran, text, message):
    report = ran(text)
    assert (report.status, report.message) == ("infra", message)
    assert (report.device, report.torch) == ("", "")
    assert (report.usage.fit_s, report.usage.fit_reference_s) == (0.0, 0.0)


def test_the_first_start_counts(ran):
    report = ran("started()\ntell('started', device='forged', torch='0')\ntell('phase', name='fitted')\nanswer()")
    assert (report.device, report.torch) == ("a cpu", "2.9")


def test_without_test_inputs_a_run_is_done_when_fit_has_returned(ran, job):
    fit_only = replace(job, test_inputs=None)
    done = ran("fitted()", spec=fit_only)
    assert (done.status, done.message, done.results) == ("done", "fit returned", b"")
    assert ran("started()", spec=fit_only).status == "crash"
    assert ran("fitted(); os._exit(1)", spec=fit_only).status == "crash"
    assert ran("fitted(); answer(b'x'); time.sleep(60)", spec=fit_only).status == "invalid"


def test_a_sandbox_that_fell_is_ours_whatever_the_run_did(ran):
    report = ran("fitted()\nanswer()", traits={"fell": "Its server was killed."})
    assert (report.status, report.message, report.results) == ("infra", "Its server was killed.", b"")


def test_the_kernel_ended_it_for_its_memory(ran, monkeypatch):
    monkeypatch.setattr(supervise.ProcessTree, "killed_for_memory", property(lambda _: True))
    report = ran("fitted()\nanswer()", memory_mb=700)
    assert (report.status, report.results) == ("memory", b"")
    assert report.message.endswith("MB of memory; 700 MB are allowed")


EVENTS = "sent more progress events than are kept (8 MB); log once an epoch, not once a batch"


@pytest.mark.parametrize(
    ("text", "limits", "status", "said"),
    [
        ("time.sleep(60)", {"wall_time_s": 0.4}, "timeout", "are allowed"),
        ("while True: pass", {"cpu_s": 0.3}, "timeout", "of CPU"),
        ("x = bytearray(b'1') * 2**28; time.sleep(60)", {"memory_mb": 200}, "memory", "200 MB are allowed"),
        (
            "while True: print('x' * 100, flush=True)",
            {"output_kb": 2},
            "output",
            "printed more than 64 kB and",
        ),
        (
            "while True: tell('metric', step=1, values={'loss': 0.5})",
            {},
            "output",
            "sent more progress events than are kept (8 MB); log once an epoch, not once a batch",
        ),
    ],
    ids=["wall time", "CPU", "memory", "output", "events"],
)
def test_each_limit_ends_the_run_and_all_that_it_started(ran, text, limits, status, said):
    child = "child = subprocess.Popen(['sleep', '60'])\nprint('child', child.pid, flush=True)\nstarted()\n"
    report = ran(child + text, **limits)
    assert report.status == status
    assert said in report.message
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


def test_the_log_says_what_was_started_with_which_limits_and_how_it_ended(ran, job, caplog):
    caplog.set_level("DEBUG", "tlcourse.execution.supervise")
    ran("started()\nprint(os.getpid(), flush=True)\nos._exit(3)")
    ran("started()\nanswer()\ntime.sleep(60)")
    begun, ended, _, stopped, reported = (record.getMessage() for record in caplog.records)
    pid = of_kind(ran.told, "log")[0]["text"].strip()
    known = re.escape(str(job.limits))
    assert re.fullmatch(rf"process {pid}: {job.task_spec.exercise} of \S+/submission in none, limits {known}", begun)
    crash = (
        r"crash \(the process ended before fit returned \(exit status 3; does the solution call os\._exit or quit\?\)\)"
    )
    figures = r"\d\.\d s, [0-5]\.\d s of CPU, at most \d+ MB"
    assert re.fullmatch(rf"process {pid}: {crash}; exit status 3, {figures}", ended)
    said = "wrote predictions that were not asked for, or more than the contract allows"
    assert re.fullmatch(rf"process \d+: stopped as invalid: {said}", stopped)
    assert re.fullmatch(rf"process \d+: invalid \({said}\); exit status -9, {figures}", reported)


def test_a_worker_that_closes_its_pipes_is_waited_for(ran):
    report = ran("fitted()\nanswer()\nos.close(events); os.close(result); os.close(1); os.close(2)\ntime.sleep(0.3)")
    assert (report.status, report.results) == ("done", b"predictions")
    assert report.usage.wall_time_s >= 0.3


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


def test_what_is_no_event_of_ours_is_dropped(ran):
    report = ran("""
        write(events, b"no JSON\\n" + b'{"v": 9, "type": "started"}\\n')
        tell("log", text="forged")
        fitted()
        tell("phase", name="dance")
        tell("metric", step="one", values={})
        answer()
        """)
    assert report.status == "done"
    assert [event["type"] for event in ran.told] == ["started", "phase", "phase"]


def test_where_the_system_tells_of_no_end_the_watch_looks_itself(ran, monkeypatch):
    asked: list[int] = []

    def refuse(pid: int) -> int:
        asked.append(pid)
        raise OSError

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    report = ran("print(os.getpid())\nfitted()\nanswer()")
    assert report.status == "done"
    assert asked == ([int(report.log)] if sys.platform == "linux" else [])  # Linux alone is asked to tell


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_error_of_the_listener_ends_the_run_and_leaves_nothing(job, leftovers, error):
    before = leftovers()
    pids: list[int] = []

    def listener(event: dict[str, Any]) -> None:
        if event["type"] == "log":
            pids.append(int(event["text"]))
            raise error

    with pytest.raises(error):
        run(job, Scripted("print(os.getpid(), flush=True)\ntime.sleep(60)"), listener)
    assert not psutil.pid_exists(pids[0])
    assert leftovers() == before


class Refusing:
    name = "none"

    def start(self, start: Start) -> SandboxedProcess:
        raise FileNotFoundError("no such sandbox")


class FakeGroup:
    """A control group that was made."""

    def __init__(self, memory_mb: float) -> None:
        self.memory_mb = memory_mb
        self.removed = 0

    def remove(self) -> None:
        self.removed += 1

    def kill(self) -> None:
        """Nobody is in it."""

    def cpu_s(self) -> float:
        return 0.0

    def has_killed(self) -> bool:
        return False


def test_a_sandbox_that_cannot_start_leaves_nothing(job, leftovers, monkeypatch):
    made: list[FakeGroup] = []
    monkeypatch.setattr(supervise, "group_for", lambda mb: made.append(FakeGroup(mb)) or made[-1])
    before = leftovers()
    with pytest.raises(FileNotFoundError, match="no such sandbox"):
        run(job, Refusing(), lambda _: None)
    assert leftovers() == before
    assert [(group.memory_mb, group.removed) for group in made] == [(job.limits.memory_mb, 1)]
    monkeypatch.setattr(supervise, "group_for", lambda mb: None)
    with pytest.raises(FileNotFoundError, match="no such sandbox"):
        run(job, Refusing(), lambda _: None)
    assert leftovers() == before


def test_nothing_is_left_of_a_run(ran, leftovers):
    ran("fitted()\nanswer()")
    before = leftovers()
    for text in ("fitted()\nanswer()", "", "started()\nanswer()"):
        ran(text)
    assert leftovers() == before


def test_a_run_on_a_card_is_alone_there_and_sees_it_as_the_first(job, monkeypatch):
    card = Card(name="gpu-1", nodes=("/dev/one",), visible={"CUDA_VISIBLE_DEVICES": "GPU-1"})
    held: list[str] = []

    @contextlib.contextmanager
    def alone(which: Card, waiting: Any):
        waiting()
        held.append(which.name)
        yield
        held.append("let go")

    monkeypatch.setattr(supervise, "card_of", lambda device: card if device == "cuda:1" else None)
    monkeypatch.setattr(supervise, "alone_on", alone)
    monkeypatch.setattr(supervise, "at_own_speed", lambda job, tell: tell({"type": "measuring"}) or job)
    told: list[dict[str, Any]] = []
    sandbox = Scripted(
        "print(json.load(open(inputs + '/task_spec.json'))['device'], os.environ['CUDA_VISIBLE_DEVICES'])\n"
        "fitted()\nanswer()"
    )
    limits = replace(job.limits, wall_time_s=60.0, cpu_s=20.0)
    spec = replace(job, task_spec=replace(job.task_spec, device="cuda:1", speed=1.0), limits=limits)
    report = run(spec, sandbox, told.append)
    assert sandbox.asked.limits.wall_time_s == 20.0  # on a card the clock counts what the CPU counts elsewhere
    assert report.log == "cuda:0 GPU-1\n"
    used = report.usage
    assert (used.reference_s, used.fit_reference_s) == (used.wall_time_s, used.fit_s)
    assert told[:2] == [{"type": "measuring"}, WAITING]  # both may take a while
    assert held == ["gpu-1", "let go"]
    assert (sandbox.asked.gpu, sandbox.asked.devices) == (True, ("/dev/one",))


def test_the_tree_is_measured_as_its_process_says(job, monkeypatch, tmp_path):
    made: list[dict[str, Any]] = []
    real = supervise.ProcessTree

    def recorded(pid: int, **traits: Any):
        made.append(traits)
        return real(pid, **traits)

    monkeypatch.setattr(supervise, "ProcessTree", recorded)
    spec = replace(job, limits=replace(job.limits, scratch_mb=33))
    group = FakeGroup(job.limits.memory_mb)
    for forked, scratch, its_group in ((True, tmp_path, group), (False, None, None)):
        monkeypatch.setattr(supervise, "group_for", lambda mb, its=its_group: its)
        sandbox = Scripted("fitted()\nanswer()", forked=forked, scratch=scratch)
        run(spec, sandbox, lambda _: None)
        assert sandbox.asked.group is its_group
    assert group.removed == 1
    assert made == [
        {"forked": True, "scratch_mb": 33, "folder": tmp_path, "group": group},
        {"forked": False, "scratch_mb": 33, "folder": None, "group": None},
    ]
