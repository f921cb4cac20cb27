"""Why Slurm takes no job: what the profile asks for and does not get, Slurm being busy, or something else."""

from __future__ import annotations

from tlcourse.errors import InfraError, UsageError
from tlcourse.execution.cluster.config_text import line_of
from tlcourse.execution.cluster.profile import Profile, config_path, load_config
from tlcourse.execution.cluster.shell import Done, Shell

_SIZE = ("gpus", "gpu_type", "cpus", "memory_mb", "minutes", "sbatch")
_RIGHTS = ("account", "partition", "qos")


class BusyError(Exception):
    """Slurm does not answer, or takes no more jobs at the moment. Worth another try."""


class RefusedError(UsageError):
    """Slurm refuses what the profile asks for; `fields` are those of the profile that it may be about."""

    def __init__(self, what: str, fields: tuple[str, ...] = (), *, cause: str, remedy: str) -> None:
        super().__init__(what, cause=cause, remedy=remedy)
        self.fields = fields


def refusal(shell: Shell, done: Done) -> Exception:
    """What sbatch's error means: a RefusedError, a BusyError or, where it is not known, an InfraError."""
    words = done.err.strip()
    last = words.splitlines()[-1].removeprefix("sbatch: error: ") if words else f"exit status {done.code}"
    lower = words.lower()
    if "not found" in lower and done.code == 127:
        return RefusedError(
            f"There is no Slurm on {shell.name}: {last}.",
            ("host",),
            cause="the profile names another machine than a login node, or Slurm needs a module.",
            remedy="tlcourse config check PROFILE",
        )
    if "invalid partition" in lower:
        return RefusedError(
            f"The cluster has no such partition: {last}.",
            ("partition",),
            cause=f"it has: {', '.join(partitions(shell)) or 'none that sinfo shows'}.",
            remedy="tlcourse config set PROFILE partition=NAME, then: tlcourse config check PROFILE",
        )
    if "time limit is invalid" in lower:
        return RefusedError(
            f"Slurm refused the job: {last}.",
            ("minutes", "partition"),
            cause="a job takes longer than the partition allows: the hand-ins of a chunk, one after another.",
            remedy="tlcourse config set PROFILE minutes=NUMBER (or chunk=NUMBER), then: tlcourse config check PROFILE",
        )
    if "violates accounting/qos policy" in lower or "limit" in lower:
        return BusyError(f"Slurm takes no further job now: {last}")
    if "account" in lower or "partition" in lower or "qos" in lower or "association" in lower:
        return RefusedError(
            f"Slurm refused the job: {last}.",
            _RIGHTS,
            cause="the account, partition or quality of service is not yours to use, or the cluster asks for one.",
            remedy="tlcourse config set PROFILE account=NAME (sacctmgr show assoc user=$USER lists yours), "
            "then: tlcourse config check PROFILE",
        )
    if "configuration is not available" in lower or "specification can not be satisfied" in lower or "invalid" in lower:
        return RefusedError(
            f"Slurm refused the job: {last}.",
            _SIZE,
            cause="no node of the partition has so many GPUs, cores or so much memory – or the time is too long.",
            remedy="tlcourse config set PROFILE with lower gpus, cpus, memory_mb or minutes, "
            "then: tlcourse config check PROFILE",
        )
    if "unable to contact slurm controller" in lower or "socket timed out" in lower or done.code == 4:
        return BusyError(f"Slurm does not answer: {last}")
    return InfraError(f"sbatch failed on {shell.name}: {last}.", remedy="tlcourse config check PROFILE says more.")


def located(error: Exception, name: str, profile: Profile) -> Exception:
    """A refusal with the lines of the configuration file that it is about and the profile's name; others as is."""
    if not isinstance(error, RefusedError):
        return error
    what = f"{error.what} {lines(name, profile, error.fields)}".strip()
    return UsageError(what, cause=error.cause, remedy=error.remedy.replace("PROFILE", name))


def would_wait(name: str, profile: Profile, reason: str, sentence: str) -> UsageError:
    """What is said of a job that Slurm accepted, and will never start."""
    fields = _RIGHTS if "Account" in reason or "QOS" in reason.upper() else (*_SIZE, "partition")
    return UsageError(
        f"The job would wait for ever ({reason}). {sentence} {lines(name, profile, fields)}".strip(),
        cause="the profile asks for what this cluster does not give; the job was taken back.",
        remedy=f"tlcourse config set {name} KEY=VALUE, then: tlcourse config check {name}",
    )


def lines(name: str, profile: Profile, fields: tuple[str, ...]) -> str:
    """`The profile bed says so: config.yaml:5 (partition: moon).`; empty where it stands in no file."""
    path = config_path()
    try:
        text = path.read_text(encoding="utf-8")
        if load_config(path).profiles.get(name) != profile:
            return ""  # changed since
    except (OSError, UnicodeDecodeError, UsageError):
        return ""
    said = [(field, line) for field in fields if (line := line_of(text, name, field)) is not None]
    if said:
        places = [f"{path}:{line} ({field}: {_shown(getattr(profile, field))})" for field, line in said]
        return f"The profile {name} says so: {', '.join(places)}."
    line = line_of(text, name)
    return f"The profile {name} is {path}:{line}, without {' or '.join(fields)}." if line is not None else ""


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def partitions(shell: Shell) -> list[str]:
    """The partitions that there are."""
    done = shell.run("sinfo -h -o %R")
    return sorted(set(done.text.split())) if done.code == 0 else []
