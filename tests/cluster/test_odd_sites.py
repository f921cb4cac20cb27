"""Clusters with habits of their own: what they print, list, hide and refuse. The verdict stays the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from waiting import together, wait_for

from tlcourse.cluster.jobs import Pace
from tlcourse.cluster.pool import SlurmPool, shell_for
from tlcourse.errors import UnableError, UsageError

PACE = Pace(first=0.2, slowest=1.0, slowest_followed=0.5, poll=0.5, gather=0.5, patience=60.0, grace=40.0)
POLICY = (
    "printf 'sbatch: error: %s\\n' QOSMaxSubmitJobPerUserLimit 'Batch job submission failed: Job violates "
    "accounting/QOS policy (job submit limit, size and/or time limits)' >&2; exit 1"
)
BANNER = "echo 'Maintenance: there is a limit of 50 GB'; echo 'sbatch: error: not at all' >&2; read -r x"
SITES = {
    "a banner on both streams, and a login that reads": {"login": f"{BANNER}; trap 'echo 4711; echo bye >&2' EXIT"},
    "tcsh, with a banner": {"shell": "/usr/bin/tcsh", "login": "echo 'there is a limit of 50 GB'"},
    "a wrapper that prints after the number": {"sbatch": '"$real" "$@" && echo "Thank you for choosing us."'},
    "no locks on the file system": {"flock": "echo 'flock: 9: Function not implemented' >&2; exit 69"},
    "no programs in /tmp": {"tmp": "noexec"},
    "a state of a later Slurm": {"squeue": '"$real" "$@" | sed "s/RUNNING/EXPEDITING/"'},
    "results that are listed a minute late": {"ls": 'case "$*" in results) ;; *) exec "$real" "$@" ;; esac'},
    "another cluster of several": {
        "sbatch": 'sed -i \'/--clusters/d\' script.sh; echo "$("$real" "$@");wice"',
        "squeue": 'echo "$*" | grep -q "M wice" || exit 0; echo "CLUSTER: wice"; '
        'set -- $(echo "$@" | sed \'s/-M wice//\'); exec "$real" "$@"',
    },
}


@pytest.mark.parametrize("site", SITES)
def test_a_run_on_an_odd_site_is_sent_once_and_comes_back(cluster, profile, watchers, job_for, told, site):
    habits = dict(SITES[site])
    tmp = habits.pop("tmp", "exec")
    if not shutil.which(habits.get("shell", "sh")):
        pytest.skip(f"{habits['shell']} is not installed: apt-get install tcsh")
    if "several" in site:
        profile = msgspec.structs.replace(profile, sbatch=["--clusters=wice"])
    with cluster.odd(**habits), cluster.tmp(tmp):
        said: list[str] = []
        watcher = watchers(profile, pace=PACE)
        report = watcher.add(job_for("told['site'] = 1"), lambda event: said.append(str(event))).result(60)
    assert told(report)["site"] == 1, report.message
    assert len(cluster.jobs()) == 1
    assert not any("sent again" in line or "does not answer" in line for line in said), said


def test_a_hidden_partition_is_seen(cluster, profile, watchers, job_for, told):
    hidden = msgspec.structs.replace(profile, partition="veiled")
    report = watchers(hidden, pace=PACE).add(job_for("time.sleep(2)")).result(60)
    assert report.status == "done", report.message
    assert len(cluster.jobs()) == 1


def test_a_limit_of_two_jobs_lets_six_hand_ins_through_two_by_two(cluster, profile, job_for, told):
    """As LUMI's dev-g. Each refusal is said, and what has ended is fetched meanwhile."""
    few = '[ "$(squeue -h -r -t PD,R,CG | wc -l)" -lt 2 ] && ! grep -q "array=0-[2-9]" script.sh'
    two = f'{few} && exec "$real" "$@"; {POLICY}'
    ended: list[int] = []
    pool = SlurmPool("bed", msgspec.structs.replace(profile, at_once=4), pace=PACE, chunk=1, follow=True, expected=6)
    with cluster.odd(sbatch=two) as calls, pool:
        jobs = [job_for(f"told['me'] = {number}") for number in range(6)]
        reports = together(pool, jobs, lambda *_: ended.append(len(cluster.jobs())))
        refused = len(calls("sbatch"))
    assert [told(report)["me"] for report in reports] == list(range(6))
    assert len(cluster.jobs()) == 6
    assert refused <= 15
    assert ended[0] < 6  # fetched while others were still to be sent


def test_a_refusal_that_waiting_does_not_cure_is_said_at_once_with_its_three_causes(
    cluster, profile, watchers, job_for
):
    with cluster.odd(sbatch=POLICY) as calls:
        with pytest.raises(UsageError) as raised:
            watchers(profile, pace=PACE).add(job_for()).result(60)
        assert len(calls("sbatch")) == 1
    assert "QOSMaxSubmitJobPerUserLimit; Job violates accounting/QOS policy" in raised.value.what
    for words in ("computing time is used up", "no account is named", "as many jobs in the queue"):
        assert words in raised.value.cause


def test_an_array_that_is_too_large_is_cut(cluster, profile, job_for, told):
    too_large = (
        'grep -q "array=0-[3-9]" script.sh || exec "$real" "$@"; '
        "echo 'sbatch: error: Batch job submission failed: Invalid job array specification' >&2; exit 1"
    )
    pace = msgspec.structs.replace(PACE, gather=20.0)  # all six are one array, however busy the machine is
    pool = SlurmPool("bed", msgspec.structs.replace(profile, at_once=8), pace=pace, chunk=1, expected=6)
    with cluster.odd(sbatch=too_large) as calls, pool:
        reports = together(pool, [job_for(f"told['me'] = {number}") for number in range(6)])
        arrays = {line.split()[0].split("_")[0] for line in cluster.jobs()}
        assert len(calls("sbatch")) == len(arrays) + 1  # the first was refused, and none of half its size
    assert [told(report)["me"] for report in reports] == list(range(6))


def test_a_run_that_prints_all_the_time_asks_slurm_rarely(cluster, profile, watchers, job_for):
    """Five lines a second for twelve seconds. The profile's two seconds are too few for this site, which says five."""
    slow = msgspec.structs.replace(PACE, poll=2.0)
    chatty = "for step in range(60):\n    task.log(step, loss=1.0)\n    time.sleep(0.2)"
    wish = cluster.root / "etc" / "slurm" / "tlcourse.yaml"
    wish.write_text("# fewer questions, please\npoll_s: 5\n")
    try:
        with cluster.odd(squeue='exec "$real" "$@"') as calls:
            events: list[dict] = []
            watcher = watchers(profile, pace=slow)
            assert watcher.add(job_for(chatty), events.append).result(90).status == "done"
            asked = len(calls("squeue"))
    finally:
        wish.unlink()
    assert sum(event["type"] == "metric" for event in events) == 60
    assert 1 <= asked <= 5
    wants = "slurmlogin wants 5 s between two questions to Slurm (/etc/slurm/tlcourse.yaml there)"
    assert f"{wants}: that is kept to, instead of the 2 s of `poll_s`." in watcher.notes


def test_a_late_result_of_an_earlier_job_counts(cluster, profile, watchers, job_for, told):
    """Its file comes back after it was given up; the second job is cancelled, which alone would end the run."""
    slow = msgspec.structs.replace(PACE, first=2.0, slowest=2.0, slowest_followed=2.0, grace=2.0)
    future = watchers(profile, pace=slow).add(job_for("hold(task)\ntold['me'] = 1"))

    def hidden() -> Path | None:
        cluster.go_on()
        for path in cluster.home.glob(".tlcourse-jobs/jobs/*/results/0.json"):
            return path.rename(path.with_suffix(".late"))
        return None

    late = wait_for(hidden, 60, pause=0.01)
    wait_for(lambda: len(cluster.jobs("R")) == 1 and len(cluster.jobs()) == 2)
    late.rename(late.with_suffix(".json"))
    cluster.run("scancel", "--user", "student")
    report = future.result(60)
    assert report.status == "done", report.message
    assert told(report)["me"] == 1


def test_a_changed_host_key_is_said_as_what_it_is(cluster, profile, watchers, job_for):
    known = cluster.root / "known_hosts"
    before = known.read_text()
    other = (cluster.root / "client_key.pub").read_text().split()[1]
    known.write_text(f"{before.split()[0]} ssh-ed25519 {other}\n")
    shell_for(profile, "bed").close()  # a connection that is shared asks for no key
    try:
        with pytest.raises(UnableError, match="The host key of slurmlogin is not the one") as raised:
            watchers(profile, pace=PACE).add(job_for()).result(60)
    finally:
        known.write_text(before)
    assert "ssh-keygen -R slurmlogin" in raised.value.remedy
