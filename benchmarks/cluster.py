"""What a cluster costs a hand-in: 40 of them on four nodes with two jobs each, and the same on this machine.

    python benchmarks/cluster.py            on the tests' own Slurm; needs root and the packages of tests/cluster
    python benchmarks/cluster.py --hand-ins 8 --seconds 0.2

Says, for each place: seconds in all, from submitting to the first start, and per hand-in above what it trained.
The nodes of the test bed share this machine's cores, so that both places have the same ones: the difference is what
sending, queueing, starting and fetching cost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "cluster"))
from slurm_bed import Bed, missing

from tlcourse.execution.cluster.item import Pace
from tlcourse.execution.cluster.pool import SlurmPool
from tlcourse.execution.cluster.profile import Profile
from tlcourse.execution.job import Brief, Caps, Job, OutputSpec, RunReport
from tlcourse.execution.pool import Pool, cores

SOLUTION = """
import time, torch
class Model(torch.nn.Module):
    def forward(self, x):
        return x[:, 0]
def fit(task):
    print(time.time())
    time.sleep({seconds})
    return Model()
"""


def jobs(count: int, seconds: float, folder: Path) -> list[Job]:
    """Tiny hand-ins that differ."""
    made = []
    for number in range(count):
        submission = folder / str(number)
        submission.mkdir()
        (submission / "solution.py").write_text(SOLUTION.format(seconds=seconds) + f"# {number}\n")
        points = np.arange(16, dtype=np.float32).reshape(8, 2)
        data = {"x": points, "y": points.sum(1)}
        brief = Brief("plane", "mini", ("y",), (OutputSpec("y"),), 7, 60.0, "cpu", 1)
        made.append(Job(brief, submission, data, data, {"x": points}, Caps(memory_mb=1024)))
    return made


def summary(reports: list[RunReport], begin: float, seconds: float, workers: int) -> dict[str, float]:
    """Seconds in all, until the first `fit`, and for each hand-in beyond its share of training."""
    assert {report.ending for report in reports} == {"done"}, [report.message for report in reports]
    total = time.time() - begin
    first = min(float(report.log.split()[0]) for report in reports) - begin
    trained = seconds * len(reports) / workers
    return {
        "hand_ins": len(reports),
        "seconds": round(total, 2),
        "to_first_start": round(first, 2),
        "overhead_per_hand_in": round((total - trained) / len(reports), 3),
    }


def on_cluster(given: list[Job], seconds: float) -> dict[str, float]:
    """One array over four nodes, two jobs on each."""
    with Bed() as bed:
        profile = Profile(
            host="slurmlogin", ssh_config=str(bed.ssh_config), python=sys.executable, partition="main", at_once=8
        )
        with SlurmPool("bed", profile, chunk=max(len(given) // 8, 1), pace=Pace(grace=2.0)) as pool:
            pool.run_array(given[:1])  # code and data are sent once, not once a batch
            begin = time.time()
            return summary(pool.run_array(given), begin, seconds, 8)


def here(given: list[Job], seconds: float) -> dict[str, float]:
    """A warm worker for each core of this machine."""
    workers = cores()
    begin = time.time()
    with Pool(workers=workers) as pool, ThreadPoolExecutor(workers) as threads:
        return summary(list(threads.map(pool.run, given)), begin, seconds, workers)


def main() -> None:
    """Measure both, and say so as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hand-ins", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1.0, help="what each one trains")
    given = parser.parse_args()
    if why := missing():
        sys.exit(why)
    with tempfile.TemporaryDirectory() as folder:
        made = jobs(given.hand_ins, given.seconds, Path(folder))
        print(json.dumps({"here": here(made, given.seconds), "cluster": on_cluster(made, given.seconds)}, indent=2))


if __name__ == "__main__":
    main()
