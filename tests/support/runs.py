"""Fixtures for running text in a sandbox, below grading: no checks, only how the run ends and what it says."""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.execution.spec import RunReport, RunSpec

JobFor = Callable[..., RunSpec]
MODEL = """
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return x[:, 0]
"""


@pytest.fixture
def job_for(tmp_path: Path) -> JobFor:
    """`job_for(source, seed=…, threads=…, wall_time_s=…, …)`: 8 points in the plane; `source` defines `fit`."""
    made = 0

    def make(source: str, *, seed: int = 7, threads: int = 1, device: str = "cpu", **limits: Any) -> RunSpec:
        nonlocal made
        made += 1
        folder = tmp_path / f"submission-{made}"
        folder.mkdir()
        (folder / "solution.py").write_text(textwrap.dedent(source), encoding="utf-8")
        points = np.arange(16, dtype=np.float32).reshape(8, 2)
        data = {"x": points, "y": points.sum(1)}
        outputs = (Output("y"),)
        return RunSpec(
            task_spec=TaskSpec("plane", "mini", ("y",), outputs, seed, 60.0, device, threads),
            submission=folder,
            train=data,
            val=data,
            test_inputs={"x": points},
            limits=Limits(**{"wall_time_s": 60.0, **limits}),
        )

    return make


@pytest.fixture
def tells() -> Callable[[str], str]:
    """`tells(body)`: a solution that prints as JSON what `body`, indented Python, left in the dict `told`."""

    def source(body: str) -> str:
        inside = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        head = "import json, os, signal, socket, subprocess, sys, time\ntold = {}\n"
        return f"{MODEL}{head}def fit(task):\n{inside}\n    print(json.dumps(told))\n    return Model()\n"

    return source


@pytest.fixture
def told() -> Callable[[RunReport], Any]:
    """What such a solution told, of a run that was done."""

    def read(report: RunReport) -> Any:
        assert report.status == "done", (report.message, report.problem, report.log)
        return json.loads(next(line for line in report.log.splitlines() if line.startswith("{")))

    return read


@pytest.fixture
def leftovers() -> Callable[[], dict[str, int]]:
    """Counts this process's open descriptors, child processes, mounts, and our temporary files."""

    def count() -> dict[str, int]:
        ours = Path(tempfile.gettempdir()).glob(f"tlcourse-*-{os.getpid()}-*")
        return {
            "descriptors": psutil.Process().num_fds(),
            "processes": len(psutil.Process().children(recursive=True)),
            "mounts": len(Path("/proc/self/mountinfo").read_text().splitlines()),
            "files": sum(1 + len(list(folder.rglob("*"))) for folder in ours),
        }

    return count


@pytest.fixture
def fork_server_sandbox() -> Any:
    """One fork server for all tests that do not hurt it; another one where a batch had it, and ended it, since."""
    from tlcourse.sandbox.fork_server import probe, shared

    if not (found := probe()).available:
        pytest.skip(found.detail)
    return shared()
