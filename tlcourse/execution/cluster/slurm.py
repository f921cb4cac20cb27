"""Slurm's commands: submit, and ask for all jobs at once – and what their answers mean."""

from __future__ import annotations

import re

from msgspec import Struct

from tlcourse.execution.cluster.reasons import base_state
from tlcourse.execution.cluster.refusal import refusal
from tlcourse.execution.cluster.shell import Shell, quoted

LIVE = frozenset({"PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED", "RESIZING", "SIGNALING",
                  "STAGE_OUT", "STOPPED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"})  # fmt: skip
_FORMAT = "%i|%F|%K|%T|%r|%N|%S|%P"
_SACCT = "JobID,State,NodeList,Start,Reason"


class JobState(Struct, frozen=True):
    """One job, or one element of an array."""

    id: str
    """As Slurm writes it: `17` or `17_3`."""
    state: str
    reason: str = ""
    node: str = ""
    start: str = ""
    """When it began, or when Slurm thinks that it will; empty where it says nothing."""
    partition: str = ""

    @property
    def live(self) -> bool:
        """Whether it waits or runs."""
        return self.state in LIVE


def squeue_command() -> str:
    """One question for all jobs of this user, ended ones included; an unknown number alone would be an error."""
    return f"squeue -h -r -t all -u \"$(id -un)\" -o '{_FORMAT}'"


def read_squeue(text: str) -> dict[str, JobState]:
    """Its answer: id → state."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != _FORMAT.count("|") + 1:
            continue
        number, base, index, state, reason, node, start, partition = (field.strip() for field in fields)
        key = f"{base}_{index}" if index not in ("N/A", "") else number
        start = "" if start in ("N/A", "(null)") else start
        found[key] = JobState(key, base_state(state), reason, node if node != "(null)" else "", start, partition)
    return found


def sacct_command(job: str) -> str:
    """What Slurm's accounting knows of a job; an error where a cluster has none."""
    return f"sacct -X -n -P -o {_SACCT} -j {quoted(job)}"


def read_sacct(text: str) -> dict[str, JobState]:
    """Its answer: id → state. `CANCELLED by 1001` is CANCELLED; elements that wait together are left out."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != _SACCT.count(",") + 1 or "[" in fields[0]:
            continue
        key, state, node, start, reason = (field.strip() for field in fields)
        unknown = ("Unknown", "None", "None assigned")
        found[key] = JobState(
            key, base_state(state), reason, "" if node in unknown else node, "" if start in unknown else start
        )
    return found


# A lost connection leaves this running on the login node: it ignores the hang-up, and whoever asks next waits for it.
# The number is written under another name, then renamed; so a second try finds either nothing or the number. Slurm is
# asked only where an earlier try came as far as sbatch.
_SUBMIT = """
trap '' HUP PIPE INT TERM
umask 077
cd {folder} || exit 3
exec 9>submit.lock
if command -v flock >/dev/null 2>&1; then flock -w 40 9 || exit 4; fi
if [ ! -s jobid ]; then
    found=
    if [ -e jobid.new ]; then found=$(squeue -h -t all -u "$(id -un)" -n {name} -o %F 2>/dev/null | head -n 1); fi
    if [ -n "$found" ]; then echo "$found" >jobid.new
    else
        sbatch --parsable script.sh >jobid.new 2>submit.err </dev/null
        code=$?
        if [ $code != 0 ]; then cat submit.err >&2; exit $code; fi
    fi
    mv jobid.new jobid
fi
cat jobid
"""


def submit(shell: Shell, folder: str, name: str) -> str:
    """Submit `script.sh` of a folder, at most once however often this is called; returns Slurm's number.

    Raises UsageError where Slurm refuses what the profile asks for, InfraError where it fails, ConnectionLostError.
    """
    done = shell.run(_SUBMIT.format(folder=quoted(folder), name=quoted(name)), timeout=90)
    number = done.text.strip().split(";")[0].splitlines()
    if done.code == 0 and number and re.fullmatch(r"\d+", number[-1].split(";")[0]):
        return number[-1].split(";")[0]
    raise refusal(shell, done)
