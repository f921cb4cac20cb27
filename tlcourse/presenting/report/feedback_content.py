"""What feedback says, before it is Markdown or HTML: only what the person who handed in may know.

Left out on purpose: what was printed, because after `fit` the module is called on hidden inputs and may print them;
for the same reason what an exception says once `fit` has returned, and how much time and memory was used in all;
seeds; hashes of data; paths.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from tlcourse.course.model import LoadedExercise
from tlcourse.grading.gradebook.records import GradeStatus
from tlcourse.grading.result import CheckResult, Result
from tlcourse.presenting.verdict import OUTCOMES, CheckWords, OutcomeWords, check, run
from tlcourse.presenting.words import curve, points
from tlcourse.text import line, without_paths

_FURTHER = re.compile(r"^(A further run ended as \w+):.*", re.DOTALL)
_AFTER_FIT = re.compile(r"^(\w+) while the returned module was called")
_NOT_TAKEN = (
    "What the returned module gave for the hidden inputs is not what the exercise asks for: names, shapes, types, and "
    "finite numbers only. It is not repeated here, because it may contain hidden inputs; grading it yourself shows it."
)
_LIMITS = {
    "timeout": "took longer than is allowed",
    "memory": "used more memory than is allowed",
    "output": "printed or sent more than is allowed",
}


class Ran(Struct, frozen=True):
    """Of a run, whether `fit` returned."""

    fit_s: float


class Ended(Struct, frozen=True):
    """A result document without its curve and logs: read in a tenth of the time."""

    outcome: str
    checks: list[CheckResult]
    messages: list[str]
    runs: list[Ran]
    problem: str = ""
    schema: int = 1


class Feedback(Struct, frozen=True):
    """One hand-in's feedback, as text."""

    title: str
    owner: str
    outcome: OutcomeWords
    points: str
    note: str
    checks: list[CheckWords]
    next_thing: str
    problem: str
    """A traceback of what happened before or in `fit`."""
    notices: list[str]
    runs: list[str]
    curves: dict[str, list[tuple[float, float]]]
    curve_words: str


def feedback_of(exercise: LoadedExercise, status: GradeStatus, result: Result | None) -> Feedback:
    """What to say about a hand-in."""
    curves = _curves(result.metrics if result else [])
    return Feedback(
        title=exercise.about.title,
        owner=line(status.handin.owner),
        outcome=OUTCOMES[status.outcome],
        points=points_of(exercise, status),
        note=_note(status),
        checks=[check(one) for one in result.checks] if result else [],
        next_thing=next_thing(exercise, status, result),
        problem=without_paths(result.problem) if result and not _returned(result) else "",
        notices=_messages(result),
        runs=[run(one, in_full=False) for one in result.runs] if result else [],
        curves=curves,
        curve_words=_curve_words(curves),
    )


def _note(status: GradeStatus) -> str:
    """What the staff decided; of one member no more than that their points differ, as all members read this."""
    notes = []
    if status.override is not None:
        excused = status.override.excused
        notes.append("Excused by the course's staff." if excused else "These points were set by the course's staff.")
    if status.overrides_of_members:
        notes.append("For some of the group the course's staff set points of their own; the platform shows them.")
    return " ".join(notes)


def points_of(exercise: LoadedExercise, status: GradeStatus) -> str:
    """`8 of 10 points`, or `– of 10 points` before there is a verdict."""
    return points(status.points, sum(rule.points for rule in exercise.about.checks))


def set_by_hand(points_: float | None, most: float) -> str:
    """`0 of 2 points, set by the course's staff.`"""
    return f"{points(points_, most)}, set by the course's staff."


def mark_words(exercise: LoadedExercise, status: GradeStatus, person: str, next_: str) -> str:
    """What is said beside somebody's mark: of the points that count for them, and of the verdict."""
    most = sum(rule.points for rule in exercise.about.checks)
    decided = status.overrides_of_members.get(person) or status.override
    outcome = OUTCOMES[status.outcome].full
    if decided is None:
        return f"{outcome}, {points_of(exercise, status)}. {next_}"
    said = "Excused by the course's staff." if decided.excused else set_by_hand(decided.points, most)
    if status.verdict is None or status.outcome == "infra":
        return said
    graded = f"The checks alone gave: {outcome}, {points(status.verdict.points, most)}."
    return f"{said} {graded}" if status.outcome == "pass" else f"{said} {graded} {next_}"


def next_thing(exercise: LoadedExercise, status: GradeStatus, result: Result | Ended | None) -> str:
    """What to do next, in one sentence or two."""
    name, messages = exercise.about.id, _messages(result)
    if result is None or status.outcome == "infra":
        return "Nothing: you will hear from us."
    if result.outcome == "pass":
        return "Nothing: every check is passed."
    missed = [check for check in result.checks if not check.passed]
    if missed:
        worst = max(missed, key=lambda check: check.max_points)
        advice = line(without_paths(worst.message)) or f"Improve: {worst.title}."
        return f"{line(worst.title)}: {advice}"
    words = {
        "crash": f"Fix the exception, then try it: tlcourse grade {name} PATH",
        "timeout": "Train less, or stop in time: task.seconds_left says how much is left.",
        "memory": "Use smaller batches or a smaller network, and keep no history of tensors.",
        "output": "Print once an epoch, not once a batch.",
        "invalid": f"Hand in what the exercise asks for; tlcourse grade {name} PATH checks it.",
    }
    said = messages[-1] if messages else ""
    return f"{said}{'' if said.endswith(('.', '!', '?')) or not said else '.'} {words.get(result.outcome, '')}".strip()


def _returned(result: Result | Ended) -> bool:
    """Whether `fit` returned in some run: from then on hidden inputs were inside."""
    return any(run.fit_s > 0 for run in result.runs)


def _messages(result: Result | Ended | None) -> list[str]:
    """Notices, and how it ended; in our words where a submission could have put hidden inputs into its own."""
    if result is None:
        return []
    said = [line(without_paths(_FURTHER.sub(r"\1.", message))) for message in result.messages]
    if result.outcome == "infra" and _returned(result):  # what a grader stumbled over may be a label
        return [*said[:-1], "The grader failed on this hand-in. That is our mistake, and nothing is counted."]
    if (
        result.outcome in _LIMITS and _returned(result) and said
    ):  # how much was used was up to it, and could say what it saw
        return [*said[:-1], f"After fit had returned, the returned module {_LIMITS[result.outcome]}."]
    if result.outcome in ("crash", "invalid") and _returned(result):
        last = result.messages[-1] if result.messages else ""
        return [*said[:-1], _after_fit(last) if result.outcome == "crash" else _NOT_TAKEN]
    return said


def _after_fit(message: str) -> str:
    found = _AFTER_FIT.match(message)
    name = found[1] if found and isinstance(getattr(builtins, found[1], None), type) else "An exception"
    return (
        f"{name} was raised while the returned module was called. Its message is not repeated here, because it may "
        "contain hidden inputs; grading it yourself shows it in full."
    )


def _curves(metrics: Sequence[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for event in metrics:
        for name, value in event["values"].items():
            curves.setdefault(line(name, 40), []).append((float(event["step"]), float(value)))
    return curves


def _curve_words(curves: dict[str, list[tuple[float, float]]]) -> str:
    if not curves:
        return "The solution logged no curve; task.log(step, loss=…) makes one."
    return " ".join(curve(name, values) for name, values in list(curves.items())[:4])
