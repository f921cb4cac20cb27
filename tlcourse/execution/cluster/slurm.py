"""Slurm's commands: submit, and ask for all jobs at once – and what their answers mean."""

from __future__ import annotations

import re

from msgspec import Struct

from tlcourse.errors import InfraError, UsageError
from tlcourse.execution.cluster.reasons import base_state
from tlcourse.execution.cluster.shell import Done, Shell, quoted

LIVE = frozenset({"PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED", "RESIZING", "SIGNALING",
                  "STAGE_OUT", "STOPPED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"})  # fmt: skip
_FORMAT = "%i|%F|%K|%T|%r|%N|%S|%P"
_SACCT = "JobID,State,NodeList,Start,Reason"


class BusyError(Exception):
    """Slurm does not answer, or takes no more jobs at the moment. Worth another try."""


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
# The number is written under another name, then renamed; so a second try finds either nothing or the number.
_SUBMIT = """
trap '' HUP PIPE INT TERM
umask 077
cd {folder} || exit 3
exec 9>submit.lock
if command -v flock >/dev/null 2>&1; then flock -w 40 9 || exit 4; fi
if [ ! -s jobid ]; then
    found=$(squeue -h -t all -u "$(id -un)" -n {name} -o %F 2>/dev/null | head -n 1)
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
    raise _refused(shell, done)


def _refused(shell: Shell, done: Done) -> Exception:
    words = done.err.strip()
    last = words.splitlines()[-1].removeprefix("sbatch: error: ") if words else f"exit status {done.code}"
    lower = words.lower()
    if "not found" in lower and done.code == 127:
        return UsageError(
            f"There is no Slurm on {shell.name}: {last}.",
            cause="the profile names another machine than a login node, or Slurm needs a module.",
            remedy="check `host` of the profile: tlcourse config check PROFILE",
        )
    if "invalid partition" in lower:
        return UsageError(
            f"The cluster has no such partition: {last}.",
            cause=f"it has: {', '.join(partitions(shell)) or 'none that sinfo shows'}.",
            remedy="tlcourse config set PROFILE partition=NAME",
        )
    if "violates accounting/qos policy" in lower or "limit" in lower:
        return BusyError(f"Slurm takes no further job now: {last}")
    if "account" in lower or "partition" in lower or "qos" in lower or "association" in lower:
        return UsageError(
            f"Slurm refused the job: {last}.",
            cause="the account, partition or quality of service is not yours to use, or the cluster asks for one.",
            remedy="tlcourse config set PROFILE account=NAME (sacctmgr show assoc user=$USER lists yours)",
        )
    if "configuration is not available" in lower or "specification can not be satisfied" in lower or "invalid" in lower:
        return UsageError(
            f"Slurm refused the job: {last}.",
            cause="no node of the partition has so many GPUs, cores or so much memory – or the time is too long.",
            remedy="lower gpus, cpus, memory_mb or minutes of the profile: tlcourse config show",
        )
    if "unable to contact slurm controller" in lower or "socket timed out" in lower or done.code == 4:
        return BusyError(f"Slurm does not answer: {last}")
    return InfraError(f"sbatch failed on {shell.name}: {last}.", remedy="tlcourse config check PROFILE says more.")


def partitions(shell: Shell) -> list[str]:
    """The partitions that there are."""
    done = shell.run("sinfo -h -o %R")
    return sorted(set(done.text.split())) if done.code == 0 else []
