"""What a cluster costs a hand-in: 40 of them on four nodes with two slots each, and the same on this machine.

    python benchmarks/cluster.py            on the tests' own Slurm; needs root and the packages of tests/cluster
    python benchmarks/cluster.py --hand-ins 8 --seconds 0.2 --json

Each hand-in does nothing for a second. Three columns: this machine with a slot for each core, as a batch here has them;
this machine with as many slots as the cluster; the cluster. The nodes of the test bed share this machine's cores, so
between the last two the difference is what sending, queueing and fetching cost. Each says how long all took, how long
it was from submitting to the first start of a solution, and what a hand-in took beyond its share of training:

    overhead = (seconds in all - hand-ins x training / slots) / hand-ins

Data, code and the environment are on the cluster already, as for every batch but the first. Ends within --limit.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "cluster"))
from slurm_bed import NODES, Bed, missing

from tlcourse.cluster.jobs import Pace
from tlcourse.cluster.pool import SlurmPool
from tlcourse.cluster.profile import Profile
from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.execution.pool import Pool, cores
from tlcourse.execution.spec import RunReport, RunSpec

SLOTS = 2 * NODES
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


def jobs(count: int, seconds: float, folder: Path) -> list[RunSpec]:
    """Tiny hand-ins that differ."""
    made = []
    for number in range(count):
        submission = folder / str(number)
        submission.mkdir()
        (submission / "solution.py").write_text(SOLUTION.format(seconds=seconds) + f"# {number}\n")
        points = np.arange(16, dtype=np.float32).reshape(8, 2)
        data = {"x": points, "y": points.sum(1)}
        task_spec = TaskSpec("plane", "mini", ("y",), (Output("y"),), 7, 60.0, "cpu", 1)
        made.append(RunSpec(task_spec, submission, data, data, {"x": points}, Limits(memory_mb=1024)))
    return made


def summary(reports: list[RunReport], begin: float, seconds: float, slots: int) -> dict[str, float]:
    """Seconds in all, until the first `fit`, and for each hand-in beyond its share of training."""
    if wrong := [f"{report.status}: {report.message}" for report in reports if report.status != "done"]:
        sys.exit(f"{len(wrong)} of {len(reports)} did not end well, such as {wrong[0]}")
    total = time.time() - begin
    first = min(float(report.log.split()[0]) for report in reports) - begin
    trained = seconds * len(reports) / slots
    return {
        "hand_ins": len(reports),
        "slots": slots,
        "places": len({report.where.split(" (")[0] for report in reports}),
        "seconds": round(total, 2),
        "to_first_start": round(first, 2),
        "overhead_per_hand_in": round((total - trained) / len(reports), 3),
    }


def on_cluster(given: list[RunSpec], seconds: float) -> dict[str, float]:
    """One array over four nodes, two jobs on each."""
    with Bed() as bed:
        profile = Profile(
            host="slurmlogin", ssh_config=str(bed.ssh_config), python=sys.executable, partition="main", at_once=SLOTS
        )
        with SlurmPool("bed", profile, chunk=max(len(given) // SLOTS, 1), pace=Pace(grace=2.0), expected=1) as pool:
            say("the cluster is up; code and data are sent")
            pool.run(given[0])  # sent once, not once a batch
            say(f"{len(given)} hand-ins on the cluster")
            begin = time.time()
            with ThreadPoolExecutor(len(given)) as threads:
                return summary(list(threads.map(pool.run, given)), begin, seconds, SLOTS)


def here(given: list[RunSpec], seconds: float, slots: int) -> dict[str, float]:
    """A fork server for each slot, on this machine; their parents start with the first hand-ins, as there."""
    say(f"{len(given)} hand-ins on this machine, {slots} slots")
    begin = time.time()
    with Pool(workers=slots) as pool, ThreadPoolExecutor(slots) as threads:
        return summary(list(threads.map(pool.run, given)), begin, seconds, slots)


def say(text: str) -> None:
    """What is going on, for people."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def table(found: dict[str, dict[str, float]]) -> str:
    """For people."""
    rows = [
        ("hand-ins", "hand_ins"),
        ("slots", "slots"),
        ("nodes that ran some", "places"),
        ("seconds in all", "seconds"),
        ("from submitting to the first start, s", "to_first_start"),
        ("overhead per hand-in, s", "overhead_per_hand_in"),
    ]
    lines = [f"{'':<40}" + "".join(f"{place:>12}" for place in found)]
    lines += [f"{words:<40}" + "".join(f"{place[key]:>12g}" for place in found.values()) for words, key in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure both, and say so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hand-ins", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1.0, help="what each one trains")
    parser.add_argument("--limit", type=int, default=280, help="give up after so many seconds")
    parser.add_argument("--json", action="store_true", help="one document instead of a table")
    given = parser.parse_args()
    if why := missing():
        sys.exit(why)

    def give_up(*_: object) -> None:
        raise TimeoutError(f"not done after {given.limit} s: the machine is too busy to measure anything")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(given.limit)
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = jobs(given.hand_ins, given.seconds, Path(folder))
            found = {
                "here": here(made, given.seconds, cores()),
                "here too": here(made, given.seconds, SLOTS),
                "cluster": on_cluster(made, given.seconds),
            }
    except TimeoutError as error:
        sys.exit(str(error))
    print(json.dumps(found, indent=2) if given.json else table(found))


if __name__ == "__main__":
    main()
