"""The result document as it is stored: without the secret seed, bounded in size, with a cause to group it by."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from tlcourse.course.model import LoadedExercise
from tlcourse.execution.spec import Outcome
from tlcourse.grading.result import Provenance, Result, SubmissionRecord

LOG_CHARS = 16_000
CURVE_POINTS = 300
_CAUSE_CHARS = 200
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?(?!z\b)")  # 7z is no number


def stored(result: Result, *, secret: bool) -> Result:
    """`result` as the gradebook keeps it.

    With a secret seed the runs are numbered 0, 1, … in its place: who has the secret can draw the data again, and who
    has the gradebook cannot.
    """
    runs = [replace(run, log=_cut(run.log)) for run in result.runs]
    if secret:
        runs = [replace(run, seed=number) for number, run in enumerate(runs)]
    kept = replace(result, runs=runs, metrics=thinned(result.metrics), problem=_cut(result.problem))
    try:
        msgspec.json.encode(kept)
    except UnicodeEncodeError:  # half a character, as in a hostile exception's text, must not end the batch
        return msgspec.convert(storable(msgspec.to_builtins(kept)), Result)
    return kept


def storable(value: Any) -> Any:
    """`value` with a question mark for whatever is not a character: names of files need not be UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [storable(one) for one in value]
    if isinstance(value, dict):
        return {storable(key): storable(one) for key, one in value.items()}
    return value


def cause_of(result: Result) -> str:
    """A few words that failures of one kind share."""
    if result.outcome == "pass":
        return ""
    if result.outcome == "fail":
        return "missed: " + ", ".join(check.id for check in result.checks if not check.passed)
    said = result.messages[-1] if result.outcome == "infra" else _first_of_its_own(result)
    return _NUMBER.sub("#", said.split(" Fix: ")[0])[:_CAUSE_CHARS]


def without_run(
    exercise: LoadedExercise, *, outcome: Outcome, message: str, path: str, variant: str, started: str, sha256: str = ""
) -> Result:
    """The result of a hand-in that never ran: it could not be read (`invalid`), or we failed (`infra`)."""
    from tlcourse import __version__
    from tlcourse.grading.gradebook.gradebook import now

    return Result(
        exercise=exercise.about.id,
        variant=variant,
        submission=SubmissionRecord(path, sha256),
        outcome=outcome,
        points=0.0,
        max_points=exercise.about.checked_points,
        checks=[],
        runs=[],
        messages=[message],
        provenance=Provenance(tlcourse=__version__, torch="", grader_sha256="", data_sha256=""),
        started_at=started,
        finished_at=now(),
    )


def thinned(metrics: list[dict[str, Any]], points: int = CURVE_POINTS) -> list[dict[str, Any]]:
    """At most about `points` events of a curve, the last among them."""
    if len(metrics) <= points:
        return metrics
    step = -(-len(metrics) // points)
    kept = metrics[::step]
    return kept if kept[-1] is metrics[-1] else [*kept, metrics[-1]]


def _first_of_its_own(result: Result) -> str:
    """The message that says how it ended; notices about the hand-in's files come before it."""
    ran = [message for message in result.messages if not message.endswith("was taken as the solution.")]
    return (ran or result.messages or [result.outcome])[-1]


def _cut(text: str) -> str:
    if len(text) <= LOG_CHARS:
        return text
    half = LOG_CHARS // 2
    return f"{text[:half]}\n[… {len(text) - LOG_CHARS} characters were not stored …]\n{text[-half:]}"
