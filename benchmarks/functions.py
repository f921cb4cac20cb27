"""What a submission of functions costs in a batch behind the fork server: `python -m benchmarks.functions [COUNT]`.

The exercise is that of the tests, with 40 cases. Its target: 0.15 s a submission on two cores.

`--beside VENV` grades the same cases of the same hand-in with Otter-Grader and nbgrader, where that virtual environment
has them (`python -m venv VENV; VENV/bin/pip install otter-grader nbgrader`), and prints how many times as much they
take. Otter-Grader runs without its container, which it starts for each hand-in otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tlcourse.course.loader import load_course
from tlcourse.execution.pool import Pool
from tlcourse.grading.grade import Grading, Options
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.submission import collect
from tlcourse.grading.scoring.calls import Case

COURSE = Path(__file__).parents[1] / "tests" / "assignments_course"
CASES = 40
TARGET_S = 0.15


class FirstCases(Grader):
    """The grader with the first cases alone, which are of all checks."""

    def cases(self, seed, data):
        """At most so many."""
        return super().cases(seed, data)[:CASES]


def main(count: int, beside: Path | None, others: int) -> int:
    """Grade as many submissions, with other graders `others` each; 0 where the target is met."""
    exercise = load_course(COURSE).exercises["logistic"]
    text = exercise.reference.read_text()
    with tempfile.TemporaryDirectory() as folder, Pool() as pool:
        submissions = []
        for number in range(count):
            path = Path(folder, f"{number}.py")
            path.write_text(f"{text}\n# hand-in {number}\n")
            (copy := Path(folder, str(number))).mkdir()
            submissions.append(collect(path, copy))
        grading = Grading(exercise, Options(threads=1, seed_source="secret"), pool.run, FirstCases(exercise))

        def graded(submission):
            return grading.result(submission, lambda _: None, started="")

        graded(submissions[0])  # which starts the fork server
        begin, cpu = time.monotonic(), time.process_time()
        with ThreadPoolExecutor(pool.workers) as threads:
            results = list(threads.map(graded, submissions))
        each = (time.monotonic() - begin) / count
        own = (time.process_time() - cpu) / count
    print(f"{count} submissions of {CASES} cases, {pool.workers} at a time: {each:.3f} s each, {own:.3f} s of CPU here")
    runs = [result.runs[0] for result in results]
    inside, cpu_s = (statistics.median(getattr(run, name) for run in runs) for name in ("wall_time_s", "cpu_s"))
    print(f"inside: {inside:.3f} s, {cpu_s:.3f} s of CPU; points: { ({result.points for result in results}) }")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; target {TARGET_S} s")
    if beside is not None:
        cases = FirstCases(exercise).cases(20260, None)
        for name, grader in (("Otter-Grader", with_otter), ("nbgrader", with_nbgrader)):
            compare(name, grader, beside, text, cases, others, (each, own + cpu_s))
    return 0 if each <= TARGET_S else 1


def compare(
    name: str, grader: Any, beside: Path, text: str, cases: Sequence[Case], count: int, ours: tuple[float, float]
) -> None:
    """Print what another grader takes for a hand-in, by the clock and of CPU, and how many times ours that is."""
    with tempfile.TemporaryDirectory() as folder:
        begin, before = time.monotonic(), _cpu_of_children()
        said = grader(beside / "bin", Path(folder), text, cases, count)
        clock, cpu = (time.monotonic() - begin) / count, (_cpu_of_children() - before) / count
    if said is None:
        print(f"{name}: not installed in {beside}; skipped")
        return
    times = f"{clock / ours[0]:.0f} times by the clock, {cpu / ours[1]:.0f} times of CPU"
    print(f"{name}: {clock:.2f} s each, {cpu:.2f} s of CPU ({said}): {times}")


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _literal(value: Any) -> str:
    return f"np.array({value.tolist()!r})" if isinstance(value, np.ndarray) else repr(value)


def as_test(case: Case) -> list[str]:
    """A case as lines of Python that assert what is expected."""
    lines, wanted = ["import numpy as np", "given = []"], case.expect
    for one in case.calls:
        given = [_literal(value) for value in one.args] + [f"{key}={_literal(v)}" for key, v in one.kwargs.items()]
        made = f"{one.name}({', '.join(given)})"
        lines.append(f"{one.keep} = {made}" if one.keep else f"given.append({made})")
    several = sum(not one.keep for one in case.calls) > 1
    lines.append(
        f"wanted = {'[' + ', '.join(map(_literal, wanted)) + ']' if several else '[' + _literal(wanted) + ']'}"
    )
    lines.append("given = [list(one) if hasattr(one, '__next__') else one for one in given]")
    check = "a == b if isinstance(b, (dict, list)) else np.allclose(a, b)"
    return [*lines, f"assert all({check} for a, b in zip(given, wanted))"]


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")


def _notebook(cells: list[dict[str, Any]]) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


def _code(number: int, source: str, about: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = {"nbgrader": about} if about else {}
    code = {"cell_type": "code", "execution_count": None, "outputs": [], "id": f"c{number}"}
    return {**code, "metadata": metadata, "source": source}


def with_otter(programs: Path, folder: Path, text: str, cases: Sequence[Case], count: int) -> str | None:
    """`otter run` for each hand-in; what it gave, or None where it is not installed."""
    if not (programs / "otter").exists():
        return None
    (folder / "tests").mkdir()
    tests = [{"code": "\n".join(f">>> {row}" for row in as_test(case)), "hidden": False} for case in cases]
    suite = {"cases": tests, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    made = {"name": "q1", "points": len(cases), "suites": [suite]}
    (folder / "tests" / "q1.py").write_text(f"OK_FORMAT = True\n\ntest = {made!r}\n")
    (folder / "hw.ipynb").write_text(_notebook([_code(0, text)]))
    environment = [str(programs / "otter"), "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"]
    _run(environment, folder)
    for number in range(count):
        (folder / f"out{number}").mkdir()
        _run([str(programs / "otter"), "run", "-a", "autograder.zip", "-o", f"out{number}", "hw.ipynb"], folder)
    found = json.loads((folder / "out0" / "results.json").read_text())["tests"]
    return f"{sum(one.get('score', 0) for one in found):g} of {len(cases)} points"


def with_nbgrader(programs: Path, folder: Path, text: str, cases: Sequence[Case], count: int) -> str | None:
    """`nbgrader autograde` of a class; what it gave, or None where it is not installed."""
    if not (programs / "nbgrader").exists():
        return None

    def about(name: str, *, grade: bool) -> dict[str, Any]:
        cell = {"schema_version": 3, "grade_id": name, "grade": grade, "solution": not grade, "locked": grade}
        return {**cell, "task": False, "cell_type": "code", **({"points": 1} if grade else {})}

    cells = [_code(0, text, about("answer", grade=False))]
    tests = [("\n".join(as_test(case)), about(f"t{n}", grade=True)) for n, case in enumerate(cases)]
    cells += [_code(n, source, meta) for n, (source, meta) in enumerate(tests, start=1)]
    for place in ("source/hw", *(f"submitted/s{number}/hw" for number in range(count))):
        (folder / place).mkdir(parents=True)
        (folder / place / "hw.ipynb").write_text(_notebook(cells))
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'c'\n")
    nbgrader = str(programs / "nbgrader")
    _run([nbgrader, "generate_assignment", "hw", "--create", "--force"], folder)
    _run([nbgrader, "autograde", "hw", "--create", "--force"], folder)
    _run([nbgrader, "export", "--to=marks.csv"], folder)
    scores = {row.split(",")[-2] for row in (folder / "marks.csv").read_text().splitlines()[1:]}
    return f"{', '.join(sorted(scores))} of {len(cases)} points, the making of the assignment with it"


if __name__ == "__main__":
    os.environ.setdefault("TLCOURSE_TRUST_COURSE", "1")
    parser = argparse.ArgumentParser(description="What a submission of functions costs.")
    parser.add_argument("count", type=int, nargs="?", default=60)
    parser.add_argument("--beside", type=Path, help="a virtual environment with otter-grader and nbgrader")
    parser.add_argument("--others", type=int, default=5, help="hand-ins that the other graders are given")
    given = parser.parse_args()
    sys.exit(main(given.count, given.beside, given.others))
