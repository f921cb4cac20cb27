"""What a run sees of this machine: the worker's part of this package and no other, and nothing private, by any name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.shown import SHOWN_OF_THE_PACKAGE
from tlcourse.errors import ExitCode, UnableError
from tlcourse.sandbox import landlock
from tlcourse.sandbox.interpreter import PACKAGE
from tlcourse.sandbox.view import WORKER_FILES, machine_view, private_in, refuse_what_is_private, view_of

SITE = "lib/python3.11/site-packages"


def package_in(folder: Path, name: str = "tlcourse") -> Path:
    """A copy of this package, as far as a search for copies looks at one, with graders in it."""
    package = folder / name
    for file in (*WORKER_FILES, "_bundled/graders/ex2.py", "grading/secret.py"):
        path = package / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("") if path.suffix == ".py" else path.mkdir(exist_ok=True)
    return package


@pytest.fixture
def machine(tmp_path):
    """Places of a machine: a system, an interpreter, an environment that is made from it, with the link `lib64`."""
    for name in (f"usr/{SITE}", "usr/src/app", f"python/{SITE}", f"venv/{SITE}", "venv/bin", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "venv/lib64").symlink_to("lib")
    return tmp_path.resolve()


def seen(machine: Path, package: Path, *more: Path):
    prefixes = [machine / "python", machine / "venv"]
    return view_of(prefixes, [*(one / SITE for one in prefixes), *more], package, machine / "usr")


def hidden_in(view, machine: Path) -> set[str]:
    return {str(Path(one).relative_to(machine)) for one, shown in view.mounts if not shown}


@pytest.mark.slow
def test_the_list_of_what_a_run_sees_of_this_package_is_what_the_worker_imports():
    code = (
        "import json, sys, tlcourse.execution.worker.main as _\n"
        "print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'tlcourse']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {Path(one).relative_to(PACKAGE).as_posix() for one in json.loads(done.stdout)}
    folders = tuple(f"{name}/" for name in WORKER_FILES if not name.endswith(".py"))
    assert folders == ("execution/worker/", "methods/", "content/weights/")
    assert {name for name in imported if not name.startswith(folders)} == {n for n in WORKER_FILES if n.endswith(".py")}
    assert set(WORKER_FILES) == set(SHOWN_OF_THE_PACKAGE)  # or `list-the-package` would succeed, in every sandbox


def test_a_wheels_package_is_covered_and_the_workers_files_are_shown_in_it(machine):
    package = package_in(machine / "venv" / SITE)
    view = seen(machine, package)
    assert hidden_in(view, machine) == {"usr/src", f"venv/{SITE}/tlcourse"}
    assert view.holder(machine / "venv" / SITE / "torch") == str(machine / "venv")
    assert view.holder(package / "execution/worker/main.py") == str(package / "execution/worker")
    assert [view.holder(package / name) for name in ("_bundled/graders/ex2.py", "grading/secret.py", "cli")] == [""] * 3


def test_every_other_copy_is_covered_whole(machine):
    """In the system, the interpreter's own packages, another environment below, a checkout that pip made in `src`."""
    package = package_in(machine / "elsewhere")
    copies = [f"usr/{SITE}", f"python/{SITE}", f"venv/{SITE}", f"python/tools/other/{SITE}", "venv/src/course"]
    for copy in copies:
        package_in(machine / copy)
    for beside in ("graders", ".git", "exercises"):
        (machine / "venv/src/course" / beside).mkdir()
    expected = {f"{copy}/tlcourse" for copy in copies} | {"usr/src", "venv/src/course/graders", "venv/src/course/.git"}
    view = seen(machine, package)
    assert hidden_in(view, machine) == expected
    assert view.holder(machine / "elsewhere/graders/x.py") == ""
    assert view.holder(package / "methods/lora.py") == str(package / "methods")


def test_what_an_editable_install_leaves_among_the_packages_is_covered(machine):
    """The package itself is in the checkout; but its bundled graders were copied, and lie here without it."""
    left = machine / "venv" / SITE / "tlcourse"
    (left / "_bundled/graders").mkdir(parents=True)
    view = seen(machine, package_in(machine / "elsewhere"))
    assert hidden_in(view, machine) == {"usr/src", f"venv/{SITE}/tlcourse"}
    assert view.holder(left / "_bundled/graders/ex2.py") == ""


def test_an_environment_in_a_covered_folder_is_shown_and_what_is_beside_it_is_not(machine):
    """The usual place in a container: the course in /usr/src/app, its environment in it."""
    app = machine / "usr/src/app"
    (app / ".venv" / SITE).mkdir(parents=True)
    package = package_in(app / ".venv" / SITE)
    view = view_of([machine / "python", app / ".venv"], [], package, machine / "usr")
    assert view.holder(app / "graders/ex2.py") == ""
    assert view.holder(app / ".venv/bin/python") == str(app / ".venv")
    assert view.holder(package / "_bundled/graders/ex2.py") == ""


def test_other_environments_of_a_conda_installation_are_covered(machine):
    for name in ("conda-meta", f"envs/mine/{SITE}", "envs/other/lib", "pkgs"):
        (machine / "python" / name).mkdir(parents=True)
    package = package_in(machine / "python/envs/mine" / SITE)
    view = view_of([machine / "python", machine / "python/envs/mine"], [], package, machine / "usr")
    assert view.holder(machine / "python/envs/other/lib") == ""
    assert view.holder(machine / "python/envs/mine" / SITE / "torch") == str(machine / "python/envs/mine")


def test_a_folder_that_is_known_by_a_link_is_shown_by_its_real_path_and_the_link_is_made(machine):
    (machine / "current").symlink_to("venv")
    package = package_in(machine / "venv" / SITE)
    view = view_of([machine / "python", machine / "current"], [machine / "current" / SITE], package, machine / "usr")
    assert str(machine / "current") not in dict(view.mounts)
    assert view.links[str(machine / "current")] == str(machine / "venv")
    assert hidden_in(view, machine) == {"usr/src", f"venv/{SITE}/tlcourse"}


def test_landlock_gives_no_right_to_what_is_covered_by_any_name(machine):
    package = package_in(machine / "venv" / SITE)
    view = seen(machine, package)
    rights = landlock.without(
        [one for one, shown in view.mounts if shown], [one for one, shown in view.mounts if not shown]
    )
    readable = {Path(one) for one, right in rights.items() if right & landlock.READ_FILE}
    assert readable >= {package / "methods", machine / "venv/bin"}
    for covered in (package / "_bundled/graders/ex2.py", machine / "venv/lib64/python3.11/site-packages/tlcourse/cli"):
        assert not readable & {covered, *covered.parents, covered.resolve(), *covered.resolve().parents}
    assert machine / "venv/lib64" not in rights


def test_what_is_private_and_lies_in_the_environment_is_refused_by_name(monkeypatch):
    secret = Path(sys.prefix) / "secret"
    with pytest.raises(UnableError) as raised:
        refuse_what_is_private([("The secret", secret)])
    assert raised.value.exit_code == ExitCode.UNABLE == 3
    assert (
        raised.value.what
        == f"The secret, {secret}, lies in {secret.parent.resolve()}, which every submission can read."
    )
    refuse_what_is_private([("The gradebook", Path("/var/lib/book")), ("The graders", PACKAGE / "_bundled/graders")])


def test_an_environment_made_in_the_home_folder_itself_is_refused(monkeypatch):
    refuse_what_is_private()
    monkeypatch.setenv("HOME", sys.prefix)
    with pytest.raises(UnableError, match="Your home folder"):
        refuse_what_is_private()


def test_a_secret_in_the_folder_that_is_kept_for_it_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.setattr("tlcourse.sandbox.view.machine_view", lambda: view_of([], [], PACKAGE, tmp_path))
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path))
    refuse_what_is_private()
    (tmp_path / "secret").write_text("0" * 64)
    with pytest.raises(UnableError, match="The secret"):
        refuse_what_is_private()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
def test_a_folder_that_this_user_cannot_enter_holds_nothing_of_theirs(monkeypatch, tmp_path):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path / "below"))
    machine_view()
    os.seteuid(64999)
    try:
        refuse_what_is_private()
        assert private_in(Path("/usr/share")) == ""
    finally:
        os.seteuid(0)


def test_what_this_machine_shows_is_found_once():
    assert machine_view() is machine_view()
