"""Fixtures: the test bed, profiles that reach it, jobs as text, and a pace at which tests need not wait long."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tlcourse.cluster.jobs import Journal, Pace
from tlcourse.cluster.pool import SlurmPool, shell_for
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.shell import HereShell
from tlcourse.cluster.watcher import JobWatcher
from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.execution.spec import RunReport, RunSpec

sys.path.insert(0, str(Path(__file__).parent))
from slurm_bed import Bed, missing
from waiting import HOLD

PACE = Pace(first=0.2, slowest=1.0, slowest_followed=0.5, gather=0.5, patience=60.0, poll=0.5, grace=2.0)
MODEL = f"""{HOLD}
import json, os, signal, socket, subprocess, sys, time
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return x[:, 0]
"""
JobFor = Callable[..., RunSpec]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the bed starts services."""
    for item in items:
        if "slurm" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Bed]:
    """The cluster, for all tests."""
    if why := missing():
        pytest.skip(why)
    with Bed() as bed:
        yield bed


@pytest.fixture
def cluster(slurm: Bed) -> Bed:
    """The cluster, with an empty queue and every node up."""
    slurm.clear()
    return slurm


@pytest.fixture
def profile(slurm: Bed) -> Profile:
    """The bed, over SSH as an ordinary user, with this environment's Python."""
    return Profile(host="slurmlogin", ssh_config=str(slurm.ssh_config), python=sys.executable, partition="main")


@pytest.fixture
def watchers() -> Iterator[Callable[..., JobWatcher]]:
    """`watchers(profile, folder=…, …)`: as many as a test likes, closed at its end."""
    made: list[JobWatcher] = []

    def make(profile: Profile, *, folder: Path | None = None, pace: Pace = PACE, **options: object) -> JobWatcher:
        shell = options.pop("shell", None) or shell_for(profile, "bed")
        one = JobWatcher("bed", profile, shell, journal=Journal(folder), pace=pace, **options)  # type: ignore[arg-type]
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def pool(profile: Profile) -> Iterator[SlurmPool]:
    """A pool of four places, one on each node."""
    pace = msgspec.structs.replace(PACE, gather=2.0)  # a busy machine hands jobs over slowly
    one = SlurmPool("bed", msgspec.structs.replace(profile, at_once=4, cpus=2), pace=pace, chunk=10)
    yield one
    one.close()


@pytest.fixture
def job_for(tmp_path: Path) -> JobFor:
    """`job_for(body, seed=…, …limits)`: a job of 8 points in the plane; `body` is what `fit` does before it returns."""
    made = 0

    def make(body: str = "pass", *, seed: int = 7, sandbox_kind: str = "auto", **limits: float) -> RunSpec:
        nonlocal made
        made += 1
        folder = tmp_path / f"submission-{made}"
        folder.mkdir()
        inside = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        source = f"{MODEL}told = {{}}\ndef fit(task):\n{inside}\n    print(json.dumps(told))\n    return Model()\n"
        (folder / "solution.py").write_text(source, encoding="utf-8")
        points = np.arange(16, dtype=np.float32).reshape(8, 2) + seed
        data = {"x": points, "y": points.sum(1)}
        return RunSpec(
            task_spec=TaskSpec("plane", "mini", ("y",), (Output("y"),), seed, 60.0, "cpu", 1),
            submission=folder,
            train=data,
            val=data,
            test_inputs={"x": points},
            limits=Limits(**{"wall_time_s": 60.0, "memory_mb": 1024, **limits}),  # type: ignore[arg-type]
            sandbox_kind=sandbox_kind,
        )

    return make


@pytest.fixture
def told() -> Callable[[RunReport], dict[str, object]]:
    """What a solution left in `told`, of a run that was done."""

    def read(report: RunReport) -> dict[str, object]:
        assert report.status == "done", (report.message, report.problem, report.log)
        found = next(line for line in report.log.splitlines() if line.startswith("{"))
        return dict(msgspec.json.decode(found))

    return read


@pytest.fixture
def on_bed(slurm, profile, tmp_path, monkeypatch) -> Path:
    """A configuration file with the profile `bed`."""
    path = tmp_path / "config.yaml"
    path.write_text(
        f"profiles:\n  bed:\n    host: slurmlogin\n    ssh_config: {slurm.ssh_config}\n    partition: main\n"
        f"    python: {sys.executable}\n    grace_s: 0.5\n    poll_s: 0.5\n"
    )
    monkeypatch.setenv("TLCOURSE_CONFIG", str(path))
    return path


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., HereShell]:
    """`login(sbatch=…, squeue=…, flock=…)`: a login node whose commands are these shell lines; each call is counted."""

    def make(**commands: str) -> HereShell:
        for name, script in commands.items():
            path = tmp_path / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/{name}.calls\n{script}\n')
            path.chmod(0o755)
        (tmp_path / "job").mkdir(exist_ok=True)
        (tmp_path / "job" / "script.sh").touch()
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
        return HereShell("bed")

    return make
