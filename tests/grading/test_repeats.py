"""A near miss is run again with further seeds, and decided on all runs together."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from tlcourse.course.model import Policy
from tlcourse.execution.arrays import pack
from tlcourse.execution.spec import RunReport, Usage
from tlcourse.grading.grade import Grading, Options, further_seed
from tlcourse.grading.intake.submission import Submission


def offset_runner(offsets):
    """Runs that answer every item with an error of the next offset, give or take: no process is needed for this."""
    seeds = []

    def run(job, on_event):
        x = job.test_inputs["x"]
        noise = np.linspace(0.5, 1.5, len(x), dtype=np.float32)
        error = offsets[len(seeds)] * noise
        seeds.append(job.task_spec.seed)
        results = pack({"y": 2 * x[:, 0] + 1 + error, "z": 3 * x[:, 1] - 1})
        return RunReport(status="done", message="", sandbox="bubblewrap", usage=Usage(), results=results, device="cpu")

    return run, seeds


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


def test_further_seeds_are_far_from_those_that_people_type():
    seeds = {further_seed(seed, i) for seed in range(5) for i in range(1, 4)}
    assert len(seeds) == 15
    assert min(seeds) > 10**6
