"""The graders that are attacked, one a sandbox and a user; each runs its cases once, and tests look at what was seen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from desk import Desk

from tests.attacks.case import Case
from tests.attacks.drive import Seen
from tests.attacks.user import ROOT, grader
from tlcourse.sandbox.choose import findings

_TIMEOUT_S = 900
Attack = Callable[[str, str, Case], Seen]
_seen: dict[tuple[str, str], dict[str, Seen]] = {}


@pytest.fixture(autouse=True)
def counted(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """The summary counts attacks by this (`tests/conftest.py`); it comes across from a test process of xdist too."""
    if (parameters := getattr(request.node, "callspec", None)) and "case" in parameters.params:
        values = parameters.params
        record_property("attack", f"{values['sandbox']}|{values['user']}|{values['case'].name}")


@pytest.fixture(scope="session")
def attacked(request: pytest.FixtureRequest) -> Attack:
    """`attacked(sandbox, user, case)`: what was seen; all selected cases of that sandbox and user run at the first call."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for item in request.session.items:
        if (parameters := getattr(item, "callspec", None)) and "case" in parameters.params:
            values = parameters.params
            wanted.setdefault((values["sandbox"], values["user"]), []).append(values["case"].name)

    def seen(sandbox: str, user: str, case: Case) -> Seen:
        if user == "root" and os.geteuid() != 0:
            pytest.skip("these tests were not started by root")
        found = next(one for one in findings() if one.name == sandbox)
        if not found.available:
            pytest.skip(f"no {sandbox} sandbox here: {found.detail}")
        if (sandbox, user) not in _seen:
            _seen[sandbox, user] = _drive(sandbox, user, wanted[sandbox, user])
        return _seen[sandbox, user][case.name]

    return seen


def _drive(sandbox: str, user: str, names: list[str]) -> dict[str, Seen]:
    with grader(user) as started:
        out = started.folder / "seen.json"
        command = [*started.prefix, started.python, "-m", "tests.attacks.drive", sandbox, str(out), *names]
        done = subprocess.run(
            command, cwd=ROOT, env=started.env, timeout=_TIMEOUT_S, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, (
            f"the grader of {user} behind {sandbox} ended with {done.returncode}:\n{done.stderr}"
        )
        return {one.name: one for one in msgspec.json.decode(out.read_bytes(), type=list[Seen])}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Where something hostile is handed in."""
    return Desk(tmp_path)
