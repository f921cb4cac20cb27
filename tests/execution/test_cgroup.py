"""The kernel's own limit of memory, behind the watchdog's: where groups are made, what they stop, that none is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tlcourse.execution import cgroup, supervise
from tlcourse.execution.cgroup import V1, V2, group_for, places

_WAITS_THEN_TAKES = "import sys; sys.stdin.readline(); x = b'1' * int(sys.argv[1]); print(len(x))"


def _own(folder: Path, *lines: str) -> Path:
    path = folder / "own"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def real() -> Path:
    """The folder in which this machine lets us make groups."""
    group = group_for(64)
    if group is None:
        pytest.skip("no control group may be made here: neither version 1 as root nor a delegated version 2")
    group.remove()
    return group._folder.parent


def _taking(megabytes: int, limit_mb: int) -> tuple[int, cgroup.Group]:
    group = group_for(limit_mb)
    assert group is not None
    command = [sys.executable, "-c", _WAITS_THEN_TAKES, str(megabytes * 2**20)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        group.take([process.pid])
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        return process.wait(timeout=60), group


def test_the_kernel_ends_what_takes_more_in_one_go(real):
    status, group = _taking(400, limit_mb=64)
    assert status == -9
    assert group.has_killed()
    assert group.peak_mb() == pytest.approx(64 * cgroup.SLACK, abs=1)
    group.remove()
    assert not group._folder.exists()


def test_who_stays_below_the_limit_notices_nothing(real):
    status, group = _taking(100, limit_mb=300)
    assert status == 0
    assert not group.has_killed()
    group.remove()


def test_a_process_that_has_ended_is_passed_over(real):
    group = group_for(64)
    with subprocess.Popen(["/bin/true"]) as process:
        process.wait()
    group.take([process.pid])
    assert not group.has_killed()
    group.remove()


def test_groups_of_graders_that_were_killed_are_swept(real):
    with subprocess.Popen(["/bin/true"]) as process:
        process.wait()
    left, lives = real / f"tlcourse-{process.pid}-1", real / f"tlcourse-{os.getppid()}-1"
    for folder in (left, lives):
        folder.mkdir()
    group_for(64).remove()
    assert not left.exists()
    assert lives.exists()
    lives.rmdir()


@pytest.mark.parametrize("wall", ["cold", "warm"])
@pytest.mark.slow
def test_a_run_that_the_watchdog_misses_ends_as_memory_and_leaves_no_group(real, grade_text, monkeypatch, wall):
    monkeypatch.setattr(supervise, "exceeded", lambda *_: None)
    result = grade_text(
        """
        import torch

        def fit(task):
            x = torch.ones(3_000, 2**20 // 4)
            return torch.nn.Linear(2, 2)
        """,
        isolation=wall,
        memory_mb=1200,
    )
    assert result.outcome == "memory"
    assert "1200 MB are allowed" in " ".join(result.messages)
    assert not list(real.glob(f"tlcourse-{os.getpid()}-*"))


class TestPlaces:
    """Path logic, on a tree of our own: this machine has one version, and the kernel decides the rest."""

    def test_version_1_lies_below_the_groups_own_path(self, tmp_path):
        own = tmp_path / "memory" / "user" / "session"
        own.mkdir(parents=True)
        (own / V1.limit).touch()
        assert list(places(tmp_path, _own(tmp_path, "4:memory:/user/session", "0::/"))) == [(own, V1)]

    def test_in_a_container_the_path_is_the_hosts_and_the_mounts_top_is_ours(self, tmp_path):
        top = tmp_path / "memory"
        top.mkdir()
        (top / V1.limit).touch()
        assert list(places(tmp_path, _own(tmp_path, "4:memory:/docker/0123"))) == [(top, V1)]

    def test_version_2_is_the_nearest_group_that_passes_memory_on(self, tmp_path):
        scope = tmp_path / "user.slice" / "user@1000.service" / "app.slice" / "shell.scope"
        scope.mkdir(parents=True)
        (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n", encoding="ascii")
        (scope / "cgroup.subtree_control").write_text("\n", encoding="ascii")
        (scope.parent / "cgroup.subtree_control").write_text("memory pids\n", encoding="ascii")
        own = _own(tmp_path, "0::/user.slice/user@1000.service/app.slice/shell.scope")
        assert next(places(tmp_path, own)) == (scope.parent, V2)

    def test_version_2_without_delegation_gives_none(self, tmp_path):
        session = tmp_path / "user.slice" / "session-3.scope"
        session.mkdir(parents=True)
        (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n", encoding="ascii")
        (session.parent / "cgroup.subtree_control").write_text("pids\n", encoding="ascii")
        assert list(places(tmp_path, _own(tmp_path, "0::/user.slice/session-3.scope"))) == []

    def test_a_machine_without_groups_gives_none(self, tmp_path):
        assert list(places(tmp_path, tmp_path / "missing")) == []
