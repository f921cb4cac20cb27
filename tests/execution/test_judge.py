"""How a run is judged: which of the things that it told count, and what is said of its end. No process is started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from tlcourse.course.spec import CallSpec
from tlcourse.execution.judge import Told, ending, out_of_time
from tlcourse.execution.spec import Checked, Problem, RunSpec

STARTED = {"type": "started", "device": "a cpu", "torch": "2.9"}


def phase(name: str) -> dict[str, Any]:
    return {"type": "phase", "name": name}


def problem(kind: str, message: str = "It broke.") -> dict[str, Any]:
    return {"type": "problem", "kind": kind, "message": message, "trace": "line 1"}


def told(*events: dict[str, Any]) -> Told:
    made = Told()
    for event in events:
        made.take(event)
    return made


def test_nothing_is_known_of_a_run_that_told_nothing():
    found = Told()
    assert (found.started, found.phase, found.where, found.problem) == ({}, "", "", None)
    assert (found.metrics, found.probes) == ([], {})
    assert found.asked is found.fitted is False


def test_whoever_watches_sees_what_counts_but_neither_the_log_twice_nor_where_it_is():
    found = told()
    seen = [STARTED, phase("fit"), {"type": "metric", "step": 1, "values": {}}, problem("exception"), phase("predict")]
    assert [found.take(event) for event in seen] == [True] * 5
    assert found.take({"type": "finished"}) is True
    assert found.take({"type": "probe", "values": {}}) is True
    assert found.take({"type": "log", "text": "forged"}) is False
    assert found.take({"type": "where", "place": "line 3", "trace": ""}) is False


def test_what_a_check_said_counts_once_and_carries_nothing_out_once_test_inputs_are_in():
    said = [
        {"type": "check", "id": name, "status": status, "message": words, "trace": ""}
        for name, status, words in (("sign", "fail", "no"), ("sign", "pass", ""), ("size", "excellent", ""))
    ]
    late = {**said[0], "id": "late"}
    found = told(*said)
    assert [found.take(event) for event in (phase("fitted"), late)] == [True, False]
    assert list(found.checks.values()) == [Checked("sign", "fail", "no")]
    many = told(*({**said[0], "id": str(number)} for number in range(500)))
    assert len(many.checks) == 100


def test_the_first_start_counts():
    assert told(STARTED, {**STARTED, "device": "cuda:0"}).started == STARTED


@pytest.mark.parametrize(
    ("names", "reached"),
    [
        (["load"], "load"),
        (["load", "fit"], "fit"),
        (["fit"], "fit"),
        (["fit", "load"], "fit"),
        (["fit", "fitted"], "fitted"),
        (["fitted"], "fitted"),
        (["fitted", "load", "fit", "predict"], "fitted"),
        (["predict"], ""),
        (["fit", "export"], "export"),
        (["export", "fit", "load"], "export"),
        (["export", "fitted"], "fitted"),
        (["fitted", "export"], "fitted"),
    ],
)
def test_phases_are_taken_in_their_order(names, reached):
    found = told(*map(phase, names))
    assert found.phase == reached
    assert found.fitted == (reached == "fitted")


def test_a_curve_ends_with_fit():
    def metric(step: int) -> dict[str, Any]:
        return {"type": "metric", "step": step, "values": {"loss": 0.5}, "forged": 1}

    found = told(metric(1), phase("fit"), metric(2), phase("fitted"))
    assert found.take(metric(3)) is False
    assert found.metrics == [{"step": 1, "values": {"loss": 0.5}}, {"step": 2, "values": {"loss": 0.5}}]


def test_probes_count_after_fit_and_two_that_differ_are_worth_nothing():
    def probe(**values: float) -> dict[str, Any]:
        return {"type": "probe", "values": values}

    found = told(probe(early=1), phase("fitted"), probe(one=1, two=2), probe(two=2), probe(one=3), probe(three=3))
    assert found.probes == {"two": 2, "three": 3}


def test_the_first_problem_counts_and_one_of_no_known_kind_does_not():
    found = told(problem("forged", "zero"), problem("contract", "first"), problem("exception", "second"))
    assert found.problem == Problem("contract", "first", "line 1")


def at(place: str, trace: str = "a trace") -> dict[str, Any]:
    return {"type": "where", "place": place, "trace": trace}


def test_where_a_run_is_counts_once_it_was_asked_and_until_fit_has_returned():
    assert told(STARTED, at("line 3")).where == ""
    found = told(STARTED)
    found.asked = True
    found.take(at("x" * 300))
    found.take(at("elsewhere", "another trace"))
    assert found.where == "x" * 200
    assert found.problem == Problem("exception", "", "a trace")
    late = told(STARTED, phase("fitted"))
    late.asked = True
    late.take(at("line 3"))
    assert (late.where, late.problem) == ("", None)


def test_where_a_run_is_takes_the_place_of_no_problem_that_it_had():
    found = told(STARTED, problem("contract"))
    found.asked = True
    found.take(at("line 3"))
    assert found.where == "line 3"
    assert found.problem == Problem("contract", "It broke.", "line 1")


def test_what_a_run_was_doing_when_its_time_was_over():
    found = Told()
    found.asked = True
    assert found.phase_in_words() == "The solution was not loaded yet"
    found.take(phase("load"))
    assert found.phase_in_words() == "fit had not begun: code at the top level was still running"
    found.take(at("solution.py, line 3"))
    assert found.phase_in_words() == "fit had not begun: code at the top level was still running (solution.py, line 3)"
    found.take(phase("fit"))
    assert found.phase_in_words() == "fit had not returned (solution.py, line 3)"
    assert told(phase("fit")).phase_in_words() == "fit had not returned"
    for name in ("export", "fitted"):
        found.take(phase(name))
        assert found.phase_in_words() == "fit had returned, and the returned module was being called"


@pytest.fixture
def job(job_for) -> RunSpec:
    return job_for("mine = 1", memory_mb=512, scratch_mb=16, cpu_s=30)


@pytest.fixture
def ended(job):
    """`ended(events…, code=…, …)`: the status and the message of a run that told these and ended with this status."""

    def end(
        *events: dict[str, Any],
        code: int | None = 0,
        fell: str = "",
        killed: bool = False,
        log: str = "",
        predicted: bool = False,
        spec: RunSpec = job,
    ) -> tuple[str, str]:
        process = SimpleNamespace(returncode=code, fell=fell)
        tree = SimpleNamespace(killed_for_memory=killed, peak_mb=600.0)
        return ending(spec, told(*events), process, tree, log=log, predicted=predicted)

    return end


FITTED = (STARTED, phase("fit"), phase("fitted"))


def test_a_run_whose_predictions_came_out_is_done(ended, job):
    assert ended(*FITTED, predicted=True) == ("done", "predictions came out")
    assert ended(*FITTED, spec=replace(job, test_inputs=None)) == ("done", "fit returned")
    assert ended(*FITTED, predicted=True, spec=replace(job, test_inputs=None)) == ("done", "fit returned")


@pytest.mark.parametrize("code", [1, -9])
def test_a_run_that_ended_badly_is_not_done_whatever_came_out(ended, job, code):
    assert ended(*FITTED, predicted=True, code=code)[0] == "crash"
    assert ended(*FITTED, spec=replace(job, test_inputs=None), code=code)[0] == "crash"


def test_without_test_inputs_fit_must_have_returned(ended, job):
    assert ended(STARTED, phase("fit"), spec=replace(job, test_inputs=None))[0] == "crash"


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (None, "no exit status"),
        (0, "exit status 0; does the solution call os._exit or quit?"),
        (3, "exit status 3; does the solution call os._exit or quit?"),
        (128, "exit status 128; does the solution call os._exit or quit?"),
        (129, "killed by SIGHUP"),
        (128 + 64, "killed by SIGRTMAX"),
        (128 + 65, "exit status 193; does the solution call os._exit or quit?"),
        (255, "exit status 255; does the solution call os._exit or quit?"),
        (-1, "killed by SIGHUP"),
        (-11, "killed by SIGSEGV"),
        (-127, "exit status -127; does the solution call os._exit or quit?"),
    ],
)
def test_a_process_that_ends_too_early_crashed(ended, code, how):
    assert ended(STARTED, code=code) == ("crash", f"the process ended before fit returned ({how})")
    assert ended(*FITTED, code=code) == ("crash", f"the process ended before all predictions were out ({how})")


def test_a_sandbox_that_fell_is_ours_whatever_the_run_did(ended):
    assert ended(*FITTED, predicted=True, fell="its monitor was killed") == ("infra", "its monitor was killed")


def test_what_the_kernel_ended_for_its_memory_used_too_much(ended):
    assert ended(*FITTED, problem("exception"), killed=True) == (
        "memory",
        "used 600 MB of memory; 512 MB are allowed",
    )


def test_a_worker_that_did_not_start_is_ours_and_its_last_line_is_said(ended):
    assert ended(code=7) == ("infra", "the worker did not start (exit status 7)")
    assert ended(log="one\ntwo\n\n") == ("infra", "the worker did not start: two")
    assert ended(log="x" * 400) == ("infra", "the worker did not start: " + "x" * 300)
    assert ended(problem("exception"), code=7) == ("infra", "the worker did not start (exit status 7)")


def test_a_device_that_is_not_there_is_ours_where_nothing_had_started(ended):
    assert ended(problem("no_device", "No cuda:1 here.")) == ("infra", "No cuda:1 here.")
    assert ended(STARTED, problem("no_device", "No cuda:1 here.")) == ("invalid", "No cuda:1 here.")


def test_a_problem_says_how_the_run_ended(ended):
    assert ended(*FITTED, problem("exception"), predicted=True) == ("crash", "It broke.")
    assert ended(STARTED, problem("contract")) == ("invalid", "It broke.")


def test_an_exception_that_a_limit_explains_says_so_and_another_problem_does_not(ended):
    said = "OSError: [Errno 28] No space left on device"
    assert ended(STARTED, problem("exception", said)) == (
        "crash",
        f"{said} (its scratch folders were full: 16 MB are allowed in each of /tmp and /dev/shm)",
    )
    assert ended(STARTED, problem("contract", said)) == ("invalid", said)


def test_a_run_out_of_time_is_said_in_seconds_of_the_reference_machine(job):
    """Two threads at half its speed: four CPU seconds here are one there; 30 are allowed, which are 120 here."""
    spec = replace(job, task_spec=replace(job.task_spec, threads=2, speed=0.5))
    assert out_of_time("stopped after 90 s", spec, 80.0, 120.0, by_the_clock=True) == (
        "stopped after 90 s, and it used 20 of 30 reference seconds of CPU"
    )
    assert out_of_time("used 124 s of CPU", spec, 124.0, 120.0, by_the_clock=False) == (
        "used 31 reference seconds of CPU; 30 are allowed (the machine runs at 0.5 × the reference)"
    )
    assert out_of_time("said", spec, 120.0, 120.0, by_the_clock=False) == "said"


def test_a_run_of_calls_speaks_of_no_fit():
    assert told(phase("load")).phase_in_words(calls=True) == "Code at the top level was still running"
    assert told(phase("load"), phase("fitted")).phase_in_words(calls=True) == "Functions were being called"


@pytest.mark.parametrize(
    ("events", "after", "where"),
    [
        ((STARTED, phase("load")), "", "while it was loaded"),
        ((STARTED, phase("load"), phase("fitted")), "", "before all calls had been made"),
        ((STARTED, phase("fit")), "network", "before fit returned"),
        (FITTED, "network", "before all predictions were out"),
    ],
)
def test_a_run_of_calls_that_ended_too_early_says_so_in_its_own_words_unless_it_had_a_fit(
    ended, job, events, after, where
):
    spec = replace(job, task_spec=replace(job.task_spec, calls=CallSpec(("f",), 3, 1.0, 256, 64, after)))
    assert ended(*events, code=-11, spec=spec) == ("crash", f"the process ended {where} (killed by SIGSEGV)")
