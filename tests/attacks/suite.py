"""All attacks."""

from __future__ import annotations

from tests.attacks import (
    answers,
    endless,
    files,
    floods,
    forging,
    kernel,
    persistence,
    predictions,
    resources,
    shown,
    signals,
)
from tests.attacks.case import Case

CASES: list[Case] = [
    *answers.CASES,
    *forging.CASES,
    *predictions.CASES,
    *files.CASES,
    *resources.CASES,
    *endless.CASES,
    *floods.CASES,
    *persistence.CASES,
    *kernel.CASES,
    *shown.CASES,
    *signals.CASES,
]
BY_NAME = {case.name: case for case in CASES}
assert len(BY_NAME) == len(CASES), "two cases have the same name"

_ENDS = {11, 12, 13, 30}
_BELIEF = {2, 8, 10, 14, 15, 16, 19, 24, 26}
_MEASURED = {28, 31}
IN_A_SANDBOX = [case for case in CASES if case.row not in _ENDS | _BELIEF]
"""Those that a sandbox must stop; the others are stopped by what the trusted side believes, whatever the sandbox."""
HOW_IT_ENDS = [case for case in CASES if case.row in _ENDS]
"""Those which forge an end, flood a channel, or end otherwise than they say: a fork server's channels are others."""
AS_ROOT_TOO = [case for case in IN_A_SANDBOX if case.row not in _MEASURED]
"""Memory and time are measured from outside, alike for all users; but for the control groups, which only root makes."""
