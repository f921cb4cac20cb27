"""The result document: what `--json` prints and a gradebook keeps; older ones are brought forward."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from tlcourse.execution.spec import Outcome

SCHEMA = 2


class CheckResult(Struct, frozen=True):
    """One scored requirement."""

    id: str
    title: str
    passed: bool
    value: float
    interval: tuple[float, float]
    threshold: float
    accepted: float
    """The value that suffices: the threshold, moved by what chance explains at 99 %."""
    n: int
    points: float
    max_points: float
    direction: str = "at_least"
    unit: str = ""
    message: str = ""
    status: Literal["met", "in doubt", "missed"] = "met"
    """`in doubt`: it lies below the bar by no more than chance explains, and passes for that reason."""
    self_reported: bool = False
    """It rests on a probe: seen beside student code alone, which could forge it."""


class RunRecord(Struct, frozen=True):
    """One run of the submission, as measured from outside."""

    seed: int
    """Of its data; in what a batch with a secret keeps, the number of the run instead."""
    where: str
    sandbox: str
    device: str
    threads: int
    wall_time_s: float
    cpu_s: float
    peak_rss_mb: float
    fit_s: float
    log: str = ""
    probes: dict[str, float] = {}
    values: dict[str, float] = {}
    """What each check measured in this run alone."""
    reference_s: float = 0.0
    """CPU seconds per thread of the reference machine; on a GPU seconds of the clock. 0 in older documents."""
    fit_reference_s: float = 0.0
    """What `fit` used of `seconds`."""
    speed: float = 0.0
    """How fast the machine was with these threads, in reference machines; 0 where the clock was used."""
    seconds: float = 0.0
    """What the exercise asks of `fit`: `task.seconds`."""
    limit_s: float = 0.0
    """At how many of these seconds the run is stopped."""


class SubmissionRecord(Struct, frozen=True):
    """What was graded."""

    path: str
    sha256: str


class Provenance(Struct, frozen=True):
    """What is needed to repeat the verdict."""

    tlcourse: str
    torch: str
    grader_sha256: str
    data_sha256: str
    python: str = ""
    machine: str = ""
    seed_source: str = "public"


class Result(Struct, frozen=True, kw_only=True):
    """A verdict."""

    schema: int = SCHEMA
    exercise: str
    variant: str
    submission: SubmissionRecord
    outcome: Outcome
    points: float
    max_points: float
    checks: list[CheckResult]
    runs: list[RunRecord]
    messages: list[str]
    provenance: Provenance
    started_at: str
    finished_at: str
    problem: str = ""
    """The student's own traceback or syntax error; empty where there is none."""
    metrics: list[dict[str, Any]] = []


_SANDBOXES = {"cold": "bubblewrap", "warm": "fork-server", "weak": "landlock"}
_RUN = {"isolation": "sandbox", "wall_s": "wall_time_s", "evidence": "probes"}
"""How the kinds of sandbox, and the fields of a run, were called in the first edition."""


def read_result(document: bytes | dict[str, Any]) -> Result:
    """A kept document of any edition, in the words of this one; raises msgspec.ValidationError or DecodeError."""
    try:
        given = msgspec.json.decode(document, type=dict[str, Any]) if isinstance(document, bytes) else document
        if given.get("schema") == 1:
            given = _second_edition(given)
        return msgspec.convert(given, Result)
    except (AttributeError, KeyError, RecursionError, TypeError, UnicodeDecodeError) as error:
        raise msgspec.ValidationError(f"not a result document ({type(error).__name__}: {error})") from None


def _second_edition(given: dict[str, Any]) -> dict[str, Any]:
    runs = [{_RUN.get(name, name): value for name, value in run.items()} for run in given["runs"]]
    for run in runs:
        run["sandbox"] = _SANDBOXES.get(run["sandbox"], run["sandbox"])
    checks = [{"status" if name == "standing" else name: value for name, value in c.items()} for c in given["checks"]]
    return {**given, "schema": SCHEMA, "runs": runs, "checks": checks}
