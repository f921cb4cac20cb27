"""What travels to the cluster and back: the plan of an array, its job script, one result file a task.

A folder of an array, on the file system that login and compute nodes share:

    plan.json               the tasks, and which job takes which of them
    submissions.tar         their hand-ins, each under its hash: one file, however many they are
    script.sh, jobid        what was submitted, and the number that Slurm gave it
    events/N.jsonl          the events of task N, appended while it runs
    results/N.json          how task N ended: written under another name, then renamed

Data lie beside it under their hash (`blobs/SHA256`), sent once, and stay for the next class; a folder goes with its
jobs. Labels of the test data are in none of it.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.cluster.profile import Commands, Profile
from tlcourse.cluster.shell import expanded, expanded_path, quoted
from tlcourse.course.spec import Limits, TaskSpec
from tlcourse.errors import UsageError
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.own_process import SECRET

SCHEMA = 1
SUBMISSIONS = "submissions.tar"


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
    order_seed: int | None = None
    files: Mapping[str, str] = {}
    """Further files, by their path below the worker's inputs: the exercise's data, pretrained weights."""


class Plan(Struct, frozen=True):
    """An array: tasks, and for each job of the array the numbers of its tasks."""

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
            order_seed=job.order_seed,
            files={name: self._kept(path.read_bytes()) for name, path in sorted(job.files.items())},
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
        from tlcourse.execution import arrays  # NumPy, of which a list of jobs needs nothing

        digest = self._kept(arrays.pack(given))
        self._recent.append((given, digest))
        return digest

    def _kept(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self._blobs.setdefault(digest, data)
        return digest


def digests(task: Task) -> list[str]:
    """The hashes of a task's blobs."""
    return [digest for digest in (task.submission, task.train, task.val, task.test, *task.files.values()) if digest]


def read_arrays(data: bytes) -> dict[str, Any]:
    """A blob of arrays; for the node's side."""
    from safetensors.numpy import load

    return dict(load(data))


def result_cap(task: Task, items: int) -> int:
    """Bytes that a result file of this task can honestly have: predictions, what comes before, log and kept events."""
    from tlcourse.execution import arrays

    binary = arrays.run_cap(items, task.task_spec) if task.test else 0
    binary += arrays.first_cap(task.task_spec)
    return binary * 4 // 3 + 8 * task.limits.output_kb * 1024 + 32 * 2**20


SPARE_MB = 1536
"""Above the exercise's limit, so that our own watch over memory ends a run before Slurm ends the job."""
START_S, LEAVE_S = 120.0, 30.0
"""What starting Python on a slow file system, and leaving, may take."""
NODE_MODULE = "tlcourse.cluster.worker_node"


def job_script(profile: Profile, name: str, folder: str, code: str, python: str, tasks: list[list[Task]]) -> str:
    """The script for an array with one element for each list of tasks; for one list a plain job."""
    most = [task for chunk in tasks for task in chunk]
    minutes = job_minutes(profile, [[task.limits.wall_time_s for task in chunk] for chunk in tasks])
    threads, memory_mb = max(task.task_spec.threads for task in most), max(task.limits.memory_mb for task in most)
    log = f"{folder}/log/{'%A_%a' if len(tasks) > 1 else '%j'}.txt"  # as the job is called in Slurm's answers
    asked = header(profile, name, log, len(tasks), minutes, threads, memory_mb)
    lines = [*asked, f"unset {SECRET}", "umask 077", f"export TLCOURSE_JOB_SECONDS={minutes * 60}"]
    lines += [*unpacked(code), *start_lines(profile), 'export PYTHONPATH="$code"']
    lines.append(in_container(profile, [python, "-m", NODE_MODULE, folder], (quoted(folder), '"$code"')))
    return "\n".join(lines) + "\n"


def unpacked(code: str) -> list[str]:
    """Shell lines that put the code of an archive into a folder of the node's own, `$code`, until the job ends.

    One file travels and lies on the shared file system, where files are counted; where /tmp is full it is unpacked
    beside the archive.
    """
    return [
        f'code=$(mktemp -d "${{TMPDIR:-/tmp}}/tlcourse.XXXXXX") || code=$(mktemp -d {quoted(code)}.XXXXXX) || exit 75',
        "trap 'rm -rf \"$code\"' EXIT",
        f'tar -xf {quoted(code)} -C "$code" || {{ rm -rf "$code"; code=$(mktemp -d {quoted(code)}.XXXXXX) && '
        f'tar -xf {quoted(code)} -C "$code"; }} || exit 75',
        'chmod -R a+rX "$code"',  # root's sandbox is another user
    ]


def header(
    profile: Profile, name: str, log: str, elements: int, minutes: int, threads: int, memory_mb: int
) -> list[str]:
    """The script's first lines: what is asked of Slurm for each element of an array."""
    options = {
        "job-name": name,
        "output": log,
        "open-mode": "append",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": str(profile.cpus or threads),
        "time": str(minutes),
    }
    memory = profile.memory_mb or memory_mb + SPARE_MB
    if profile.memory == "node":
        options["mem"] = f"{memory}M"
    elif profile.memory == "cpu":
        options["mem-per-cpu"] = f"{math.ceil(memory / (profile.cpus or threads))}M"
    if elements > 1:
        options["array"] = f"0-{elements - 1}%{profile.at_once}"
    for key in ("partition", "account", "qos"):
        if value := getattr(profile, key):
            options[key] = value
    if profile.gpus and profile.gpu_option != "none":
        cards = f"{profile.gpu_type}:{profile.gpus}" if profile.gpu_type else str(profile.gpus)
        options[profile.gpu_option] = f"gpu:{cards}" if profile.gpu_option == "gres" else cards
    shebang = "#!/bin/bash -l" if profile.login_shell else "#!/bin/bash"
    own = profile.scheduler.header if isinstance(profile.scheduler, Commands) else []
    lines = [shebang, *own, *(f"#SBATCH --{key}={value}" for key, value in options.items())]
    return [*lines, "#SBATCH --no-requeue", *(f"#SBATCH {option}" for option in profile.sbatch)]


def job_minutes(profile: Profile, chunks: list[list[float]]) -> int:
    """The time limit, of seconds that each task of each chunk may take: the longest chunk, if the profile allows it."""
    longest = max(sum(seconds + LEAVE_S for seconds in chunk) for chunk in chunks)
    needed = math.ceil((longest + START_S) / 60)
    return min(needed, profile.minutes) if profile.minutes else needed


def start_lines(profile: Profile) -> list[str]:
    """Shell lines before Python: set-up, modules, environment. The first that fails is shown, and ends the job."""
    commands = [*profile.setup]
    commands += [f"module use {expanded_path(folder)}" for folder in profile.module_paths]
    commands += [f"module load {quoted(module)}" for module in profile.modules]
    lines = [_or_ends(command) for command in commands]
    lines += [f"export {name}={expanded(value)}" for name, value in profile.environment.items()]
    # PYTHONSAFEPATH: nothing is imported from where the shell stands, which on this machine may be a student's folder
    return [*lines, "export PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1"]


SETUP_FAILED = "tlcourse: a line of the profile's set-up failed: "


def _or_ends(command: str) -> str:
    # on lines of its own: a comment or a here-document at its end does not swallow what follows
    return f"{{\n{command}\n}} || {{ echo {quoted(SETUP_FAILED + command)} >&2; exit 78; }}"


def in_container(profile: Profile, command: list[str], binds: tuple[str, ...] = ()) -> str:
    """The command line, in the profile's container where it has one. The first word may hold $NAMES and ~.

    `binds`: words for a shell.
    """
    python, *rest = command
    line = f"{expanded_path(python)} {quoted(*rest)}".rstrip()
    if (container := profile.container) is None:
        return line
    if any(char in container.image for char in "\n\0"):
        raise UsageError(f"{container.image!r} is not an image name.")
    bind = ",".join([*map(quoted, container.binds), *binds])
    inside = "\n".join([*(_or_ends(command) for command in container.setup), f"exec {line}"])
    options = " ".join(container.options)
    binding = f"--bind {bind} " if bind else ""
    return f"{container.command} exec {options} {binding}{quoted(container.image)} bash -c {quoted(inside)}"
