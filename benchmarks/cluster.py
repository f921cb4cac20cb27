"""What a cluster costs a hand-in: 40 of them on four nodes with two slots each, and the same on this machine.

    python benchmarks/cluster.py            on the tests' own Slurm; needs root and the packages of tests/cluster
    python benchmarks/cluster.py --hand-ins 8 --seconds 0.2 --json
    python benchmarks/cluster.py --load [--write]   what a class asks of a login node; --write: into docs/cluster.md

Each hand-in does nothing for a second. Three columns: this machine with a slot for each core, as a batch here has them;
this machine with as many slots as the cluster; the cluster. The nodes of the test bed share this machine's cores, so
between the last two the difference is what sending, queueing and fetching cost. Each says how long all took, how long
it was from submitting to the first start of a solution, and what a hand-in took beyond its share of training:

    overhead = (seconds in all - hand-ins x training / slots) / hand-ins

Data, code and the environment are on the cluster already, as for every batch but the first. Ends within --limit.

--load counts, for 40 and for 1,000 hand-ins of a batch at a profile's usual pace: connections, Slurm's commands, jobs,
files in the work folder at most and afterwards. SSH and Slurm are real; on the nodes a stand-in for Python writes
results at once, so that nothing but the talking takes time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "cluster"))
from slurm_bed import NODES, Bed, missing

from tlcourse.cluster.jobs import Pace, pace_of
from tlcourse.cluster.pool import SlurmPool
from tlcourse.cluster.profile import Profile
from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.execution.pool import Pool, cores
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.grading.batch.backend import AT_ONE_TIME

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


# What the node's Python would do, in milliseconds: a result for each task of this element of the array.
STAND_IN = """\
#!/bin/sh
case "$*" in *worker_node*) exec {python} -S -c '
import json, os, sys
folder = sys.argv[1]
plan = json.load(open(folder + "/plan.json"))
for number in plan["chunks"][int(os.environ.get("SLURM_ARRAY_TASK_ID", "0"))]:
    report = dict(status="done", message="", sandbox="fork-server", usage={{}})
    result = dict(key=plan["tasks"][number]["key"], report=report, node="n", job=os.environ["SLURM_JOB_ID"])
    path = f"{{folder}}/results/{{number}}"
    open(f"{{folder}}/events/{{number}}.jsonl", "w").close()
    with open(path + ".part", "w") as stream:
        json.dump(result, stream)
    os.rename(path + ".part", path + ".json")
' "$3" ;; esac
exec {python} "$@"
"""
COUNTED = ("sbatch", "squeue", "sacct", "scontrol", "scancel", "sinfo")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "cluster.md"
BEGIN, END = "<!-- benchmarks/cluster.py --load --write: begin -->\n", "<!-- end -->\n"
ALLOWED = {"ssh": 120, "sbatch": 15, "squeue": 20, "left": 300}
"""Of 1,000 hand-ins."""


def load(counts: list[int]) -> list[dict[str, int]]:
    """What classes of these sizes ask of a login node, one after the other on one cluster."""
    found = []
    with Bed() as bed, tempfile.TemporaryDirectory() as folder:
        python = bed.root / "stand-in"
        python.write_text(STAND_IN.format(python=sys.executable))
        python.chmod(0o755)
        ssh = Path(folder, "bin", "ssh")
        ssh.parent.mkdir()
        ssh.write_text(f'#!/bin/sh\necho >>{folder}/ssh.calls\nexec {shutil.which("ssh")} "$@"\n')
        ssh.chmod(0o755)
        os.environ["PATH"] = f"{ssh.parent}:{os.environ['PATH']}"
        profile = Profile(
            host="slurmlogin", ssh_config=str(bed.ssh_config), python=str(python), partition="main", cpus=1
        )
        for count in counts:
            say(f"{count} hand-ins")
            place = Path(folder, str(count))
            place.mkdir()
            given = jobs(count, 0.0, place)
            Path(folder, "ssh.calls").write_text("")
            bed.clear()
            with bed.odd(**dict.fromkeys(COUNTED, 'exec "$real" "$@"')) as calls:
                found.append(one_class(profile, given, bed))
                found[-1] |= {name: len(calls(name)) for name in COUNTED}
            found[-1] |= {"ssh": len(Path(folder, "ssh.calls").read_text().splitlines()), "elements": len(bed.jobs())}
    return found


def one_class(profile: Profile, given: list[RunSpec], bed: Bed) -> dict[str, int]:
    """As `batch` sends it; files in the work folder are counted meanwhile, and when all is back."""
    work, most, over = bed.home / ".tlcourse-jobs", [0], threading.Event()

    def files() -> int:
        return sum(len(names) for _, _, names in os.walk(work))

    def count() -> None:
        while not over.wait(0.5):
            most[0] = max(most[0], files())

    counting = threading.Thread(target=count)
    counting.start()
    begin = time.monotonic()
    with (
        SlurmPool("bed", profile, pace=pace_of(profile, Pace(gather=3.0)), expected=len(given)) as pool,
        ThreadPoolExecutor(AT_ONE_TIME) as threads,
    ):
        reports = list(threads.map(pool.run, given))
    seconds = time.monotonic() - begin
    over.set()
    counting.join()
    assert all(report.status == "done" for report in reports)
    return {"hand_ins": len(given), "seconds": round(seconds), "most": most[0], "left": files()}


def load_table(found: list[dict[str, int]]) -> str:
    """For docs/cluster.md."""
    columns = {"hand_ins": "hand-ins", "seconds": "seconds", "ssh": "ssh", "sbatch": "sbatch", "squeue": "squeue"}
    columns |= {"elements": "jobs", "most": "files at most", "left": "files left"}
    lines = ["| " + " | ".join(columns.values()) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(f"{one[key]:,}" for key in columns) + " |" for one in found]
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    """Put the table where the page has it."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        sys.exit(f"{PAGE} has no place for the table: {BEGIN}{END}")
    PAGE.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")


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
    parser.add_argument("--load", type=int, nargs="*", metavar="N", help="count what classes of so many hand-ins ask")
    parser.add_argument("--write", action="store_true", help="with --load: put the table into docs/cluster.md")
    parser.add_argument("--json", action="store_true", help="one document instead of a table")
    given = parser.parse_args()
    if why := missing():
        sys.exit(why)

    def give_up(*_: object) -> None:
        raise TimeoutError(f"not done after {given.limit} s: the machine is too busy to measure anything")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(given.limit)
    try:
        if given.load is not None:
            counted = load(given.load or [40, 1000])
            print(json.dumps(counted, indent=2) if given.json else load_table(counted))
            if given.write:
                write(load_table(counted))
            over = [f"{key} {one[key]}" for one in counted for key, most in ALLOWED.items() if one[key] > most]
            sys.exit(f"more than is allowed: {', '.join(over)}" if over else 0)
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
