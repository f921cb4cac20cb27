"""What a command imports decides how fast it starts: proven by the modules that a sub-process has at its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = str(Path(__file__).parent.parent / "example_course")
HEAVY = {"torch", "torchvision", "textual", "numpy", "nbformat", "rich.markdown", "jinja2"}


def imported(*arguments: str, home: Path) -> set[str]:
    """The modules that `tlcourse ARGUMENTS` has imported when it ends."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('MODULES', *sorted(sys.modules), file=sys.stderr))\n"
        f"sys.argv = ['tlcourse', *{list(arguments)!r}]\n"
        "from tlcourse.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "TLCOURSE_HOME": str(home)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stderr.splitlines() if line.startswith("MODULES"))
    return set(line.split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["--version"], ["grade", "--help"], ["progress"], ["progress", "--json"], ["lesson", "list"]),
        *(["batch", "--help"], ["ta", "report", "--help"], ["ta", "export", "--help"], ["jobs", "list"]),
    ],
)
def test_light_commands_import_nothing_heavy(arguments, own_home):
    assert not HEAVY & imported(*arguments, home=own_home)


def test_a_course_that_is_kept_is_shown_without_reading_yaml_or_opening_a_database(own_home):
    imported("exercise", "list", home=own_home)  # keeps it
    unused = {"yaml", "sqlite3", "tempfile", "filelock", "hashlib", "json", "tlcourse.course.markdown"}
    assert not unused & imported("exercise", "list", home=own_home)
    assert unused & imported("progress", home=own_home) == {"sqlite3"}


def test_runs_on_clusters_are_listed_without_what_marks_or_runs_them(own_home):
    ours = {name for name in imported("jobs", "list", home=own_home) if name.startswith("tlcourse.")}
    assert "tlcourse.grading.remote_grading" in ours
    assert not {"tlcourse.grading.grade", "tlcourse.grading.result", "tlcourse.sandbox.choose"} & ours


def test_help_imports_no_part_that_does_the_work(own_home):
    ours = {name for name in imported("--help", home=own_home) if name.startswith("tlcourse.")}
    assert all(name.startswith(("tlcourse.cli", "tlcourse.errors", "tlcourse.own_process")) for name in ours)


@pytest.mark.slow
def test_grading_never_imports_torch_or_the_screen_in_the_process_that_scores(own_home):
    reference = f"{EXAMPLE}/graders/references/line.py"
    modules = imported("grade", "line", reference, "--json", "--course", EXAMPLE, home=own_home)
    assert "numpy" in modules
    assert not {"torch", "torchvision", "textual", "jinja2"} & modules
