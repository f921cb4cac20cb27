"""What supervision decides, from outside: the tests' workers are ten lines that write to the pipes what they like."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
from msgspec.structs import replace
from scripted import Scripted, of_kind

from tlcourse.execution import arrays, supervise
from tlcourse.execution.gpu import WAITING, Card
from tlcourse.execution.spec import Checked
from tlcourse.execution.supervise import run
from tlcourse.sandbox.base import SandboxedProcess, Start


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


def busy_from(seen: Path, ends: Callable[[str], bool]) -> Callable[[dict[str, Any]], None]:
    """A watcher that looks away at the first line that a run prints, tells it so by a file, and looks again later."""

    def told(event: dict[str, Any]) -> None:
        if event["type"] == "log" and not seen.exists():
            seen.touch()
            while not ends(event["text"]):
                time.sleep(0.01)

    return told


def has_ended(pid: str) -> bool:
    return psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE


def test_predictions_that_were_not_asked_for_are_refused(ran):
    report = ran("started()\nanswer(b'x')\ntime.sleep(60)")
    assert (report.status, report.results) == ("invalid", b"")
    assert report.message == "wrote predictions that were not asked for, or more than the contract allows"


def test_predictions_from_before_fit_returned_are_refused_though_nobody_looked_until_then(job, tmp_path):
    """A busy watcher: what was told, the predictions and the end of fit all wait for it."""
    watched, written = tmp_path / "watched", tmp_path / "written"
    text = f"""
        started()
        print("watch", flush=True)
        while not os.path.exists({str(watched)!r}): time.sleep(0.01)
        tell("metric", step=1, values={{"loss": 1.0}})
        answer()
        tell("phase", name="fitted")
        open({str(written)!r}, "w").close()
        handed_over()
    """
    report = run(job, Scripted(text), busy_from(watched, lambda _: written.exists()))
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
    text = f"""
        fitted()
        handed_over()
        print(os.getpid(), flush=True)
        while not os.path.exists({str(seen)!r}): time.sleep(0.01)
        answer()
    """
    report = run(job, Scripted(text), busy_from(seen, has_ended))
    assert (report.status, report.results) == ("done", b"predictions")


@pytest.mark.skipif(sys.platform != "linux", reason="no pipe can be made larger there")
def test_of_the_last_words_all_are_read_that_a_pipe_may_hold(job, tmp_path):
    """A run that enlarged its own pipe leaves more in it than one read takes."""
    seen = tmp_path / "seen"
    text = f"""
        import fcntl
        fitted()
        handed_over()
        fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
        print(os.getpid(), flush=True)
        while not os.path.exists({str(seen)!r}): time.sleep(0.01)
        print("x" * 500_000, flush=True)
        answer()
    """
    report = run(replace(job, limits=replace(job.limits, output_kb=1024)), Scripted(text), busy_from(seen, has_ended))
    assert report.status == "done"
    assert report.log.count("x") == 500_000


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
