"""How much of a machine goes into training when a pool grades a batch. Prints the share.

    python benchmarks/efficiency.py [--submissions 16] [--seconds 5] [--workers N]

Promised: of 16 submissions that each compute for 5 s of CPU on two cores, CPU time in `fit` / (wall time × cores) is at
least 0.93, from a pool whose parents have started to the last report. What the pool's start costs once is printed
beside it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.execution.pool import Pool, cores
from tlcourse.execution.spec import RunReport, RunSpec

SOLUTION = """
import time
import torch

class Model(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)[:, 0]

def fit(task):
    begin = time.process_time()
    net = torch.nn.Sequential(torch.nn.Linear(2, 256), torch.nn.ReLU(), torch.nn.Linear(256, 1))
    optimiser = torch.optim.Adam(net.parameters())
    x, y = task.train.tensors
    step = 0
    while time.process_time() - begin < SECONDS:
        loss = (net(x)[:, 0] - y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        if step % 500 == 0:
            task.log(step, loss=loss.item())
    print("FIT", time.process_time() - begin)
    return Model(net)
"""


def job_of(folder: Path) -> RunSpec:
    """A job of 4,096 points in the plane."""
    points = np.random.default_rng(1).normal(size=(4096, 2)).astype(np.float32)
    data = {"x": points, "y": points.sum(1)}
    task_spec = TaskSpec("plane", "mini", ("y",), (Output("y"),), 7, 600.0, "cpu", 1)
    return RunSpec(task_spec, folder, data, data, {"x": points}, Limits(wall_time_s=600.0))


def in_fit(report: RunReport) -> float:
    """CPU seconds that `fit` used, as it says itself."""
    if report.status != "done" or report.sandbox != "fork-server":
        raise SystemExit(
            f"a run in the {report.sandbox} sandbox ended as {report.status}: {report.message}\n{report.log}"
        )
    return float(next(line for line in report.log.splitlines() if line.startswith("FIT ")).split()[1])


def main() -> None:
    """A batch through one pool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=cores())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "solution.py").write_text(SOLUTION.replace("SECONDS", str(options.seconds)), encoding="utf-8")
        jobs = [job_of(folder)] * options.submissions
        start = time.perf_counter()
        with Pool(options.workers) as pool, ThreadPoolExecutor(options.submissions) as threads:
            pool.prewarm()
            begin, ours = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
            reports = list(threads.map(pool.run, jobs))
            elapsed, now = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    used = sum(map(in_fit, reports))
    grader = now.ru_utime + now.ru_stime - ours.ru_utime - ours.ru_stime
    available = elapsed * options.workers
    print(
        f"{options.submissions} submissions of {options.seconds:g} s of CPU, {options.workers} workers, "
        f"{cores()} cores; Python {sys.version.split()[0]}"
    )
    print(
        f"CPU in fit {used:.1f} s / ({elapsed:.1f} s × {options.workers}) = {used / available:.3f}   (promised: 0.93)"
    )
    print(f"the grader's own process used {grader:.2f} s of CPU, {grader / available:.3f} of what there was")
    print(f"the start of the pool took {begin - start:.1f} s, once for a batch")


if __name__ == "__main__":
    main()
