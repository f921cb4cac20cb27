"""A machine behind SSH without Slurm: a queue of one's own, a card a run; other schedulers by three commands."""

from __future__ import annotations

import threading

import msgspec
import pytest
from waiting import together, wait_for

from tlcourse.cluster.check import check
from tlcourse.cluster.jobs import Journal, Pace
from tlcourse.cluster.pool import SlurmPool, shell_for
from tlcourse.cluster.profile import Commands, Profile, set_values
from tlcourse.cluster.submit import cancel_arrays

PACE = Pace(first=0.2, slowest=1.0, slowest_followed=0.5, poll=0.5, gather=0.5, patience=60.0, grace=20.0)
TWO_CARDS = {"nvidia-smi": "echo 'GPU 0: drawn'; echo 'GPU 1: drawn'"}


@pytest.fixture
def machine(cluster, profile):
    """The bed's login node, asked for nothing of Slurm; its queue is empty."""
    cluster.ssh("rm -rf ~/machine")
    return msgspec.structs.replace(profile, scheduler="none", work="~/machine", at_once=4, partition=None, cpus=1)


def queue_of(cluster, machine: Profile) -> list[str]:
    done = shell_for(machine, "bed").run("squeue -h -r -t all -u x -o '%i %T'")
    return done.text.splitlines()


def test_two_cards_take_two_runs_and_the_others_wait_for_one(cluster, machine, job_for, told):
    body = "told['card'] = os.environ['CUDA_VISIBLE_DEVICES']\nhold(task)"
    cards = msgspec.structs.replace(machine, gpus=1)
    states: list[list[str]] = []

    def states_now() -> list[str]:
        return [line.split()[1] for line in queue_of(cluster, machine)]

    with cluster.odd(**TWO_CARDS), SlurmPool("bed", cards, pace=PACE, chunk=1, follow=True) as pool:
        reports: list = []
        jobs = [job_for(body, seed=number) for number in range(4)]
        batch = threading.Thread(
            target=lambda: reports.extend(together(pool, jobs, lambda *_: states.append(states_now())))
        )
        batch.start()
        wait_for(lambda: sorted(states_now()) == ["PENDING", "PENDING", "RUNNING", "RUNNING"])
        wait_for(lambda: not batch.is_alive() or cluster.go_on(), 120)
        batch.join()
    assert sorted(str(told(report)["card"]) for report in reports) == ["0", "0", "1", "1"]
    assert all(state.count("RUNNING") <= 2 for state in states)
    assert {report.sandbox for report in reports} == {"bubblewrap"}


def test_a_closed_laptop_finds_its_run_again(cluster, machine, watchers, job_for, told, tmp_path):
    job = job_for("hold(task)\ntold['me'] = 1")
    first = watchers(machine, pace=PACE, folder=tmp_path / "sent")
    first.add(job)
    wait_for(lambda: [line.split()[1] for line in queue_of(cluster, machine)] == ["RUNNING"])
    first.close()
    future = watchers(machine, pace=PACE, folder=tmp_path / "sent").add(job)
    wait_for(lambda: future.done() or cluster.go_on(), 60)
    assert told(future.result())["me"] == 1
    assert [line.split()[1] for line in queue_of(cluster, machine)] == ["COMPLETED"]


def test_a_cancelled_run_ends_with_everything_it_started_and_lets_the_next_one_in(
    cluster, machine, watchers, job_for, told, tmp_path
):
    one = msgspec.structs.replace(machine, at_once=1)
    watchers(one, pace=PACE, folder=tmp_path / "sent").add(job_for("subprocess.Popen(['sleep', '77'])\nhold(task)"))
    wait_for(lambda: cluster.run("pgrep", "-f", "^sleep 77", check=False))
    second = watchers(one, pace=PACE).add(job_for("told['me'] = 2"))
    wait_for(lambda: [line.split()[1] for line in queue_of(cluster, machine)] == ["RUNNING", "PENDING"])
    cancel_arrays(shell_for(one, "bed"), Journal(tmp_path / "sent").open)
    assert told(second.result(60))["me"] == 2
    assert not cluster.run("pgrep", "-f", "^sleep 77", check=False)
    assert [line.split()[1] for line in queue_of(cluster, machine)] == ["CANCELLED", "COMPLETED"]


def test_a_machine_that_restarts_costs_another_run(cluster, machine, watchers, job_for, told):
    future = watchers(machine, pace=PACE, retry_cancelled=True).add(job_for("hold(task)\ntold['me'] = 1"))
    wait_for(lambda: [line.split()[1] for line in queue_of(cluster, machine)] == ["RUNNING"])
    cluster.run("pkill", "-KILL", "-u", "student", "-f", "sbatch-run|script.sh|worker_node", check=False)
    wait_for(lambda: len(queue_of(cluster, machine)) == 2)
    wait_for(lambda: future.done() or cluster.go_on(), 60)
    assert told(future.result())["me"] == 1
    assert [line.split()[1] for line in queue_of(cluster, machine)] == ["NODE_FAIL", "COMPLETED"]


def test_another_scheduler_is_three_commands(cluster, machine, watchers, job_for, told):
    """Here: the processes of the login node. A number is the last that `submit` prints."""
    commands = Commands(
        submit='setsid sh "$script" >/dev/null 2>&1 & echo "Job <$!>"',
        list="ps -u student -o pid=",
        cancel='kill "$job"',
        header=("#BSUB -q gpu",),
    )
    other = msgspec.structs.replace(machine, scheduler=commands)
    report = watchers(other, pace=PACE).add(job_for("told['me'] = 1")).result(60)
    assert told(report)["me"] == 1


def test_a_profile_of_such_a_machine_is_one_line_and_is_checked(cluster, machine):
    text = set_values("", "desk", {"host": "desk", "scheduler": "none"}, cluster.root / "config.yaml")
    assert "scheduler: none" in text
    steps = list(check("bed", machine, shell_for(machine, "bed"), wait_s=90, pace=PACE))
    assert [(step.name, step.works) for step in steps] == [
        ("login", True), ("queue", True), ("work folder", True), ("Python", True), ("job", True), ("sandbox", True),
    ]  # fmt: skip
    assert steps[1].detail == "a queue of your own, 4 at a time"
