"""A whole batch whose runs take milliseconds: all of it is real but the sandbox, which this stands in for.

    python quick_batch.py GRADEBOOK SUBMISSIONS COURSE

begins a batch of the exercise `line`, or goes on with it, also with a later download. What a "submission" does is the
first word of its file.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from tlcourse.course.loader import load_course
from tlcourse.execution.arrays import order_of, pack
from tlcourse.execution.spec import RunReport, RunSpec, Usage
from tlcourse.grading.batch.joining import candidate
from tlcourse.grading.batch.open_backend import OpenBackend
from tlcourse.grading.batch.run import grade_round
from tlcourse.grading.batch.setup import begin, options_of, resume, work_left
from tlcourse.grading.batch.state import BatchState
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.lms.handins import find_handins
from tlcourse.grading.secret import seed_from

SECRET = b"a secret that is long enough for a test"


def run(job: RunSpec, tell: Any) -> RunReport:
    """What the worker would give: right predictions for `passes`, half of them for `fails`, and so on."""
    word, *rest = (job.submission / "solution.py").read_text().removeprefix("#").split()[:2]
    usage = Usage(0.02, 0.01, 100.0, 0.01)
    if word == "slow":
        time.sleep(0.03)
    if word == "faults-once" and not (mark := Path(rest[0])).exists():
        mark.touch()
        word = "faults"
    if word in ("faults", "crashes"):
        return RunReport("infra" if word == "faults" else "crash", f"it {word} after 3 s", "quick", usage)
    assert job.test_inputs is not None
    x = job.test_inputs["x"][order_of(job.order_seed, len(job.test_inputs["x"]))]
    z = 3 * x[:, 1] - 1
    results = pack({"y": 2 * x[:, 0] + 1, "z": 0 * z if word == "fails" else z})
    return RunReport("done", "", "quick", usage, results=results, device="cpu", torch="0")


class Quiet:
    """No display."""

    def show(self, read: Any) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def batch(
    gradebook: Path, submissions: Path, course: Path, *, jobs: int = 2, display: Any = None, runner: Any = run
) -> BatchState:
    """Begin the batch of these submissions, or go on with the one that they are in or come into."""
    exercise = load_course(course).exercises["line"]
    seed = seed_from("line", SECRET, None)
    handins = find_handins(submissions, gradebook.with_name("unpacked"))
    options = Options(variant="mini", device="cpu", threads=1)
    with Gradebook.writing(gradebook, "a test") as book:
        record = candidate(book, "line", submissions)
        if record is None:
            record = begin(book, exercise, handins, submissions, options, seed, who="a test", settings={})
        else:
            resume(book, exercise, handins, record, seed, source=submissions)
        return grade_round(
            *(book, record, exercise, work_left(book, record, handins)),
            options=options_of(record, seed, options),
            jobs=jobs,
            backend=OpenBackend("quick", "", runner, lambda: None),
            display=display or Quiet(),
        )


if __name__ == "__main__":
    batch(*(Path(argument) for argument in sys.argv[1:4]))
