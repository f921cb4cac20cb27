"""What an array is at, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from tlcourse.execution.cluster.item import Live
from tlcourse.execution.cluster.reasons import explain


def standing(name: str, rounds: Sequence[Live]) -> str:
    """`bed: 4 jobs run, 6 wait. REASON`; empty where no job of ours is there."""
    run, wait, said = 0, 0, ""
    for live in rounds:
        left = set(live.items)
        for index, chunk in enumerate(live.round.chunks):
            if not left & set(chunk):
                continue
            state = live.states.get(index)
            if state is not None and state.state in ("RUNNING", "COMPLETING"):
                run += 1
                continue
            wait += 1
            if state is not None and state.state == "PENDING":
                said = explain(state.state, state.reason, partition=state.partition, job=live.round.job).text
    if not run + wait:
        return ""
    return f"{name}: {run} jobs run, {wait} wait" + (f". {said}" if said else "")
