"""Slurm's states and reasons, as sentences; and which of them mean that a job would wait for ever."""

from __future__ import annotations

from msgspec import Struct

# Reasons that time does not mend: the job asks for what it can never get. Names as in Slurm's own list.
_NEVER = {
    "PartitionTimeLimit": "It asks for more time than the partition {partition} allows. Lower the profile's `minutes`.",
    "PartitionNodeLimit": "It asks for more or fewer nodes than the partition {partition} allows.",
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
    "Resources": "It is next, and waits until enough cores, memory and GPUs are free.",
    "Priority": "Other jobs are before it.",
    "BeginTime": "Slurm lets it wait a while after a restart.",
    "JobArrayTaskLimit": "As many of ours run as the profile allows (`at_once`).",
    "JobHeldUser": "You are holding it back. Let it go with: scontrol release {job}",
    "JobHeldAdmin": "An administrator is holding it back. Ask them.",
    "ReqNodeNotAvail": "The nodes that it could use are down or reserved.",
    "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions": "The nodes that it "
    "could use are down or reserved.",
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
}


class Sentence(Struct, frozen=True):
    """What a state and its reason mean; `never`: waiting longer does not help."""

    text: str
    never: bool = False


def explain(state: str, reason: str, *, partition: str = "", job: str = "") -> Sentence:
    """A job's state and reason in words. An unknown reason is given as Slurm has it."""
    if state != "PENDING":
        return Sentence(_STATES.get(base_state(state), f"Slurm says {state}."))
    word = reason.strip("()").split(",")[0] if reason not in _WAITING else reason
    where = partition or "it is in"
    if word in _NEVER:
        return Sentence(_NEVER[word].format(partition=where, job=job), never=True)
    if word in _WAITING:
        return Sentence(_WAITING[word].format(partition=where, job=job))
    return Sentence(f"It waits; Slurm's reason is {reason}.")


def base_state(state: str) -> str:
    """`CANCELLED by 1001` and `CANCELLED+` are CANCELLED."""
    return state.split()[0].rstrip("+") if state.strip() else ""
