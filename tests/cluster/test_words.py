"""What Slurm says, understood: its tables, states and reasons. The texts are Slurm's own."""

from __future__ import annotations

import re
import time

import msgspec
import pytest
from waiting import wait_for

from tlcourse.cluster.jobs import (
    RETRIES,
    SENDS,
    ActiveArray,
    ArrayJob,
    Pace,
    RetryState,
    retry_decision,
)
from tlcourse.cluster.profile import Profile, parse_profiles
from tlcourse.cluster.queue import JobStatus, ask_status, enough_wait, in_words, read_queue_load
from tlcourse.cluster.sbatch_errors import BusyError, LimitError, RefusedError, explain, located, would_wait
from tlcourse.cluster.shell import Done
from tlcourse.cluster.slurm import Folder, JobState, accounting, ask, fetch, framed, read_squeue, submit
from tlcourse.cluster.submit import Limit, ask_limits, cancel, clusters_of, sbatch_test_only
from tlcourse.course.spec import Limits
from tlcourse.errors import InfraError, TlcourseError, UsageError


def test_squeue_gives_every_job_and_every_element_of_an_array():
    text = (
        "20|17|3|RUNNING|None|n2|2026-11-25T01:30:20|main\n"
        "17|17|4|PENDING|JobArrayTaskLimit||N/A|main\n"
        "2|2|N/A|CANCELLED|None|n1|2026-11-25T01:30:20|main\n"
        "noise\n"
    )
    found = read_squeue(text)
    assert found["17_3"] == JobState("17_3", "RUNNING", "None", "n2", "2026-11-25T01:30:20", "main")
    assert found["17_4"].start == ""
    assert (found["2"].live, found["17_3"].live, found["17_4"].live) == (False, True, True)
    assert set(found) == {"17_3", "17_4", "2"}


@pytest.mark.parametrize(
    ("reason", "never", "words"),
    [
        ("PartitionTimeLimit", True, "more time than the partition gpu allows"),
        ("(PartitionConfig)", True, "more than the partition gpu allows"),
        ("AccountNotAllowed", True, "account"),
        ("AssocGrpGRESMinutes", True, "GPU time is used up"),
        ("Resources", False, "It is next"),
        ("Priority", False, "Other jobs are before it"),
        ("ReqNodeNotAvail, UnavailableNodes:n1", False, "down or reserved"),
        ("JobHeldUser", False, "scontrol release 17"),
        ("SomethingNew", False, "Slurm's reason is SomethingNew"),
    ],
)
def test_a_reason_is_a_sentence_and_says_whether_waiting_helps(reason, never, words):
    sentence = explain("PENDING", reason, partition="gpu", job="17")
    assert sentence.never is never
    assert words in sentence.text


class Answers:
    """A shell that gives one answer."""

    name = "lumi-login"
    profile = "lumi"

    def __init__(self, code: int, out: str = "", err: str = "") -> None:
        self._done = Done(code, out.encode(), err)

    def run(self, command: str, stdin: bytes = b"", timeout: float = 60.0) -> Done:
        return self._done

    def close(self) -> None: ...


def test_the_number_of_a_job_may_carry_the_name_of_its_cluster():
    assert submit(Answers(0, "4711;lumi\n"), "/work/a", "a") == ("4711", "lumi")
    assert submit(Answers(0, "4711\n"), "/work/a", "a") == ("4711", "")


@pytest.mark.parametrize(
    ("code", "said", "kind", "words"),
    [
        (1, "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
         UsageError, "account"),
        (1, "sbatch: error: Batch job submission failed: Requested node configuration is not available",
         UsageError, "no node of the partition"),
        (1, "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds "
         "some limit)",
         UsageError, "takes longer than the partition allows"),
        (1, "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates "
         "accounting/QOS policy (job submit limit, user's size and/or time limits)", LimitError, "violates accounting"),
        (1, "sbatch: error: Batch job submission failed: Invalid job array specification", LimitError, "array"),
        (1, "sbatch: error: Batch job submission failed: Memory specification can not be satisfied",
         UsageError, "Memory specification"),
        (1, "sbatch: error: Invalid generic resource (gres) specification", UsageError, "generic resource"),
        # what a login and a submit filter print is not what Slurm says
        (1, "Your home has a limit of 50 GB\n--> Verifying job request is within current queue limits...OK\n"
         "sbatch: error: Batch job submission failed: Memory specification can not be satisfied",
         UsageError, "Memory specification"),
        (1, "Account limits changed: see the partition page\nsbatch: error: the moon is in the way",
         InfraError, "the moon is in the way"),
        (3, "allocation failure: Requested node configuration is not available", UsageError, "no node of the"),
        (4, "", BusyError, "under way"),
        (6, "your job was handed in", InfraError, "gave no number"),
        (1, "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
         BusyError, "does not answer"),
        (1, "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
         BusyError, "does not answer"),
        (127, "sh: sbatch: not found", UsageError, "no Slurm on lumi-login"),
        (1, "sbatch: error: the moon is in the way", InfraError, "the moon is in the way"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_change_and_a_busy_slurm_is_tried_again(code, said, kind, words):
    with pytest.raises(kind, match=words) as raised:
        submit(Answers(code, err=said), "/work/a", "a")
    if isinstance(raised.value, TlcourseError):
        assert re.search(r"tlcourse config (check|set) lumi\b", raised.value.remedy)


MINE = "profiles:\n  lumi:\n    host: lumi\n    partition: moon\n    memory_mb: 9000\n"


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A configuration file with a profile, and the profile."""
    path = tmp_path / "config.yaml"
    path.write_text(MINE)
    monkeypatch.setenv("TLCOURSE_CONFIG", str(path))
    return path, parse_profiles(MINE, path)["lumi"]


def test_a_refusal_names_the_lines_of_the_profile_that_it_is_about(mine):
    path, profile = mine
    refused = RefusedError("No.", ("partition",), cause="c", remedy="tlcourse config check lumi")
    said = located(refused, "lumi", profile)
    assert said.what == f"No. The profile lumi says so: {path}:4 (partition: moon)."
    assert said.remedy == "tlcourse config check lumi"
    absent = located(RefusedError("No.", ("account",), cause="c", remedy="r"), "lumi", profile)
    assert absent.what == f"No. The profile lumi is {path}:2, without account."
    assert f"{path}:5 (memory_mb: 9000)" in would_wait("lumi", profile, "PartitionConfig", "It asks for more.").what


def test_a_file_that_says_something_else_by_now_is_not_named(mine):
    path, profile = mine
    path.write_text(MINE.replace("moon", "sun"))
    assert located(RefusedError("No.", ("partition",), cause="c", remedy="r"), "lumi", profile).what == "No."
    path.unlink()
    assert located(RefusedError("No.", ("partition",), cause="c", remedy="r"), "lumi", profile).what == "No."


def test_a_batch_is_stopped_by_what_is_surely_refused_and_by_nothing_else(mine):
    _, profile = mine
    failed = "sbatch: error: Batch job submission failed: "
    for words in ("Requested partition configuration not available now", "Unable to contact slurm controller",
                  "Required node not available (down, drained or reserved)"):  # fmt: skip
        sbatch_test_only("lumi", profile, Answers(1, err=failed + words), 40, Limits(), 1)
    with pytest.raises(UsageError, match="partition: moon"):
        sbatch_test_only("lumi", profile, Answers(1, err=failed + "Invalid partition name specified"), 40, Limits(), 1)


@pytest.mark.parametrize("said", ["", "scancel: error: Kill job error on job id 17: Invalid job id specified"])
def test_a_job_that_is_over_or_unknown_is_cancelled_well(said):
    cancel(Answers(1 if said else 0, err=said), [("17", "")])


def test_a_cancel_that_slurm_does_not_hear_is_an_error():
    said = "scancel: error: Kill job error on job id 17: Socket timed out on send/recv operation"
    with pytest.raises(BusyError, match="Socket timed out"):
        cancel(Answers(140, err=said), [("17", "")])


def ended(state: str) -> JobState:
    return JobState("17", state, node="n1")


def after(times: int, state: str, *, was_running: bool = True, alone: bool = True, retry: bool = True) -> list[str]:
    """What is decided on a submission to which the same happens so many times."""
    tried, found = RetryState(), []
    for _ in range(times):
        tried.sends += 1
        one = retry_decision(ended(state), tried, was_running=was_running, alone=alone, retry_cancelled=retry)
        found.append("again" if one.again else one.status)
    return found


@pytest.mark.parametrize("state", ["NODE_FAIL", "TIMEOUT", "FAILED", "CANCELLED", "COMPLETED", ""])
def test_a_fault_of_the_cluster_is_tried_again_and_then_is_a_fault_of_ours(state):
    assert after(RETRIES + 1, state) == ["again"] * RETRIES + ["infra"]


def test_a_job_that_is_preempted_is_no_fault_and_does_not_go_round_for_ever():
    """Another job took its place: on nodes that are lent this happens again and again, and says nothing of the run."""
    for retry in (True, False):
        assert after(SENDS, "PREEMPTED", retry=retry) == ["again"] * (SENDS - 1) + ["infra"]
    tried = RetryState(sends=SENDS)
    last = retry_decision(ended("PREEMPTED"), tried, was_running=True, alone=True, retry_cancelled=False)
    assert last.message == ("It was sent 8 times and never came to its end. At last: Another job took its place. (n1)")


def test_memory_that_kills_its_own_job_twice_is_the_submissions():
    assert after(2, "OUT_OF_MEMORY") == ["again", "memory"]


def test_memory_in_a_job_with_others_counts_only_when_it_happens_alone():
    tried = RetryState(sends=1)
    assert retry_decision(ended("OUT_OF_MEMORY"), tried, was_running=True, alone=False, retry_cancelled=True).again
    assert tried.alone
    assert tried.memory_kills == 0


def test_a_bystander_does_not_pay_but_does_not_go_round_for_ever():
    found = after(SENDS, "NODE_FAIL", was_running=False, alone=False)
    assert found == ["again"] * (SENDS - 1) + ["infra"]


def test_one_persons_own_run_that_was_cancelled_stays_so():
    assert after(1, "CANCELLED", retry=False) == ["infra"]


QUEUE = [
    "10|RUNNING|group01|project1|100|1000",
    "11|RUNNING|group02|project2|100|1000",
    "12|RUNNING|group02|project2|100|1000",
    "20|PENDING|group03|project3|50|2500",
    "21|PENDING|group04|project4|90|0",
    "22|PENDING|group05|project5|50|4000",
]


def test_how_crowded_it_is_and_where_one_stands():
    found = read_queue_load(QUEUE, ["2|idle", "1|mixed", "1|down*"], frozenset({"20"}), now=100.0)
    assert (found.running, found.waiting, found.groups) == (3, 3, 2)
    assert (found.idle_nodes, found.nodes) == (2, 4)
    assert found.position == 2  # after 21, which has the higher priority, before 22, which came later
    assert found.minutes == 40
    assert in_words(found, 16) == "2 of 16 places taken, yours is number 2 in the queue, about 40 min"
    assert in_words(found, None).startswith("3 jobs run, 3 wait, 2 of 4 nodes are idle")


def test_a_result_that_was_cut_short_is_left_for_the_next_time():
    assert framed(b"0 3\nabc1 5\nab") == {0: b"abc"}
    assert framed(b"0 3\nabc1 2\nab") == {0: b"abc", 1: b"ab"}
    assert framed(b"motd says hello\n0 3\nabc") == {}


def test_many_large_results_come_in_several_answers(login, tmp_path):
    (tmp_path / "results").mkdir()
    for number in range(3):
        (tmp_path / "results" / f"{number}.json").write_bytes(b"x" * 100 * (number + 1))
    caps = {0: 1000, 1: 1000, 2: 199, 9: 1000}
    found = fetch(login(), str(tmp_path), caps)  # the last is not there
    assert {number: len(data) for number, data in found.items()} == {0: 100, 1: 200, 2: 200}
    assert list(fetch(login(), str(tmp_path), caps, most=250)) == [0, 1]
    assert list(fetch(login(), str(tmp_path), caps, most=1)) == [0]


class Queue:
    """A shell on a login node where a few jobs are in the queue; it counts what it is asked."""

    name = "lumi-login"
    profile = "lumi"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.files = b""

    def run(self, command: str, stdin: bytes = b"", timeout: float = 60.0) -> Done:
        slurm = "squeue" in command + stdin.decode()
        self.asked.append("Slurm" if slurm else "files")
        if not slurm:
            return Done(0, self.files, "")
        mine = (
            "17|17|N/A|PENDING|Priority||N/A|main\n"
            "18_0|18|0|RUNNING|None|n2|2026-11-25T01:30:20|main\n"
            "19|19|N/A|COMPLETED|None|n1|2026-11-25T01:30:20|main\n"
            "20|20|N/A|PENDING|Priority||N/A|main\n"
        )
        everybody = "16|PENDING|other|p1|90|0\n17|PENDING|me|p2|80|400\n18|RUNNING|me|p2|80|0\n"
        if "::nodes" in command:
            return Done(0, f"{everybody}::nodes\n3|idle\n1|mixed\n100\n".encode(), "")
        return Done(0, f"{mine}::tlcourse squeue 0 0\n".encode(), "")

    def close(self) -> None: ...


def runs_of(profile: Profile, **jobs: str) -> dict[str, list[ArrayJob]]:
    """Runs with a job each."""
    return {
        run: [ArrayJob(f"tlcourse-{job}", "lumi", profile, ["k"], [[0]], 0.0, folder=f"/work/{job}", job=job)]
        for run, job in jobs.items()
    }


WAITS = JobStatus(
    job="17",
    slurm="PENDING",
    node="",
    said="Other jobs are before it.",
    crowd="1 jobs run, 2 wait, 3 of 4 nodes are idle, yours is number 2 in the queue, about 5 min",
    position=2,
)


def test_one_question_tells_where_several_runs_stand_and_leaves_out_what_ended():
    shell, profile = Queue(), Profile(host="lumi-login")
    found = ask_status(shell, profile, runs_of(profile, one="17", three="19", four="999"))
    assert found.status == {"one": WAITS}
    assert shell.asked == ["Slurm", "Slurm"]


def test_asked_again_within_poll_s_files_say_what_began_and_what_ended():
    """As the app does every ten seconds: Slurm is not asked again so soon, by whatever process of this person."""
    shell, profile = Queue(), Profile(host="lumi-login", poll_s=30)
    sent = runs_of(profile, one="17", two="20")
    before = ask_status(shell, profile, sent)
    shell.asked.clear()
    shell.files = b"::tlcourse results 0\n0.jsonl\n::tlcourse started 0\n0.json\n::tlcourse results 1\n"
    after = ask_status(shell, profile, sent, before)
    assert shell.asked == ["files"]
    began = JobStatus(job="17", slurm="RUNNING", node="", said="It runs.")
    assert after.status == {"one": began}  # the other one has a result
    assert after.at == before.at
    shell.asked.clear()
    long_ago = msgspec.structs.replace(before, at=before.at - 31)
    assert ask_status(shell, profile, sent, long_ago).status["one"] == WAITS
    assert ask_status(shell, profile, runs_of(profile, new="17"), before).status == {"new": WAITS}
    assert shell.asked == ["Slurm"] * 4
    shell.asked.clear()
    ask_status(shell, profile, sent, msgspec.structs.replace(long_ago, floor_s=60.0))  # the site wants a minute
    assert shell.asked == ["files"]


def test_a_batch_sends_more_when_what_waits_there_runs_low():
    """Two places: more than four jobs that have not begun are enough; what arrives is gathered meanwhile."""
    chunks = [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    sent = ArrayJob("tlcourse-1", "lumi", Profile(), list("abcdefghij"), chunks, 0.0, job="17")
    live = ActiveArray(sent, {number: [] for number in range(10)})
    assert (live.unstarted, enough_wait([live], 2, 2), enough_wait([live], 3, 2)) == (5, True, False)
    live.started = {0, 2}
    assert (live.unstarted, enough_wait([live], 2, 2)) == (3, False)
    live.started, live.ended = set(), {0: 1.0, 1: 1.0}
    assert live.unstarted == 3
    assert not enough_wait([live], 1, 1)  # single runs are sent as they come


def test_a_run_that_waits_asks_slurm_once_in_poll_s(login, watchers, job_for, tmp_path):
    """Files are looked for all the time."""
    shell = login(sbatch="echo 27", squeue="echo '27|27|N/A|PENDING|Priority||N/A|main'", ls="true")
    pace = Pace(first=0.02, slowest=0.05, slowest_followed=0.05, poll=1.0)
    begin = time.monotonic()
    watchers(Profile(work=f"{tmp_path}/work"), shell=shell, pace=pace).add(job_for(), lambda _: None)
    wait_for(lambda: len(calls(tmp_path, "ls")) >= 40)
    assert 1 <= len(calls(tmp_path, "squeue")) <= 2 + (time.monotonic() - begin) / pace.poll


def test_only_states_after_which_nothing_comes_end_a_job():
    """RESV_DEL_HOLD and REVOKED of federations, EXPEDITING of 25.11, and whatever comes next, live."""
    ended = ["BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"]
    assert not any(JobState("1", state).live for state in [*ended, "TIMEOUT", ""])
    new = ["RESV_DEL_HOLD", "REVOKED", "REQUEUED_CRON", "EXPEDITING", "STAGE_OUT", "SOMETHING_NEW"]
    assert all(JobState("1", state).live for state in new)


SBATCH = {
    "plain": "echo 27",
    "before and after": "echo 'Welcome, 3 jobs are yours'; echo '  27 '; echo; echo 'Thank you for choosing us.'",
    "no number": "echo handed in",
    "of a cluster": "echo 'note: 1'; echo '27;wice'",
}


def calls(tmp_path, name: str) -> list[str]:
    path = tmp_path / f"{name}.calls"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("plain", ("27", "")),
        ("before and after", ("27", "")),
        ("no number", ("27", "")),
        ("of a cluster", ("27", "wice")),
    ],
)
def test_a_sites_wrapper_may_print_around_the_number_and_a_second_try_submits_nothing(login, tmp_path, kind, expected):
    shell = login(sbatch=SBATCH[kind], squeue="echo '27|PENDING|'")
    assert [submit(shell, f"{tmp_path}/job", "a"), submit(shell, f"{tmp_path}/job", "a")] == [expected] * 2
    assert len(calls(tmp_path, "sbatch")) == 1


def test_a_refused_jobs_record_is_not_taken_for_a_job(login, tmp_path):
    """slurmctld keeps a FAILED record, which never had a node, of a job that it refused."""
    refused = "sbatch: error: Batch job submission failed: Memory specification can not be satisfied"
    shell = login(sbatch=f"echo '{refused}' >&2; exit 1", squeue="echo '26|FAILED|'")
    for _ in range(2):
        with pytest.raises(RefusedError):
            submit(shell, f"{tmp_path}/job", "a")
    assert len(calls(tmp_path, "sbatch")) == 2


@pytest.mark.parametrize("flock", ["echo 'flock: 9: Function not implemented' >&2; exit 69", "exit 127"])
def test_a_file_system_without_locks_takes_a_folder_for_one(login, tmp_path, flock):
    """As Lustre without its `flock` option. What holds it is gone afterwards, and one that is held is waited for."""
    shell = login(
        sbatch="echo 27", squeue="true", flock=flock, sleep="touch ../slept; rmdir submit.held; exec /bin/true"
    )
    (tmp_path / "job" / "submit.held").mkdir(parents=True)
    assert submit(shell, f"{tmp_path}/job", "a") == ("27", "")
    assert (tmp_path / "slept").exists()
    assert not (tmp_path / "job" / "submit.held").exists()


def test_a_job_of_another_cluster_is_asked_for_and_cancelled_there(login, tmp_path):
    squeue = "echo 'CLUSTER: wice'; echo '27|27|N/A|RUNNING|None|n1|N/A|main'"
    shell = login(squeue=squeue, scancel="true")
    answer = ask(shell, [Folder(str(tmp_path), cluster="wice"), Folder(str(tmp_path))], [])
    assert answer.states["wice"]["27"].state == "RUNNING"
    assert [("-M wice" in call) for call in calls(tmp_path, "squeue")] == [False, True]
    cancel(shell, [("27", "wice"), ("28", ""), ("29", "wice")])
    assert sorted(calls(tmp_path, "scancel")) == ["-M wice 27 29", "28"]
    assert clusters_of(Profile(sbatch=["--constraint=x", "--clusters=wice"])) == "wice"
    assert clusters_of(Profile(sbatch=["-Mwice"])) == "wice"


def test_results_of_an_ended_job_are_asked_for_by_name(login, tmp_path):
    """A network file system may list a file a minute late; by its name it is found."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "3.json").touch()
    shell = login(ls="true", squeue="true")
    assert ask(shell, [Folder(str(tmp_path))], [], states=False).results == {str(tmp_path): set()}
    assert ask(shell, [Folder(str(tmp_path), [2, 3])], [], states=False).results == {str(tmp_path): {3}}
    assert calls(tmp_path, "squeue") == []


def test_accounts_that_are_away_for_a_while_are_not_taken_for_none(login, tmp_path):
    shell = login(sacct="echo 'slurm_persist_conn_open: Connection refused' >&2; exit 1")
    assert accounting(shell, "17") == {}
    shell = login(sacct="echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert accounting(shell, "17") is None


def test_limits_are_asked_of_the_cluster_and_learnt_from_refusals(login, tmp_path):
    """As LUMI's dev-g: the partition's quality of service lets one person have two jobs."""
    shell = login(
        scontrol='if [ "$2" = config ]; then echo "MaxArraySize            = 1001"; else echo "A=B QoS=dev-g X=Y"; fi',
        sacctmgr="echo 2",
    )
    assert ask_limits(shell, Profile(partition="dev-g")) == (1000, 2)
    limit = Limit(1000, 2)
    assert [limit.room(there) for there in (0, 1, 2, 3)] == [2, 1, 0, 0]
    limit = Limit(1000)
    assert limit.refused(8, 1, array=False)  # eight were too many beside one: four are tried
    assert limit.room(1) == 4
    assert limit.refused(1, 1, array=False)  # not even one beside it: another when that has ended
    assert [limit.room(there) for there in (1, 0)] == [0, 1]
    assert not limit.refused(1, 0, array=False)  # not one: waiting helps nobody
    limit = Limit(1000)
    assert limit.refused(6, 0, array=True)
    assert limit.room(0) == 3
    assert not Limit(3).refused(1, 2, array=True)
