"""The job script: what is asked of Slurm, and how Python is started on the compute node."""

from __future__ import annotations

import math

from tlcourse.errors import UsageError
from tlcourse.execution.cluster.profile import Profile
from tlcourse.execution.cluster.shell import quoted
from tlcourse.execution.cluster.task import Task

SPARE_MB = 1536
"""Above the exercise's limit, so that our own watch over memory ends a run before Slurm ends the job."""
START_S, LEAVE_S = 120.0, 30.0
"""What starting Python on a slow file system, and leaving, may take."""
NODE_MODULE = "tlcourse.execution.cluster.node"


def job_script(profile: Profile, name: str, folder: str, code: str, python: str, tasks: list[list[Task]]) -> str:
    """The script for an array with one element for each list of tasks; for one list a plain job."""
    most = [task for chunk in tasks for task in chunk]
    minutes = job_minutes(profile, [[task.limits.wall_time_s for task in chunk] for chunk in tasks])
    threads, memory_mb = max(task.task_spec.threads for task in most), max(task.limits.memory_mb for task in most)
    asked = header(profile, name, f"{folder}/log/%j.txt", len(tasks), minutes, threads, memory_mb)
    lines = [*asked, "umask 077", f"export TLCOURSE_JOB_SECONDS={minutes * 60}"]
    lines += start_lines(profile, code)
    lines.append(f"exec {in_container(profile, [python, '-m', NODE_MODULE, folder], (folder, code))}")
    return "\n".join(lines) + "\n"


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
        "mem": f"{profile.memory_mb or memory_mb + SPARE_MB}M",
        "time": str(minutes),
    }
    if elements > 1:
        options["array"] = f"0-{elements - 1}%{profile.at_once}"
    for key in ("partition", "account", "qos"):
        if value := getattr(profile, key):
            options[key] = value
    if profile.gpus:
        options["gpus-per-node"] = f"{profile.gpu_type}:{profile.gpus}" if profile.gpu_type else str(profile.gpus)
    lines = ["#!/bin/bash", *(f"#SBATCH --{key}={value}" for key, value in options.items())]
    return [*lines, "#SBATCH --no-requeue", *(f"#SBATCH {option}" for option in profile.sbatch)]


def job_minutes(profile: Profile, chunks: list[list[float]]) -> int:
    """The time limit, of seconds that each task of each chunk may take: the longest chunk, if the profile allows it."""
    longest = max(sum(seconds + LEAVE_S for seconds in chunk) for chunk in chunks)
    needed = math.ceil((longest + START_S) / 60)
    return min(needed, profile.minutes) if profile.minutes else needed


def start_lines(profile: Profile, code: str) -> list[str]:
    """Shell lines before Python: modules, set-up, environment."""
    lines = [f"module load {quoted(*profile.modules)}"] if profile.modules else []
    lines += profile.setup
    lines += [f"export {name}={quoted(value)}" for name, value in profile.environment.items()]
    return [*lines, f"export PYTHONPATH={quoted(code)}", "export PYTHONNOUSERSITE=1"]


def in_container(profile: Profile, command: list[str], binds: tuple[str, ...] = ()) -> str:
    """The command line, in the profile's container where it has one. The first word may hold $NAMES and ~."""
    python, *rest = command
    if python.startswith("~/"):
        python = "$HOME" + python[1:]
    line = f'"{python}" {quoted(*rest)}' if rest else f'"{python}"'
    if (container := profile.container) is None:
        return line
    if any(char in container.image for char in "\n\0"):
        raise UsageError(f"{container.image!r} is no name of an image.")
    bind = ",".join([*container.binds, *binds])
    inside = "; ".join([*container.setup, f"exec {line}"])
    options = " ".join(container.options)
    binding = f"--bind {quoted(bind)} " if bind else ""
    return f"{container.command} exec {options} {binding}{quoted(container.image)} bash -c {quoted(inside)}"
