"""What the watcher of jobs decides is in the log, with the reason: what a report of a lost job needs."""

from __future__ import annotations

import logging

import msgspec
import pytest
from waiting import wait_for

from tlcourse.errors import UsageError


@pytest.fixture
def logged(caplog):
    """All lines of the cluster's log so far."""
    caplog.set_level(logging.DEBUG, logger="tlcourse.cluster")
    return lambda: [record.getMessage() for record in caplog.records if record.name.startswith("tlcourse.cluster")]


def test_the_log_follows_a_job_that_is_lost_from_its_submission_to_its_second_run(
    cluster, profile, watchers, job_for, told, logged
):
    future = watchers(profile, retry_cancelled=True).add(job_for("hold(task)\ntold['number'] = 1"))
    wait_for(lambda: any("is RUNNING" in line for line in logged()))
    (first,) = [line.split()[0] for line in cluster.jobs()]
    cluster.run("scancel", "--user", "student")
    wait_for(lambda: future.done() or cluster.go_on(), 120)
    assert told(future.result())["number"] == 1
    lines = logged()
    second = next(line for line in lines if line.endswith("collected: done")).split(" job ")[1].split()[0]
    assert int(second) > int(first)
    wanted = [
        f"submitted as job {first}: tasks 1, elements 1",
        f"job {first} is RUNNING",
        f"job {first} is CANCELLED",
        f"job {first} is CANCELLED, results of tasks [0] are missing; waiting 0 s for them",
        f"task 0 of job {first} is sent again (sent 1, faults 1): It was cancelled.",
        f"submitted as job {second}: tasks 1, elements 1",
        f"task 0 of job {second} collected: done",
    ]
    at = [next(number for number, line in enumerate(lines) if words in line) for words in wanted]
    assert at == sorted(at), lines
    assert all(line.startswith("bed: ") for line in lines)


def test_the_log_says_why_slurm_refused_an_array(cluster, profile, watchers, job_for, logged):
    future = watchers(msgspec.structs.replace(profile, partition="moon")).add(job_for())
    with pytest.raises(UsageError):
        future.result(60)
    (line,) = [line for line in logged() if "refused" in line]
    assert "The cluster has no such partition" in line
    assert not any("submitted" in line for line in logged())
