"""Commands run as a user runs them: in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "example_course"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tl(tmp_path: Path, own_home: Path) -> Run:
    """`tl("grade", "line", …)` runs a command in an empty folder; `course=None` takes the bundled course."""

    def run(*arguments: str, course: Path | None = EXAMPLE, stdin: str = "") -> subprocess.CompletedProcess[str]:
        chosen = ["--course", str(course)] if course else []
        return subprocess.run(
            [sys.executable, "-m", "tlcourse", *arguments, *chosen],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "TLCOURSE_HOME": str(own_home), "PYTHONWARNINGS": "error"},
        )

    return run
