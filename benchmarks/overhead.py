"""What a sandbox costs: a submission that imports torch and torchvision, builds an Adam, fits nothing. Prints medians.

    python benchmarks/overhead.py [--runs 10]

Promised: bubblewrap at most 1.0 times plain, the fork server at most 0.05 times plain. Plain is `python
submission.py`. The three run in turn, so that what disturbs one disturbs all.
Wall time is from the call to the report, with the copying of the submission and the data, and predictions that come
out. CPU time of plain and of bubblewrap is that of all their processes. In the fork server it is what the worker used
up to its last prediction, as it says itself, and what the grader and the fork server used meanwhile; what the small
processes between them use is not seen.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run
from tlcourse.sandbox.bubblewrap import BubblewrapSandbox
from tlcourse.sandbox.fork_server import ForkServerSandbox
from tlcourse.sandbox.interpreter import worker_environment

SOLUTION = """
import torch
import torchvision

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(2, 1)

    def forward(self, x):
        import resource
        used = resource.getrusage(resource.RUSAGE_SELF)
        print("CPU", used.ru_utime + used.ru_stime)
        return self.line(x)[:, 0]

def fit(task):
    model = Model()
    torch.optim.Adam(model.parameters())
    return model
"""
PLAIN = SOLUTION + "\nfit(None)(torch.zeros(8, 2))\n"


def job_of(folder: Path) -> RunSpec:
    """A job of eight points in the plane."""
    points = np.arange(16, dtype=np.float32).reshape(8, 2)
    data = {"x": points, "y": points.sum(1)}
    task_spec = TaskSpec("plane", "mini", ("y",), (Output("y"),), 7, 60.0, "cpu", 1)
    return RunSpec(task_spec, folder, data, data, {"x": points}, Limits(wall_time_s=120.0))


def used(who: int) -> float:
    """CPU seconds of this process, or of those that it has seen end."""
    found = resource.getrusage(who)
    return found.ru_utime + found.ru_stime


def own(process: psutil.Process) -> float:
    """CPU seconds of another process, without its children."""
    times = process.cpu_times()
    return float(times.user + times.system)


def told(report: RunReport) -> float:
    """CPU seconds that the worker says it used; a run that did not end well measures nothing."""
    if report.status != "done":
        raise SystemExit(f"a run in the {report.sandbox} sandbox ended as {report.status}: {report.message}")
    return max(float(line.split()[1]) for line in report.log.splitlines() if line.startswith("CPU "))


def timed(act: Callable[[], float]) -> tuple[float, float]:
    """wall-clock and CPU seconds of `act`, which returns the CPU seconds that are not seen from here."""
    begin, ours, theirs = time.perf_counter(), used(resource.RUSAGE_SELF), used(resource.RUSAGE_CHILDREN)
    unseen = act()
    cpu = used(resource.RUSAGE_SELF) - ours + used(resource.RUSAGE_CHILDREN) - theirs + unseen
    return time.perf_counter() - begin, cpu


def main() -> None:
    """Plain, bubblewrap and fork server in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "solution.py").write_text(SOLUTION, encoding="utf-8")
        plain_file = folder / "submission.py"
        plain_file.write_text(PLAIN, encoding="utf-8")
        job, bubblewrap_sandbox, fork_server_sandbox = (
            job_of(folder),
            BubblewrapSandbox(),
            stack.enter_context(ForkServerSandbox()),
        )
        parent = psutil.Process(fork_server_sandbox.prewarm().pid)
        env = worker_environment(threads=1)

        def plain() -> float:
            subprocess.run([sys.executable, str(plain_file)], check=True, stdout=subprocess.DEVNULL, env=env)
            return 0.0

        def bubblewrapped() -> float:
            told(run(job, bubblewrap_sandbox, lambda _: None))
            return 0.0  # process 1 waits for the worker, and we for it: all of it is seen

        def forked() -> float:
            before = own(parent)
            return told(run(job, fork_server_sandbox, lambda _: None)) + own(parent) - before

        ways = {"plain": plain, "bubblewrap": bubblewrapped, "fork-server": forked}
        for act in ways.values():
            act()  # once for the disk's caches
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(runs):
            for way, act in ways.items():
                times[way].append(timed(act))
    show(times, runs)


def show(times: dict[str, list[tuple[float, float]]], runs: int) -> None:
    """A line a way, with its ratios to plain."""
    import torch

    print(f"medians of {runs} runs, one thread; Python {sys.version.split()[0]}, torch {torch.__version__}")
    base = [statistics.median(column) for column in zip(*times["plain"], strict=True)]
    promised = {"plain": "", "bubblewrap": "  (promised: 1.0)", "fork-server": "  (promised: 0.05)"}
    for way, values in times.items():
        elapsed, cpu = (statistics.median(column) for column in zip(*values, strict=True))
        print(
            f"{way:<6} clock {elapsed:7.3f} s = {elapsed / base[0]:5.3f} × plain    "
            f"CPU {cpu:7.3f} s = {cpu / base[1]:5.3f} × plain{promised[way]}"
        )


if __name__ == "__main__":
    main()
