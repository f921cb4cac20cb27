"""Where a group may be made: path logic, on trees of our own. A machine has one version; the rest is its kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tlcourse.sandbox.cgroup import V1, V2, Group, places

USER = 1000


def _own(folder: Path, *lines: str) -> Path:
    path = folder / "own"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def version_2(tmp_path, monkeypatch):
    """`version_2({group: {file: content}}, here)`: a tree of groups, and the places in it for a process in `here`.

    Asked by an ordinary user, if nothing else is said; `mine` are the groups that they may write to.
    """

    def found(tree: dict[str, dict[str, str]], here: str, *, uid: int = USER, mine: str = "") -> list[str]:
        (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n", encoding="ascii")
        for group, files in tree.items():
            folder = tmp_path / group
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (folder / name).write_text(content + "\n", encoding="ascii")
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        monkeypatch.setattr(os, "access", lambda path, _: str(path).startswith(str(tmp_path / mine).rstrip("/")))
        got = list(places(tmp_path, _own(tmp_path, f"0::/{here}")))
        assert all(files == V2 for _, files in got)
        return [str(folder.relative_to(tmp_path)) for folder, _ in got]

    return found


PASSES = {"cgroup.subtree_control": "memory pids"}
APP = "user.slice/user-1000.slice/user@1000.service/app.slice"
DESKTOP = {
    "user.slice": PASSES,
    "user.slice/user-1000.slice": PASSES,
    "user.slice/user-1000.slice/user@1000.service": PASSES | {"memory.max": "max"},
    APP: PASSES | {"memory.max": "max"},
    f"{APP}/shell.scope": {"cgroup.subtree_control": "", "memory.max": "max"},
}
SERVICE = "user.slice/user-1000.slice/user@1000.service"


class TestVersion2:
    def test_the_nearest_group_that_passes_memory_on_comes_first(self, version_2):
        assert version_2(DESKTOP, f"{APP}/shell.scope", mine=SERVICE) == [APP, SERVICE]

    def test_the_controller_of_processes_may_be_absent(self, version_2):
        without = {group: {"cgroup.subtree_control": "memory"} for group in (APP, SERVICE)}
        assert version_2(DESKTOP | without, f"{APP}/shell.scope", mine=SERVICE)[0] == APP

    def test_a_group_uses_no_file_of_the_controller_of_processes(self, tmp_path):
        group = Group(tmp_path, V2, 64)
        assert {path.name for path in group.folder.iterdir()} == {"memory.max", "memory.swap.max", "memory.oom.group"}

    def test_without_delegation_there_is_none(self, version_2):
        tree = {"user.slice": PASSES, "user.slice/session-3.scope": {"cgroup.subtree_control": ""}}
        assert version_2(tree, "user.slice/session-3.scope", mine="nothing") == []

    @pytest.mark.parametrize(
        ("name", "limit"), [("memory.max", "4294967296"), ("memory.high", "1000000"), ("cpu.max", "50000 100000")]
    )
    def test_no_run_leaves_a_group_that_has_a_limit(self, version_2, name, limit):
        """A job of Slurm's step has 4 GB: a group beside the job would be outside of it."""
        job = {"slurm": PASSES, "slurm/job_7": PASSES | {name: limit}, "slurm/job_7/step_0": {}}
        assert version_2(job, "slurm/job_7/step_0") == ["slurm/job_7"]
        bounded = {"slurm": PASSES, "slurm/job_7": PASSES, "slurm/job_7/step_0": {name: limit}}
        assert version_2(bounded, "slurm/job_7/step_0") == []

    def test_a_limit_that_is_none_stops_nobody(self, version_2):
        tree = {"a": PASSES, "a/b": {"memory.max": "max", "memory.high": "max", "cpu.max": "max 100000"}}
        assert version_2(tree, "a/b") == ["a"]

    def test_root_may_write_everywhere_and_uses_only_what_was_left_to_it(self, version_2, monkeypatch, tmp_path):
        session = {
            "": {"cgroup.subtree_control": "memory"},
            "system.slice": PASSES,
            "system.slice/ssh.service": PASSES,
            "system.slice/ssh.service/x": {},
        }
        assert version_2(session, "system.slice/ssh.service/x", uid=0) == []
        marked = str(tmp_path / "system.slice/ssh.service")

        def attribute(path: Path, name: str) -> bytes:
            if (str(path), name) == (marked, "trusted.delegate"):
                return b"1"
            raise OSError(61, "No data available")

        monkeypatch.setattr(os, "getxattr", attribute)
        assert version_2(session, "system.slice/ssh.service/x", uid=0) == ["system.slice/ssh.service"]

    def test_in_a_container_of_its_own_all_that_root_sees_was_left_to_it(self, version_2):
        """The top of a container's view has a type; a machine's real root has none."""
        tree = {"": PASSES | {"cgroup.type": "domain"}, "shell": {"cgroup.subtree_control": ""}}
        assert version_2(tree, "shell", uid=0) == ["."]


class TestVersion1:
    def test_it_lies_below_the_groups_own_path(self, tmp_path):
        own = tmp_path / "memory" / "user" / "session"
        own.mkdir(parents=True)
        for folder in (own, tmp_path / "memory"):
            (folder / V1.limit).touch()
        assert list(places(tmp_path, _own(tmp_path, "4:memory:/user/session", "0::/"))) == [(own, V1)]

    def test_in_a_container_the_path_is_the_hosts_and_the_mounts_top_is_ours(self, tmp_path):
        top = tmp_path / "memory"
        top.mkdir()
        (top / V1.limit).touch()
        assert list(places(tmp_path, _own(tmp_path, "4:memory:/docker/0123"))) == [(top, V1)]


def test_a_machine_without_groups_gives_none(tmp_path):
    assert list(places(tmp_path, tmp_path / "missing")) == []
