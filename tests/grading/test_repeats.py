"""A near miss is run again with further seeds, and decided on all runs together."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest
from msgspec.structs import replace

from tlcourse.course.model import Policy
from tlcourse.data.synthetic import derived_seed, split_seeds
from tlcourse.execution.arrays import order_of, pack
from tlcourse.execution.spec import RunReport, Usage
from tlcourse.grading.grade import Grading, Options, further_seed, task_seed
from tlcourse.grading.intake.submission import Submission
from tlcourse.grading.secret import data_seed, run_key
from tlcourse.grading.shared_data import SharedGrader


def offset_runner(offsets):
    """Runs that answer every item with an error of the next offset, give or take: no process is needed for this."""
    seeds = []

    def run(job, on_event):
        x = job.test_inputs["x"][order_of(job.order_seed, len(job.test_inputs["x"]))]
        noise = np.linspace(0.5, 1.5, len(x), dtype=np.float32)
        error = offsets[len(seeds)] * noise
        seeds.append(job.task_spec.seed)
        results = pack({"y": 2 * x[:, 0] + 1 + error, "z": 3 * x[:, 1] - 1})
        return RunReport(status="done", message="", sandbox="bubblewrap", usage=Usage(), results=results, device="cpu")

    return run, seeds


@pytest.fixture(autouse=True)
def handed_in(tmp_path):
    """Where no code is handed in, nothing is run."""
    (tmp_path / "solution.py").touch()


@pytest.fixture
def graded(line, tmp_path):
    def grade(offsets):
        run, seeds = offset_runner(offsets)
        grading = Grading(line, Options(), run)
        submission = Submission(tmp_path, tmp_path, "0" * 64)
        return grading.result(submission, lambda _: None, started=""), seeds

    return grade


def test_a_clear_pass_and_a_clear_miss_need_one_run(graded):
    result, seeds = graded([0.05])
    assert (result.outcome, len(seeds)) == ("pass", 1)
    result, seeds = graded([0.2])
    assert (result.outcome, len(seeds)) == ("fail", 1)


def test_a_near_miss_is_repeated_with_other_seeds_and_passes_when_the_others_are_better(graded):
    result, seeds = graded([0.104, 0.09, 0.09])
    assert result.outcome == "pass"
    assert len(set(seeds)) == 3
    assert result.checks[0].n == 1200
    assert len(result.runs) == 3
    assert "decided on together" in result.messages[0]
    assert [round(run.values["y_error"], 2) for run in result.runs] == [0.1, 0.09, 0.09]


def test_a_pass_in_doubt_is_said_to_be_one(graded):
    result, seeds = graded([0.1005])
    assert (result.outcome, len(seeds)) == ("pass", 1)
    assert result.checks[0].status == "in doubt"
    assert "y_error misses its bar by no more than chance explains with n = 400" in result.messages[0]


def test_a_near_miss_that_stays_one_fails(graded):
    result, _ = graded([0.104, 0.105, 0.105])
    assert result.outcome == "fail"
    assert result.points == 1.0


def test_the_number_of_runs_is_the_exercises(line, tmp_path):
    run, seeds = offset_runner([0.104] * 9)
    once = replace(line, about=replace(line.about, policy=Policy(seeds=1)))
    Grading(once, Options(), run).result(Submission(tmp_path, tmp_path, ""), lambda _: None, started="")
    assert len(seeds) == 1


@pytest.fixture
def orders(line, tmp_path):
    """`orders(options, sha256, whose)`: in which order such a run is given its test inputs, and its `task.seed`."""

    def found(options, sha256="0" * 64, whose=""):
        told = []

        def run(job, on_event):
            n = len(job.test_inputs["x"])
            told.append((order_of(job.order_seed, n).tolist(), job.task_spec.seed))
            return RunReport(status="crash", message="", sandbox="bubblewrap", usage=Usage())

        Grading(line, options, run).result(
            Submission(tmp_path, tmp_path, sha256), lambda _: None, started="", whose=whose
        )
        return told[0]

    return found


def test_each_run_is_given_the_test_inputs_in_an_order_of_its_own_which_repeats(orders):
    first = orders(Options(run_key="k"))
    others = [
        orders(Options(run_key="k"), whose="another's copy of it"),
        orders(Options(run_key="k"), sha256="1" * 64),
        orders(Options(run_key="k", seed=8)),
        orders(Options(run_key="another secret")),
    ]
    assert sorted(first[0]) == list(range(400))
    assert len({tuple(order) for order, _ in [first, *others]}) == 5
    assert orders(Options(run_key="k")) == first


def test_the_same_inputs_travel_for_all_whatever_their_order(line, tmp_path):
    given = []

    def run(job, on_event):
        given.append(job.test_inputs)
        return RunReport(status="crash", message="", sandbox="bubblewrap", usage=Usage())

    grading = Grading(line, Options(), run, SharedGrader(line, tmp_path))
    for whose in ("anna", "bo"):
        grading.result(Submission(tmp_path, tmp_path, ""), lambda _: None, started="", whose=whose)
    assert given[0] is given[1]


def test_no_guess_at_the_datas_seed_can_be_tested_against_what_a_run_is_told():
    """`task.seed` was a public function of the data's seed: a hand-in tried a million of them in a second."""
    keys = [run_key(secret, "line") for secret in (b"a secret long enough", b"another one, as long")]
    assert len({task_seed(Options(seed=7, run_key=key)) for key in (*keys, "")}) == 3
    seeds = [task_seed(Options(seed=seed, run_key=keys[0])) for seed in range(200)]
    assert len(set(seeds)) == 200
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert data_seed(b"a secret long enough", "line") != int(keys[0][:16], 16)


def test_the_seeds_of_train_validation_and_test_are_derived_and_none_leads_to_another():
    expected = hmac.new(b"7", b"tlcourse data: test", hashlib.sha256).digest()[:8]
    assert split_seeds(7)[2] == int.from_bytes(expected, "big")
    assert len({one for seed in range(100) for one in (*split_seeds(seed), derived_seed(seed, "problem"))}) == 400


def test_further_seeds_are_far_from_those_that_people_type():
    seeds = {further_seed(seed, i) for seed in range(5) for i in range(1, 4)}
    assert len(seeds) == 15
    assert min(seeds) > 10**6
