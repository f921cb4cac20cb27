"""A class graded three ways, side by side in one run: `tlcourse batch`, `nbgrader autograde`, and a loop of `python`.

    python benchmarks/batch.py [--handins 20] [--rounds 3]     # seconds and CPU seconds per hand-in, medians
    python benchmarks/batch.py --records 5000                  # report, export and resume of so many results
    python benchmarks/batch.py --memory 1000                   # memory of the grading process over a long batch

The same hand-ins import torch and define one function, which is checked on the same 400 points. nbgrader is installed
in an environment of its own when it is first needed (--nbgrader DIR keeps it); it is no dependency. `tlcourse batch`
uses every core, as a teacher would let it; the other two know no such thing. Only that one sandboxes its hand-ins off.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1] / "tests" / "example_course"
os.environ["TLCOURSE_TRUST_COURSE"] = "1"  # its graders are ours
_FUNCTION = """
import torch

def lines(x):
    return 2 * x[:, 0] + 1, 3 * x[:, 1] - 1 + 0 * {number}
"""
_SOLUTION = (
    _FUNCTION
    + """
class Both(torch.nn.Module):
    def forward(self, x):
        return lines(x)

def fit(task):
    return Both()
"""
)
_CHECK = """
x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
y, z = lines(x)
assert (y - (2 * x[:, 0] + 1)).abs().mean() < 0.1
assert (z - (3 * x[:, 1] - 1)).abs().mean() < 0.1
"""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--handins", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nbgrader", type=Path, default=Path(tempfile.gettempdir()) / "tlcourse-benchmark-nbgrader")
    parser.add_argument("--without-nbgrader", action="store_true")
    parser.add_argument("--records", type=int)
    parser.add_argument("--memory", type=int)
    chosen = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {len(os.sched_getaffinity(0))} cores")
    with tempfile.TemporaryDirectory(prefix="tlcourse-benchmark-") as name:
        if chosen.records:
            records(Path(name), chosen.records)
        elif chosen.memory:
            memory(Path(name), chosen.memory)
        else:
            side_by_side(Path(name), chosen)


# -- three graders ----------------------------------------------------------------------------------------------------


def side_by_side(folder: Path, chosen: argparse.Namespace) -> None:
    """In turn, `rounds` times each; the first round of each also warms the disk's cache.

    In it `tlcourse batch` also measures the machine's speed, once a machine: its rounds have one home and one cache.
    """
    graders = {"tlcourse batch": tlcourse_batch, "loop of python": loop_of_python}
    if not chosen.without_nbgrader:
        python = nbgrader_python(chosen.nbgrader)
        graders["nbgrader autograde"] = lambda where, n: nbgrader_autograde(where, n, python)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in graders}
    for number in range(chosen.rounds):
        for name, grade in graders.items():
            where = folder / f"{name.replace(' ', '-')}-{number}"
            where.mkdir()
            times[name].append(grade(where, chosen.handins))
            elapsed, cpu = times[name][-1]
            print(f"  round {number + 1}  {name:<20} {elapsed:7.1f} s  {cpu:7.1f} s CPU", flush=True)
    print(f"medians of {chosen.rounds} rounds of {chosen.handins} hand-ins, per hand-in:")
    medians = {
        name: [statistics.median(values) for values in zip(*found, strict=True)] for name, found in times.items()
    }
    ours = medians["tlcourse batch"]
    for name, (elapsed, cpu) in medians.items():
        n = chosen.handins
        print(f"  {name:<20} {elapsed / n:7.3f} s  {cpu / n:7.3f} s CPU   {elapsed / ours[0]:5.1f} × tlcourse batch")


def measured(command: list[str], where: Path, **env: str) -> tuple[float, float]:
    """wall-clock and CPU seconds of a command with everything that it started."""
    with cpu_group() as group:
        before, begin = group.seconds(), time.perf_counter()
        done = subprocess.run(
            command,
            cwd=where,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=group.enter,
        )
        elapsed = time.perf_counter() - begin
        cpu = group.seconds() - before
    if done.returncode:
        raise SystemExit(f"{command[:4]} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return elapsed, cpu


class CpuGroup:
    """A control group that counts CPU time. Without one, only what was waited for is counted: not the fork servers,
    which die with their PID namespace."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def enter(self) -> None:
        """Put this process, and all that it will start, into the group."""
        if self.folder is not None:
            (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self) -> float:
        """CPU seconds so far."""
        if self.folder is None:
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            return used.ru_utime + used.ru_stime
        if (old := self.folder / "cpuacct.usage").exists():
            return int(old.read_text()) / 1e9
        lines = (self.folder / "cpu.stat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("usage_usec")) / 1e6


@contextlib.contextmanager
def cpu_group() -> Iterator[CpuGroup]:
    """A new group where this user may make one."""
    for parent, counter in (("/sys/fs/cgroup/cpuacct", "cpuacct.usage"), ("/sys/fs/cgroup", "cpu.stat")):
        folder = Path(parent, f"tlcourse-benchmark-{os.getpid()}")
        with contextlib.suppress(OSError):
            folder.mkdir()
            if (folder / counter).exists():
                try:
                    yield CpuGroup(folder)
                finally:
                    for _ in range(50):  # what is dying still lies in it
                        with contextlib.suppress(OSError):
                            folder.rmdir()
                            break
                        time.sleep(0.1)
                return
            folder.rmdir()
    print("  no control group can be made here: the CPU time of fork servers is missing below")
    yield CpuGroup(None)


def tlcourse_batch(where: Path, handins: int) -> tuple[float, float]:
    """Fork servers, every core, a new gradebook, feedback and reports written."""
    make_handins(where / "handins", handins)
    command = [*tlcourse(), "batch", "line", "handins", "--course", str(COURSE), "--out", "out", "--json"]
    return measured([*command, "--gradebook", "g.sqlite"], where, TLCOURSE_HOME=str(where.parent / "home"))


def loop_of_python(where: Path, handins: int) -> tuple[float, float]:
    """`for each in handins/*; do python check.py $each; done`"""
    make_handins(where / "handins", handins)
    (where / "check.py").write_text(f"import sys\nexec(open(sys.argv[1]).read())\n{_CHECK}\n")
    loop = 'for each in handins/*/solution.py; do "$0" check.py "$each" || exit 1; done'
    return measured(["bash", "-c", loop, sys.executable], where)


def nbgrader_autograde(where: Path, handins: int, python: Path) -> tuple[float, float]:
    """As nbgrader's manual sets it up: one assignment with a solution cell and a test cell; only autograde is timed."""
    (where / "source" / "ps").mkdir(parents=True)
    (where / "source" / "ps" / "ps.ipynb").write_text(
        json.dumps(notebook("### BEGIN SOLUTION\npass\n### END SOLUTION"))
    )
    run = [str(python), "-m", "nbgrader"]
    kernels = {"JUPYTER_PREFER_ENV_PATH": "1", "PATH": f"{python.parent}:{os.environ['PATH']}"}
    measured([*run, "generate_assignment", "ps", "--force"], where, **kernels)
    for number in range(handins):
        folder = where / "submitted" / f"s{number:04}" / "ps"
        folder.mkdir(parents=True)
        (folder / "ps.ipynb").write_text(json.dumps(notebook(_FUNCTION.format(number=number))))
    return measured([*run, "autograde", "ps", "--ExecutePreprocessor.timeout=120"], where, **kernels)


def notebook(solution: str) -> dict[str, object]:
    """An assignment of two cells."""

    def cell(name: str, source: str, **about: object) -> dict[str, object]:
        told = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "task": False, **about}
        return {
            "cell_type": "code",
            "id": name,
            "execution_count": None,
            "outputs": [],
            "source": source,
            "metadata": {"nbgrader": {"grade_id": name, **told}},
        }

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [
        cell("lines", solution, solution=True),
        cell("check", _CHECK, grade=True, locked=True, points=2),
    ]
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def nbgrader_python(folder: Path) -> Path:
    """The Python of an environment that has nbgrader, and our torch beside it."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"  nbgrader is installed in {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "nbgrader", "ipykernel"], check=True)
        (packages,) = folder.glob("lib/python*/site-packages")
        paths = [path for path in sys.path if path.endswith("site-packages")] or [sysconfig.get_path("purelib")]
        (packages / "torch-of-tlcourse.pth").write_text("\n".join(paths) + "\n")
    return python


def make_handins(folder: Path, number: int) -> None:
    """Folders of one solution each, no two alike."""
    for i in range(number):
        (folder / f"s{i:04}").mkdir(parents=True)
        (folder / f"s{i:04}" / "solution.py").write_text(_SOLUTION.format(number=i))


def tlcourse() -> list[str]:
    """The command."""
    return [sys.executable, "-m", "tlcourse"]


# -- many results -----------------------------------------------------------------------------------------------------


def records(folder: Path, number: int) -> None:
    """Record results without training, with a curve and a log in each; then time the commands that read them."""
    make_handins(folder / "handins", number)
    gradebook = folder / "home" / "gradebook.sqlite"
    fill(folder, gradebook, number)
    print(f"gradebook of {number} results: {gradebook.stat().st_size / 2**20:.0f} MB")
    env = {**os.environ, "TLCOURSE_HOME": str(folder / "home")}
    for name, arguments in {
        "report --html": ["ta", "report", "line", "--html", "report.html"],
        "report (text)": ["ta", "report", "line"],
        "export --format csv": ["ta", "export", "line", "--format", "csv", "--output", "marks.csv"],
        "batch --resume": ["batch", "line", "handins", "--resume", "--seed", "1"],
    }.items():
        begin = time.perf_counter()
        command = [*tlcourse(), *arguments, "--course", str(COURSE)]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode:
            raise SystemExit(done.stderr)
        print(f"  {name:<22} {seconds:6.2f} s")


def fill(folder: Path, gradebook: Path, number: int) -> None:
    """A batch with everything recorded."""
    from msgspec.structs import replace

    from tlcourse.course.loader import load_course
    from tlcourse.grading.batch.setup import begin
    from tlcourse.grading.grade import Options, grade
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.lms.handins import find_handins
    from tlcourse.grading.result import cause_of, stored
    from tlcourse.grading.secret import seed_from

    exercise = load_course(COURSE).exercises["line"]
    options = Options(variant="mini", device="cpu", threads=1)
    result = grade(exercise, folder / "handins" / "s0000", replace(options, sandbox_kind="none"))
    curve = [{"step": i, "values": {"loss": 1 / (i + 1), "val_loss": 1.1 / (i + 1)}} for i in range(1000)]
    result = replace(result, metrics=curve, runs=[replace(result.runs[0], log="a line of a log\n" * 300)])
    failed = replace(result.checks[1], passed=False, value=0.5, points=0.0)
    worse = replace(result, outcome="fail", points=1.0, checks=[result.checks[0], failed])
    handins = find_handins(folder / "handins", folder / "unpacked")
    with Gradebook.writing(gradebook, "a benchmark") as book:
        seed = seed_from("line", None, 1)
        batch = begin(book, exercise, handins, folder / "handins", options, seed, who="a benchmark", settings={})
        book._db.execute("PRAGMA synchronous = OFF")  # filling it is not what is measured
        for handin in book.handins(batch.id)[:number]:
            one = stored(worse if handin.id % 3 == 0 else result, secret=True)
            book.record(handin.id, 0, one, cause_of(one))


# -- a long batch -----------------------------------------------------------------------------------------------------


def memory(folder: Path, number: int) -> None:
    """Resident memory of the grading process, read from outside while a long batch runs in its sandbox."""
    import psutil

    make_handins(folder / "handins", number)
    command = [*tlcourse(), "batch", "line", "handins", "--course", str(COURSE), "--json"]
    env = {**os.environ, "TLCOURSE_HOME": str(folder / "home")}
    seen: list[float] = []
    begin = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                seen.append(watched.memory_info().rss / 2**20)
            time.sleep(0.25)
    seconds = time.perf_counter() - begin
    seen = [value for value in seen if value > 1]
    print(f"{number} hand-ins in {seconds:.0f} s, exit status {process.returncode}; resident memory of the grader:")
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        part = seen[int(share * len(seen)) :][: max(len(seen) // 50, 1)]
        print(f"  after {share:4.0%} of the time  {statistics.median(part):7.1f} MB")
    print(f"  most                  {max(seen):7.1f} MB")


if __name__ == "__main__":
    if shutil.which("bwrap") is None:
        raise SystemExit("bubblewrap is missing: apt-get install bubblewrap")
    main()
