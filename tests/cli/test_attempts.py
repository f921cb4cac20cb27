"""Attempts are compared: what changed in the code, with counts, and in each check."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from tlcourse.presenting.attempts import LINES, compared, sentences
from tlcourse.presenting.verdict import outcome
from tlcourse.student.record import Record
from tlcourse.tui.widgets.verdict_view import attempts_view

EXAMPLE = str(Path(__file__).parents[1] / "example_course")


def document(accuracy: float, error: float, *, outcome: str = "fail", **more):
    check = {"id": "a", "title": "Accuracy", "value": accuracy, "passed": accuracy >= 0.95, "direction": "at_least"}
    other = {"id": "e", "title": "Error", "value": error, "passed": error <= 0.6, "direction": "at_most", "unit": "px"}
    submission = {"path": "solution.py", "sha256": "0"}
    points = 2.0 * (accuracy >= 0.95)
    told = {"exercise": "line", "outcome": outcome, "points": points, "max_points": 4.0, "submission": submission}
    return {**told, "checks": [check, other], **more}


@pytest.fixture
def three(own_home):
    """Three attempts, the second of which was our fault."""
    with Record.open() as record:
        record.record_attempt("example", document(0.91, 0.5), "import torch\nepochs = 2\nrate = 1\n")
        record.record_attempt("example", document(0.0, 0.0, outcome="infra"), "")
        record.record_attempt("example", document(0.96, 0.75), "import torch\nepochs = 8\nrate = 1\nmore = `x`\n")
        yield record


def test_what_changed_is_said_with_counts_and_for_each_check(three):
    found = compared(three.attempts("example", "line"), three.codes("example", "line"))
    assert list(sentences(found)) == [
        "Since the attempt before: 2 lines added, 1 removed; 0 → 2 of 4 points",
        "Accuracy: 0.91 → 0.96, better, passed now",
        "Error: 0.5 → 0.75 px, worse, failed now",
    ]
    assert found.diff.splitlines()[3:] == [" import torch", "-epochs = 2", "+epochs = 8", " rate = 1", "+more = `x`"]


def test_one_attempt_is_compared_with_nothing_and_one_without_code_in_its_checks_alone(three):
    attempts = three.attempts("example", "line")
    assert compared(attempts[:1], {}) is None
    assert compared(attempts[:2], {}) is None
    found = compared(attempts, {})
    assert next(sentences(found)).startswith("Since the attempt before: its code was not kept;")
    same = compared(attempts, {attempts[0].number: "a", attempts[2].number: "a"})
    assert "the same code" in next(sentences(same))
    long = compared(attempts, {attempts[0].number: "", attempts[2].number: "x\n" * (LINES + 9)})
    assert long.added == LINES


def test_no_text_of_a_solution_moves_a_cursor(three):
    attempts = three.attempts("example", "line")
    found = compared(attempts, {attempts[0].number: "", attempts[2].number: "x = '\x1b[2J\u202e'\n"})
    assert "\x1b" not in found.diff
    assert "\u202e" not in found.diff


def test_the_command_and_the_app_say_it(three, here):
    said = here("exercise", "attempts", "line", "--diff", "--plain", "--course", EXAMPLE).stdout.splitlines()
    assert [line.split()[1:3] for line in said[:3]] == [["FAIL", "0"], ["GRADER", "FAULT"], ["FAIL", "2"]]
    assert said[3] == "Since the attempt before: 2 lines added, 1 removed; 0 → 2 of 4 points"
    assert "+epochs = 8" in said
    told = json.loads(here("exercise", "attempts", "line", "--json", "--course", EXAMPLE).stdout)
    assert (len(told["attempts"]), told["since_last"]["added"], told["since_last"]["removed"]) == (3, 2, 1)
    assert [check["better"] for check in told["since_last"]["checks"]] == [True, False]
    attempts = three.attempts("example", "line")
    since = compared(attempts, three.codes("example", "line"))
    shown = attempts_view(attempts, datetime.datetime.now(datetime.UTC), since).plain.splitlines()
    assert shown[-3:] == [
        "Since the attempt before: 2 lines added, 1 removed",
        "▲ Accuracy: 0.91 → 0.96, better, passed now",
        "▼ Error: 0.5 → 0.75 px, worse, failed now",
    ]
    assert outcome("infra").short in shown[2]
