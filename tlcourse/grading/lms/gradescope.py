"""Gradescope: `results.json`, what an autograder there hands back for one hand-in, and what it is told about it.

Both forms are those of Gradescope's documentation (Autograder Specifications, Submission Metadata). What its students
read is text and nothing else: no field of ours is rendered as HTML, Markdown or terminal colours.
"""

from __future__ import annotations

import datetime
import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from tlcourse.course.deadline import Deadline, LateRule, deadline_of, moments, zone_of
from tlcourse.course.model import Course, Exercise
from tlcourse.errors import InfraError
from tlcourse.grading.lms.marks import Mark
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.result import Result
from tlcourse.text import harmless

_DATE = (1980, 1, 1, 0, 0, 0)  # the same marks are the same ZIP
Visibility = Literal["visible", "after_due_date", "after_published"]


class Said(Struct, frozen=True):
    """What students read: on the whole, and of each check by its id."""

    output: str
    checks: Mapping[str, str] = {}


def results(
    about: Exercise,
    result: Result,
    said: Said,
    *,
    score: float | None = None,
    visibility: Visibility = "visible",
    leaderboard: bool = False,
) -> dict[str, Any]:
    """The document for one verdict: a test for each check of the exercise, also where the run ended before any.

    `score`: what counts, where it is not the sum of the checks, as of a late hand-in.

    Raises:
        InfraError: the verdict is `infra`, and there is no score: see `not_graded`.
    """
    if result.outcome == "infra":
        raise InfraError(
            "The hand-in was not graded, and so has no score.",
            cause=" ".join(result.messages),
            remedy="grade it again: tlcourse ta regrade --only infra",
        )
    measured = {check.id: check for check in result.checks}
    scored = [(part, about.checks_of(part)) for part in about.parts if about.checks_of(part)]
    tests = []
    for place, (part, rule) in enumerate([(part, rule) for part, rules in scored for rule in rules], start=1):
        check = measured.get(rule.id)
        of_part = "" if len(scored) == 1 else f"{part.title or part.id}: "
        test = {
            "name": harmless(f"{of_part}{rule.title}{' (bonus)' if rule.bonus else ''}"),
            "name_format": "text",
            "number": str(place),
            "score": check.points if check else 0.0,
            "max_score": rule.points,
            "status": "passed" if check and check.passed else "failed",
            "output": harmless(said.checks.get(rule.id, "")),
            "output_format": "text",
            "visibility": visibility,
            "extra_data": {"id": rule.id, "threshold": rule.threshold, "value": check.value if check else None},
        }
        tests.append(test)
    document: dict[str, Any] = {
        "score": result.points if score is None else score,
        "execution_time": round(sum(run.wall_time_s for run in result.runs), 3),
        "output": harmless(said.output),
        "output_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "exercise": result.exercise,
            "outcome": result.outcome,
            "submission_sha256": result.submission.sha256,
        },
    }
    if leaderboard:
        document["leaderboard"] = [
            {
                "name": harmless(rule.title),
                "value": measured[rule.id].value,
                "order": "desc" if rule.direction == "at_least" else "asc",
            }
            for rule in about.checks
            if rule.id in measured and math.isfinite(measured[rule.id].value)
        ]
    return document


def not_graded(output: str) -> dict[str, Any]:
    """The document where we failed: no score, which is nobody's 0, and `output`, which students read."""
    return {"output": harmless(output), "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden"}


def results_of_marks(settled: Sequence[tuple[Person, Mark]], item: str, max_points: float) -> bytes:
    """A ZIP with `PERSON/results.json` for everyone who has points, where only the marks are known."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for place, (person, mark) in enumerate(settled, start=1):
            if mark.points is None:
                continue
            passed = "passed" if mark.points >= max_points else "failed"
            test = {
                "name": harmless(item),
                "score": mark.points,
                "max_score": max_points,
                "status": passed,
                "output": harmless(mark.feedback),
                "output_format": "text",
                "visibility": "visible",
            }
            document = {"score": mark.points, "tests": [test], "extra_data": {"outcome": mark.outcome}}
            # a name that no two people share, whatever their ids are
            folder = re.sub(r"[^A-Za-z0-9]+", "-", person.id).strip("-")[:60]
            info = zipfile.ZipInfo(f"{place:04d}-{folder}/results.json", _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, msgspec.json.format(msgspec.json.encode(document), indent=2))
    return stream.getvalue()


class Dates(Struct, frozen=True):
    """When something is due, with an offset; None: it is not said."""

    due_date: str | None = None


class User(Struct, frozen=True):
    """One of those who handed in together."""

    name: str = ""
    email: str = ""
    assignment: Dates = Dates()
    """The same for this person: where they have an extension, that."""


class Earlier(Struct, frozen=True):
    """A hand-in of theirs before this one."""

    autograder_error: bool = False
    """It was not graded, at no fault of theirs."""


class Metadata(Struct, frozen=True):
    """`submission_metadata.json`, as much of it as matters here."""

    created_at: str = ""
    assignment: Dates = Dates()
    users: list[User] = []
    previous_submissions: list[Earlier] = []

    @property
    def attempts(self) -> int:
        """How many hand-ins were graded, this one included."""
        return 1 + sum(not one.autograder_error for one in self.previous_submissions)

    def submitted_at(self) -> str:
        """When it was handed in (ISO 8601); "" where that is not said, or is no time."""
        return self.created_at if _moment(self.created_at) else ""

    def deadline(self, course: Course, exercise: Exercise) -> Deadline | None:
        """By what it is judged late: the latest of what Gradescope and the course say, which may differ.

        One score is for all who handed in together, so that the latest date of any of them holds. Raises UsageError,
        UnableError where the course's own cannot be read.
        """
        own = deadline_of(course, exercise)
        told = [self.assignment.due_date, *(user.assignment.due_date for user in self.users)]
        due = max((moment for one in told if (moment := _moment(one or ""))), default=None)
        if due is None or (own is not None and moments(own.local, own.zone)[1] >= due):
            return own
        zone = own.zone if own else course.zone or f"{due:%z}"
        local = due.astimezone(zone_of(zone)).replace(tzinfo=None, microsecond=0)
        return Deadline(local.isoformat(), zone, exercise.late or course.late or LateRule())


def read_metadata(path: Path) -> tuple[Metadata, str]:
    """What is known of a hand-in, and why that is nothing (for staff); "" where it could be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Metadata), ""
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Metadata(), f"{path.name} was not read, so nothing is late and attempts are not counted: {error}"


def _moment(text: str) -> datetime.datetime | None:
    """A time with an offset; None where it is none."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
