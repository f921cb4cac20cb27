"""The light installation: an environment without torch, in which every command works or says what it needs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.grading.test_editions import restored
from tlcourse import torch_install
from tlcourse.cli.main import add_all, application
from tlcourse.torch_install import REQUIREMENTS

ROOT = Path(__file__).parents[2]
DRIVER = ROOT / "tests" / "support" / "many_commands.py"
HEAVY = ("torch", "torchvision", "torchgen", "functorch", "nvidia", "triton", "sklearn", "scikit_learn", "scipy")
NEEDS_TORCH = "needs torch"

# Each command with arguments with which it has something to do, and how it ends: a status, or NEEDS_TORCH.
# {line}: --course with the example course, {book}: a gradebook of its exercise `line`.
COMMANDS: list[tuple[str, int | str]] = [
    ("start", 2),  # there is no terminal
    ("serve --host nowhere.invalid", 2),
    ("search covariate", 0),
    ("init ex2", 0),
    ("run ex2 solution.py", NEEDS_TORCH),
    ("grade ex2 solution.py", NEEDS_TORCH),
    ("grade ex2 solution.py --sandbox fork-server", NEEDS_TORCH),
    ("grade ex2 solution.py --on nowhere", 2),
    ("watch ex2 solution.py --times 1", NEEDS_TORCH),
    ("progress", 0),
    ("doctor --json", 3),
    ("batch line handins --public-marks --dry-run {line}", 0),
    ("batch line handins --public-marks --gradebook own.sqlite {line}", NEEDS_TORCH),
    ("pack line handins packed --public-marks --gradebook packed.sqlite {line}", 0),
    ("collect packed --public-marks --gradebook packed.sqlite {line}", 5),  # nobody has run it yet
    ("lesson list", 0),
    ("lesson show lora", 0),
    ("quiz list", 0),
    ("quiz take lora", 0),
    ("quiz review --list", 0),
    ("quiz export --format gift lora --out lora.gift", 0),
    ("quiz import lora.gift --format gift --to lora --section x", 0),
    ("lab list", 0),
    ("lab show coral", 0),
    ("lab run coral", NEEDS_TORCH),
    ("lab play coral", 0),
    ("exercise list", 0),
    ("exercise show ex2", 0),
    ("exercise hint ex2", 0),
    ("exercise explain ex2", 2),  # it was not passed
    ("exercise attempts ex2", 0),
    ("exercise board ex2", 2),
    ("exercise samples ex2 --count 1", 0),
    ("write list", 0),
    ("write show lora", 0),
    ("write init lora", 0),
    ("write hint lora", 0),
    ("write check lora", NEEDS_TORCH),
    ("jobs list", 0),
    ("jobs tail 1", 2),
    ("jobs cancel 1", 2),
    ("data list", 0),
    ("data get pretrained resnet18", NEEDS_TORCH),
    ("data verify", NEEDS_TORCH),
    ("config path", 0),
    ("config show", 0),
    ("config set mine host=cluster", 0),
    ("config theme", 0),
    ("config check nowhere", 2),
    ("config login nowhere", 2),
    ("config clean nowhere", 2),
    ("ta report line {book} {line}", 0),
    ("ta feedback line feedback {book} {line}", 0),
    ("ta similar line {book} {line}", 0),
    ("ta rank line --check y_error {book} {line}", 0),
    ("ta regrade line --only all --public-marks --on local --gradebook packed.sqlite {line}", NEEDS_TORCH),
    ("ta override line G1 --points 1 --why reason {book} {line}", 0),
    ("ta mark line G1 {book} {line}", 0),  # shown: nothing of it is marked by hand
    ("ta requests line {book} {line}", 0),
    ("ta move line ann G1 {book} {line}", 2),
    ("ta merge nowhere.sqlite {book} {line}", 2),
    ("ta extend line G1 --days 1 --why reason {book} {line}", 0),
    ("ta export line --format csv {book} {line}", 0),
    ("ta fairness line {line}", 0),
    ("ta secret new secret", 0),
    ("groups check groups.csv", 2),
    ("author new mine", 0),
    ("author check mine", 0),
    ("author check mine --exercises --seeds 1", NEEDS_TORCH),
    ("author check --exercises --only lora", NEEDS_TORCH),
    ("author notebooks mine", 0),
    ("author hand-out mine copy", 0),
    ("author import nowhere.ipynb there", 2),
    ("author gradescope ex2", 0),
    ("author gradescope-grade autograder", 0),  # there is no such folder: a document without a score
    ("author ci repository", 0),
    ("author schema exercise", 0),
    ("prewarm", 130),  # the app is gone before it asks
]


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has what this one has, but for torch and what comes with it."""
    folder = tmp_path_factory.mktemp("light")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.lower().startswith(HEAVY):
            (packages / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def outcomes(light: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """How each command ended, and what it said."""
    here = tmp_path_factory.mktemp("here")
    (here / "handins").mkdir()
    for path in (here / "solution.py", here / "handins" / "ann.py"):
        path.write_text("def fit(task):\n    raise RuntimeError\n")
    (here / "data" / "pretrained").mkdir(parents=True)
    (here / "data" / "pretrained" / "resnet18_imagenet.safetensors").touch()
    homes = {"HOME": here / "home", "CONFIG": here / "config.yaml", "DATA": here / "data"}
    book = restored("gradebook", here / "kept.sqlite")
    words = {"{line}": f"--course {ROOT / 'tests' / 'example_course'}", "{book}": f"--gradebook {book}"}
    lines = [line for line, _ in COMMANDS]
    for word, meaning in words.items():
        lines = [line.replace(word, meaning) for line in lines]
    told = subprocess.run(
        [light, DRIVER],
        cwd=here,
        input=json.dumps([line.split() for line in lines]),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **{f"TLCOURSE_{name}": str(path) for name, path in homes.items()}},
    ).stdout
    with sqlite3.connect(here / "own.sqlite") as db:
        assert [db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("batches", "results")] == [
            (0,),
            (0,),
        ]
    db.close()
    return dict(zip([line for line, _ in COMMANDS], map(tuple, json.loads(told)), strict=True))


def test_it_has_no_torch(light):
    done = subprocess.run([light, "-c", "import torch"], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr


def leaves(command: Any, *name: str) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(name)
    for inner, one in (below or {}).items():
        yield from leaves(one, *name, inner)


def test_every_command_is_tried():
    app = application()
    add_all(app)
    tried = [f"{line} " for line, _ in COMMANDS]
    known = list(leaves(typer.main.get_command(app)))
    assert len(known) > 60
    assert [one for one in known if not any(line.startswith(f"{one} ") for line in tried)] == []


@pytest.mark.slow
def test_doctor_names_the_build_that_fits_this_machine(outcomes):
    found = {one["name"]: one for one in json.loads(outcomes["doctor --json"][1])["findings"]}
    assert (found["torch"]["works"], found["torch"]["needed"]) == (False, True)
    assert found["torch"]["detail"].startswith("torch and torchvision are not installed; reading, quizzes,")
    assert "pip install" in found["torch"]["remedy"]
    assert "GPU" not in found
    if found["bubblewrap"]["works"]:
        assert found["fork-server"]["detail"] == "its parent imports torch, and torch and torchvision are not installed"


@pytest.mark.parametrize(
    ("system", "programs", "devices", "packages", "plain", "fitting"),
    [
        ("linux", {}, {}, {"pip"}, "PY -m pip install WANTED",
         "PY -m pip install uv && PY -m uv pip install --python PY --torch-backend cpu WANTED"),
        ("linux", {"uv"}, {}, {}, "uv pip install --python PY WANTED",
         "uv pip install --python PY --torch-backend cpu WANTED"),
        ("linux", {"uv"}, {"/dev/kfd"}, {"pip"}, "PY -m pip install WANTED",
         "uv pip install --python PY --torch-backend auto WANTED"),
        ("linux", {"nvidia-smi"}, {}, {"pip"}, "PY -m pip install WANTED", ""),
        ("linux", {"uv"}, {"/dev/nvidiactl"}, {"pip"}, "PY -m pip install WANTED", ""),
        ("linux", {"nvidia-smi"}, {}, {}, "PY -m ensurepip && PY -m pip install WANTED", ""),
        ("darwin", {"uv"}, {}, {"pip"}, "PY -m pip install WANTED", ""),
        ("win32", {}, {}, {"pip"}, "PY -m pip install WANTED", ""),
    ],
)  # fmt: skip
def test_the_command_fits_the_machine(monkeypatch, system, programs, devices, packages, plain, fitting):
    """`PY` has a blank in its path, and each system quotes in its own way."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(sys, "executable", "/my venv/python")
    monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(Path, "exists", lambda path: str(path) in devices)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in packages else None)
    quote = '"' if system == "win32" else "'"
    python, wanted = f"{quote}/my venv/python{quote}", " ".join(f"{quote}{one}{quote}" for one in REQUIREMENTS)
    said = [torch_install.command(), torch_install.fitting_command()]
    assert said == [text.replace("PY", python).replace("WANTED", wanted) for text in (plain, fitting)]


def test_the_extra_torch_is_what_the_commands_install_and_the_extras_that_train_hold_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert tuple(extras["torch"]) == REQUIREMENTS
    assert "tlcourse[torch]" in extras["lab"]
    assert "tlcourse[torch]" in extras["test"]
    assert not [one for one in project["dependencies"] if one.startswith("torch")]


@pytest.mark.slow
def test_every_command_works_or_says_that_it_needs_torch_and_what_installs_it(outcomes, light):
    wrong = []
    for line, expected in COMMANDS:
        status, out, errors = outcomes[line]
        if expected == NEEDS_TORCH:
            fix = f"Fix: {light} -m pip install 'torch>=2.6' 'torchvision>=0.21'\n"
            holds = status == 3 and f"{NEEDS_TORCH}: torch and torchvision are not installed here." in errors
            holds = holds and fix in errors
        else:
            holds = status == expected and NEEDS_TORCH not in errors
        if not holds or "Traceback" in errors:
            wrong.append(f"{line}: {status}, expected {expected}\n{out[-300:]}\n{errors[-600:]}")
    assert not wrong, "\n\n".join(wrong)
