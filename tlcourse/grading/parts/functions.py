"""A part `functions`: what was written is called by name, each call alone, and the staff side judges the answers.

The cases go into the sandbox as test inputs do, after the solution was loaded, in an order of this run's own; what is
expected stays here. A case that ends the process costs itself: the others are asked in a further run.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.model import Exercise, LoadedExercise
from tlcourse.course.parts import FunctionsPart
from tlcourse.course.programs import files_in
from tlcourse.course.spec import CELL, DATA, CallSpec, TaskSpec
from tlcourse.errors import InfraError
from tlcourse.execution.answers import AnswerError, Raised, Ref, read_frames, to_bytes
from tlcourse.execution.arrays import CALLS, order_of
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.grading.grader import Grader
from tlcourse.grading.parts.cells import PUBLIC, CellCase
from tlcourse.grading.parts.marking import Marked, Marking, limits_of, record_of, task_seed, told, verdict_on
from tlcourse.grading.scoring.calls import Call, Case
from tlcourse.grading.scoring.decide import decide
from tlcourse.grading.scoring.measurement import Measurement
from tlcourse.text import harmless, sentence

RUNS = 5
"""At most: a call that ends its process costs a run, and the cases behind it are asked in the next one."""
_SAID = 3
"""Cases that went wrong, of each check, of which is said how."""
_TRIES, _FEW, _JOINED = 576, 16, 16
"""Measurements that answers which a grader cannot look at may cost; the answers that are then looked at one by one;
and the measurements of many that follow."""


def mark(marking: Marking, part: FunctionsPart) -> Marked:
    """Call everything in runs of their own; for functions that need no trained module."""
    about, grader = marking.exercise.about, marking.grader
    if grader is None or not marking.scored:
        return _tried(marking, part)
    data = grader.make(marking.options.seed, marking.options.variant) if about.model else None
    cases = grader.cases(marking.options.seed, data)
    answers, reports = _answered(marking, part, cases)
    first = reports[0]
    marked = decided(marking, part, cases, answers, first)
    records = [
        replace(record_of(one, marking.options.seed, marking.options, about, {}, part.id), calls=len(cases))
        for one in reports
    ]
    return replace(
        marked, runs=records, torch=first.torch, problem=first.problem.trace if first.problem else "", data_sha256=""
    )


def _tried(marking: Marking, part: FunctionsPart) -> Marked:
    """For `tlcourse run`: the solution is loaded, and nothing called."""
    report = marking.run(_spec(marking, part, [], b""), marking.on_event)
    records = [record_of(report, marking.options.seed, marking.options, marking.exercise.about, {}, part.id)]
    if report.status != "done":
        trace = report.problem.trace if report.problem else ""
        return Marked(part.id, report.status, message=sentence(report.message), runs=records, problem=trace)
    return Marked(part.id, "ran", messages=["The solution was loaded; nothing was called."], runs=records)


def _answered(marking: Marking, part: FunctionsPart, cases: Sequence[Case]) -> tuple[dict[int, Any], list[RunReport]]:
    """Answers by the number of their case, and the runs that it took."""
    order = [int(i) for i in order_of(told(marking.options, marking.order), len(cases))]
    answers: dict[int, Any] = {}
    reports: list[RunReport] = []
    left_s = marking.exercise.about.limits.cpu_s
    fatal: set[str] = set()
    while order and len(reports) < RUNS and left_s > 0:
        spec = _spec(marking, part, order, calls_document(cases, order))
        spec = replace(spec, limits=replace(spec.limits, cpu_s=left_s))
        report = marking.run(spec, marking.on_event)
        reports.append(report)
        answers |= answers_in(report.results, order, part)
        order = [number for number in order if number not in answers]
        if report.status == "infra" or not order or not _was_calling(report):
            break
        said = "the process ended" if report.status == "done" else report.message
        answers[order[0]] = Raised("died", said=said)  # it was under way when the process ended
        fatal |= {one.name for one in cases[order.pop(0)].calls}
        order.sort(key=lambda number: any(one.name in fatal for one in cases[number].calls))  # others come first now
        left_s -= report.usage.reference_s
    return answers, reports


def _was_calling(report: RunReport) -> bool:
    """Whether the solution had been loaded, so that a call ended the process."""
    loaded = report.usage.fit_s > 0
    return loaded and (report.problem is None or (report.problem.kind == "exception" and bool(report.results)))


def _spec(marking: Marking, part: FunctionsPart, order: Sequence[int], document: bytes) -> RunSpec:
    about, options = marking.exercise.about, marking.options
    task_spec = TaskSpec(
        exercise=about.id,
        variant=options.variant,
        targets=(),
        outputs=(),
        seed=task_seed(options),
        seconds=about.seconds,
        device="cpu",
        threads=options.threads,
        predict=bool(document),
        calls=call_spec(part, len(order)),
    )
    return RunSpec(
        task_spec=task_spec,
        submission=marking.submission.folder,
        train={},
        val={},
        test_inputs={CALLS: np.frombuffer(document, np.uint8)} if document else None,
        limits=limits_of(about, options),
        sandbox_kind=options.sandbox_kind,
        wall_time_given=options.wall_time_s is not None,
        files=_public_files(marking.exercise),
    )


def _public_files(exercise: LoadedExercise) -> dict[str, Path]:
    """The exercise's public data, for notebooks that read them: they lie beside them. Tests are no data."""
    named = {f"{DATA}/{name}": path for name, path in files_in(exercise.data.public).items()}
    return {name: path for name, path in named.items() if name != PUBLIC}


def call_spec(part: FunctionsPart, count: int) -> CallSpec:
    """What the worker is told about so many cases."""
    return CallSpec(tuple(part.defines), count, part.call_s, part.call_mb, part.answer_kb, part.after)


def calls_document(cases: Sequence[Case], order: Sequence[int]) -> bytes:
    """What goes into the sandbox: numbers of cases in their order here, and calls. Raises InfraError."""
    try:
        return to_bytes(
            [
                [at, [[one.name, one.args, one.kwargs, one.keep, one.take] for one in cases[number].calls]]
                for at, number in enumerate(order)
            ]
        )
    except AnswerError as error:
        raise InfraError(
            f"The grader's cases cannot be handed over: an argument {error}.",
            cause="arguments are plain values and arrays.",
            remedy="tlcourse author check",
        ) from None


def answers_in(results: bytes, order: Sequence[int], part: FunctionsPart) -> dict[int, Any]:
    """What came out, by the number of its case: each once, in the order in which they were asked."""
    found: dict[int, Any] = {}
    for expected, (at, answer) in enumerate(read_frames(results, part.answer_kb)):
        if at != expected or at >= len(order):  # no worker of ours does that
            break
        found[order[at]] = answer
    return found


def decided(
    marking: Marking, part: FunctionsPart, cases: Sequence[Case], answers: Mapping[int, Any], report: RunReport
) -> Marked:
    """What the answers are worth; a case without one is wrong."""
    about, grader = marking.exercise.about, marking.grader
    assert grader is not None
    if report.status == "infra" or (not answers and report.status != "done"):
        return Marked(part.id, report.status, message=sentence(report.message))
    missing = Raised("died", said="the run had ended before")
    everything = [answers.get(number, missing) for number in range(len(cases))]
    try:
        measured, everything = _measured(grader, about.checks_of(part), cases, everything)
    except InfraError as error:
        return Marked(part.id, "infra", message=error.what)
    checks = decide(about.checks_of(part), [measured], about.policy)
    in_full = marking.options.seed_source == "public"
    said = list(_in_words(about, part, cases, everything, grader, in_full=in_full))
    return Marked(part.id, verdict_on(checks), checks=checks, messages=said)


def _measured(
    grader: Grader, rules: Sequence[CheckRule], cases: Sequence[Case], answers: list[Any]
) -> tuple[dict[str, Measurement], list[Any]]:
    """What the grader measures, and the answers that it could look at.

    Where it fails on answers, and not where there are none, the value is the student's: each that it cannot look at
    costs its own case. Raises InfraError where the grader fails on none at all. However many it cannot look at, that
    takes no more than _TRIES measurements, of few answers each, and _JOINED of many.
    """
    try:
        return grader.measure_calls(rules, cases, answers), answers
    except InfraError:
        lost = Raised("answer", said="the grader cannot look at beside the others")
    none = [one if isinstance(one, Raised) else lost for one in answers]
    found, kept = grader.measure_calls(rules, cases, none), none
    fit, left = list[tuple[int, int]](), _TRIES

    def is_fit(at: int, end: int) -> bool:
        """Whether the grader can look at these by themselves; of one alone it is kept why it cannot."""
        nonlocal left
        if all(isinstance(one, Raised) for one in answers[at:end]):
            return True
        if left <= 0:
            return False
        left -= 1
        try:
            grader.measure_calls(rules, cases, [*none[:at], *answers[at:end], *none[end:]])
        except InfraError as error:
            if end - at == 1:
                none[at] = Raised("answer", said=f"the grader cannot look at: {error.what}"[:400])
            return False
        fit.append((at, end))
        return True

    failing = [(0, len(answers))]
    for at, end in failing:  # the largest first: halves of what fails, and at last one answer after the other
        if end - at <= _FEW:
            for number in range(at, end):
                is_fit(number, number + 1)
            continue
        middle = (at + end) // 2
        first = is_fit(at, middle)
        if not first:
            failing.append((at, middle))
        if first or not is_fit(middle, end):  # where the first half is fit, it is the second that fails
            failing.append((middle, end))
    for group in (fit, *([one] for one in fit[:_JOINED])):  # together, else one after another
        tried = list(kept)
        for at, end in group:
            tried[at:end] = answers[at:end]
        try:
            found, kept = grader.measure_calls(rules, cases, tried), tried
        except InfraError:
            continue
        if group is fit:
            break
    return found, kept


def _in_words(
    about: Exercise,
    part: FunctionsPart,
    cases: Sequence[Case],
    answers: Sequence[Any],
    grader: Grader,
    *,
    in_full: bool,
) -> list[str]:
    """Of each check, how the first cases went wrong.

    In a graded batch nothing that came from the sandbox is repeated, of no case: a submission that has seen hidden ones
    could say there what it saw. Of a public case the arguments are said, and students call it themselves.
    """
    said: list[str] = []
    for rule in about.checks_of(part):
        wrong = []
        for one, answer in zip(cases, answers, strict=True):
            # with the public seed everybody can draw the cases; the test of a notebook is hidden with every seed
            is_open = in_full and (one.public or not isinstance(one, CellCase))
            if one.check == rule.id and (why := grader.wrong_with(one, answer, values=is_open)):
                wrong.append(_case_in_words(one, answer, why, in_full=is_open))
        of_one_kind = list(dict.fromkeys(wrong))
        said += [f"{rule.title}: {text}" for text in of_one_kind[:_SAID]]
        if len(of_one_kind) > _SAID:
            said.append(f"{rule.title}: and {len(of_one_kind) - _SAID} more of its cases are wrong.")
    return said


def _case_in_words(one: Case, answer: Any, why: str, *, in_full: bool) -> str:
    """`softmax(array of float64 (5, 3)) raised ValueError: … (solution.py, line 5, in softmax).`"""
    at = answer.call if isinstance(answer, Raised) and 0 <= answer.call < len(one.calls) else len(one.calls) - 1
    public = one.public or in_full
    which = call_in_words(one.calls[at]) if public else f"{one.calls[at].name} in a hidden case"
    if isinstance(answer, Raised) and answer.kind in ("todo", "missing"):  # whatever it is called with
        which = one.calls[at].name
    if isinstance(answer, Raised):
        return harmless(sentence(f"{which} {_raised_in_words(answer, in_full=in_full)}"))[:600]
    return harmless(sentence(f"{which}: {why}"))[:600]


_BUILTIN = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)


def _raised_in_words(raised: Raised, *, in_full: bool) -> str:
    place = f" ({raised.place})" if raised.place and in_full else ""
    match raised.kind:
        case "missing":
            return "has nothing to call: it is not defined"
        case "todo":
            return f"is not written yet{place}"
        case "slow":
            return f"took longer than a call may{place}"
        case "memory":
            return f"took more memory than a call may{place}"
        case "died":
            return f"gave no answer: {raised.said}" if in_full else "gave no answer: it ended the process"
        case "answer":
            return f"gave an answer that {raised.said}" if in_full else "gave an answer that cannot be read or judged"
    if in_full:
        return f"raised {raised.type}: {raised.said}{place}"
    return f"raised {raised.type if raised.type in _BUILTIN else 'an exception'}"


def call_in_words(one: Call) -> str:
    """A call as one would write it, its arrays by type and shape unless they are small."""
    if one.name.startswith(CELL):
        return one.name
    given = [_argument(value) for value in one.args]
    given += [f"{name}={_argument(value)}" for name, value in one.kwargs.items()]
    return f"{one.name}({', '.join(given)})"[:300]


def _argument(value: Any) -> str:
    if isinstance(value, np.ndarray):
        plain = np.round(value, 4).tolist() if value.dtype.kind == "f" else value.tolist()
        return f"array({plain!r})" if value.size <= 6 else f"<{value.dtype} array {value.shape}>"
    text = value.name if isinstance(value, Ref) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
