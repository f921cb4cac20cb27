"""What goes wrong on a cluster: the right outcome or another try, nothing lost, nothing twice."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import msgspec
import pytest
from waiting import together, wait_for

from tlcourse.cluster.jobs import Journal
from tlcourse.cluster.pool import shell_for
from tlcourse.cluster.submit import cancel_arrays
from tlcourse.errors import InfraError, UnableError, UsageError

SLOW = "task.log(1, running=1)\ntime.sleep({seconds})\ntold['number'] = {number}"
HELD = "hold(task)\ntold['number'] = {number}"
"""It trains until `cluster.go_on()`."""


class Watch:
    """Follows a run, and waits for what it says."""

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []
        self._more = threading.Condition()

    def __call__(self, event: dict[str, object]) -> None:
        with self._more:
            self.events.append(event)
            self._more.notify_all()

    def said(self, words: str) -> bool:
        return any(words in str(event.get("text", "")) for event in self.events)

    def until(self, holds, seconds: float = 90) -> None:
        with self._more:
            assert self._more.wait_for(holds, seconds), self.events

    def until_it_trains(self) -> None:
        self.until(lambda: any(event["type"] == "metric" for event in self.events))


def told_to_go_on(cluster, future, seconds: float = 120):
    """The report of a run that holds, in whatever job it runs."""
    wait_for(lambda: future.done() or cluster.go_on(), seconds)
    return future.result()


@pytest.mark.nightly
def test_a_node_that_crashes_during_a_batch_costs_nobody_a_report(cluster, pool, job_for, told):
    """Four jobs of one array; the node of one loses its power. Its submissions run on, each once, on others.

    By the command, of a smaller class: test_batch.py, every time.
    """
    jobs = [job_for(SLOW.format(seconds=2, number=number)) for number in range(12)]
    ended: list[int] = []
    reports: list = []
    batch = threading.Thread(target=lambda: reports.extend(together(pool, jobs, lambda n, _: ended.append(n))))
    batch.start()
    wait_for(lambda: ended)
    node = wait_for(lambda: cluster.run("squeue", "-h", "-t", "R", "-o", "%N").split())[-1]
    cluster.crash_node(node)
    cluster.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")  # as its time-out would, later
    batch.join(180)
    assert [told(report)["number"] for report in reports] == list(range(12))
    assert sorted(ended) == list(range(12))
    wait_for(lambda: any(line.endswith("NODE_FAIL") for line in cluster.jobs()))


def test_what_somebody_else_cancels_is_sent_again_in_a_batch(cluster, profile, watchers, job_for, told):
    watch = Watch()
    future = watchers(profile, retry_cancelled=True).add(job_for(HELD.format(number=1)), watch)
    watch.until_it_trains()
    cluster.run("scancel", "--user", "student")
    assert told(told_to_go_on(cluster, future))["number"] == 1
    assert watch.said("It was cancelled. It is sent again.")


def test_what_somebody_else_cancels_ends_a_single_run_and_counts_for_nobody(cluster, profile, watchers, job_for):
    watch = Watch()
    future = watchers(profile).add(job_for(HELD.format(number=1), wall_time_s=300), watch)
    watch.until_it_trains()
    cluster.run("scancel", "--user", "student")
    report = future.result(120)
    assert report.status == "infra"
    assert "cancelled on the cluster, not by this command" in report.message
    assert len(cluster.jobs()) == 1


@pytest.mark.parametrize("mode", ["ended, and called CANCELLED", "put back into the queue"])
def test_a_run_whose_place_another_job_takes_is_run_again_and_it_is_no_fault(
    cluster, profile, watchers, job_for, told, mode
):
    """`spare` lends its nodes. Without --requeue Slurm ends such a job, and some sites see it as CANCELLED."""
    again = mode == "put back into the queue"
    lent = msgspec.structs.replace(profile, partition="spare", cpus=2, sbatch=["--requeue"] if again else [])
    with cluster.odd(squeue='"$real" "$@" | sed s/PREEMPTED/CANCELLED/'):
        watch = Watch()
        future = watchers(lent).add(job_for(HELD.format(number=1)), watch)
        watch.until_it_trains()
        (node,) = cluster.run("squeue", "-h", "-t", "R", "-o", "%N").split()
        cluster.run("sbatch", "-p", "urgent", "-w", node, "-c", "2", "-o", "/dev/null", "--wrap", "true")
        if again:  # it waits for two minutes, which nobody needs to sit out
            watch.until(lambda: watch.said("Slurm lets it wait a while after a restart."))
            (job,) = cluster.run("squeue", "-h", "-p", "spare", "-o", "%A").split()
            cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now")
        else:
            watch.until(lambda: watch.said("Another job took its place. It is sent again."))
        wait_for(lambda: len(cluster.jobs("COMPLETED")) == 1)
        report = told_to_go_on(cluster, future)
    assert told(report)["number"] == 1, report.message
    states = ["COMPLETED"] * 2 + ([] if again else ["PREEMPTED"])  # its own and the other one's
    wait_for(lambda: sorted(line.split()[1] for line in cluster.jobs()) == states)


def test_a_profile_shorter_than_the_exercise_ends_the_run_itself_and_slurms_time_limit_leads_to_another_try(
    cluster, profile, watchers, job_for, told
):
    """Both wait for a clock, so they wait together: Slurm looks at time limits twice a minute.

    The short one learns of its minute as if 25 s of it had passed: of the rest, 30 s are for leaving in good order.
    """
    minute = msgspec.structs.replace(profile, minutes=1, setup=["export TLCOURSE_JOB_SECONDS=35"])
    short = watchers(minute).add(job_for("time.sleep(600)", wall_time_s=300))
    watch = Watch()
    long = watchers(profile).add(job_for(HELD.format(number=4), wall_time_s=300), watch)
    watch.until_it_trains()
    running = [line.split() for line in cluster.run("squeue", "-h", "-t", "R", "-o", "%A %l").splitlines()]
    (number,) = [job for job, minutes in running if minutes != "1:00"]
    cluster.run("scontrol", "update", f"JobId={number}", "EndTime=now")
    watch.until(lambda: watch.said("Slurm ended it at its time limit. It is sent again."), 120)
    again = told_to_go_on(cluster, long)
    assert told(again)["number"] == 4
    report = short.result(120)
    assert report.status == "timeout"
    # by their numbers: on a busy machine a node may be lost besides, and what it had is sent once more
    ended = {number: "TIMEOUT", job_of(again): "COMPLETED", job_of(report): "COMPLETED"}
    wait_for(lambda: all(dict(line.split() for line in cluster.jobs())[job] == state for job, state in ended.items()))


def job_of(report) -> str:
    """The Slurm job in which a run ended."""
    return report.where.partition("(job ")[2].rstrip(")")


def test_memory_taken_faster_than_it_can_be_watched_ends_as_memory(cluster, profile, watchers, job_for):
    if "cgroup" not in cluster.run("scontrol", "show", "config"):
        pytest.skip("this kernel offers Slurm no control groups for memory (v1)")
    small = msgspec.structs.replace(profile, memory_mb=700)
    report = watchers(small).add(job_for("x = bytearray(2**30)\ntime.sleep(1)", memory_mb=1024)).result(120)
    assert report.status == "memory", report.message
    assert len(cluster.jobs()) == 1


def test_a_connection_cut_while_a_job_runs_costs_nothing(cluster, profile, watchers, job_for, told):
    watch = Watch()
    future = watchers(profile).add(job_for(HELD.format(number=5)), watch)
    watch.until_it_trains()
    cluster.cut_ssh()
    watch.until(lambda: watch.said("does not answer"))
    cluster.start_sshd()
    assert told(told_to_go_on(cluster, future))["number"] == 5
    assert len(cluster.jobs()) == 1


def test_a_connection_cut_while_a_job_is_submitted_submits_it_once(cluster, profile, watchers, job_for, told):
    """The controller is silent, so that sbatch waits; the connection breaks under it; then both come back."""
    watcher = watchers(profile)
    assert watcher.add(job_for("pass")).result(120).status == "done"  # code and data are there
    with cluster.silent_slurm():
        future = watcher.add(job_for(SLOW.format(seconds=0, number=6), seed=7))
        wait_for(lambda: cluster.run("pgrep", "-x", "sbatch", check=False))
        cluster.cut_ssh()
    wait_for(lambda: not cluster.run("pgrep", "-x", "sbatch", check=False))
    cluster.start_sshd()
    assert told(future.result(120))["number"] == 6
    assert len(cluster.jobs()) == 2


def test_a_full_work_folder_is_said_before_anything_is_submitted(cluster, profile, watchers, job_for):
    small = small_folder(cluster)
    cluster.ssh(f"head -c 70000000 /dev/zero >{small}/filling")
    full = msgspec.structs.replace(profile, work=small)
    with pytest.raises(InfraError, match="is full"):
        watchers(full).add(job_for()).result(120)
    cluster.ssh(f"rm {small}/filling")
    quota = "echo 'tar: ./plan.json: Cannot write: Disk quota exceeded' >&2; exit 2"
    with cluster.odd(tar=quota), pytest.raises(InfraError, match="is full") as raised:
        watchers(full).add(job_for()).result(120)
    assert "your quota is used up" in raised.value.cause
    assert cluster.jobs() == []
    assert watchers(full).add(job_for()).result(120).status == "done"


def test_a_work_folder_that_fills_up_during_a_run_is_said_and_nothing_is_counted(cluster, profile, watchers, job_for):
    small = small_folder(cluster)
    watch = Watch()
    full = msgspec.structs.replace(profile, work=small)
    future = watchers(full).add(job_for(HELD.format(number=7)), watch)
    watch.until_it_trains()
    cluster.ssh(f"head -c 70000000 /dev/zero >{small}/filling")
    cluster.go_on()
    with pytest.raises(InfraError, match="is full"):
        future.result(120)


def small_folder(cluster) -> str:
    """A file system of 64 MB and 64 files at the student's, empty."""
    folder = str(cluster.home / "small")
    cluster.run("sh", "-c", f"umount {folder} 2>/dev/null; mkdir -p {folder}")
    options = "size=64m,nr_inodes=64,mode=700,uid=61777,gid=61777"
    cluster.run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
    return folder


def test_a_number_that_slurm_has_forgotten_is_no_matter_where_the_result_lies(
    cluster, profile, watchers, job_for, told, tmp_path
):
    """And neither is a cluster without accounting, which is noted once."""
    job, folder = job_for(HELD.format(number=8)), tmp_path / "journal"
    watch = Watch()
    first = watchers(profile, folder=folder)
    first.add(job, watch)
    watch.until_it_trains()
    first.close()
    cluster.go_on()
    wait_for(lambda: cluster.jobs()[0].endswith("COMPLETED"))
    forget_number(folder)
    second = watchers(profile, folder=folder)
    assert told(second.add(job).result(120))["number"] == 8
    assert len(cluster.jobs()) == 1


def test_a_job_that_vanished_without_a_result_is_sent_again(cluster, profile, watchers, job_for, told, tmp_path):
    job, folder = job_for(HELD.format(number=9)), tmp_path / "journal"
    watch = Watch()
    first = watchers(profile, folder=folder)
    first.add(job, watch)
    watch.until_it_trains()
    first.close()
    cluster.run("scancel", "--user", "student")
    forget_number(folder)
    second = watchers(profile, folder=folder)
    assert told(told_to_go_on(cluster, second.add(job)))["number"] == 9
    assert any("keeps no accounts" in note for note in second.notes)
    assert len(cluster.jobs()) == 2


def forget_number(folder, instead: str = "999999") -> None:
    """As after Slurm's MinJobAge: the number means nothing to it any more."""
    (path,) = folder.glob("*.json")
    kept = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**kept, "job": instead}))


def test_a_job_whose_number_was_never_heard_is_taken_back_by_its_name(cluster, profile, watchers, job_for, tmp_path):
    """The process was killed while sbatch answered: the round is written down, and Slurm has the job."""
    folder, watch = tmp_path / "journal", Watch()
    first = watchers(profile, folder=folder)
    first.add(job_for(HELD.format(number=1), wall_time_s=300), watch)
    watch.until_it_trains()
    first.close()
    forget_number(folder, "")
    (one,) = Journal(folder).open
    cancel_arrays(shell_for(profile, "bed"), [one])
    wait_for(lambda: cluster.jobs()[0].endswith("CANCELLED"))
    assert not Path(one.folder, "script.sh").exists()  # what is still under way there submits it no more


def test_a_partition_that_does_not_exist_is_said_with_those_that_do(cluster, profile, watchers, job_for):
    wrong = msgspec.structs.replace(profile, partition="moon")
    with pytest.raises(UsageError) as raised:
        watchers(wrong).add(job_for()).result(120)
    assert "no such partition" in raised.value.what
    assert "main, short" in raised.value.cause
    assert cluster.jobs() == []


def test_a_job_that_would_wait_for_ever_is_taken_back_and_explained(cluster, profile, watchers, job_for):
    """`short` ends jobs after two minutes; Slurm accepts a longer one, and never starts it."""
    wrong = msgspec.structs.replace(profile, partition="short")
    with pytest.raises(UsageError) as raised:
        watchers(wrong).add(job_for(wall_time_s=1000)).result(120)
    # PartitionConfig or PartitionTimeLimit, by when Slurm is asked
    assert re.search("more (time )?than the partition short allows", raised.value.what)
    wait_for(lambda: not cluster.jobs("PENDING,RUNNING"))


def test_a_python_that_is_not_there_is_said_by_the_jobs_own_log(cluster, profile, watchers, job_for):
    wrong = msgspec.structs.replace(profile, python="/nowhere/python")
    report = watchers(wrong).add(job_for()).result(120)
    assert report.status == "infra"
    assert "The cluster failed 3 times" in report.message
    assert "/nowhere/python: No such file" in report.log
    assert len(cluster.jobs()) == 3


def test_a_closed_laptop_finds_its_job_again(cluster, profile, watchers, job_for, told, tmp_path):
    job, watch = job_for(HELD.format(number=10)), Watch()
    first = watchers(profile, folder=tmp_path / "journal")
    lost = first.add(job, watch)
    watch.until_it_trains()
    first.close()
    assert isinstance(lost.exception(1), InfraError)
    again = Watch()
    second = watchers(profile, folder=tmp_path / "journal")
    assert told(told_to_go_on(cluster, second.add(job, again)))["number"] == 10
    assert [event for event in again.events if event["type"] == "metric"]  # what happened meanwhile is shown
    assert len(cluster.jobs()) == 1


@pytest.mark.parametrize("host", ["nowhere.invalid", "slurmlogin"])
def test_a_cluster_that_does_not_answer_at_first_is_said_at_once(cluster, profile, watchers, job_for, host):
    cluster.cut_ssh()
    shell_for(profile, "bed").close()
    with pytest.raises(UnableError, match="cannot be reached"):
        watchers(msgspec.structs.replace(profile, host=host)).add(job_for()).result(120)
