"""One run on a cluster: the same as here, seen while it goes on, and nothing in it that this machine would not show."""

from __future__ import annotations

from tlcourse.execution.supervise import run
from tlcourse.sandbox.choose import choose


def test_a_run_on_the_cluster_gives_the_predictions_of_a_run_here(cluster, profile, watchers, job_for, told):
    job = job_for("told['drawn'] = torch.rand(3).tolist()\ntask.log(1, loss=0.5)", seed=11)
    here = run(job, choose("bubblewrap")[0], lambda _: None)
    there = watchers(profile).add(job).result(120)
    assert told(there) == told(here)
    assert there.results == here.results
    assert there.metrics == here.metrics
    assert (there.sandbox, there.torch) == (here.sandbox, here.torch)
    assert there.where.startswith("bed: n")
