"""What Gradescope is handed, held to its documentation, and what it says about a hand-in, understood."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace
from results import result

from tlcourse.course.deadline import LateRule
from tlcourse.course.loader import load_course
from tlcourse.course.parts import FunctionsPart
from tlcourse.errors import InfraError
from tlcourse.grading.lateness import judged
from tlcourse.grading.lms.gradescope import Metadata, Said, not_graded, read_metadata, results
from tlcourse.grading.result import RunRecord

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
OPEN = {"type": "object"}
TEST = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "max_score": {"type": "number"},
        "status": {"enum": ["passed", "failed"]},
        "name": {"type": "string"},
        "name_format": FORMAT,
        "number": {"type": "string"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "tags": {"type": "array", "items": {"type": "string"}},
        "visibility": VISIBILITY,
        "extra_data": OPEN,
    },
}
SPECIFICATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": OPEN,
        "tests": {"type": "array", "items": TEST},
        "leaderboard": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {
                    "name": {"type": "string"},
                    "value": {"type": ["number", "string"]},
                    "order": {"enum": ["asc", "desc"]},
                },
            },
        },
    },
}
"""`results.json` by Gradescope's Autograder Specifications, with nothing beside what they name."""


def allowed(text: str | bytes) -> dict[str, Any]:
    """The document, if the specification allows all of it; what students read has Unix line ends and no escapes."""
    document: dict[str, Any] = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    jsonschema.validate(document, SPECIFICATION)
    for part in (document, *document.get("tests", [])):
        assert "\x1b" not in part.get("output", "") and "\r" not in part.get("output", "")
    return document


def document_of(*arguments: Any, **named: Any) -> dict[str, Any]:
    return allowed(msgspec.json.encode(results(*arguments, **named)))


def test_a_check_is_a_test_with_its_points_and_what_is_said_is_text(line):
    passed = result("pass", 1.0)
    run = RunRecord(1, "local", "bubblewrap", "cpu", 1, 2.5, 2.0, 300, 1.0)
    passed = replace(passed, checks=[replace(passed.checks[0], id="y_error", max_points=1.0)], runs=[run, run])
    said = Said("PASS\r\n<b>\x1b[2J", {"y_error": "0.05 \u202e(n = 9)"})
    document = document_of(line.about, passed, said)
    assert document["score"] == 1.0
    assert document["execution_time"] == 5.0
    assert document["output"] == "PASS\n<b>"
    assert document["output_format"] == "text"
    assert [test["output"] for test in document["tests"]] == ["0.05 (n = 9)", ""]
    assert [test["status"] for test in document["tests"]] == ["passed", "failed"]
    assert "leaderboard" not in document
    assert document["stdout_visibility"] == "hidden"


def test_a_run_that_ended_before_any_check_shows_all_of_them_with_no_points(line):
    crash = replace(result("crash", 0.0), checks=[])
    document = document_of(line.about, crash, Said("CRASH"), visibility="after_due_date")
    assert document["score"] == 0.0
    assert [(test["score"], test["max_score"]) for test in document["tests"]] == [(0.0, 1.0), (0.0, 1.0)]
    assert {test["visibility"] for test in document["tests"]} == {"after_due_date"}


def test_checks_are_named_by_their_parts_and_keep_the_share_that_they_earned(line):
    text = FunctionsPart(id="text", title="Your text", defines=("write",))
    y, z = line.about.checks
    share = replace(z, part="text", credit="share", threshold=1.0, direction="at_least", points=4.0)
    extra = replace(z, id="best", part="text", bonus=True)
    about = replace(line.about, parts=(*line.about.parts, text), checks=[extra, share, y])
    crashed = result("crash", 3.0)
    crashed = replace(crashed, checks=[replace(crashed.checks[0], id="z_error", points=3.0, passed=False, part="text")])
    document = document_of(about, crashed, Said("", {"y_error": "Not measured."}))
    assert document["score"] == 3.0
    assert [(test["name"], test["score"], test["max_score"]) for test in document["tests"]] == [
        ("network: Mean absolute error of y", 0.0, 1.0),
        ("Your text: Mean absolute error of z (bonus)", 0.0, 1.0),
        ("Your text: Mean absolute error of z", 3.0, 4.0),
    ]


def test_a_leaderboard_is_ordered_as_the_checks_are(line):
    passed = result("pass", 2.0)
    checks = [replace(passed.checks[0], id=name, value=0.25) for name in ("y_error", "z_error")]
    about = replace(line.about, checks=[line.about.checks[0], replace(line.about.checks[1], direction="at_least")])
    document = document_of(about, replace(passed, checks=checks), Said(""), leaderboard=True)
    assert [one["order"] for one in document["leaderboard"]] == ["asc", "desc"]
    assert [one["value"] for one in document["leaderboard"]] == [0.25, 0.25]
    checks[1] = replace(checks[1], value=float("nan"))
    document = document_of(about, replace(passed, checks=checks), Said(""), leaderboard=True)
    assert [one["name"] for one in document["leaderboard"]] == ["Mean absolute error of y"]


def test_our_own_fault_has_no_score(line):
    with pytest.raises(InfraError, match="not graded"):
        results(line.about, result("infra", 0.0), Said(""))
    assert allowed(msgspec.json.encode(not_graded("We failed."))) == {
        "output": "We failed.",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
    }


DOCUMENTED = {
    "id": 123456,
    "created_at": "2018-07-03T14:22:32.365935-07:00",
    "assignment": {
        "due_date": "2018-07-01T23:00:00.000000-07:00",
        "group_size": 4,
        "group_submission": True,
        "id": 25828,
        "course_id": 1234,
        "late_due_date": None,
        "release_date": "2018-06-02T00:00:00.000000-07:00",
        "title": "Programming Assignment 1",
        "total_points": "20.0",
    },
    "submission_method": "upload",
    "users": [{"email": "student@example.com", "id": 1234, "name": "Student User"}],
    "previous_submissions": [
        {"submission_time": "2017-04-06T14:24:48.087023-07:00", "score": 0.0, "autograder_error": True, "results": {}},
        {"submission_time": "2017-04-07T14:24:48.087023-07:00", "score": 1.0, "autograder_error": False},
    ],
}


def told(tmp_path, **changed: Any) -> Metadata:
    path = tmp_path / "submission_metadata.json"
    path.write_text(json.dumps({**DOCUMENTED, **changed}))
    metadata, unread = read_metadata(path)
    assert unread == ""
    return metadata


def test_the_documented_metadata_say_how_late_how_often_and_by_whom(tmp_path, line):
    course = load_course(line.folder.parent.parent).about
    metadata = told(tmp_path)
    deadline = metadata.deadline(course, replace(line.about, late=LateRule(penalty=10)))
    late = judged(metadata.submitted_at(), deadline)
    assert (late.days, late.after(2.0, 2.0)) == (2, 1.6)
    assert metadata.attempts == 2  # one of the two before was not graded, at no fault of theirs
    assert [user.name for user in metadata.users] == ["Student User"]


@pytest.mark.parametrize(
    ("due", "of_course", "extended", "days"),
    [
        ("2018-07-01T23:00:00-07:00", "", None, 2),
        ("2018-07-01T23:00:00-07:00", "", "2018-07-03T12:00:00-07:00", 1),
        ("2018-07-01T23:00:00-07:00", "2018-07-04 12:00 Europe/Copenhagen", None, 0),
        ("2018-07-03T23:00:00-07:00", "2018-07-01 12:00 Europe/Copenhagen", None, 0),
        (None, "2018-07-03 23:00 Europe/Copenhagen", None, 1),
        (None, "", None, None),
    ],
)
def test_the_latest_of_all_dates_holds(tmp_path, line, due, of_course, extended, days):
    users = [{"name": "Ann"}, {"name": "Bo", "assignment": {"due_date": extended}}]
    metadata = told(tmp_path, assignment={"due_date": due}, users=users)
    deadline = metadata.deadline(load_course(line.folder.parent.parent).about, replace(line.about, due=of_course))
    assert (judged(metadata.submitted_at(), deadline).days if deadline else None) == days


@pytest.mark.parametrize("text", ["", "[]", '{"users": 5}', "{", '{"created_at": "yesterday"}', "[" * 100_000])
def test_what_cannot_be_read_makes_nobody_late(tmp_path, line, text):
    path = tmp_path / "submission_metadata.json"
    path.write_text(text)
    metadata, unread = read_metadata(path)
    assert bool(unread) is (text != '{"created_at": "yesterday"}')
    assert metadata.submitted_at() == ""
    assert metadata.attempts == 1
    assert metadata.deadline(load_course(line.folder.parent.parent).about, line.about) is None
