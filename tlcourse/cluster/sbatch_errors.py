"""What Slurm says, in sentences: states, reasons for waiting, and why it takes no job – with the line to change."""

from __future__ import annotations

import re

from msgspec import Struct

from tlcourse.cluster.profile import Profile, load_profiles
from tlcourse.cluster.shell import ConnectionLostError, Done, Shell
from tlcourse.config import line_of
from tlcourse.errors import InfraError, UnableError, UsageError
from tlcourse.paths import config_file
from tlcourse.text import harmless

_DOWN = "ReqNodeNotAvail"  # squeue writes a longer reason with blanks or without, by its version
# Reasons that waiting does not cure: the job asks for what it can never get. Names as in Slurm's own list.
_NEVER = {
    "PartitionTimeLimit": "It asks for more time than the partition {partition} allows. Lower the profile's `minutes`.",
    "PartitionConfig": "It asks for more than the partition {partition} allows: time, nodes or memory.",
    "AccountNotAllowed": "The account may not use the partition {partition}. Change `account` or `partition`.",
    "InvalidAccount": "Slurm knows no such account, or you are not in it. Change `account` of the profile.",
    "InvalidQOS": "Slurm knows no such quality of service, or you may not use it. Change `qos` of the profile.",
    "QOSNotAllowed": "The quality of service may not be used with this account or partition.",
    "BadConstraints": "No node has what it asks for: GPUs, cores, memory or a feature.",
    "AssocGrpBillingMinutes": "The project's computing time is used up.",
    "AssocGrpCPUMinutesLimit": "The project's computing time is used up.",
    "AssocGrpGRESMinutes": "The project's GPU time is used up.",
    "AssocMaxWallDurationPerJobLimit": "It asks for more time than your account allows for one job.",
    "QOSMaxWallDurationPerJobLimit": "It asks for more time than the quality of service allows for one job.",
    "AssocMaxCpuPerJobLimit": "It asks for more cores than your account allows for one job.",
    "AssocMaxMemPerJob": "It asks for more memory than your account allows for one job.",
    "AssocMaxGRESPerJob": "It asks for more GPUs than your account allows for one job.",
    "QOSMaxCpuPerJobLimit": "It asks for more cores than the quality of service allows for one job.",
    "QOSMaxMemoryPerJob": "It asks for more memory than the quality of service allows for one job.",
    "QOSMaxGRESPerJob": "It asks for more GPUs than the quality of service allows for one job.",
    "DependencyNeverSatisfied": "It waits for a job that failed.",
}
_WAITING = {
    "None": "It is about to start.",
    # said of nodes that are down or drained, too: waiting may help
    "PartitionNodeLimit": "It asks for more or fewer nodes than the partition {partition} allows, or those are down.",
    "Resources": "It is next, and waits until enough cores, memory and GPUs are free.",
    "Priority": "Other jobs are before it.",
    "BeginTime": "Slurm lets it wait a while after a restart.",
    "JobArrayTaskLimit": "As many of ours run as the profile allows (`at_once`).",
    "JobHeldUser": "You are holding it back. Let it go with: scontrol release {job}",
    "JobHeldAdmin": "An administrator is holding it back. Ask them.",
    "ReqNodeNotAvail": "The nodes that it could use are down or reserved.",
    "Reservation": "It waits for a reservation to begin.",
    "PartitionDown": "The partition {partition} is closed at the moment.",
    "PartitionInactive": "The partition {partition} starts no jobs at the moment.",
    "Licenses": "It waits for a licence.",
    "Cleaning": "Slurm is tidying up after it.",
    "AssocMaxJobsLimit": "As many of your jobs run as your account allows.",
    "QOSMaxJobsPerUserLimit": "As many of your jobs run as the partition allows one person.",
    "AssocGrpJobsLimit": "As many of the project's jobs run as it may have.",
    "QOSMaxSubmitJobPerUserLimit": "You have as many jobs in the queue as one person may.",
    "AssocGrpGRES": "The project uses as many GPUs as it may; it waits for one of them.",
    "AssocGrpCpuLimit": "The project uses as many cores as it may; it waits for some of them.",
    "QOSMaxGRESPerUser": "You use as many GPUs as one person may; it waits for one of them.",
    "QOSMaxCpuPerUserLimit": "You use as many cores as one person may; it waits for some of them.",
    "QOSGrpGRES": "All GPUs of this quality of service are in use.",
}
_STATES = {
    "RUNNING": "It runs.",
    "COMPLETING": "It is ending.",
    "CONFIGURING": "Its node is starting.",
    "SUSPENDED": "Slurm has suspended it.",
    "COMPLETED": "It ended.",
    "FAILED": "It ended with an error.",
    "TIMEOUT": "Slurm ended it at its time limit.",
    "OUT_OF_MEMORY": "Slurm ended it: it used more memory than it had asked for.",
    "NODE_FAIL": "Its node failed.",
    "BOOT_FAIL": "Its node did not start.",
    "PREEMPTED": "Another job took its place.",
    "CANCELLED": "It was cancelled.",
    "DEADLINE": "It could not end before its deadline.",
    "REQUEUED": "It is in the queue again.",
    "REQUEUE_HOLD": "Slurm holds it back after a restart. Let it go with: scontrol release {job}",
    "RESV_DEL_HOLD": "Slurm holds it back: its reservation was deleted.",
    "REVOKED": "Another cluster of the federation took it.",
    "EXPEDITING": "It is about to start.",
}


class Sentence(Struct, frozen=True):
    """What a state and its reason mean; `never`: waiting longer does not help."""

    text: str
    never: bool = False


def explain(state: str, reason: str, *, partition: str = "", job: str = "") -> Sentence:
    """A job's state and reason in words. An unknown reason is given as Slurm has it."""
    if state != "PENDING":
        return Sentence(_STATES.get(base_state(state), f"Slurm says {state}.").format(job=job))
    word = _DOWN if reason.replace(" ", "_").startswith("Nodes_required_for_job") else reason.strip("()").split(",")[0]
    where = partition or "it is in"
    if word in _NEVER:
        return Sentence(_NEVER[word].format(partition=where, job=job), never=True)
    if word in _WAITING:
        return Sentence(_WAITING[word].format(partition=where, job=job))
    return Sentence(f"It waits; Slurm's reason is {reason}.")


def base_state(state: str) -> str:
    """`CANCELLED by 1001` and `CANCELLED+` are CANCELLED."""
    return state.split()[0].rstrip("+") if state.strip() else ""


_SIZE = ("gpus", "gpu_type", "cpus", "memory_mb", "minutes", "sbatch")
_RIGHTS = ("account", "partition", "qos")


class BusyError(Exception):
    """Slurm does not answer, or takes no more jobs at the moment. Worth another try."""


class RefusedError(UsageError):
    """Slurm refuses what the profile asks for; `fields` are those of the profile that it may be about."""

    def __init__(self, what: str, fields: tuple[str, ...] = (), *, cause: str, remedy: str) -> None:
        super().__init__(what, cause=cause, remedy=remedy)
        self.fields = fields


class LimitError(BusyError):
    """Slurm takes no more jobs of this person, or no array of this size. `refused` is said where nothing else helps."""

    def __init__(self, said: str, refused: RefusedError, *, array: bool) -> None:
        super().__init__(said)
        self.refused = refused
        self.array = array
        """Whether the array alone is too large, however few jobs there are."""


def unreachable(shell: Shell, error: ConnectionLostError) -> UnableError:
    """What is said when no connection to a cluster can be had."""
    return UnableError(
        f"{shell.name} cannot be reached: {error}",
        cause="no network, a misspelt host, a key that it does not know, or a login that needs a second factor.",
        remedy=f"try: ssh {shell.name} – and: tlcourse config check {shell.profile}. "
        "Jobs that were sent keep running: tlcourse jobs list",
    )


class _Known(Struct, frozen=True):
    """What sbatch says, in lower case, and what it means; `{name}` is the profile's."""

    words: tuple[str, ...]
    fields: tuple[str, ...]
    cause: str
    remedy: str


_KNOWN = (
    _Known(
        ("invalid account", "account is required", "must specify an account", "no default account"),
        _RIGHTS,
        "the account is not yours to use there, is misspelt, or the cluster asks for one.",
        "tlcourse config set {name} account=NAME (sacctmgr show assoc user=$USER lists yours)",
    ),
    _Known(
        ("time limit is invalid", "timelimit"),
        ("minutes", "partition"),
        "a job takes longer than the partition allows: the hand-ins of a chunk, one after another.",
        "tlcourse config set {name} minutes=NUMBER (or chunk=NUMBER)",
    ),
    _Known(
        ("qos",),
        _RIGHTS,
        "the quality of service does not exist, or may not be used with this account or partition.",
        "tlcourse config set {name} qos=NAME (sacctmgr show assoc user=$USER format=account,qos lists yours)",
    ),
    _Known(
        ("group not permitted", "not permitted to use this partition", "partition", "association"),
        _RIGHTS,
        "the account, partition or quality of service is not yours to use, or the cluster asks for one.",
        "tlcourse config set {name} account=NAME (sacctmgr show assoc user=$USER lists yours)",
    ),
    _Known(
        ("memory specification", "--mem"),
        ("memory_mb", "partition"),
        "no node of the partition has so much memory, or the cluster takes no request for memory.",
        "tlcourse config set {name} memory_mb=NUMBER, or memory=none where the cluster wants none",
    ),
    _Known(
        ("generic resource", "gres", "gpu"),
        ("gpus", "gpu_type", "gpu_option", "partition"),
        "no node of the partition has such GPUs or so many, or the cluster asks for them by another option.",
        "tlcourse config set {name} gpus=NUMBER, gpu_type=NAME or gpu_option=gres",
    ),
    _Known(
        ("configuration is not available", "can not be satisfied", "cannot be satisfied", "count specification invalid",
         "more processors requested"),
        _SIZE,
        "no node of the partition has so many GPUs, cores or so much memory – or the time is too long.",
        "tlcourse config set {name} with lower gpus, cpus, memory_mb or minutes",
    ),
    _Known(
        ("unrecognized option", "invalid option", "unknown option", "invalid argument"),
        ("sbatch",),
        "sbatch there does not know an option of the profile.",
        "tlcourse config show {name}, and look at `sbatch`",
    ),
)  # fmt: skip
_AWAY = ("unable to contact slurm controller", "socket timed out", "zero bytes were transmitted", "connection refused",
         "unable to accept new", "temporarily unable to accept", "resource temporarily unavailable")  # fmt: skip
_POLICY = ("violates accounting/qos policy", "maxsubmitjob", "maxsubmit")
_SAID = re.compile(r"^(?:sbatch: (?:error|fatal)|allocation failure): (.*)$", re.MULTILINE)  # the last: --test-only


def refusal(shell: Shell, done: Done) -> Exception:
    """What sbatch's error means: RefusedError, LimitError, BusyError or, where it is not known, InfraError.

    Only what sbatch itself calls an error is read: a login, a submit filter or a wrapper prints what it likes.
    """
    name = shell.profile
    then = f", then: tlcourse config check {name}"
    said = [line.strip() for line in _SAID.findall(harmless(done.err))]
    printed = [line.strip() for line in harmless(f"{done.text}\n{done.err}").splitlines() if line.strip()]
    last = (
        (said or printed or [f"exit status {done.code}"])[-1].removeprefix("Batch job submission failed: ").rstrip(".")
    )
    lower = "\n".join(said).lower()
    if done.code == 127 and not said:
        return RefusedError(
            f"There is no Slurm on {shell.name}: {last}.",
            ("host",),
            cause="the profile names another machine than a login node, or Slurm needs a module.",
            remedy=f"tlcourse config check {name}",
        )
    if done.code == _LOCKED and not said:
        return BusyError("another submission of the same job is under way")
    if any(words in lower for words in _AWAY):
        return BusyError(f"Slurm does not answer: {last}")
    if "job array specification" in lower:
        refused = RefusedError(
            f"Slurm refused the job: {last}.",
            ("sbatch",),
            cause="the cluster takes no arrays of jobs, or an option of the profile is about one.",
            remedy=f"tlcourse config show {name}, and look at `sbatch`{then}",
        )
        return LimitError(last, refused, array=True)
    if any(words in lower for words in _POLICY):
        refused = RefusedError(
            f"Slurm refused the job: {'; '.join(dict.fromkeys([*said[:-1], last]))}.",
            ("account", "partition", "qos", "minutes"),
            cause="one of three: the project's computing time is used up; no account is named, or one that may not be "
            "used there; or you have as many jobs in the queue as you may.",
            remedy=f"squeue -u $USER shows your jobs, sacctmgr show assoc user=$USER your accounts; "
            f"tlcourse config set {name} account=NAME{then}",
        )
        return LimitError(last, refused, array=False)
    if "invalid partition" in lower:
        return RefusedError(
            f"The cluster has no such partition: {last}.",
            ("partition",),
            cause=f"it has: {', '.join(partitions(shell)) or 'none that sinfo shows'}.",
            remedy=f"tlcourse config set {name} partition=NAME{then}",
        )
    for known in _KNOWN:
        if any(words in lower for words in known.words):
            return RefusedError(
                f"Slurm refused the job: {last}.",
                known.fields,
                cause=known.cause,
                remedy=known.remedy.format(name=name) + then,
            )
    if done.code == 0 or done.code == _NUMBERLESS:
        return InfraError(
            f"sbatch on {shell.name} gave no number of a job: {last}.",
            cause="a wrapper of the site prints something else, and no job of that name is in the queue.",
            remedy=f"squeue -u $USER there shows whether a job was taken; tlcourse config check {name} says more.",
        )
    return InfraError(f"sbatch failed on {shell.name}: {last}.", remedy=f"tlcourse config check {name} says more.")


_LOCKED, _NUMBERLESS = 4, 6  # of the script that submits


def located(error: Exception, name: str, profile: Profile) -> Exception:
    """A refusal with the lines of the configuration file that it is about; others as is."""
    if not isinstance(error, RefusedError):
        return error
    what = f"{error.what} {lines(name, profile, error.fields)}".strip()
    return UsageError(what, cause=error.cause, remedy=error.remedy)


def would_wait(name: str, profile: Profile, reason: str, sentence: str) -> UsageError:
    """What is said of a job that Slurm accepted, and will never start."""
    fields = _RIGHTS if "Account" in reason or "QOS" in reason.upper() else (*_SIZE, "partition")
    return UsageError(
        f"The job would wait for ever ({reason}). {sentence} {lines(name, profile, fields)}".strip(),
        cause="the profile asks for more than this cluster gives; the job was cancelled.",
        remedy=f"tlcourse config set {name} KEY=VALUE, then: tlcourse config check {name}",
    )


def lines(name: str, profile: Profile, fields: tuple[str, ...]) -> str:
    """`The profile bed says so: config.yaml:5 (partition: moon).`; empty where it stands in no file."""
    path = config_file()
    try:
        text = path.read_text(encoding="utf-8")
        if load_profiles(path).get(name) != profile:
            return ""  # changed since
    except (OSError, UnicodeDecodeError, UsageError):
        return ""
    said = [(field, line) for field in fields if (line := line_of(text, "profiles", name, field)) is not None]
    if said:
        places = [f"{path}:{line} ({field}: {_shown(getattr(profile, field))})" for field, line in said]
        return f"The profile {name} says so: {', '.join(places)}."
    line = line_of(text, "profiles", name)
    return f"The profile {name} is {path}:{line}, without {' or '.join(fields)}." if line is not None else ""


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def partitions(shell: Shell) -> list[str]:
    """The partitions that there are."""
    done = shell.run("sinfo -h -o %R")
    return sorted(set(done.text.split())) if done.code == 0 else []
