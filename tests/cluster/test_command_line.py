"""The commands, given as by a person: on a laptop over SSH, and on the login node itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import HOLD, wait_for

EXAMPLE = Path(__file__).parent.parent / "example_course"
REFERENCE = EXAMPLE / "graders" / "references" / "line.py"
# A few steps on the quantiles: long enough to draw random numbers, short enough for a test.
SHORT = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 16), nn.SiLU(), nn.Linear(16, 28))
    def forward(self, x):
        return self.layers(x).unflatten(1, (4, 7))

def fit(task):
    x, y = task.train.tensors
    net = Net()
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    for step, rows in enumerate(torch.randperm(len(x))[:640].split(64)):
        loss = (net(x[rows]) - y[rows][..., None]).abs().mean()
        optimiser.zero_grad(); loss.backward(); optimiser.step()
        task.log(step, loss=loss.item())
    return net
"""


def without_where(document: dict) -> dict:
    """What must be the same wherever it ran: all but places and times."""
    kept = {key: value for key, value in document.items() if key not in ("started_at", "finished_at")}
    volatile = ("where", "wall_time_s", "cpu_s", "reference_s", "fit_reference_s", "speed", "peak_rss_mb", "fit_s")
    kept["runs"] = [{key: value for key, value in run.items() if key not in volatile} for run in document["runs"]]
    kept["messages"] = [message for message in document["messages"] if "accounts of jobs" not in message]
    return kept


def test_an_exercise_on_the_cluster_is_that_here_at_the_same_seed_and_threads(cluster, on_bed, tl, tmp_path):
    (tmp_path / "solution.py").write_text(SHORT)
    options = ["--threads", "1", "--device", "cpu", "--seed", "5", "--json", "--sandbox", "bubblewrap"]
    here = tl("grade", "ex3", *options, course=None)
    there = tl("grade", "ex3", *options, "--on", "bed", course=None)
    assert there.returncode == here.returncode, there.stderr
    first, second = json.loads(here.stdout), json.loads(there.stdout)
    assert without_where(second) == without_where(first)
    assert second["metrics"]
    assert not any(check["self_reported"] for check in second["checks"])  # its graph came back, and was evaluated here
    assert first["runs"][0]["where"] == "local"
    assert second["runs"][0]["where"].startswith("bed: n")
    assert "handed to Slurm on slurmlogin" in there.stderr
    ran = tl("run", "ex3", *options, "--on", "bed", course=None)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["metrics"] == first["metrics"]
    assert json.loads(ran.stdout)["checks"] == []


def test_on_the_login_node_itself_no_ssh_is_needed(cluster, slurm):
    """`--on slurm` needs no profile: here one is made only to name the Python that has torch."""
    home = slurm.home
    (home / "config.yaml").write_text(f"profiles:\n  slurm:\n    python: {sys.executable}\n")
    os.chown(home / "config.yaml", 61777, 61777)
    names = {"TLCOURSE_HOME": home / "record", "TLCOURSE_CONFIG": home / "config.yaml", "HOME": home}
    env = [f"{name}={value}" for name, value in names.items()]
    command = [sys.executable, "-m", "tlcourse", "grade", "line", str(REFERENCE), "--course", str(EXAMPLE), "--json"]
    done = subprocess.run(
        slurm.inside("env", "-C", str(home), *env, *command, "--on", "slurm", user="student"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["where"].startswith("slurm: n")


# It ends when the test says so, not at the exercise's own limit of a minute: on a busy machine that came first.
HELD = HOLD + "def fit(task):\n    hold(task)\n    return None\n"
GRADE = [sys.executable, "-m", "tlcourse", "grade", "line", "--course", str(EXAMPLE), "--on", "bed", "--seconds", "600"]


def started(on_bed, own_home, tmp_path) -> subprocess.Popen[str]:
    """A `tlcourse grade` that waits for its job, which trains."""
    (tmp_path / "solution.py").write_text(HELD)
    grading = subprocess.Popen(
        [*GRADE, "--events"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TLCOURSE_HOME": str(own_home)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where the tests run with `&`
    )
    assert grading.stdout is not None
    next(line for line in grading.stdout if '"metric"' in line)
    return grading


def ended(cluster) -> list[str]:
    """The states of Slurm's jobs that are over."""
    states = [line.split()[1] for line in cluster.jobs()]
    return [] if {"RUNNING", "COMPLETING", "PENDING"}.intersection(states) else states


def jobs(tl, *arguments: str) -> list[dict]:
    return json.loads(tl("jobs", "list", "--json", *arguments, course=None).stdout)["jobs"]


def test_a_closed_laptop_finds_the_verdict_in_the_list_later(cluster, on_bed, own_home, tl, tmp_path):
    with started(on_bed, own_home, tmp_path) as grading:
        grading.send_signal(signal.SIGHUP)
        _, said = grading.communicate(timeout=60)
    assert grading.returncode == 130
    assert "keeps running: tlcourse jobs tail 1" in said
    (row,) = jobs(tl)
    assert (row["state"], row["status"]["slurm"], row["status"]["said"]) == ("open", "RUNNING", "It runs.")
    cluster.go_on()
    row = wait_for(lambda: next((row for row in jobs(tl) if row["state"] != "open"), None))
    assert (row["state"], row["outcome"]) == ("ended", "invalid")  # fit returned None
    assert len(cluster.jobs()) == 1
    assert "invalid" in tl("progress", course=EXAMPLE).stdout  # it counts as if one had waited


def test_a_killed_command_is_followed_again_to_its_verdict(cluster, on_bed, own_home, tl, tmp_path):
    with started(on_bed, own_home, tmp_path) as grading:
        grading.kill()
    cluster.go_on()
    done = tl("jobs", "tail", "last", "--json", course=None)
    assert done.returncode == 1
    assert json.loads(done.stdout)["outcome"] == "invalid"
    assert "training" in done.stderr
    assert len(cluster.jobs()) == 1


def test_ctrl_c_where_nobody_can_be_asked_cancels_the_job(cluster, on_bed, own_home, tl, tmp_path):
    with started(on_bed, own_home, tmp_path) as grading:
        grading.send_signal(signal.SIGINT)
        _, said = grading.communicate(timeout=60)
    assert grading.returncode == 130
    assert "was cancelled" in said
    wait_for(lambda: ended(cluster) == ["CANCELLED"])
    assert jobs(tl)[0]["state"] == "cancelled"


def test_a_run_is_cancelled_by_its_number_and_stays_open_where_slurm_does_not_hear_it(
    cluster, on_bed, own_home, tl, tmp_path
):
    with started(on_bed, own_home, tmp_path) as grading:
        grading.kill()
    with cluster.silent_slurm():
        done = tl("jobs", "cancel", "1", course=None)
    assert done.returncode == 5
    assert "was not cancelled" in done.stderr
    assert "tlcourse jobs cancel 1" in done.stderr
    assert jobs(tl)[0]["state"] == "open"
    assert tl("jobs", "cancel", "1", course=None).returncode == 0
    wait_for(lambda: ended(cluster) == ["CANCELLED"])
    assert jobs(tl)[0]["state"] == "cancelled"
    assert tl("jobs", "tail", "1", course=None).returncode == 2


def test_a_run_that_another_terminal_takes_back_ends_there_too_and_counts_for_nobody(
    cluster, on_bed, own_home, tl, tmp_path
):
    with started(on_bed, own_home, tmp_path) as grading:
        assert tl("jobs", "cancel", "1", course=None).returncode == 0
        said, _ = grading.communicate(timeout=120)
    assert grading.returncode == 5
    assert "cancelled on the cluster" in said
    assert jobs(tl)[0]["state"] == "cancelled"


def test_a_waiting_job_says_why_and_where_it_stands(cluster, on_bed, own_home, tl, tmp_path):
    cluster.run("scontrol", "update", "partition=main", "state=down")
    try:
        (tmp_path / "solution.py").write_text(HELD)
        env = {**os.environ, "TLCOURSE_HOME": str(own_home)}
        with subprocess.Popen(GRADE, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=env) as grading:
            assert grading.stderr is not None
            next(line for line in grading.stderr if "The partition main is closed at the moment." in line)
            grading.kill()
        (row,) = jobs(tl)
        assert row["status"]["slurm"] == "PENDING"
        assert row["status"]["position"] == 1
        assert "yours is number 1 in the queue" in row["status"]["crowd"]
    finally:
        cluster.run("scontrol", "update", "partition=main", "state=up")


def test_a_profile_is_proved_step_by_step(cluster, on_bed, tl):
    done = tl("config", "check", "bed", "--json", course=None)
    document = json.loads(done.stdout)
    assert [step["name"] for step in document["steps"]] == ["login", "Slurm", "work folder", "Python", "job", "sandbox"]
    assert document["works"], document
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("setting", "step", "said"),
    [
        ("host=nowhere.invalid", "login", "nowhere.invalid"),
        ("partition=moon", "Slurm", "main, short"),
        ("work=/proc/nothing", "work folder", "/proc/nothing"),
        ("python=/usr/bin/python-of-the-moon", "Python", "No such file"),
        ("memory_mb=900000", "job", "no node of the partition"),
    ],
)
def test_a_profile_that_is_wrong_fails_at_the_step_that_is(cluster, on_bed, tl, setting, step, said):
    assert tl("config", "set", "bed", setting, course=None).returncode == 0
    done = tl("config", "check", "bed", "--json", course=None)
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert not document["works"]
    last = document["steps"][-1]
    assert (last["name"], last["works"]) == (step, False)
    assert said in last["detail"]
    assert last["remedy"]


def test_a_wrong_profile_is_said_with_the_command_that_mends_it_and_nothing_waits(cluster, on_bed, tl):
    assert tl("config", "set", "bed", "partition=moon", course=None).returncode == 0
    done = tl("grade", "line", str(REFERENCE), "--on", "bed")
    assert done.returncode == 2
    assert "it has: main, short" in done.stderr
    assert "config.yaml:5 (partition: moon)" in done.stderr
    assert "tlcourse config set bed partition=NAME, then: tlcourse config check bed" in done.stderr
    assert jobs(tl)[0]["state"] == "failed"
    assert cluster.jobs() == []
