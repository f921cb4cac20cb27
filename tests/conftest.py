"""Fixtures that several folders share: the example course, solutions graded from text, commands run in a process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings

from tlcourse import own_process
from tlcourse.course.loader import load_course
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import ContentError
from tlcourse.grading.grade import Options, grade
from tlcourse.grading.result import Result
from tlcourse.sandbox.choose import findings

EXAMPLE = Path(__file__).parent / "example_course"
SLOW_TIMEOUT_S = 1800
os.environ.setdefault("TLCOURSE_SPEED", "1")  # tests of speed itself unset it; each new home would measure anew
for _threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # beside another test process a second thread spins, and waits for a core
settings.register_profile("the same examples at each run", derandomize=True)
if not os.environ.get("TLCOURSE_NEW_EXAMPLES"):  # whether a change passes is not decided by another one's rare example
    settings.load_profile("the same examples at each run")
GradeText = Callable[..., Result]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def trusting() -> Iterator[None]:
    """No test is asked about the example course, whose graders are ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLCOURSE_TRUST_COURSE", "1")
        yield


@pytest.fixture(scope="session")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The bundled course as it is kept once it was read; none where it cannot be read, for its own tests to say."""
    home = tmp_path_factory.mktemp("read-once")
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(ContentError):
        patch.setenv("TLCOURSE_HOME", str(home))
        load_course()
    return [*home.glob("cache/course-*")]


@pytest.fixture(autouse=True)
def own_home(
    read_once: list[Path], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """No test reads or writes the record or the configuration of the person who runs it.

    That person opened the course before: to read and check it takes a quarter of a second, and most tests open it.
    """
    home = tmp_path_factory.mktemp("home")
    for kept in read_once:
        (home / "cache").mkdir(exist_ok=True)
        os.link(kept, home / "cache" / kept.name)
    monkeypatch.setenv("TLCOURSE_HOME", str(home))
    monkeypatch.setenv("TLCOURSE_CONFIG", str(home / "config.yaml"))
    monkeypatch.delenv(own_process.SECRET, raising=False)
    own_process.taken.clear()
    yield home


@pytest.fixture(scope="session")
def line() -> LoadedExercise:
    """The exercise of the example course: y = 2a + 1, z = 3b - 1; it trains in milliseconds."""
    return load_course(EXAMPLE).exercises["line"]


@pytest.fixture(scope="session")
def quick_sandbox() -> str:
    """The sandbox for tests in which it plays no part: its parent imported torch once for all runs of this process."""
    return "fork-server" if next(one for one in findings() if one.name == "fork-server").available else "bubblewrap"


@pytest.fixture
def grade_text(line: LoadedExercise, tmp_path: Path, quick_sandbox: str) -> GradeText:
    """`grade_text(source, sandbox_kind=…, wall_time_s=…, **limits)` grades a solution given as text."""

    def graded(source: str, *, sandbox_kind: str = "", wall_time_s: float | None = None, **limits: float) -> Result:
        path = tmp_path / "solution.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        about = msgspec.structs.replace(line.about, limits=msgspec.structs.replace(line.about.limits, **limits))
        exercise = msgspec.structs.replace(line, about=about)
        return grade(
            exercise,
            path,
            Options(sandbox_kind=sandbox_kind or quick_sandbox, device="cpu", threads=1, wall_time_s=wall_time_s),
        )

    return graded


@pytest.fixture
def tl(tmp_path: Path, own_home: Path) -> Run:
    """`tl("grade", "line", …)` runs a command in an empty folder; `course=None` takes the bundled course."""

    def run(
        *arguments: str, course: Path | None = EXAMPLE, stdin: str = "", timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        chosen = ["--course", str(course)] if course else []
        return subprocess.run(
            [sys.executable, "-m", "tlcourse", *arguments, *chosen],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "TLCOURSE_HOME": str(own_home), "PYTHONWARNINGS": "error"},
        )

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a person wants of a run."""
    parser.addoption("--accept-looks", action="store_true", help="what screens look like now is how they shall look")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that hangs fails: after five minutes (pyproject.toml), or after half an hour where it is a slow one."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S))


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Four processes for folders and for everything; one's own alone for files, and where one looks on (`-s`)."""
    named = config.option.file_or_dir
    return 0 if config.option.capture == "no" or (named and all(".py" in one for one in named)) else 4


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files one by one, as `--dist loadfile` does, but the longest first and some in parts."""
    if config.option.dist != "loadfile":
        return None
    from shares import Shares

    return Shares(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many attacks were made (`tests/attacks`), in whatever process."""
    reports = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    judged = {value for report in reports for name, value in getattr(report, "user_properties", ()) if name == "attack"}
    if judged:
        runs = sorted(tuple(one.split("|")) for one in judged)
        behind = sorted({f"{sandbox} as {user}" for sandbox, user, _ in runs})
        cases = len({case for _, _, case in runs})
        terminalreporter.write_line(f"attacks: {cases} cases, {len(runs)} runs judged ({', '.join(behind)})")
