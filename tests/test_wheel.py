"""A built wheel, installed away from the checkout, runs the same commands with the bundled course."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `tlcourse` of an environment that holds the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    folder.chmod(0o755)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, CHECKOUT], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("tlcourse-*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", wheel], check=True)
    packages = next((folder / "venv" / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv" / "bin" / "tlcourse"


@pytest.fixture
def tl(installed, tmp_path, own_home):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TLCOURSE_HOME": str(own_home)},
        )

    return run


def test_it_imports_nothing_of_the_checkout(installed):
    code = "import tlcourse; print(tlcourse.__file__)"
    python = installed.parent / "python"
    done = subprocess.run([python, "-c", code], cwd="/", capture_output=True, text=True, check=True)
    assert str(installed.parent.parent) in done.stdout


def test_it_carries_the_course(tl):
    assert tl("author", "check").returncode == 0
    units = json.loads(tl("lesson", "list", "--json").stdout)["units"]
    assert sum(unit["written"] for unit in units) >= 3
    shown = json.loads(tl("exercise", "show", "ex2", "--json").stdout)
    assert Path(shown["starter"]).is_file()
    assert Path(shown["reference"]).is_file()


def test_it_grades_and_the_graders_that_it_carries_cannot_be_seen_by_a_solution(tl, tmp_path):
    (tmp_path / "solution.py").write_text(
        "import pathlib, tlcourse\n"
        "bundled = pathlib.Path(tlcourse.__file__).parent / '_bundled'\n"
        "print('EXERCISES', sorted(p.name for p in (bundled / 'exercises').iterdir())[:1])\n"
        "print('GRADERS', list((bundled / 'graders').rglob('*')))\n"
        "def fit(task): return None\n"
    )
    graded = tl("grade", "ex2", "--json", "--isolation", "cold")
    assert graded.returncode == 1, graded.stderr
    log = json.loads(graded.stdout)["runs"][0]["log"]
    assert "EXERCISES ['ex" in log
    assert "GRADERS []" in log
