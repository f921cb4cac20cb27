"""Rows 19, 24 and 26 of the list of threats: what files and names of a hand-in may hold."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
from desk import SOLUTION
from zipforge import Member, forge

from tlcourse.course.spec import Output
from tlcourse.execution.arrays import BadArraysError, read_predictions


class _Touches:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def test_a_pickle_is_a_file_like_any_other_and_is_never_loaded(desk):
    marker = desk.folder / "ran"
    members = [Member(name, pickle.dumps(_Touches(str(marker)))) for name in (b"weights.pt", b"model.pkl", b"a.npy")]
    submission = desk.hand_in(forge(SOLUTION, *members))
    assert (submission.folder / "weights.pt").is_file()
    assert not marker.exists()


def test_predictions_that_are_a_pickle_are_no_predictions(desk):
    marker = desk.folder / "ran"
    with pytest.raises(BadArraysError):
        read_predictions(pickle.dumps(_Touches(str(marker))), 8, (Output("y"),))
    assert not marker.exists()


def test_names_that_are_commands_elsewhere_are_only_names(desk):
    names = [
        "=cmd|'calc'!A1.csv",
        "<img src=x onerror=alert(1)>.txt",
        "[bold red]x.txt",
        "-rf",
        "$(reboot).txt",
        "`id`",
    ]
    submission = desk.hand_in(forge(SOLUTION, *(Member(name.encode(), b"x") for name in names)))
    assert {path.name for path in submission.folder.iterdir()} == {"solution.py", *names}


@pytest.mark.parametrize("name", ["\x1b]0;owned\x07.zip", "a\nPASS\n.zip", "a\u202epiz.zip"])
def test_the_name_of_the_hand_in_itself_is_shown_by_its_escapes(desk, name):
    desk.refuses(b"no zip", name=name)


def test_no_escape_of_a_name_reaches_the_terminal(tl, tmp_path):
    (tmp_path / "x.zip").write_bytes(forge(SOLUTION, Member(b"\x1b[2J\x1b]0;owned\x07.py", b"x")))
    done = tl("grade", "line", "x.zip")
    assert done.returncode == 2
    assert "\\x1b[2J" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    document = tl("grade", "line", "x.zip", "--json")
    assert "\\x1b" in json.loads(document.stdout)["error"]["what"]


@pytest.mark.slow
def test_setup_and_requirements_are_never_installed_or_executed(tl, tmp_path):
    reference = (Path(__file__).parent.parent / "example_course/graders/references/line.py").read_bytes()
    marker = tmp_path / "ran"
    touch = f"open({str(marker)!r}, 'w')".encode()
    names = (b"setup.py", b"conftest.py", b"sitecustomize.py", b"usercustomize.py", b"__init__.py", b"__main__.py")
    members = [Member(name, touch) for name in names]
    members += [Member(b"requirements.txt", b"no-such-package-in-the-world"), Member(b"x.pth", b"import os; " + touch)]
    (tmp_path / "hand-in.zip").write_bytes(forge(Member(b"solution.py", reference), *members))
    done = tl("grade", "line", "hand-in.zip", "--sandbox", "none", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "pass"
    assert not marker.exists()
