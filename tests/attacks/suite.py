"""All attacks."""

from __future__ import annotations

from tests.attacks import answers, files, forging, kernel, persistence, resources
from tests.attacks.case import Case

CASES: list[Case] = [
    *answers.CASES,
    *forging.CASES,
    *files.CASES,
    *resources.CASES,
    *persistence.CASES,
    *kernel.CASES,
]
BY_NAME = {case.name: case for case in CASES}
assert len(BY_NAME) == len(CASES), "two cases have the same name"
