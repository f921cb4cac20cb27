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
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.course.spec import Limits, TaskSpec
from tlcourse.execution import arrays
from tlcourse.execution.spec import RunReport, RunSpec

SCHEMA = 1


class Task(Struct, frozen=True):
    """One job of the trusted side, its data by hash."""

    key: str
    """The hash of all that is below: the same job has the same key, wherever and whenever it is sent."""
    task_spec: TaskSpec
    limits: Limits
    sandbox_kind: str
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
    """What the node could not do, such as build a sandbox."""
    restarts: int = 0


class Packer:
    """Jobs as tasks and blobs. A batch trains on the same arrays again and again: they are packed and kept once."""

    def __init__(self) -> None:
        self._recent: deque[tuple[Mapping[str, Any], str]] = deque(maxlen=8)
        self._blobs: dict[str, bytes] = {}

    def task(self, job: RunSpec, submission: bytes) -> Task:
        """The task of a job; its blobs are kept here until `drop_all_but`."""
        task = Task(
            key="",
            task_spec=job.task_spec,
            limits=job.limits,
            sandbox_kind=job.sandbox_kind,
            env=dict(job.env),
            submission=self._kept(submission),
            train=self._packed(job.train),
            val=self._packed(job.val),
            test=self._packed(job.test_inputs) if job.test_inputs is not None else "",
        )
        return msgspec.structs.replace(task, key=hashlib.sha256(msgspec.json.encode(task, order="sorted")).hexdigest())

    def blobs(self, task: Task) -> dict[str, bytes]:
        """What must lie on the cluster for a task: hash → bytes."""
        return {digest: self._blobs[digest] for digest in digests(task)}

    def drop_all_but(self, tasks: Iterable[Task]) -> None:
        """Let go of what none of these needs."""
        needed = {digest for task in tasks for digest in digests(task)}
        self._blobs = {digest: data for digest, data in self._blobs.items() if digest in needed}
        self._recent.clear()

    def _packed(self, given: Mapping[str, Any]) -> str:
        for known, digest in self._recent:
            if known is given and digest in self._blobs:
                return digest
        digest = self._kept(arrays.pack(given))
        self._recent.append((given, digest))
        return digest

    def _kept(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self._blobs.setdefault(digest, data)
        return digest


def digests(task: Task) -> list[str]:
    """The hashes of a task's blobs."""
    return [digest for digest in (task.submission, task.train, task.val, task.test) if digest]


def read_arrays(data: bytes) -> dict[str, Any]:
    """A blob of arrays; for the node's side."""
    from safetensors.numpy import load

    return dict(load(data))


def result_cap(task: Task, items: int) -> int:
    """Bytes that a result file of this task can honestly have: predictions in base64, the log, events that are kept."""
    predictions = arrays.size_cap(items, task.task_spec.outputs) if task.test else 0
    return predictions * 4 // 3 + 8 * task.limits.output_kb * 1024 + 32 * 2**20
