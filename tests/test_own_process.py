"""What is imported does not depend on where one stands: modules of a working folder are never run by us."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import Served, serving
from typer.main import get_command

import tlcourse
from tlcourse.cli.main import add_all, application
from tlcourse.cluster.plan import start_lines
from tlcourse.cluster.profile import Profile
from tlcourse.own_process import code_command, own_command

PACKAGE = Path(tlcourse.__file__).parent
WRITERS = ("own_process.py", "sandbox/interpreter.py")
ON_A_CLUSTER = ("cluster/check.py", "cluster/plan.py", "cluster/staging.py")
"""Their commands come after the lines of `start_lines`."""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules of the standard library and of all packages.

    Left out is what `python -m ANYTHING` imports from a working folder before it comes to the module.
    """
    folder, control = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("control")
    (control / "harmless.py").write_text("")
    names = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions()} - {"tlcourse"}
    names = {name for name in names if name.isidentifier()}
    poison(folder, names)
    while True:
        start([sys.executable, "-m", "harmless"], folder, PYTHONPATH=str(control))
        if not (before := run_in(folder)):
            return names
        names.difference_update(before)
        for name in before:
            (folder / f"{name}.py").unlink()


@pytest.fixture
def poisoned(tmp_path: Path, names: set[str]) -> Path:
    """A folder with a module for each of these names, which says that it was run."""
    folder = tmp_path / "hand-in"
    folder.mkdir()
    poison(folder, names)
    return folder


def poison(folder: Path, names: set[str]) -> None:
    for name in names:
        source = f"open({str(folder / 'run')!r}, 'a').write('{name} ')\nraise ImportError('{name} is poisoned')\n"
        (folder / f"{name}.py").write_text(source)


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
    elsewhere = poisoned.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "of_the_user.py").write_text("print('of the user')")
    names = os.pathsep.join(["", ".", "lib", str(poisoned), str(elsewhere)])
    (poisoned / "startup.py").write_text(f"open({str(poisoned / 'run')!r}, 'a').write('startup ')")
    environment = {"PYTHONPATH": names, "PYTHONSTARTUP": "startup.py", "PYTHONINSPECT": "1", "PYTHONUSERBASE": "."}
    listed = start(own_command("tlcourse", "exercise", "list", "--plain"), poisoned, **environment)
    asked = start(code_command("import json, sys, of_the_user; print(json.dumps(sys.argv))"), poisoned, **environment)
    command = start([sys.executable, "-P", "-m", "tlcourse", "exercise", "list"], poisoned, PYTHONPATH="lib")
    assert run_in(poisoned) == []
    assert "ex1" in listed.stdout
    assert "ex1" in command.stdout
    assert asked.stdout == 'of the user\n["-c"]\n', asked.stderr


def test_our_own_processes_are_this_copy_of_tlcourse_and_are_told_their_arguments(tmp_path):
    (tmp_path / "tlcourse").mkdir()
    (tmp_path / "tlcourse" / "__init__.py").write_text("raise ImportError('another copy')")
    code = "import sys; sys.path.insert(0, '.')\nfrom tlcourse.own_process import own_command\n"
    assert start(own_command("tlcourse", "--version"), tmp_path).stdout == f"tlcourse {tlcourse.__version__}\n"
    assert start(own_command("tlcourse", "exercise", "show", "ex9"), tmp_path).returncode == 2
    assert "another copy" in start([sys.executable, "-c", code], tmp_path).stderr


@pytest.mark.slow
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


def test_on_a_cluster_python_is_started_where_it_imports_nothing_from_the_working_folder(poisoned):
    start_python = [*start_lines(Profile(python=sys.executable)), f"{sys.executable} -c 'import json'"]
    assert start(["/bin/sh", "-c", "\n".join(start_python)], poisoned).returncode == 0
    assert run_in(poisoned) == []


# -- every command -----------------------------------------------------------------------------------------------------

EXAMPLE = Path(__file__).parent / "example_course"
OF_THE_EXAMPLE = ("--course", str(EXAMPLE))
REFERENCE = EXAMPLE / "graders" / "references" / "line.py"
SANDBOX = ("--sandbox", "SANDBOX")
ANY = None
ENDING = {
    "doctor": (0,),
    "search": (0, "domain"),
    "lesson list": (0,),
    "lesson show": (0, "lines", *OF_THE_EXAMPLE),
    "quiz list": (0,),
    "quiz take": (0, "lines", *OF_THE_EXAMPLE),
    "quiz review": (0,),
    "quiz export": (0, "--format", "gift", "--out", "quizzes.txt"),
    "quiz import": (0, "quizzes.txt", "--format", "gift", "--to", "imported"),
    "lab list": (0,),
    "lab show": (0, "shifts"),
    "lab run": (0, "shifts", "--seeds", "1"),
    "lab play": (0, "shifts"),
    "write list": (0,),
    "write show": (0, "lora"),
    "write init": (0, "lora"),
    "write hint": (0, "lora"),
    "write check": (1, "lora"),
    "exercise list": (0,),
    "exercise show": (0, "line", *OF_THE_EXAMPLE),
    "exercise hint": (0, "line", "1", *OF_THE_EXAMPLE),
    "exercise samples": (0, "ex2"),
    "init": (0, "line", "mine", *OF_THE_EXAMPLE),
    "run": (0, "line", "solution.py", *SANDBOX, *OF_THE_EXAMPLE),
    "grade": (0, "line", "solution.py", *SANDBOX, *OF_THE_EXAMPLE),
    "watch": (0, "line", "solution.py", "--times", "1", *SANDBOX, *OF_THE_EXAMPLE),
    "exercise attempts": (0, "line", *OF_THE_EXAMPLE),
    "exercise board": (2, "line", *OF_THE_EXAMPLE),
    "exercise explain": (0, "line", *OF_THE_EXAMPLE),
    "progress": (0,),
    "jobs list": (0,),
    "jobs tail": (2, "1"),
    "jobs cancel": (2, "1"),
    "data list": (0,),
    "data get": (2, "pretrained", "no_such_network"),
    "data verify": (3,),
    "config path": (0,),
    "config set": (0, "uni", "gpus=1"),
    "config show": (0,),
    "config check": (ANY, "uni"),
    "config login": (2, "uni"),
    "config clean": (ANY, "uni"),
    "config theme": (0, "dark"),
    "ta secret new": (0, "secret"),
    "batch": (0, "line", "class", "--jobs", "1", *SANDBOX, *OF_THE_EXAMPLE),
    "ta report": (0, "line", *OF_THE_EXAMPLE),
    "ta feedback": (0, "line", "feedback", *OF_THE_EXAMPLE),
    "ta similar": (0, "line", *OF_THE_EXAMPLE),
    "ta rank": (0, "line", "--check", "y_error", *OF_THE_EXAMPLE),
    "ta override": (0, "line", "anna", "--points", "1", "--why", "so", *OF_THE_EXAMPLE),
    "ta merge": (2, "no.sqlite"),
    "ta mark": (2, "line", "anna", "report", "1", "--why", "so", *OF_THE_EXAMPLE),
    "ta requests": (0, "line", *OF_THE_EXAMPLE),
    "ta extend": (2, "line", "anna", *OF_THE_EXAMPLE),
    "ta move": (2, "line", "anna", "A", "--why", "so", *OF_THE_EXAMPLE),
    "ta regrade": (0, "line", "--only", "all", *OF_THE_EXAMPLE),
    "ta export": (0, "line", "--format", "csv", "--output", "marks.csv", *OF_THE_EXAMPLE),
    "ta fairness": (0, "line", *OF_THE_EXAMPLE),
    "groups check": (2, "groups.csv"),
    "author new": (0, "course"),
    "author check": (0, "course"),
    "author notebooks": (0, "course"),
    "author schema": (0, "course"),
    "author ci": (0, "repository"),
    "author hand-out": (2, "nowhere", "copy"),
    "author import": (2, "nothing.ipynb"),
    "author gradescope": (0, "line", *OF_THE_EXAMPLE),
    "author gradescope-grade": (ANY, "nowhere"),
    "pack": (0, "line", "class", "packed", "--again", *SANDBOX, *OF_THE_EXAMPLE),
    "collect": (5, "packed", *OF_THE_EXAMPLE),
}
"""Each command that ends by itself: its exit status, and its arguments."""
GOING_ON = {"prewarm", "serve", "start"}
_DRIVER = """
import json, os, sys
from tlcourse.cli.main import main
for name, (status, *arguments) in json.loads(sys.argv[1]).items():
    sys.argv = ["tlcourse", *name.split(), *arguments]
    try:
        main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    sys.stdout.flush(); sys.stderr.flush()
    ran = open("run").read() if os.path.exists("run") else ""
    if status not in (code, None) or ran:
        print(f"WRONG {name}: exit status {code}, ran {ran}", file=sys.stderr)
        if ran: os.unlink("run")
"""


def leaves(command: Any, name: tuple[str, ...] = ()) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(name)
    for part, one in (below or {}).items():
        yield from leaves(one, (*name, part))


def test_every_command_is_among_those_that_are_started_in_a_poisoned_folder():
    app = application()
    add_all(app)
    assert {*ENDING, *GOING_ON} == set(leaves(get_command(app)))


@pytest.mark.slow
def test_no_command_that_ends_by_itself_runs_a_module_of_the_folder_it_is_started_in(poisoned, quick_sandbox):
    for folder in ("", "class/anna", "class/bo"):
        (poisoned / folder).mkdir(parents=True, exist_ok=True)
        (poisoned / folder / "solution.py").write_text(REFERENCE.read_text())
    driver = [sys.executable, "-P", "-c", _DRIVER, json.dumps(ENDING).replace("SANDBOX", quick_sandbox)]
    done = start(driver, poisoned, TLCOURSE_DATA="")
    assert "WRONG" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_nor_does_one_that_goes_on(poisoned, own_home):
    pytest.importorskip("textual_serve", reason="needs textual-serve (extra `web`)")
    (poisoned / "solution.py").write_text(REFERENCE.read_text())
    grading = ["line", str(poisoned / "solution.py"), *OF_THE_EXAMPLE]
    asked = json.dumps({"file": str(poisoned / "log"), "arguments": ["grade", *grading, "--events"]})
    prewarm = own_command("tlcourse", "prewarm")
    assert subprocess.run(prewarm, input=asked + "\n", text=True, cwd=poisoned, check=False).returncode == 0
    assert json.loads((poisoned / "log").read_text().splitlines()[-1])["result"]["outcome"] == "pass"

    with serving(own_home, folder=poisoned) as served:
        asyncio.run(visited(served))
    assert run_in(poisoned) == []


async def visited(served: Served) -> None:
    """Open the app, and an exercise, for whose runs a process of its own begins to wait."""
    import aiohttp

    headers = {"Origin": served.origin, "Cookie": served.cookie}
    async with aiohttp.ClientSession() as session, session.ws_connect(served.socket_url, headers=headers) as page:
        await page.receive_bytes(timeout=60)
        await page.send_json(["stdin", "4"])
        while len(apps := served.apps()) < 2 or "prewarm" not in str([app.cmdline() for app in apps]):
            with contextlib.suppress(TimeoutError):
                await page.receive(timeout=0.2)
