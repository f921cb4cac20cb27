"""Hostile submissions against every sandbox, as root and as an ordinary user: what they must get, and must not have done."""

from __future__ import annotations

import platform
import re

import pytest

from tests.attacks.case import Case
from tests.attacks.drive import labels_in
from tests.attacks.judge import faults
from tests.attacks.suite import AS_ROOT_TOO, CASES, HOW_IT_ENDS, IN_A_SANDBOX
from tests.attacks.user import ROOT
from tlcourse.grading.grader import Grader

QUICK = [case for case in CASES if case.quick]
REST = [case for case in CASES if not case.quick]
SECURITY = ROOT / "docs" / "security.md"


def judged(attacked, sandbox: str, user: str, case: Case) -> None:
    if case.row == 37 and platform.machine() != "x86_64":
        pytest.skip("the numbers of its calls are those of x86-64")
    assert faults(case, attacked(sandbox, user, case), sandbox) == []


def test_labels_in_a_report_are_found_and_one_by_chance_is_none(line):
    """So that the silence of all cases below says something."""
    labels = [f"{value:.7g}" for value in Grader(line).make(5, "mini").test["y"][:100]]
    assert len(labels_in(line, 5, " ".join(labels))) > 50
    assert labels_in(line, 5, f"took {labels[0]} s") == []


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
@pytest.mark.parametrize(("sandbox", "user"), [("fork-server", "ordinary")])
def test_the_fork_server_holds(attacked, sandbox, user, case):
    judged(attacked, sandbox, user, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=lambda case: case.name)
@pytest.mark.parametrize(("sandbox", "user"), [("fork-server", "ordinary")])
def test_the_fork_server_holds_against_the_rest(attacked, sandbox, user, case):
    judged(attacked, sandbox, user, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", IN_A_SANDBOX + HOW_IT_ENDS, ids=lambda case: case.name)
@pytest.mark.parametrize(("sandbox", "user"), [("bubblewrap", "ordinary")])
def test_bubblewrap_holds(attacked, sandbox, user, case):
    judged(attacked, sandbox, user, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", IN_A_SANDBOX, ids=lambda case: case.name)
@pytest.mark.parametrize(("sandbox", "user"), [("fork-server", "root"), ("landlock", "ordinary")])
def test_what_a_sandbox_must_stop_is_stopped(attacked, sandbox, user, case):
    judged(attacked, sandbox, user, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", AS_ROOT_TOO, ids=lambda case: case.name)
@pytest.mark.parametrize(("sandbox", "user"), [("bubblewrap", "root"), ("landlock", "root")])
def test_root_starts_a_sandbox_that_is_none_the_weaker(attacked, sandbox, user, case):
    judged(attacked, sandbox, user, case)


def test_there_are_at_least_170_cases_and_each_says_what_must_not_happen():
    assert len(CASES) >= 170
    assert all(case.must_not for case in CASES)


def documented() -> dict[int, set[str]]:
    """The cases that docs/security.md lists for each row of the list of threats."""
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]*) \|$", SECURITY.read_text(encoding="utf-8"), re.MULTILINE)
    return {int(row): set(re.findall(r"`([a-z0-9-]+)`", cases)) for row, cases in rows}


def test_the_table_of_threats_lists_every_case_in_its_row():
    expected: dict[int, set[str]] = {}
    for case in CASES:
        expected.setdefault(case.row, set()).add(case.name)
    listed = documented()
    assert {row: listed.get(row, set()) for row in expected} == expected


def test_every_row_of_the_list_of_threats_has_cases_or_a_file_of_tests():
    text = SECURITY.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]*) \|$", text, re.MULTILINE))
    assert [row for row in range(1, 38) if "`" not in rows.get(str(row), "")] == []
    named = re.findall(r"`(tests/[^`]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_what_the_landlock_sandbox_cannot_stop_is_written_down():
    text = " ".join(SECURITY.read_text(encoding="utf-8").split())
    missing = [
        case.landlock_gap.why
        for case in CASES
        if case.landlock_gap and case.landlock_gap.succeeds and case.landlock_gap.why not in text
    ]
    assert missing == []
