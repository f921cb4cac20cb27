"""A grader process that is attacked: `python -m tests.attacks.drive SANDBOX OUT NAME…` runs cases and writes what it saw.

It is a process of its own, so that it can be another user's, and so that a signal that escapes hits nothing else.
"""

from __future__ import annotations

import re
import secrets
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import psutil

from tests.attacks.case import Case, together
from tests.attacks.suite import BY_NAME
from tests.attacks.world import Surroundings, World
from tlcourse.course.loader import load_course
from tlcourse.course.model import LoadedExercise
from tlcourse.execution.supervise import run as run_job
from tlcourse.grading.grade import Grading, Options
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.submission import collect
from tlcourse.grading.result import Result
from tlcourse.sandbox.base import Sandbox
from tlcourse.sandbox.choose import choose

_COURSES = Path(__file__).parent.parent
_FIT = _COURSES / "example_course", "line"
_FUNCTIONS = _COURSES / "assignments_course", "logistic"
"""An exercise that needs no torch: a run of it takes 0.3 CPU seconds, one with `fit` 1.7."""
_SIDE_BY_SIDE = 3
"""More than cores: most of them wait to be ended."""
_TOGETHER = 20


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one case led to, as seen by the grader and the world around it."""

    name: str
    error: str = ""
    """A traceback of ours: there must be none."""
    outcome: str = ""
    points: float = 0.0
    sandbox: str = ""
    messages: list[str] = []
    told: dict[str, Any] = {}
    leaked: list[str] = []
    changed: list[str] = []
    contacted: list[str] = []
    left: list[str] = []
    unprintable: list[str] = []
    first: str = ""
    sibling: str = ""
    document: str = ""


def main(argv: list[str]) -> int:
    """Run the named cases in a sandbox, some at a time; several in one submission where starting one takes seconds."""
    name, out, cases = argv[0], Path(argv[1]), [BY_NAME[name] for name in argv[2:]]
    fit, functions = (load_course(course).exercises[exercise] for course, exercise in (_FIT, _FUNCTIONS))
    about = msgspec.structs.replace(functions.about, limits=fit.about.limits)
    functions = msgspec.structs.replace(functions, about=about)
    around = Surroundings()
    try:
        sandbox, _ = choose(name)
        imported = name == "fork-server"  # torch, once for all runs
        groups = [[case] for case in cases] if imported else grouped(cases)
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            found = threads.map(
                lambda group: _attacked(
                    group, sandbox, fit if imported or len(group) > 1 or group[0].needs_a_fit else functions, around
                ),
                groups,
            )
            seen = [one for several in found for one in several]
    finally:
        around.close()
    out.write_bytes(msgspec.json.encode(seen))
    return 0


def grouped(cases: Sequence[Case]) -> list[list[Case]]:
    """The cases that only look, several together; those that take longest, because they are alone, first."""
    looks = [case for case in cases if case.only_looks]
    together_ = [looks[at : at + _TOGETHER] for at in range(0, len(looks), _TOGETHER)]
    return [*([case] for case in cases if not case.only_looks), *together_]


def _attacked(group: list[Case], sandbox: Sandbox, exercise: LoadedExercise, around: Surroundings) -> list[Seen]:
    try:
        with World() as world:
            return _run_group(group, sandbox, exercise, world, around)
    except BaseException:
        return [Seen(name=case.name, error=traceback.format_exc()) for case in group]


def _run_group(
    group: list[Case], sandbox: Sandbox, exercise: LoadedExercise, world: World, around: Surroundings
) -> list[Seen]:
    """What was seen of each: what it told is its own, all else that of the submission which they are together."""
    case = group[0]
    as_functions = exercise.about.id == _FUNCTIONS[1]
    seed = secrets.randbits(48)
    limits = msgspec.structs.replace(exercise.about.limits, **case.limits)
    limited = msgspec.structs.replace(exercise, about=msgspec.structs.replace(exercise.about, limits=limits))
    events: list[dict[str, Any]] = []

    def grade(text: str, exercise: LoadedExercise = limited, *, extra: bool = False) -> Result:
        options = Options(sandbox_kind=sandbox.name, device="cpu", threads=1, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            handed_in, copy = Path(folder, "handed-in"), Path(folder, "copy")
            handed_in.mkdir()
            copy.mkdir()
            Path(folder, "again").mkdir()
            for name, data in (case.files if extra else {}).items():
                (handed_in / name).write_bytes(data.replace(b"@FOLDER@", str(world.folder).encode()))
            (handed_in / "solution.py").write_text(text, encoding="utf-8")
            grading = Grading(exercise, options, lambda job, tell: run_job(job, sandbox, tell))
            result = grading.result(collect(handed_in, copy), events.append, started="")
            if result.outcome == "infra":  # once more, as a batch does: one beside it may have used up what users share
                result = grading.result(collect(handed_in, Path(folder, "again")), events.append, started="")
            return result

    sibling: list[Result] = []
    beside = threading.Thread(target=lambda: sibling.append(grade(_patient(exercise), exercise)))
    if case.sibling:
        beside.start()
    text = case.as_functions(world.values) if as_functions else case.text(world.values)
    result = grade(together(group, world.values) if len(group) > 1 else text, extra=True)
    first = ""
    if case.then:
        first = result.outcome
        result = grade(case.text(world.values, then=True))
    if case.sibling:
        beside.join()
    document = msgspec.json.encode([result, events]).decode()
    seen = Seen(
        name=case.name,
        outcome=result.outcome,
        points=result.points,
        sandbox=result.runs[0].sandbox,
        messages=result.messages,
        told=_told(result.runs[0].log),
        leaked=[one for one in [*world.secrets, *around.secrets] if one in document]
        + ([] if as_functions else labels_in(exercise, seed, document)),
        changed=world.changed(),
        contacted=world.contacted,
        left=_left(world.mark),
        unprintable=sorted(repr(text) for text in _texts([result, events]) if _HARM.search(text))[:5],
        first=first,
        sibling=f"{sibling[0].outcome}, {sibling[0].points / sibling[0].max_points:.0%}" if sibling else "",
        document=document[:4000],
    )
    if len(group) == 1:
        return [seen]
    sections = dict(re.findall(r"^CASE (\S+)$(.*?)(?=^CASE |\Z)", result.runs[0].log, re.MULTILINE | re.DOTALL))
    return [msgspec.structs.replace(seen, name=one.name, told=_told(sections.get(one.name, ""))) for one in group]


def _patient(exercise: LoadedExercise) -> str:
    """An honest submission that stays for a while, so that there is somebody to harm."""
    assert exercise.grader is not None
    honest = (exercise.grader.parent / "references" / f"{exercise.about.id}.py").read_text(encoding="utf-8")
    if exercise.about.id == _FUNCTIONS[1]:
        return f"{honest}\nimport time; time.sleep(2)\n"
    return honest.replace("def fit(task):", "def fit(task):\n    import time; time.sleep(2)")


def _told(log: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in log.splitlines():
        if line.startswith("TOLD "):
            found.update(msgspec.json.decode(line[5:]))
    return found


def labels_in(exercise: LoadedExercise, seed: int, document: str) -> list[str]:
    """Labels of the test set that stand in a report, in all their digits.

    A report has hundreds of windows of seven digits that are no labels: one of a hundred labels stands there by chance
    in about one report of three hundred. A leak would show many.
    """
    test = Grader(exercise).make(seed, "mini").test
    found = [text for text in (f"{value:.7g}" for value in test["y"][:100]) if len(text) > 7 and text in document]
    return found if len(found) > 2 else []


def _left(mark: str) -> list[str]:
    """Processes that bear the case's mark, after a moment in which the kernel buries the dead."""
    for _ in range(40):
        found = []
        for process in psutil.process_iter(["name", "cmdline", "status"]):
            info = process.info
            if (info["name"] == mark or mark in str(info["cmdline"])) and info["status"] != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {info['name']} {info['cmdline']}")
        if not found:
            return []
        time.sleep(0.05)
    return found


def _texts(value: Any) -> set[str]:
    """Every text in it, names of fields too; each once: a flood of metrics has half a million, of which ten differ."""
    found: set[str] = set()
    ahead = [msgspec.to_builtins(value)]
    while ahead:
        one = ahead.pop()
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, dict):
            found.update(map(str, one))
            ahead += one.values()
        elif isinstance(one, list):
            ahead += one
    return found


_REORDER = "\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f\\u061c"
_HARM = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_REORDER}]")
"""What is not printable, but for newlines and tabs, and what reorders a line. Apart from the code that it judges."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
