"""Slurm from 20.11 to 25.11 prints more and more, and is read alike. Drawn up from its public sources and manuals.

Each text is what a cluster of that version prints for the same jobs: 17 was cancelled by a person; 18 is an array of
five, of which element 0 ran out of memory, 1 runs and the others wait; 29+1 is a part of a heterogeneous job.
"""

from __future__ import annotations

import pytest

from tlcourse.cluster.profile import Profile
from tlcourse.cluster.slurm import Floor, Folder, JobState, ask, elements, read_sacct, read_squeue, was_preempted
from tlcourse.cluster.submit import ask_limits

VERSIONS = ("20.11", "22.05", "23.11", "24.05", "25.05", "25.11")
# one line an element with -r; those that wait together stay one line where a wrapper drops it
SQUEUE = """\
17|17|N/A|CANCELLED|None|n1|{start}|gpu
19|18|0|OUT_OF_MEMORY|None|n2|{start}|gpu
20|18|1|{running}|None|n2|{start}|gpu
18_[2-4%2]|18|2-4%2|PENDING|JobArrayTaskLimit||N/A|gpu
29+1|29|N/A|RUNNING|None|n3|{start}|gpu,long
31|31|N/A|PENDING|{down}||N/A|gpu
"""
SACCT = """\
17|CANCELLED by 1000|n1|{start}|None
18_0|OUT_OF_MEMORY|n2|{start}|None
18_1|RUNNING|n2|{start}|None
18_[2-4%2]|PENDING|None assigned|Unknown|JobArrayTaskLimit
29+1|RUNNING|n3|{start}|None
31|PENDING|None assigned|{unknown}|{down}
"""
DOWN = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"


def spelt(version: str) -> dict[str, str]:
    """What differs between them in these lines."""
    late = version >= "25.05"
    return {
        "start": "2026-11-25T01:30:20",
        "running": "EXPEDITING" if version >= "25.11" else "RUNNING",
        "unknown": "Unknown" if version < "22.05" else "None",
        "down": DOWN.replace("DRAINED", "DRAINED, REBOOTING") if late else DOWN,
    }


PARTITION = (
    "PartitionName=gpu AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=NO QoS=dev-g "
    "DefaultTime=00:30:00 DisableRootJobs=NO ExclusiveUser=NO {topology}GraceTime=0 Hidden=NO MaxNodes=UNLIMITED "
    "MaxTime={time} MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED {socket}{sets}Nodes=n[1-4] PriorityJobFactor=1 "
    "PriorityTier=1 RootOnly=NO ReqResv=NO OverSubscribe=NO OverTimeLimit=NONE PreemptMode=OFF State=UP TotalCPUs=8 "
    "TotalNodes=4 SelectTypeParameters=NONE JobDefaults=(null) DefMemPerCPU=500 MaxMemPerNode=UNLIMITED {tres}"
)
CONFIG = """\
Configuration data as of 2026-11-25T01:30:20
AccountingStorageEnforce = associations,limits,qos
{before}MaxArraySize            = 5001
{after}MaxJobCount             = 100000
MaxMemPerNode           = UNLIMITED
MaxStepCount            = 40000
SLURM_CONF              = /etc/slurm/slurm.conf
SLURM_VERSION           = {version}.3
"""
JOB = (
    "JobId=20 ArrayJobId=18 ArrayTaskId=1 JobName=tlcourse-0 {sluid}UserId=student(1000) GroupId=student(1000) "
    "MCS_label=N/A Priority=1 Nice=0 Account=p1 QOS=normal JobState=CANCELLED Reason=None Dependency=(null) Requeue=0 "
    "Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:15 RunTime=1-00:00:00 TimeLimit=UNLIMITED TimeMin=N/A "
    "SubmitTime=2026-11-25T01:30:20 PreemptEligibleTime=2026-11-25T01:30:20 PreemptTime={preempted} SuspendTime=None "
    "SecsPreSuspend=0 LastSchedEval=2026-11-25T01:30:20{scheduler} Partition=gpu"
)


def texts(version: str) -> dict[str, str]:
    """What each command prints."""
    new = VERSIONS.index(version)
    return {
        "squeue": SQUEUE.format(**spelt(version)),
        "sacct": SACCT.format(**spelt(version)),
        "partition": PARTITION.format(
            topology="ExclusiveTopo=NO " if new >= 3 else "",
            time=("UNLIMITED", "1-00:00:00", "3-00:00:00", "03:00:00", "UNLIMITED", "1-00:00:00")[new],
            socket="MaxCPUsPerSocket=UNLIMITED " if new >= 2 else "",
            sets="NodeSets=all " if new >= 1 else "",
            tres="TRES=cpu=8,mem=24000M,node=4,billing=8,gres/gpu=8" if new >= 1 else "",
        ),
        "config": CONFIG.format(
            version=version,
            before="LaunchParameters        = (null)\n" if new else "LaunchParameters        = \n",
            after="MaxBatchRequeue         = 5\nMaxDBDMsgs              = 20016\n" if new >= 2 else "",
        ),
        "preempted": JOB.format(
            sluid="SLUID=s4711 " if version == "25.11" else "",
            preempted="2026-11-25T02:30:20",
            scheduler=" Scheduler=Main" if new >= 1 else "",
        ),
        "cancelled": JOB.format(sluid="", preempted="None", scheduler=""),
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_jobs_are_read_alike(version):
    said = texts(version)
    waiting, accounted = read_squeue(said["squeue"]), read_sacct(said["sacct"])
    for found in (waiting, accounted):
        assert sorted(found) == ["17", "18_0", "18_1", "18_2", "18_3", "18_4", "29+1", "31"]
        assert [key for key, state in found.items() if not state.live] == ["17", "18_0"]
        assert found["17"].state == "CANCELLED"
        assert (found["18_0"].state, found["18_0"].node) == ("OUT_OF_MEMORY", "n2")
        assert found["18_3"] == JobState("18_3", "PENDING", "JobArrayTaskLimit", partition=found["18_3"].partition)
        assert found["31"].start == ""
    assert waiting["18_1"].start == "2026-11-25T01:30:20"


@pytest.mark.parametrize("version", VERSIONS)
def test_limits_are_read_alike_and_a_preempted_job_is_told_from_a_cancelled_one(login, tmp_path, version):
    for kind, text in texts(version).items():
        (tmp_path / kind).write_text(text + "\n")
    (tmp_path / "log").mkdir()
    shell = login(
        scontrol=f'case "$*" in *config*) cat {tmp_path}/config ;; *partition*) cat {tmp_path}/partition ;; '
        f"*job*18_1) cat {tmp_path}/preempted ;; *job*17) cat {tmp_path}/cancelled ;; *) exit 1 ;; esac",
        sacctmgr='echo "$*" | grep -q "name=dev-g" && echo 2',
    )
    assert ask_limits(shell, Profile(partition="gpu")) == (1000, 2)
    jobs = [JobState("18_1", "CANCELLED"), JobState("17", "CANCELLED"), JobState("99", "")]
    assert [was_preempted(shell, str(tmp_path), job) for job in jobs] == [True, False, False]
    # long forgotten by Slurm, but what ended it wrote so into its log
    (tmp_path / "log" / "99.txt").write_text(
        "slurmstepd: error: *** JOB 99 ON n1 CANCELLED AT 2026-11-25T02:30:20 DUE TO PREEMPTION ***\n"
    )
    assert was_preempted(shell, str(tmp_path), jobs[2])


def test_elements_that_wait_together_are_told_apart_and_a_line_of_nonsense_is_none():
    assert elements("17", "0-2,7%2") == ["17_0", "17_1", "17_2", "17_7"]
    assert elements("17", "[1-7:3]") == ["17_1", "17_4", "17_7"]
    assert [elements("17", index) for index in ("", "a", "1-x", "-", "1-2:-", "1-2-3")] == [[]] * 6
    assert len(elements("17", "0-999999999999")) == 100_000


def test_a_persons_own_settings_hide_no_job(login, tmp_path, monkeypatch):
    """As `export SQUEUE_PARTITION=cpu` in a start-up file: a job that is not listed would be sent again."""
    monkeypatch.setenv("SQUEUE_PARTITION", "cpu")
    shell = login(squeue='[ -n "$SQUEUE_PARTITION" ] || echo "17|17|N/A|RUNNING|None|n1|N/A|gpu"')
    assert set(ask(shell, [Folder(str(tmp_path))], []).states[""]) == {"17"}


def test_a_sites_wish_for_fewer_questions_is_read_where_slurm_is_asked(login, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", f"{tmp_path}/slurm.conf")
    wish = tmp_path / "tlcourse.yaml"
    shell = login(squeue="true")
    assert ask(shell, [Folder(str(tmp_path))], []).floor is None
    for text, expected in (("poll_s: 60\n", 60.0), ("# ours\npoll_s:  2.5 # s\n", 2.5), ("poll_s: 1.2.3\n", 0.0)):
        wish.write_text(text)
        assert ask(shell, [Folder(str(tmp_path))], []).floor == Floor(expected, str(wish))
    assert ask(shell, [Folder(str(tmp_path))], [], states=False).floor is None
