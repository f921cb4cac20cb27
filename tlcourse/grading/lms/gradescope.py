"""Gradescope's `results.json`: what an autograder there hands back for one hand-in."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import msgspec

from tlcourse.errors import InfraError
from tlcourse.grading.lms.marks import Mark
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.result import CheckResult, Result
from tlcourse.text import harmless

_DATE = (1980, 1, 1, 0, 0, 0)  # the same marks are the same ZIP


def results(result: Result) -> dict[str, Any]:
    """The document for one verdict, with a test for each check.

    Raises:
        InfraError: the verdict is `infra`. Without a results.json Gradescope reports a failed autograder, not a score.
    """
    if result.outcome == "infra":
        raise InfraError(
            "The hand-in was not graded, and so has no score.",
            cause=" ".join(result.messages),
            remedy="grade it again: tlcourse ta regrade --only infra",
        )
    said = [f"Outcome: {result.outcome}", *result.messages, result.problem]
    return {
        "score": result.points,
        "execution_time": round(sum(run.wall_time_s for run in result.runs), 3),
        "output": harmless("\n".join(line for line in said if line)),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(number, check) for number, check in enumerate(result.checks, start=1)],
        "extra_data": {
            "exercise": result.exercise,
            "outcome": result.outcome,
            "submission_sha256": result.submission.sha256,
        },
    }


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


def _test(number: int, check: CheckResult) -> dict[str, Any]:
    return {
        "name": check.title,
        "name_format": "text",
        "number": str(number),
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if check.passed else "failed",
        "output": harmless(check.message),
        "output_format": "text",
        "visibility": "visible",
        "extra_data": {"id": check.id, "value": check.value, "threshold": check.threshold},
    }
