"""A part `model`: `fit(task)` is run, the module that it returns predicts hidden inputs, and those are measured."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.parts import FunctionsPart, ModelPart
from tlcourse.course.programs import files_in
from tlcourse.course.spec import DATA, TaskSpec
from tlcourse.data import FULL
from tlcourse.data.real import weights
from tlcourse.errors import InfraError, UnableError
from tlcourse.execution import items
from tlcourse.execution.answers import Raised
from tlcourse.execution.arrays import (
    CALLS,
    BadArraysError,
    order_of,
    read_predictions,
    require_rows,
    taken_first,
)
from tlcourse.execution.spec import RunReport, RunSpec, RunStatus
from tlcourse.grading.grader import Grader
from tlcourse.grading.graph import OfGraph, measured_on_graph
from tlcourse.grading.options import Options
from tlcourse.grading.parts.functions import answers_in, call_spec, calls_document, decided
from tlcourse.grading.parts.marking import (
    Marked,
    Marking,
    further_seed,
    limits_of,
    record_of,
    task_seed,
    told,
    verdict_on,
)
from tlcourse.grading.result import ValidationResult
from tlcourse.grading.run_data import Data, public_data
from tlcourse.grading.scoring.calls import Case
from tlcourse.grading.scoring.decide import decide, few_items, is_near_miss
from tlcourse.grading.scoring.error_analysis import ITEMS, ErrorAnalysis
from tlcourse.grading.scoring.measurement import Measurement
from tlcourse.text import sentence

_log = logging.getLogger(__name__)


def mark(marking: Marking, part: ModelPart) -> list[Marked]:
    """One run, after a near miss as many as the exercise allows, and what is decided on all of them together."""
    about = marking.exercise.about
    runs = _runs(marking, part)
    for one in runs:
        _raise_for_missing_device(one.report, marking.options.device)
    first, last = runs[0].report, runs[-1].report
    marked = replace(
        _decided(marking, part, runs),
        runs=[record_of(one.report, one.seed, marking.options, about, one.measured, part.id) for one in runs],
        data_sha256=runs[0].data_sha256,
        torch=first.torch,
        problem=last.problem.trace if last.problem else "",
        metrics=first.metrics,
        error_analysis=runs[0].error_analysis,
        validation=runs[0].validation,
    )
    after = about.functions
    if after is None or after.after != part.id:
        return [marked]
    return [marked, _called(marking, after, runs[0])]


def _called(marking: Marking, part: FunctionsPart, first: MeasuredRun) -> Marked:
    """What the calls gave that came after the predictions of the first run."""
    if first.calls is None or not first.calls.began:
        ended = first.report.status
        if not marking.scored:
            return Marked(part.id, "ran" if ended == "done" else ended, message=sentence(first.report.message))
        said = "Nothing was called: there is no trained module for it."
        return Marked(part.id, "crash" if ended == "done" else ended, message=said)
    answers = answers_in(first.calls.frames, first.calls.order, part)
    left = [number for number in first.calls.order if number not in answers]
    if left and first.report.status != "infra":
        answers[left[0]] = Raised("died", said=first.report.message)
    return decided(marking, part, first.calls.cases, answers, first.report)


def _runs(marking: Marking, part: ModelPart) -> list[MeasuredRun]:
    about = marking.exercise.about
    first = run_and_measure(marking, marking.options.seed, calling=True)
    rules, policy = about.checks_of(part), about.policy
    if first.status != "done" or not first.measured or not is_near_miss(rules, first.measured, policy):
        return [first]
    seeds = [further_seed(marking.options.seed, i) for i in range(1, policy.seeds)]
    return [first, *(run_and_measure(marking, seed) for seed in seeds)]


def _decided(marking: Marking, part: ModelPart, runs: list[MeasuredRun]) -> Marked:
    """The outcome, messages, and the checks: from all runs that gave predictions."""
    failed = next((one for one in runs if one.status == "infra"), None)
    if runs[0].status != "done":
        failed = runs[0]
    if failed is not None and failed.status != "done":
        return Marked(part.id, failed.status, message=sentence(failed.message))
    if not marking.scored:
        said = "fit returned a module whose outputs have the right shapes; nothing was scored."
        return Marked(part.id, "ran", messages=[said])
    about, done = marking.exercise.about, [one for one in runs if one.status == "done"]
    rules, messages = about.checks_of(part), []
    if len(runs) > 1:
        messages.append(
            f"The first run missed a bar by so little that chance may explain it; "
            f"{len(done)} runs with different seeds were decided on together."
        )
    messages += [f"A further run ended as {one.status}: {one.message}" for one in runs if one not in done]
    messages += few_items(rules, done[0].measured)
    messages += dict.fromkeys(one.of_graph.in_words() for one in done if one.of_graph)
    checks = decide(rules, [one.measured for one in done], about.policy)
    messages += [
        f"{check.id} misses its bar by no more than chance explains with n = {check.n}: the doubt is yours."
        for check in checks
        if check.status == "in doubt"
    ]
    return Marked(part.id, verdict_on(checks), checks=checks, messages=messages)


def _raise_for_missing_device(report: RunReport, device: str) -> None:
    if report.problem and report.problem.kind == "no_device" and not report.device:
        raise UnableError(
            f"{device} cannot be used here: {report.problem.message}.",
            cause="there is no such device, its driver is missing, or this torch was built without it.",
            remedy="leave --device away, or say --device cpu; tlcourse doctor shows what torch sees.",
        )


class MeasuredRun(Struct, frozen=True):
    """How one run ended, and what was measured on its predictions (nothing, unless it ended as `done`)."""

    seed: int
    data_sha256: str
    report: RunReport
    status: RunStatus
    message: str
    measured: Mapping[str, Measurement]
    of_graph: OfGraph | None = None
    """What was measured on the module's graph; None where none was asked for."""
    error_analysis: ErrorAnalysis | None = None
    validation: ValidationResult | None = None
    calls: Calls | None = None


class Calls(Struct, frozen=True):
    """Functions that were called once the module was trained, in the order of this run, and what came out."""

    cases: list[Case]
    order: list[int]
    frames: bytes = b""
    began: bool = False
    """Whether predictions had come out, so that the calls were made."""


def run_and_measure(marking: Marking, seed: int, *, calling: bool = False) -> MeasuredRun:
    """Train on the data of `seed`; where it is scored also predict its test inputs, and measure the predictions.

    `calling`: whether functions that come after it are called, too; what they do takes nothing from the predictions.
    """
    exercise, grader, options = marking.exercise, marking.grader, replace(marking.options, seed=seed)
    data = grader.make(seed, options.variant) if grader else public_data(exercise, seed, options.variant)
    looked_at = marking.scored and grader is not None and (grader.analyses_errors or exercise.about.board)
    analysed = min(items.count(data.val["x"]), ITEMS) if looked_at else 0
    plain = spec = _spec(marking, data, options, analysed)
    functions, calls = marking.exercise.about.functions, None
    if calling and functions is not None and functions.after and grader is not None and marking.scored:
        cases = grader.cases(seed, data)
        calls = Calls(cases, [int(i) for i in order_of(spec.order_seed, len(cases))])
        spec = _with_calls(spec, functions, calls)
    report = marking.run(spec, marking.on_event)
    if calls is not None:
        frames, predicted = taken_first(report.results)
        calls = replace(calls, frames=frames, began=bool(predicted))
        if predicted and report.status not in ("done", "infra"):  # a call ended the process, after the predictions
            report = replace(report, results=predicted)
            measured = _measured(marking, grader, plain, replace(report, status="done"), data, seed)
            return replace(measured, report=report, calls=calls)
        report = replace(report, results=predicted)
    return replace(_measured(marking, grader, plain, report, data, seed), calls=calls)


def _with_calls(spec: RunSpec, part: FunctionsPart, calls: Calls) -> RunSpec:
    """The same run with calls behind its predictions."""
    document = np.frombuffer(calls_document(calls.cases, calls.order), np.uint8)
    task_spec = replace(spec.task_spec, calls=call_spec(part, len(calls.order)))
    return replace(spec, task_spec=task_spec, test_inputs={**(spec.test_inputs or {}), CALLS: document})


def _measured(
    marking: Marking, grader: Grader | None, spec: RunSpec, report: RunReport, data: Data, seed: int
) -> MeasuredRun:
    if report.status != "done" or grader is None or not marking.scored:
        return MeasuredRun(seed, data.sha256, report, report.status, report.message, {})
    try:
        order = order_of(spec.order_seed, items.count(data.test["x"]))
        predictions = _in_order(read_predictions(report.results, len(order), spec.task_spec.outputs), order)
        require_rows(predictions, data.test["x"], spec.task_spec.outputs)
    except BadArraysError as error:
        return MeasuredRun(seed, data.sha256, report, "invalid", f"{error}.", {})
    of_graph = None
    if spec.task_spec.graph and report.probes.get("shared_share") != 0:  # nobody forges that they share nothing
        of_graph = measured_on_graph(spec, report, marking.run)
    probes = report.probes
    if of_graph and of_graph.probes:
        probes, predictions = of_graph.probes, _in_order(of_graph.predictions, order)
    try:
        measured = grader.measure(data.test, predictions, probes)
    except InfraError as error:  # this hand-in's alone: whatever it predicted, it is no reason to stop the others
        return MeasuredRun(seed, data.sha256, report, "infra", error.what, {})
    if of_graph and of_graph.probes:
        measured = {name: replace(one, self_reported=False) for name, one in measured.items()}
    errors, validation = _on_validation(grader, data, spec, report)
    return MeasuredRun(seed, data.sha256, report, "done", report.message, measured, of_graph, errors, validation)


def _on_validation(
    grader: Grader, data: Data, spec: RunSpec, report: RunReport
) -> tuple[ErrorAnalysis | None, ValidationResult | None]:
    """What went most wrong on validation items, and what is measured on them for the exercise's board.

    None where that cannot be said, whatever the reason. The predictions were made before the run was given its test
    inputs, so that nothing of those can be in them. They count for nothing: what is wrong with them, or with the
    grader's view of them, ends no grading.
    """
    n = spec.task_spec.val_predictions
    if not n or not report.val_predictions:
        return None, None
    val = items.part(data.val, slice(n))
    try:
        predictions = read_predictions(report.val_predictions, n, spec.task_spec.outputs)
        require_rows(predictions, val["x"], spec.task_spec.outputs)
    except BadArraysError as error:
        _log.warning("no predictions of validation items: %s", error)
        return None, None
    errors = validation = None
    try:
        errors = grader.analyse_errors(val, predictions) if grader.analyses_errors else None
    except InfraError as error:
        _log.warning("no error analysis: %s", error)
    try:
        validation = grader.measure_for_board(val, predictions) if grader.about.board else None
    except InfraError as error:
        _log.warning("nothing measured for the board: %s", error)
    return errors, validation


def _in_order(shuffled: Mapping[str, Any], order: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Predictions back beside their labels."""
    return {name: items.part(value, np.argsort(order)) for name, value in shuffled.items()}


def _spec(marking: Marking, data: Data, options: Options, analysed: int) -> RunSpec:
    about, scored = marking.exercise.about, marking.scored
    task_spec = TaskSpec(
        exercise=about.id,
        variant=options.variant,
        targets=about.targets,
        outputs=about.outputs,
        seed=task_seed(options),
        seconds=about.seconds,
        device=options.device,
        threads=options.threads,
        predict=scored,
        graph=about.graph,
        val_predictions=analysed,
    )
    return RunSpec(
        task_spec=task_spec,
        submission=marking.submission.folder,
        train=data.sent.train,
        val=data.sent.val,
        test_inputs=data.sent.test_inputs if scored else None,
        order_seed=told(options, marking.order),
        limits=limits_of(about, options),
        sandbox_kind=options.sandbox_kind,
        wall_time_given=options.wall_time_s is not None,
        files={
            **{f"{DATA}/{name}": path for name, path in files_in(marking.exercise.data.public).items()},
            **(weights.for_submission(marking.submission.folder) if options.variant == FULL else {}),
        },
    )
