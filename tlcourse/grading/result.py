"""The result document: what `--json` prints and a gradebook keeps; older ones are brought forward.

Stored it is without the secret seed, bounded in size, with a cause to group it by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.check_rule import Credit
from tlcourse.course.model import Exercise, LoadedExercise
from tlcourse.course.parts import THE_MODEL, ManualPart
from tlcourse.execution.spec import Outcome
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis
from tlcourse.storage import now

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
    part: str = ""
    """The id of its part."""
    credit: Credit = "bar"
    """How its value became points; of a share or of steps, `passed` says whether `threshold` was reached."""
    steps: list[tuple[float, float]] = []
    """Of a check with steps: values and the points of each, worst first."""
    bonus: bool = False
    """Its points come on top of the maximum, and it is not needed to pass."""
    taught: list[str] = []
    """Where more of it stands, unless it gave all its points: `unit#heading`, `lab/NAME`, `write/NAME`, `quiz/NAME`."""


class PartResult(Struct, frozen=True):
    """What one part gave."""

    id: str
    kind: str
    points: float | None
    """Of its checks; None: people set them, and they stand in the gradebook."""
    max_points: float
    """Without what comes on top."""
    title: str = ""
    outcome: Outcome = "pass"
    """How its run ended, and where that gave answers whether all of its checks passed; `ran`: nothing to be run."""
    message: str = ""
    """Why its run gave nothing to measure; empty where it did."""


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
    part: str = ""
    """Whose run it was; "" where the exercise has one part."""
    calls: int = 0
    """Cases that were to be called; 0 where a module was trained."""


class ValidationResult(Struct, frozen=True):
    """What the check of the exercise's board measured on validation items, in the first run; it counts for nothing."""

    check: str
    value: float
    interval: tuple[float, float]
    """95 %."""
    n: int


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
    public_files_sha256: str = ""
    """Of `exercises/NAME/data`; "" where there is none."""
    hidden_files_sha256: str = ""
    """Of `graders/NAME/data`."""
    on_validation: bool = False
    """It was measured on validation data, as the hidden ones were not there: it is no mark."""
    rules: dict[str, Any] = {}
    """What exercise.yaml said that decides about it (`rules.py`); empty in older documents, and where nothing ran."""


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
    parts: list[PartResult] = []
    """In the order of exercise.yaml; `points` and `max_points` of the document are those of the checks alone."""
    runs: list[RunRecord]
    messages: list[str]
    provenance: Provenance
    started_at: str
    finished_at: str
    problem: str = ""
    """The student's own traceback or syntax error; empty where there is none."""
    metrics: list[dict[str, Any]] = []
    error_analysis: ErrorAnalysis | None = None
    """Of validation items, never of test items; None where the grader makes none, and in older documents."""
    validation: ValidationResult | None = None
    """None where the exercise has no board, or the run gave no predictions of validation items."""


_SANDBOXES = {"cold": "bubblewrap", "warm": "fork-server", "weak": "landlock"}
_RUN = {"isolation": "sandbox", "wall_s": "wall_time_s", "evidence": "probes"}
"""How the kinds of sandbox, and the fields of a run, were called in the first edition."""


def read_result(document: bytes | dict[str, Any]) -> Result:
    """A kept document of any edition, in the words of this one; raises msgspec.ValidationError or DecodeError."""
    try:
        given = msgspec.json.decode(document, type=dict[str, Any]) if isinstance(document, bytes) else document
        if given.get("schema") == 1:
            given = _second_edition(given)
        if "parts" not in given:  # there was one, and nobody said so
            given = {**given, "parts": [_only_part(given)]}
        return msgspec.convert(given, Result, str_keys=True)  # of `steps`: keys of JSON are text
    except (AttributeError, KeyError, RecursionError, TypeError, UnicodeDecodeError) as error:
        raise msgspec.ValidationError(f"not a result document ({type(error).__name__}: {error})") from None


def _only_part(given: dict[str, Any]) -> dict[str, Any]:
    names = ("points", "max_points", "outcome")
    return {"id": THE_MODEL.id, "kind": THE_MODEL.kind, **{name: given[name] for name in names}}


def _second_edition(given: dict[str, Any]) -> dict[str, Any]:
    runs = [{_RUN.get(name, name): value for name, value in run.items()} for run in given["runs"]]
    for run in runs:
        run["sandbox"] = _SANDBOXES.get(run["sandbox"], run["sandbox"])
    checks = [{"status" if name == "standing" else name: value for name, value in c.items()} for c in given["checks"]]
    return {**given, "schema": SCHEMA, "runs": runs, "checks": checks}


LOG_CHARS = 16_000
CURVE_POINTS = 300
_CAUSE_CHARS = 200
_NUMBER = re.compile(r"(UTF-\d+|7z\b)|\d+(?:[.,]\d+)?")
"""What differs between failures of one kind; a name with a figure in it does not."""


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
        return msgspec.convert(storable(msgspec.to_builtins(kept)), Result, str_keys=True)
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
    missed = [check.id for check in result.checks if not check.passed and not check.bonus]
    if result.outcome == "fail" and missed:
        return f"missed: {', '.join(missed)}"
    said = result.messages[-1] if result.outcome == "infra" else _first_of_its_own(result)
    return _NUMBER.sub(lambda found: found[1] or "#", said.split(" Fix: ")[0])[:_CAUSE_CHARS]


def on_validation(title: str) -> str:
    """The title of a check where it was measured on validation data."""
    named = re.sub(r"\bhidden\b", "validation", title)
    return named if named != title else f"{title}, on validation data"


def without_run(
    exercise: LoadedExercise, *, outcome: Outcome, message: str, path: str, variant: str, started: str, sha256: str = ""
) -> Result:
    """The result of a hand-in that never ran: it could not be read (`invalid`), or we failed (`infra`)."""
    from tlcourse import __version__

    return Result(
        exercise=exercise.about.id,
        variant=variant,
        submission=SubmissionRecord(path, sha256),
        outcome=outcome,
        points=0.0,
        max_points=exercise.about.checked_points,
        checks=[],
        parts=part_results(exercise.about, [], outcome=outcome),
        runs=[],
        messages=[message],
        provenance=Provenance(tlcourse=__version__, torch="", grader_sha256="", data_sha256=""),
        started_at=started,
        finished_at=now(),
    )


def part_results(
    about: Exercise, checks: list[CheckResult], *, outcome: Outcome, failed: Mapping[str, tuple[Outcome, str]] = {}
) -> list[PartResult]:
    """What each part gave, from all checks; `failed` says of parts how their run ended and why, `outcome` of all others
    that have no check."""
    found = []
    for part in about.parts:
        most = about.points_of(part)
        if isinstance(part, ManualPart):
            found.append(PartResult(part.id, part.kind, None, most, part.title, "ran"))
            continue
        own = [check for check in checks if check.part == part.id]
        passed = all(check.passed for check in own if not check.bonus)
        usual: Outcome = ("pass" if passed else "fail") if own else outcome
        ended, why = failed.get(part.id, (usual, ""))
        got = sum((check.points for check in own), 0.0)
        found.append(PartResult(part.id, part.kind, got, most, part.title, ended, why))
    return found


def thinned(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most about CURVE_POINTS events of a curve, the last among them."""
    if len(metrics) <= CURVE_POINTS:
        return metrics
    step = -(-len(metrics) // CURVE_POINTS)
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
