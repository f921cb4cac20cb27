"""Hostile submissions against every wall, as root and as an ordinary user: what they must get, and must not have done."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.attacks.case import Case
from tests.attacks.judge import faults
from tests.attacks.suite import CASES

QUICK = [case for case in CASES if case.quick]
REST = [case for case in CASES if not case.quick]
SECURITY = Path(__file__).parents[2] / "docs" / "security.md"


def judged(attacked, wall: str, user: str, case: Case) -> None:
    if case.row == 37 and platform.machine() != "x86_64":
        pytest.skip("the numbers of its calls are those of x86-64")
    assert faults(case, attacked(wall, user, case), wall) == []


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
@pytest.mark.parametrize(("wall", "user"), [("warm", "ordinary")])
def test_the_warm_wall_holds(attacked, wall, user, case):
    judged(attacked, wall, user, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=lambda case: case.name)
@pytest.mark.parametrize(("wall", "user"), [("warm", "ordinary")])
def test_the_warm_wall_holds_against_the_rest(attacked, wall, user, case):
    judged(attacked, wall, user, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(
    ("wall", "user"),
    [("warm", "root"), ("cold", "ordinary"), ("cold", "root"), ("weak", "ordinary"), ("weak", "root")],
)
def test_every_wall_holds(attacked, wall, user, case):
    judged(attacked, wall, user, case)
