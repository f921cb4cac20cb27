"""What is imported does not depend on where one stands: modules of a working folder are never run by us."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tlcourse
from tlcourse.cluster.plan import start_lines
from tlcourse.cluster.profile import Profile
from tlcourse.own_process import code_command, own_command

PACKAGE = Path(tlcourse.__file__).parent
WRITERS = ("own_process.py", "sandbox/interpreter.py")
ON_A_CLUSTER = ("cluster/check.py", "cluster/plan.py", "cluster/staging.py")
"""Their commands come after the lines of `start_lines`."""


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    """A folder with a module for each name of the standard library and of all packages; each says that it was run.

    Left out is what `python -m ANYTHING` imports from a working folder before it comes to the module.
    """
    folder = tmp_path / "hand-in"
    folder.mkdir()
    names = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions()} - {"tlcourse"}
    for name in names:
        if name.isidentifier():
            source = f"open({str(folder / 'run')!r}, 'a').write('{name} ')\nraise ImportError('{name} is poisoned')\n"
            (folder / f"{name}.py").write_text(source)
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "harmless.py").write_text("")
    while True:
        start([sys.executable, "-m", "harmless"], folder, PYTHONPATH=str(tmp_path / "control"))
        if not (before := run_in(folder)):
            return folder
        for name in before:
            (folder / f"{name}.py").unlink()


def start(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def run_in(folder: Path) -> list[str]:
    """The modules of the folder that were run, and then forgotten."""
    said = folder / "run"
    names = said.read_text().split() if said.exists() else []
    said.unlink(missing_ok=True)
    return names


def test_python_m_tlcourse_runs_no_module_of_the_folder_that_it_is_started_in(poisoned):
    done = start([sys.executable, "-m", "tlcourse", "exercise", "list", "--plain"], poisoned)
    assert run_in(poisoned) == []
    assert done.returncode == 0, done.stderr


def test_our_own_processes_run_no_module_of_the_folder_either_whatever_pythonpath_says(poisoned):
    (poisoned / "lib").mkdir()
    (poisoned / "msgspec.py").rename(poisoned / "lib" / "msgspec.py")
    elsewhere = poisoned.parent / "control"
    (elsewhere / "of_the_user.py").write_text("print('of the user')")
    names = os.pathsep.join(["", ".", "lib", str(poisoned), str(elsewhere)])
    (poisoned / "startup.py").write_text(f"open({str(poisoned / 'run')!r}, 'a').write('startup ')")
    environment = {"PYTHONPATH": names, "PYTHONSTARTUP": "startup.py", "PYTHONINSPECT": "1", "PYTHONUSERBASE": "."}
    listed = start(own_command("tlcourse", "exercise", "list", "--plain"), poisoned, **environment)
    asked = start(code_command("import json, sys, of_the_user; print(json.dumps(sys.argv))"), poisoned, **environment)
    assert run_in(poisoned) == []
    assert "ex1" in listed.stdout
    assert asked.stdout == 'of the user\n["-c"]\n', asked.stderr


def test_our_own_processes_are_this_copy_of_tlcourse_and_are_told_their_arguments(tmp_path):
    (tmp_path / "tlcourse").mkdir()
    (tmp_path / "tlcourse" / "__init__.py").write_text("raise ImportError('another copy')")
    code = "import sys; sys.path.insert(0, '.')\nfrom tlcourse.own_process import own_command\n"
    assert start(own_command("tlcourse", "--version"), tmp_path).stdout == f"tlcourse {tlcourse.__version__}\n"
    assert start(own_command("tlcourse", "exercise", "show", "ex9"), tmp_path).returncode == 2
    assert "another copy" in start([sys.executable, "-c", code], tmp_path).stderr


def test_no_other_place_writes_the_command_of_a_python():
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.List | ast.Tuple) or len(node.elts) < 2:
                continue
            first, second = (ast.unparse(element) for element in node.elts[:2])
            python = first == "sys.executable" or ("python" in first and second in ("'-m'", "'-c'"))
            if python and second != "'-I'" and file not in (*WRITERS, *ON_A_CLUSTER):
                found.append(f"{file}:{node.lineno} {first}, {second}")
    assert found == []


@pytest.mark.parametrize("code", ["", "/code"])
def test_on_a_cluster_python_is_started_where_it_imports_nothing_from_the_working_folder(code, poisoned):
    start_python = [*start_lines(Profile(python=sys.executable), code), f"{sys.executable} -c 'import json'"]
    assert start(["/bin/sh", "-c", "\n".join(start_python)], poisoned).returncode == 0
    assert run_in(poisoned) == []
