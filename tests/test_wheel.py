"""A built wheel, installed away from the checkout, runs the same commands with the bundled course."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from served import serving

from tests.attacks.user import grader

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
    assert Path(shown["grader"]).is_file()


def test_it_carries_every_file_of_the_package(installed):
    (wheel,) = installed.parents[2].glob("tlcourse-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        carried = set(opened.namelist())
    files = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "tlcourse").rglob("*") if path.is_file()}
    files = {name for name in files if "__pycache__" not in name}
    assert {"tlcourse/cli/web_page/app_index.html", "tlcourse/template/course.yaml"} <= files
    assert files - carried == set()


def test_no_reference_and_no_wrong_solution_lies_in_it_as_text_and_those_who_need_them_read_them(installed):
    (wheel,) = installed.parents[2].glob("tlcourse-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        carried = {name: opened.read(name) for name in opened.namelist()}
    solutions = [
        path for folder in ("references", "wrong", "write") for path in (CHECKOUT / "graders" / folder).rglob("*.*")
    ]
    solutions = [path for path in solutions if path.suffix in (".py", ".md", ".yaml")]
    assert len(solutions) > 20
    assert not [path.name for path in solutions for data in carried.values() if path.read_bytes()[:400] in data]
    code = (
        "from tlcourse.course.exercise import explanation, solutions\n"
        "from tlcourse.course.loader import load_course\n"
        "for one in load_course().exercises.values():\n"
        "    print(len(list(solutions(one))), 'def fit(' in explanation(one, passed=True).page)\n"
        "from tlcourse.grading.write_it import reference_and_wrongs\n"
        "from tlcourse.paths import graders_folder\n"
        "for one in load_course().write_its.values():\n"
        "    reference, wrongs = reference_and_wrongs(graders_folder(None), one)\n"
        "    print(one.id, all(wrong.replace[0] in reference for wrong in wrongs) and len(wrongs))\n"
    )
    command = [installed.parent / "python", "-I", "-c", code]
    told = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True).stdout.splitlines()
    beside = [1 + len(list(folder.glob("*.py"))) for folder in sorted((CHECKOUT / "graders" / "wrong").iterdir())]
    assert told[: len(beside)] == [f"{number} True" for number in beside]
    written = sorted(line.split()[0] for line in told[len(beside) :] if int(line.split()[1]) >= 2)
    assert written == sorted(folder.name for folder in (CHECKOUT / "graders" / "write").iterdir())


def test_it_carries_its_licence_and_says_so(installed):
    (wheel,) = installed.parents[2].glob("tlcourse-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        (metadata,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        about = Parser().parsestr(opened.read(metadata).decode())
        licence = opened.read(metadata.replace("METADATA", "licenses/LICENSE")).decode()
    assert (about["License-Expression"], about["License-File"]) == ("MIT", "LICENSE")
    assert "Copyright (c) 2026 tlcourse contributors" in licence
    assert licence == (CHECKOUT / "LICENSE").read_text()
    cited = yaml.safe_load((CHECKOUT / "CITATION.cff").read_text())
    assert (cited["license"], cited["version"]) == ("MIT", about["Version"])
    assert [author["name"] for author in cited["authors"]] == ["tlcourse contributors"]


def test_its_own_page_has_no_picture_and_names_documents_that_are_installed_with_it(installed):
    (wheel,) = installed.parents[2].glob("tlcourse-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        (metadata,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        page = Parser().parsestr(opened.read(metadata).decode()).get_payload()
    assert page.startswith("# tlcourse\n\nA course in a terminal, and its grader.")
    assert "![" not in page
    assert re.findall(r"\]\((?!\w+:)", page) == []
    named = set(re.findall(r"share/doc/tlcourse/([\w/-]+\.md)", page))
    assert {"students.md", "security.md", "install.md"} <= named
    for name in named:
        there = installed.parents[1] / "share" / "doc" / "tlcourse" / name
        assert there.read_text() == (CHECKOUT / "docs" / name).read_text()


def test_a_new_course_is_made_from_it_and_is_right(tl, tmp_path):
    made = tl("author", "new", "mine", "--title", "Mine")
    assert made.returncode == 0, made.stderr
    template = CHECKOUT / "tlcourse" / "template"
    expected = {path.relative_to(template) for path in template.rglob("*") if path.is_file()}
    found = {path.relative_to(tmp_path / "mine") for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    assert {path for path in expected if not {"__pycache__", "like"} & {*path.parts}} <= found
    assert tl("author", "new", "mine", "--like", "functions").returncode == 0  # exercises of other kinds are there, too
    checked = tl("author", "check", "mine")
    assert checked.returncode == 0, checked.stdout


def test_it_serves_its_page(installed, own_home):
    pytest.importorskip("textual_serve", reason="needs textual-serve (extra `web`)")
    with serving(own_home, installed) as served, urlopen(served.url, timeout=60) as answer:
        page = answer.read().decode()
    assert "/static/js/textual.js" in page
    assert "https://" not in page


def test_it_shows_samples(tl):
    shown = tl("exercise", "samples", "ex1", "--count", "1", "--plain")
    assert shown.stdout.startswith("1: an ant"), shown.stderr


LOOKS = """
import glob, importlib, json, sys
def fit(task):
    ways = ("/lib*/python3*/site-packages", "/lib*/python3*/dist-packages", "/local/lib*/python3*/*-packages", "")
    places = [place + way for place in {*sys.path, sys.prefix, sys.base_prefix, "/usr"} for way in ways]
    read, imported = [], []
    for place in places:
        for path in glob.glob(place + "/tlcourse/_bundled/**/*.py", recursive=True):
            try:
                read.append((path, len(open(path).read())))
            except OSError:
                pass
    for name in ("_bundled.graders.ex2_multitask", "data.synthetic.stars", "labs.runner", "grading.secret"):
        try:
            if getattr(importlib.import_module("tlcourse." + name), "__file__", None):
                imported.append(name)
        except (ImportError, OSError):
            pass
    from tlcourse.methods import sharing
    task.pretrained("insects")
    print("TOLD", json.dumps({"read": read, "imported": imported}))
"""


@pytest.mark.parametrize("user", ["root", "ordinary"])
def test_no_solution_sees_the_graders_that_it_carries(installed, tmp_path, user):
    """In every kind of sandbox; and what a solution may use of this package is there: methods, pretrained networks."""
    if user == "root" and os.geteuid() != 0:
        pytest.skip("these tests were not started by root")
    with grader(user, installed.parents[1]) as started:
        solution = started.folder / "solution.py"
        solution.write_text(LOOKS)
        solution.chmod(0o644)
        for kind in ("bubblewrap", "fork-server", "landlock"):
            command = [started.python, "-m", "tlcourse", "grade", "ex2", str(solution), "--json", "--sandbox", kind]
            done = subprocess.run(
                [*started.prefix, *command], cwd="/", env=started.env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 1, (kind, done.stderr)
            (run,) = json.loads(done.stdout)["runs"]
            told = [line for line in run["log"].splitlines() if line.startswith("TOLD")]
            assert (run["sandbox"], told) == (kind, ['TOLD {"read": [], "imported": []}']), run["log"]


def test_what_is_private_must_not_lie_in_the_environment(installed, tl, tmp_path, monkeypatch):
    """Every submission reads what is there: a secret, a gradebook, a course with graders, hand-ins, the home folder."""
    venv = installed.parents[1]
    (tmp_path / "handins").mkdir()
    (tmp_path / "handins" / "ann.py").write_text("def fit(task): pass\n")
    secret = venv / "secret"
    secret.write_text("0" * 64)
    secret.chmod(0o600)
    assert tl("author", "new", str(venv / "mine"), "--title", "Mine").returncode == 0
    named = {
        "The secret": ["batch", "ex2", "handins", "--secret", str(secret)],
        "The gradebook": ["batch", "ex2", "handins", "--gradebook", str(venv / "book.sqlite")],
        "The hand-ins": ["batch", "ex2", str(venv / "mine")],
        "The course's folder of graders": ["grade", "outliers", "handins/ann.py", "--course", str(venv / "mine")],
    }
    for what, command in named.items():
        refused = tl(*command)
        assert (refused.returncode, f"{what}, {venv}/" in refused.stderr) == (3, True), (what, refused.stderr)
        assert f"lies in {venv.resolve()}, which every submission can read" in refused.stderr
    monkeypatch.setenv("HOME", str(venv))
    refused = tl("grade", "ex2", "handins/ann.py")
    assert (refused.returncode, "Your home folder" in refused.stderr) == (3, True), refused.stderr
