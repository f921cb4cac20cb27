"""What travels to the cluster and back: one plan for a round of jobs, one result file a task. Types, and their files.

A folder of a round, on the file system that login and compute nodes share:

    plan.json               the tasks, and which job takes which of them
    script.sh, jobid        what was submitted, and the number that Slurm gave it
    events/N.jsonl          the events of task N, appended while it runs
    results/N.json          how task N ended: written under another name, then renamed

Data lie beside it under their hash (`blobs/SHA256`), sent once. Labels of the test data are in none of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.execution import arrays
from tlcourse.execution.job import Brief, Caps, Job, RunReport

SCHEMA = 1


class Task(Struct, frozen=True):
    """One job of the trusted side, its data by hash."""

    key: str
    """The hash of all that is below: the same job has the same key, wherever and whenever it is sent."""
    brief: Brief
    caps: Caps
    isolation: str
    env: Mapping[str, str]
    submission: str
    train: str
    val: str
    test: str = ""
    """Empty where nothing is to be predicted."""


class Plan(Struct, frozen=True):
    """A round: tasks, and for each job of the array the numbers of its tasks."""

    schema: int
    tasks: list[Task]
    chunks: list[list[int]]
    pass_on: list[str] = []
    """Names of environment variables that the solution sees."""


class TaskResult(Struct, frozen=True):
    """A result file."""

    key: str
    report: RunReport
    node: str
    job: str
    notice: str = ""
    """What the node could not do, such as build a wall."""
    restarts: int = 0


def blobs_of(job: Job, submission: bytes) -> tuple[Task, dict[str, bytes]]:
    """The task of a job, and what must lie on the cluster for it: hash → bytes."""
    parts = {"submission": submission, "train": arrays.pack(job.train), "val": arrays.pack(job.val)}
    if job.test_inputs is not None:
        parts["test"] = arrays.pack(job.test_inputs)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    task = Task("", job.brief, job.caps, job.isolation, dict(job.env), **hashes)
    key = hashlib.sha256(msgspec.json.encode(task, order="sorted")).hexdigest()
    return msgspec.structs.replace(task, key=key), {hashes[name]: data for name, data in parts.items()}


def read_arrays(data: bytes) -> dict[str, Any]:
    """A blob of arrays; for the node's side."""
    from safetensors.numpy import load

    return dict(load(data))


def result_cap(task: Task, items: int) -> int:
    """Bytes that a result file of this task can honestly have: predictions in base64, the log, events that are kept."""
    predictions = arrays.size_cap(items, task.brief.outputs) if task.test else 0
    return predictions * 4 // 3 + 8 * task.caps.output_kb * 1024 + 32 * 2**20
