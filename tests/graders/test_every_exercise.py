"""The proof of each exercise, as `author check --exercises` gives it: starter, reference and wrong solutions."""

from __future__ import annotations

import json
import re

import pytest

from tlcourse.course.exercise import explanation
from tlcourse.course.loader import load_course

EXERCISES = list(load_course().exercises)
WRONG_AT_LEAST = 5


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", EXERCISES)
def test_the_starter_fails_the_reference_passes_and_every_wrong_solution_fails_for_its_reason(tl, name):
    asked = ("author", "check", "--exercises", "--only", name, "--seeds", "1", "--json")
    done = tl(*asked, course=None, timeout=2900)  # beside other tests ex2 takes some minutes
    document = json.loads(done.stdout)
    assert document["problems"] == []
    assert done.returncode == 0
    expected = [check["expected"] for check in document["references"]]
    assert expected.count("pass") == 1
    grader = load_course().exercises[name].grader
    assert grader is not None
    assert len(expected) == 2 + len(list((grader.parent / "wrong" / grader.stem).glob("*.py"))) >= 2 + WRONG_AT_LEAST


@pytest.mark.parametrize("name", EXERCISES)
def test_there_are_wrong_solutions_to_catch_and_each_says_what_it_must_do(name):
    grader = load_course().exercises[name].grader
    assert grader is not None
    wrong = sorted((grader.parent / "wrong" / grader.stem).glob("*.py"))
    assert len(wrong) >= WRONG_AT_LEAST
    assert all(re.match(r'"""Must (fail: [a-z_, ]+|end: [a-z]+)\. .+', path.read_text()) for path in wrong)


@pytest.mark.parametrize("name", EXERCISES)
def test_who_passed_is_shown_why_the_reference_passes(name):
    shown = explanation(load_course().exercises[name], passed=True)
    assert len(shown.text.split()) > 150
    assert "def fit(" in shown.reference
