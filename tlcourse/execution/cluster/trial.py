"""Asking Slurm whether it would take a batch's jobs, before anything is written down of the batch."""

from __future__ import annotations

import math

from tlcourse.course.spec import Limits
from tlcourse.execution.cluster.profile import Profile
from tlcourse.execution.cluster.refusal import RefusedError, located, refusal
from tlcourse.execution.cluster.script import header, job_minutes
from tlcourse.execution.cluster.send import unreachable
from tlcourse.execution.cluster.shell import ConnectionLostError, Shell

_NOW = "not available now"  # a partition that is closed at the moment: its jobs wait


def trial(name: str, profile: Profile, shell: Shell, hand_ins: int, limits: Limits, threads: int) -> None:
    """Have sbatch look at an array for so many hand-ins, and submit nothing.

    Raises UsageError where Slurm refuses what the profile asks for, UnableError where the cluster is not reached.
    """
    chunk = min(math.ceil(hand_ins / profile.at_once), profile.chunk)
    minutes = job_minutes(profile, [[limits.wall_time_s] * chunk])
    elements = math.ceil(hand_ins / chunk)
    lines = header(profile, "tlcourse-trial", "/dev/null", elements, minutes, threads, limits.memory_mb)
    try:
        done = shell.run("sbatch --test-only", "\n".join([*lines, "true", ""]).encode())
        if done.code == 0 or _NOW in done.err:
            return
        error = refusal(shell, done)
    except ConnectionLostError as lost:
        raise unreachable(shell.name, str(lost)) from None
    if isinstance(error, RefusedError):  # whatever else it says is met again when a job is submitted
        raise located(error, name, profile)
