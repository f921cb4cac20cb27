"""A job has ended and a result of it is not there: send the submission again, or say how it ended?

A submission's outcome comes from its own result file. Only where there is none does the job's state speak – and then
nearly always of the cluster, not of the submission.
"""

from __future__ import annotations

from msgspec import Struct

from tlcourse.execution.cluster.reasons import explain
from tlcourse.execution.cluster.slurm import JobState
from tlcourse.execution.spec import RunStatus

RETRIES = 2
"""How often a submission is sent again after a fault of the cluster."""
SENDS = 8
"""How often it is sent in all, times counted in which it never got its turn."""


class Tried(Struct):
    """What a submission has been through."""

    sends: int = 0
    faults: int = 0
    memory_kills: int = 0
    alone: bool = False
    """To be sent in a job of its own: what it does to its job shall not happen to others."""


class Decision(Struct, frozen=True):
    """`again`, or an ending with its message."""

    again: bool
    status: RunStatus = "infra"
    message: str = ""


def decide(state: JobState, tried: Tried, *, was_running: bool, alone: bool, retry_cancelled: bool) -> Decision:
    """What becomes of a submission without a result; counts the fault in `tried`.

    `was_running`: it had its turn when the job ended. `alone`: its job had nothing else to do.
    """
    what = explain(state.state, state.reason).text if state.state else "Slurm knows nothing of it any more."
    where = f" ({state.node})" if state.node else ""
    if state.state == "CANCELLED" and not retry_cancelled:
        return Decision(False, message="The job was cancelled on the cluster, not by this command.")
    if tried.sends >= SENDS:
        return Decision(
            False, message=f"It was sent {tried.sends} times and never got its turn. At last: {what}{where}"
        )
    if not was_running and not alone:
        return Decision(True)  # a bystander: another submission was running, or time was up
    tried.faults += 1
    tried.alone = True
    if state.state == "OUT_OF_MEMORY" and was_running and alone:
        # the job has the exercise's limit and more, and held this submission alone: the memory was its own
        tried.memory_kills += 1
        if tried.memory_kills >= 2:
            return Decision(
                False,
                "memory",
                "used more memory than its job had, faster than it could be stopped; Slurm killed it twice",
            )
    if tried.faults > RETRIES:
        return Decision(False, message=f"The cluster failed {tried.faults} times. At last: {what}{where}")
    return Decision(True)
