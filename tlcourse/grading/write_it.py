"""Checking a method that a student wrote: in the sandbox, beside the checks of its write-it exercise.

What a check says comes from beside student code. It is shown to the student, and is no mark of anybody's.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from tlcourse.course.exercise import staff_files, staff_text
from tlcourse.course.model import LoadedCourse
from tlcourse.course.spec import Limits, TaskSpec
from tlcourse.course.write_it import CHECKS, FOLDER, SKELETON, WriteIt, folder_of
from tlcourse.errors import UnableError
from tlcourse.execution.spec import Checked, Outcome, RunReport, RunSpec
from tlcourse.execution.speed import known_speed
from tlcourse.execution.supervise import run
from tlcourse.grading.intake.submission import SOLUTION, collect
from tlcourse.grading.write_it_result import CheckState, WriteItResult
from tlcourse.located import decode, read_text
from tlcourse.sandbox.base import Sandbox
from tlcourse.sandbox.choose import choose
from tlcourse.storage import scratch_folder
from tlcourse.text import sentence
from tlcourse.torch_install import require_torch

LIMITS = Limits(wall_time_s=180.0, cpu_s=60.0, memory_mb=4096, processes=256, scratch_mb=64, output_kb=64)
"""Of all checks of one exercise together."""
CHECK_S = 10.0
"""CPU seconds that one check may take."""
SEED = 1
REFERENCE, WRONG = "reference.py", "wrong.yaml"
"""In `graders/write/NAME`: what must pass, and what of it is replaced so that it fails."""
OnEvent = Callable[[dict[str, Any]], None]


def check(
    course: LoadedCourse, one: WriteIt, path: Path, sandbox_kind: str = "auto", on_event: OnEvent = lambda _: None
) -> WriteItResult:
    """Run all checks of `one` on the file `path`; raises SubmissionError and UnableError."""
    require_torch(f"Checking {one.id}")
    sandbox, missing = choose(sandbox_kind)
    return check_in(sandbox, folder_of(course, one), one, path, on_event, notice=missing)


def check_in(
    sandbox: Sandbox,
    folder: Path,
    one: WriteIt,
    path: Path,
    on_event: OnEvent = lambda _: None,
    notice: str = "",
    seconds: float = CHECK_S,
) -> WriteItResult:
    """The same in a sandbox that is there already; `folder` holds the exercise's `checks.py`.

    `seconds`: of CPU, for each check.
    """
    spec = TaskSpec(
        exercise=one.id,
        variant="mini",
        targets=(),
        outputs=(),
        seed=SEED,
        seconds=seconds,
        device="cpu",
        threads=1,
        predict=False,
        speed=known_speed(1),
        defines=one.defines,
        checks=tuple(one.checks),
    )
    with scratch_folder("submission") as scratch:
        submission = collect(path, scratch, own=True)
        files = {CHECKS: folder / CHECKS}
        job = RunSpec(spec, submission.folder, {}, {}, None, LIMITS, sandbox_kind=sandbox.name, files=files)
        report = run(job, sandbox, on_event)
    own_name = path.name if path.suffix == ".py" else SOLUTION
    checks = [_state(name, title, report, own_name) for name, title in one.checks.items()]
    passed = sum(state.status == "pass" for state in checks)
    messages = [sentence(_named(report.message, own_name))] if report.status != "done" else []
    return WriteItResult(
        write=one.id,
        outcome=_outcome(report, passed == len(checks)),
        passed=passed,
        checks=checks,
        path=str(path),
        sha256=submission.sha256,
        finished_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        messages=[*submission.notices, *messages, *([notice] if notice else [])],
        log=_named(report.log, own_name),
        problem=_named(report.problem.trace, own_name) if report.problem else "",
        sandbox=report.sandbox,
    )


def _outcome(report: RunReport, all_passed: bool) -> Outcome:
    if report.status == "done":
        return "pass" if all_passed else "fail"
    return report.status


def _state(name: str, title: str, report: RunReport, own_name: str) -> CheckState:
    said = next((one for one in report.checks if one.id == name), Checked(name, "todo"))
    if said not in report.checks:
        return CheckState(name, title, "not run")
    return CheckState(name, title, said.status, _named(said.message, own_name), _named(said.trace, own_name))


def _named(text: str, own_name: str) -> str:
    """What was collected as `solution.py` has, for its author, the name of the file."""
    return text.replace(SOLUTION, own_name)


class Wrong(Struct, frozen=True, forbid_unknown_fields=True):
    """A wrong twin of the reference: one place of it is replaced, and one check must see it."""

    fails: str
    """The one check that does not pass."""
    what: str
    replace: tuple[str, str]
    """A text that the reference holds once, and what stands in its place."""


class _Wrongs(Struct, frozen=True, forbid_unknown_fields=True):
    wrong: list[Wrong]


def reference_and_wrongs(graders: Path, one: WriteIt) -> tuple[str, list[Wrong]]:
    """The reference as text and its wrong twins, as staff keep them; "" and none where they are not here.

    Raises ContentError.
    """
    kept = {path.name: path for path in staff_files(graders, f"{FOLDER}/{one.id}")}
    reference = staff_text(kept[REFERENCE]) if REFERENCE in kept else ""
    wrongs = decode(staff_text(kept[WRONG]), _Wrongs, kept[WRONG]).wrong if WRONG in kept else []
    return reference, wrongs


def sandbox_for_many() -> Sandbox:
    """One that imports torch once for all runs, where it can be had; raises UnableError where there is none."""
    require_torch("Checking methods to write")
    try:
        return choose("fork-server")[0]
    except UnableError:
        return choose("auto")[0]


def problems_with(sandbox: Sandbox, folder: Path, graders: Path, one: WriteIt) -> Iterator[str]:
    """What the staff's solutions show to be wrong with the checks in `folder`; some seconds.

    The skeleton must not pass, the reference must, and each wrong twin must fail exactly the check that is meant.
    """
    where = folder / CHECKS
    reference, wrongs = reference_and_wrongs(graders, one)
    if _checked(sandbox, folder, one, read_text(folder / SKELETON)).outcome == "pass":
        yield f"{where}:1: the skeleton passes as it is, expected something to be left to write"
    if not reference:
        return
    found = _checked(sandbox, folder, one, reference)
    if found.outcome != "pass":
        yield f"{where}:1: the reference ends as {_in_words(found)}, expected that it passes"
    for wrong in wrongs:
        if wrong.fails not in one.checks:
            yield f"{where}:1: `{wrong.fails}` of {WRONG} is no check, expected one of: {', '.join(one.checks)}"
            continue
        if reference.count(wrong.replace[0]) != 1:
            yield f"{where}:1: the reference does not hold {wrong.replace[0]!r} once, expected it for `{wrong.what}`"
            continue
        found = _checked(sandbox, folder, one, reference.replace(*wrong.replace))
        if [check.id for check in found.checks if check.status != "pass"] != [wrong.fails]:
            yield f"{where}:1: `{wrong.what}` ends as {_in_words(found)}, expected that `{wrong.fails}` alone fails"


def _checked(sandbox: Sandbox, folder: Path, one: WriteIt, text: str) -> WriteItResult:
    with scratch_folder("written") as scratch:
        path = scratch / f"{one.id}.py"
        path.write_text(text, encoding="utf-8")
        return check_in(sandbox, folder, one, path)


def _in_words(result: WriteItResult) -> str:
    failed = [f"{check.id} {check.status}: {check.message}" for check in result.checks if check.status != "pass"]
    return f"`{result.outcome}` ({'; '.join([*result.messages, *failed])})"
