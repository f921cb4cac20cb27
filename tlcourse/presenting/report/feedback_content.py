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
from tlcourse.course.parts import ManualItem
from tlcourse.grading.gradebook.by_hand import ByHand, Request
from tlcourse.grading.gradebook.people import PersonStatus
from tlcourse.grading.gradebook.records import GradeStatus, Override
from tlcourse.grading.result import CheckResult, PartResult, Result
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis
from tlcourse.presenting import verdict as in_words
from tlcourse.presenting.report.late_words import late_note
from tlcourse.presenting.verdict import OUTCOMES, CheckWords, OutcomeWords, check, run
from tlcourse.presenting.words import curve, due, points
from tlcourse.text import line, sentence, without_paths

_FURTHER = re.compile(r"^((?:[\w-]+: )?A further run ended as \w+):.*", re.DOTALL)  # with the part's name before it
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
    """Of a run, whether `fit` returned, and whose it was."""

    fit_s: float
    part: str = ""


class Ended(Struct, frozen=True):
    """A result document without its curve and logs: read in a tenth of the time."""

    outcome: str
    checks: list[CheckResult]
    messages: list[str]
    runs: list[Ran]
    problem: str = ""
    parts: list[PartResult] = []
    schema: int = 1


class HandWords(Struct, frozen=True):
    """One item that an assistant marks."""

    title: str
    points: str
    comment: list[str]
    """Lines."""


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
    errors: ErrorAnalysis | None = None
    """Of validation items."""
    by_hand: list[HandWords] = []
    comment: list[str] = []
    """Lines on the whole."""
    answers: list[tuple[list[str], list[str]]] = []
    """Lines of what was asked, and of the answer."""


def feedback_of(
    exercise: LoadedExercise,
    status: GradeStatus,
    result: Result | None,
    person: str = "",
    answered: Sequence[Request] = (),
) -> Feedback:
    """What to say about a hand-in: to all who handed in, or to one member alone, whom more concerns."""
    hand = status.hand_of(person)
    found = curves(result.metrics if result else [])
    return Feedback(
        title=exercise.about.title,
        owner=line(status.handin.owner) + (f", {line(person)}" if person and len(status.handin.members) > 1 else ""),
        outcome=OUTCOMES[status.outcome],
        points=_points_so_far(exercise, status, person),
        note=_note(exercise, status, person),
        checks=[check(one) for one in result.checks] if result else [],
        next_thing=next_thing(exercise, status, result),
        problem=problem_of(result) if result else "",
        notices=messages_of(result),
        runs=list(dict.fromkeys(run(one, in_full=False) for one in result.runs)) if result else [],
        curves=found,
        curve_words=curve_words(found) if found or exercise.about.model else "",
        errors=result.error_analysis if result and status.outcome != "infra" else None,
        by_hand=[
            HandWords(line(item.title), _points_by_hand(hand, item), _lines(hand.comment_on(item.id)))
            for item in exercise.about.manual
        ],
        comment=_lines(hand.comment_on()),
        answers=[(_lines(one.text), _lines(one.answer)) for one in answered],
    )


def _note(exercise: LoadedExercise, status: GradeStatus, person: str) -> str:
    """What the staff decided; in what all members read, of one no more than that their points differ."""
    notes = []
    decided = status.overrides_of_members.get(person) or status.override
    if decided is not None:
        excused = decided.excused
        notes.append("Excused by the course's staff." if excused else "These points were set by the course's staff.")
        notes += _reason(decided)
    elif said := late_note(status, person):
        late = status.late_of(person)
        notes.append(f"{said}." + (f" It was due {due(late)}." if late is not None and late.whose == "class" else ""))
    if not person and (status.overrides_of_members or status.hands_of_members):
        notes.append("For some of the group the course's staff set points of their own; the platform shows them.")
    if not person and any(map(status.late_alone, status.lates_of_members)):
        notes.append("For some of the group another deadline holds; the platform shows their points.")
    if unset := status.to_mark(person):
        titles = [item.title for item in exercise.about.manual if item.id in unset]
        notes.append(f"Not marked yet: {', '.join(titles)}.")
    return " ".join(notes)


def _reason(decided: Override) -> list[str]:
    return [f"Reason: {sentence(line(decided.why, 2000))}"] if decided.shown else []


def _points_so_far(exercise: LoadedExercise, status: GradeStatus, person: str) -> str:
    got, most = status.points_of(person), exercise.about.max_points
    decided = status.overrides_of_members.get(person) or status.override
    if got is None and decided is None and status.hand_of(person).unset:
        return f"not all of the {most:g} points are given yet"
    return points(got, most)


def _points_by_hand(hand: ByHand, item: ManualItem) -> str:
    got = hand.points_of(item.id)
    return f"{'–' if got is None else f'{got:g}'} of {item.max_points:g}"


def _lines(text: str) -> list[str]:
    return [line(one, 2000) for one in text.splitlines()]


def comments(exercise: LoadedExercise, hand: ByHand) -> str:
    """What assistants wrote, on one line: ` Report: too short. Comment: well done.`"""
    titles = {item.id: item.title for item in exercise.about.manual} | {"": "Comment"}
    said = [
        f"{title}: {' '.join(_lines(hand.comment_on(key)))}" for key, title in titles.items() if hand.comment_on(key)
    ]
    return "".join(f" {one}" for one in said)


def set_by_hand(points_: float | None, most: float) -> str:
    """`0 of 2 points, set by the course's staff.`"""
    return f"{points(points_, most)}, set by the course's staff."


def words_without_handin(exercise: LoadedExercise, one: PersonStatus) -> str:
    """What is said beside the mark of somebody who has no hand-in, and was marked by hand."""
    said = set_by_hand(one.points, exercise.about.max_points)
    if one.shown:
        said += f" Reason: {sentence(line(one.why, 2000))}"
    return said + (comments(exercise, one.hand) if one.hand else "")


def mark_words(exercise: LoadedExercise, status: GradeStatus, person: str, next_: str) -> str:
    """What is said beside somebody's mark: of the points that count for them, and of the verdict."""
    most, hand = exercise.about.max_points, status.hand_of(person)
    decided = status.overrides_of_members.get(person) or status.override
    outcome, added = OUTCOMES[status.outcome].full, comments(exercise, hand)
    if decided is None:
        parts = [f"{item.title}: {_points_by_hand(hand, item)}" for item in exercise.about.manual]
        if parts and status.verdict is not None:
            parts.insert(0, f"checks: {status.verdict.points:g} of {exercise.about.checked_points:g}")
        listed = f" ({'; '.join(parts)})" if parts else ""
        late = f" {said}." if (said := late_note(status, person)) else ""
        return line(f"{outcome}, {points(status.points_of(person), most)}{listed}.{late} {next_}", 1500) + added
    said = "Excused by the course's staff." if decided.excused else set_by_hand(decided.points, most)
    said = " ".join([said, *_reason(decided)])
    if status.verdict is None or not status.graded:
        return said + added
    graded = f"The checks alone gave: {outcome}, {points(status.verdict.points, exercise.about.checked_points)}."
    return line(f"{said} {graded}" if status.outcome == "pass" else f"{said} {graded} {next_}", 3500) + added


def next_thing(exercise: LoadedExercise, status: GradeStatus, result: Result | Ended | None) -> str:
    """What to do next, in one sentence or two."""
    if result is None or status.outcome == "infra":
        return "Nothing: you will hear from us."
    return advice(exercise, result)


def advice(exercise: LoadedExercise, result: Result | Ended) -> str:
    """What mends a hand-in that was graded, in one sentence or two."""
    name, messages = exercise.about.id, messages_of(result)
    if result.outcome == "pass":
        return "Nothing: every check is passed."
    missed = [check for check in result.checks if not check.passed]
    if missed:
        worst = max(missed, key=lambda check: check.max_points)
        return f"{line(worst.title)}: {line(without_paths(in_words.advice(worst))) or f'Improve: {worst.title}.'}"
    words = {
        "fail": f"Hand in what the exercise asks for; tlcourse grade {name} PATH checks it.",
        "crash": f"Fix the exception, then try it: tlcourse grade {name} PATH",
        "timeout": "Train less, or stop in time: task.seconds_left says how much is left.",
        "memory": "Use smaller batches or a smaller network, and keep no history of tensors.",
        "output": "Print once an epoch, not once a batch.",
        "invalid": f"Hand in what the exercise asks for; tlcourse grade {name} PATH checks it.",
    }
    said = messages[-1] if messages else ""
    return f"{said}{'' if said.endswith(('.', '!', '?')) or not said else '.'} {words.get(result.outcome, '')}".strip()


def _returned(result: Result | Ended, part: str = "") -> bool:
    """Whether `fit` returned in some run, of `part` where it has runs of its own: then hidden inputs were inside."""
    own = [run for run in result.runs if part and run.part == part]
    return any(run.fit_s > 0 for run in own or result.runs)


def problem_of(result: Result | Ended) -> str:
    """The traceback of what happened before or in `fit`; "" where there is none, or hidden inputs could be in it."""
    return "" if _returned(result) else without_paths(result.problem)


def messages_of(result: Result | Ended | None) -> list[str]:
    """Notices, and how it ended; in our words where a submission could have put hidden inputs into its own."""
    if result is None:
        return []
    ends = _how_parts_ended(result) if _returned(result) else {}
    return [
        ends[message] if message in ends else line(without_paths(_FURTHER.sub(r"\1.", message)))
        for message in result.messages
    ]


def _how_parts_ended(result: Result | Ended) -> dict[str, str]:
    """Messages that say how the run of a part ended, and what is said in their place. A file is quoted: nothing ran."""
    found: dict[str, str] = {}
    for part in result.parts:
        if part.message and _returned(result, part.id) and (part.kind != "predictions" or part.outcome == "infra"):
            said = _in_our_words(part.kind, part.outcome, part.message)
            found |= {part.message: said, f"{part.id}: {part.message}": f"{part.id}: {said}"}
    older = not any(part.message for part in result.parts)
    if older and result.messages and result.outcome in ("infra", "crash", "invalid", *_LIMITS):
        found[result.messages[-1]] = _in_our_words("model", result.outcome, result.messages[-1])
    return found


def _in_our_words(kind: str, outcome: str, message: str) -> str:
    if outcome == "infra":  # what a grader stumbled over may be a label
        return "The grader failed on this hand-in. That is our mistake, and nothing is counted."
    if kind == "functions":
        how = _LIMITS.get(outcome, "ended, or gave what cannot be read")
        return f"While its functions were called, the solution {how}. What it said is not repeated here."
    if outcome in _LIMITS:  # how much was used was up to it, and could say what it saw
        return f"After fit had returned, the returned module {_LIMITS[outcome]}."
    return _after_fit(message) if outcome == "crash" else _NOT_TAKEN


def _after_fit(message: str) -> str:
    found = _AFTER_FIT.match(message)
    name = found[1] if found and isinstance(getattr(builtins, found[1], None), type) else "An exception"
    return (
        f"{name} was raised while the returned module was called. Its message is not repeated here, because it may "
        "contain hidden inputs; grading it yourself shows it in full."
    )


def curves(metrics: Sequence[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """The curves of logged metrics, by name."""
    found: dict[str, list[tuple[float, float]]] = {}
    for event in metrics:
        for name, value in event["values"].items():
            found.setdefault(line(name, 40), []).append((float(event["step"]), float(value)))
    return found


def curve_words(curves: dict[str, list[tuple[float, float]]]) -> str:
    if not curves:
        return "The solution logged no curve; task.log(step, loss=…) makes one."
    return " ".join(curve(name, values) for name, values in list(curves.items())[:4])
