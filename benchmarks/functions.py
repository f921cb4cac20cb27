"""What a submission of functions costs in a batch behind the fork server: `python -m benchmarks.functions [COUNT]`.

The exercise is that of the tests, with 40 cases. Its target: 0.15 s a submission on two cores.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tlcourse.course.loader import load_course
from tlcourse.execution.pool import Pool
from tlcourse.grading.grade import Grading, Options
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.submission import collect

COURSE = Path(__file__).parents[1] / "tests" / "assignments_course"
CASES = 40
TARGET_S = 0.15


class FirstCases(Grader):
    """The grader with the first cases alone, which are of all checks."""

    def cases(self, seed, data):
        """At most so many."""
        return super().cases(seed, data)[:CASES]


def main(count: int) -> int:
    """Grade as many submissions; 0 where the target is met."""
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
    return 0 if each <= TARGET_S else 1


if __name__ == "__main__":
    os.environ.setdefault("TLCOURSE_TRUST_COURSE", "1")
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
