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

_PROTOCOL = {2, 8, *range(10, 17), 19, 24, 26}
IN_A_SANDBOX = [case for case in CASES if case.row not in _PROTOCOL]
"""Those that a sandbox must stop; the others are stopped by what the trusted side believes, whatever the sandbox."""
