"""A Slurm that keeps accounts: what it has forgotten is asked there, its limits are real, and it may be away."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec
import pytest
from accounts_bed import ACCOUNT, AccountsBed, missing
from waiting import together, wait_for

from tlcourse.cluster.jobs import Pace
from tlcourse.cluster.pool import SlurmPool, shell_for
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.submit import ask_limits
from tlcourse.errors import UsageError

pytestmark = pytest.mark.slow
PACE = Pace(first=0.2, slowest=1.0, slowest_followed=0.5, poll=0.5, gather=0.5, patience=60.0, grace=5.0)
FORGOTTEN = {"squeue": "exit 0"}  # as after MinJobAge, which some sites set to seconds


@pytest.fixture(scope="module")
def bed() -> Iterator[AccountsBed]:
    if why := missing():
        pytest.skip(why)
    with AccountsBed() as made:
        yield made


@pytest.fixture
def profile(bed) -> Profile:
    """The bed, with an empty queue; small jobs, of which its node holds two."""
    bed.clear()
    small = {"cpus": 1, "memory_mb": 2500}
    return Profile(host="slurmlogin", ssh_config=str(bed.ssh_config), python=sys.executable, partition="main", **small)


def test_what_slurm_has_forgotten_is_asked_of_its_accounts(bed, profile, watchers, job_for):
    """It runs: so it is not sent again. Somebody cancels it, which accounts alone say: so it stays so."""
    said: list[str] = []
    with bed.odd(**FORGOTTEN):
        watcher = watchers(profile, pace=PACE)
        future = watcher.add(job_for("hold(task)", wall_time_s=300), lambda event: said.append(str(event)))
        wait_for(lambda: any("It runs." in line for line in said))
        wait_for(lambda: any("metric" in line for line in said))
        bed.run("scancel", "--user", "student")
        report = future.result(90)
    assert report.status == "infra"
    assert report.message == "The job was cancelled on the cluster, not by this command."
    assert len(bed.jobs()) == 1
    assert watcher.notes == []


def test_accounts_that_are_away_cost_nothing_and_are_not_taken_for_none(bed, profile, watchers, job_for, told):
    """Nobody says how the job is: its result file does."""
    watcher = watchers(profile, pace=msgspec.structs.replace(PACE, grace=60.0))
    bed.stop_accounting()
    try:
        with bed.odd(**FORGOTTEN, sacct='"$real" "$@"') as calls:
            report = watcher.add(job_for("told['me'] = 1")).result(120)
            asked = len(calls("sacct"))
    finally:
        bed.start_accounting()
    assert told(report)["me"] == 1
    assert len(bed.jobs()) == 1
    assert asked >= 1
    assert watcher.notes == []


def test_a_limit_of_the_quality_of_service_is_asked_for_and_kept_to(bed, profile, job_for, told):
    """As LUMI's dev-g. Six hand-ins go two by two, and Slurm need refuse none."""
    bed.manage("modify", "qos", "normal", "set", "MaxSubmitJobsPerUser=2")
    try:
        assert ask_limits(shell_for(profile, "bed"), msgspec.structs.replace(profile, qos="normal")) == (4, 2)
        two = msgspec.structs.replace(profile, qos="normal")
        with bed.odd(sbatch='"$real" "$@"; code=$?; echo "$code" >>~/codes; exit $code'):
            pool = SlurmPool("bed", two, pace=PACE, chunk=1, expected=6, sandbox_kind="bubblewrap")
            with pool:
                reports = together(pool, [job_for(f"told['me'] = {number}") for number in range(6)])
    finally:
        bed.manage("modify", "qos", "normal", "set", "MaxSubmitJobsPerUser=-1")
    assert [told(report)["me"] for report in reports] == list(range(6))
    assert set((bed.home / "codes").read_text().split()) == {"0"}
    assert len(bed.jobs()) == 6


def test_slurms_own_refusals_are_said_at_once(bed, profile, watchers, job_for):
    """Whose hours are used up has a limit of no job at all; whose account is misspelt is told so."""
    bed.manage("modify", "user", "student", "set", "MaxSubmitJobs=0")
    try:
        with pytest.raises(UsageError, match="violates accounting/QOS policy") as raised:
            watchers(profile, pace=PACE).add(job_for()).result(60)
    finally:
        bed.manage("modify", "user", "student", "set", "MaxSubmitJobs=-1")
    assert "computing time is used up" in raised.value.cause
    wrong = msgspec.structs.replace(profile, account="project2")
    with pytest.raises(UsageError, match="Invalid account"):
        watchers(wrong, pace=PACE).add(job_for()).result(60)
    assert bed.jobs() == []
    right = msgspec.structs.replace(profile, account=ACCOUNT)
    assert watchers(right, pace=PACE).add(job_for()).result(90).status == "done"
