"""Many submissions as one array over four nodes: each gets its own report, equal to that of this machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tlcourse.execution.pool import Pool

FORTY = 40
BODY = "told['drawn'] = torch.rand(3).tolist(); told['me'] = {number}"


def test_forty_submissions_over_four_nodes_give_the_reports_of_this_machine(cluster, pool, job_for, told):
    jobs = [job_for(BODY.format(number=number), seed=number % 3) for number in range(FORTY)]
    there = pool.run_array(jobs)
    with Pool(workers=2) as local, ThreadPoolExecutor(2) as threads:
        here = list(threads.map(local.run, jobs))
    assert [told(report) for report in there] == [told(report) for report in here]
    assert [report.results for report in there] == [report.results for report in here]
    assert {report.wall for report in there} == {"warm"}
    assert {report.where.split()[1] for report in there} == set(cluster.nodes)
    assert len({report.where for report in there}) == 4  # one array of four jobs, ten submissions each
    assert len({job.split("_")[0] for job in (line.split()[0] for line in cluster.jobs())}) == 1


def test_it_serves_threads_as_a_local_pool_does(cluster, pool, job_for, told):
    jobs = [job_for(BODY.format(number=number)) for number in range(6)]
    with ThreadPoolExecutor(pool.workers) as threads:
        reports = list(threads.map(pool.run, jobs))
    assert [told(report)["me"] for report in reports] == list(range(6))
    assert pool.workers == FORTY


def test_identical_submissions_run_once_and_both_get_the_report(cluster, pool, job_for):
    one = job_for("print(time.time())")
    first, second = pool.run_array([one, one])
    assert first == second
    assert len(cluster.jobs()) == 1
