"""The kernel's own limit of memory, behind the watchdog's: who is in a group, what it stops, that none is left."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tlcourse.course.spec import Limits
from tlcourse.execution import supervise
from tlcourse.sandbox import cgroup
from tlcourse.sandbox.base import Start
from tlcourse.sandbox.cgroup import V1, V2, Files, Group, group_for
from tlcourse.sandbox.choose import choose, findings

_WAITS_THEN_TAKES = "import sys; sys.stdin.readline(); x = b'1' * int(sys.argv[1]); print(len(x))"
_STAYS = ["/bin/sleep", "600"]
Places = Callable[..., None]


@pytest.fixture
def real() -> Path:
    """The folder in which this machine lets us make groups."""
    group = group_for(64)
    if group is None:
        pytest.skip("no control group may be made here: neither version 1 as root nor a delegated version 2")
    group.remove()
    return group.folder.parent


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """`only((folder, files), …)`: the machine has these places, and none of them was tried yet."""

    def given(*places: tuple[Path, Files]) -> None:
        monkeypatch.setattr(cgroup, "places", lambda: iter(places))
        cgroup.why_none.cache_clear()

    yield given
    cgroup.why_none.cache_clear()


def _taking(megabytes: int, limit_mb: int) -> tuple[int, Group]:
    group = group_for(limit_mb)
    assert group is not None
    command = [sys.executable, "-c", _WAITS_THEN_TAKES, str(megabytes * 2**20)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        group.take(process.pid)
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
    assert not group.folder.exists()


def test_who_stays_below_the_limit_notices_nothing(real):
    status, group = _taking(100, limit_mb=300)
    assert status == 0
    assert not group.has_killed()
    group.remove()


@pytest.mark.parametrize("sandbox", ["bubblewrap", "fork-server"])
@pytest.mark.slow
def test_a_run_that_the_watchdog_misses_ends_as_memory_and_leaves_no_group(real, grade_text, monkeypatch, sandbox):
    monkeypatch.setattr(supervise, "exceeded", lambda *_: None)
    result = grade_text(
        """
        import torch

        def fit(task):
            x = torch.ones(3_000, 2**20 // 4)
            return torch.nn.Linear(2, 2)
        """,
        sandbox_kind=sandbox,
        memory_mb=1200,
    )
    assert result.outcome == "memory"
    assert "1200 MB are allowed" in " ".join(result.messages)
    assert not list(real.glob(f"tlcourse-*-{os.getpid()}-*"))


class SeenEnoughError(Exception):
    """Ends a run from outside."""


class TestEntering:
    """No instruction of a submission runs outside the group of its run."""

    FORKS_AT_ONCE = """
        import ctypes, os, time, torch
        ctypes.CDLL(None).prctl(15, b"forked-early", 0, 0, 0)
        for _ in range(2):
            if os.fork() == 0:
                time.sleep(60)
        def fit(task):
            task.log(1, going=1)
            time.sleep(60)
        """

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["bubblewrap", "fork-server", "landlock", "none"])
    def test_what_a_run_forks_before_anybody_looks_at_it_is_inside(self, real, job_for, monkeypatch, name):
        if not next(one for one in findings() if one.name == name).available:
            pytest.skip(f"no {name} sandbox here")
        seen: list[tuple[int, set[int]]] = []
        watched = supervise.ProcessTree

        def late(*arguments: object, **options: object) -> supervise.ProcessTree:
            time.sleep(1)  # the submission has forked before the supervisor sees to it
            return watched(*arguments, **options)

        def look(event: dict[str, object]) -> None:
            if event["type"] == "metric":
                below = psutil.Process().children(recursive=True)
                run = {one.pid for one in below if one.name() == "forked-early"}
                (group,) = real.glob(f"tlcourse-*-{os.getpid()}-*")
                inside = {int(pid) for pid in (group / "cgroup.procs").read_text().split()}
                seen.append((len(run), run - inside))
                raise SeenEnoughError

        monkeypatch.setattr(supervise, "ProcessTree", late)
        sandbox, _ = choose(name)
        with pytest.raises(SeenEnoughError):
            supervise.run(job_for(self.FORKS_AT_ONCE), sandbox, look)
        assert seen == [(3, set())]
        assert not list(real.glob(f"tlcourse-*-{os.getpid()}-*"))

    def test_a_forked_child_is_moved_while_it_waits_for_our_word(
        self, real, fork_server_sandbox, tmp_path, monkeypatch
    ):
        """It shows its number, is moved, and only then told to go on."""
        told: list[str] = []
        taken = Group.take

        def take(group: Group, pid: int) -> None:
            program = Path(f"/proc/{pid}/cmdline").read_bytes()
            told.append("waits" if b"zygote" in program else f"runs {program!r}")
            taken(group, pid)

        monkeypatch.setattr(Group, "take", take)
        group, folder = group_for(256), tmp_path / "run"
        for name in ("inputs", "submission"):
            (folder / name).mkdir(parents=True)
        with Path(os.devnull).open("r+b") as nothing:
            number = nothing.fileno()
            start = Start(
                (), folder / "inputs", folder / "submission", Limits(), {}, (), stdin=number, output=number, group=group
            )
            process = fork_server_sandbox.start_program(start, ["/usr/bin/sleep", "600"])
        assert told == ["waits"]
        assert process.pid in group.members()
        process.kill()
        process.wait()
        group.remove()

    def test_the_run_cannot_see_where_its_group_lies(self, real, fork_server_sandbox, job_for, tells, told):
        """Its path would say who grades, and on which machine."""
        lines = told(
            supervise.run(job_for(tells("told['seen'] = open('/proc/self/cgroup').read()")), fork_server_sandbox, print)
        )
        assert "tlcourse" not in lines["seen"]
        assert ".." not in lines["seen"]

    def test_a_process_that_has_ended_is_passed_over(self, real):
        group = group_for(64)
        with subprocess.Popen(["/bin/true"]) as process:
            process.wait()
        group.take(process.pid)
        assert group.members() == []
        group.remove()

    def test_any_other_refusal_is_said(self, tmp_path):
        """A limit that does not hold must not look as if it did."""
        group = Group(tmp_path, V1, 64)
        (group.folder / "cgroup.procs").mkdir()
        with pytest.raises(IsADirectoryError):
            group.take(os.getpid())

    def test_a_run_that_its_group_does_not_take_is_a_fault_of_ours(self, job_for, tells, tmp_path, monkeypatch):
        def refusing(limit_mb: float) -> Group:
            group = Group(tmp_path, V1, limit_mb)
            (group.folder / "cgroup.procs").mkdir()
            return group

        monkeypatch.setattr(supervise, "group_for", refusing)
        report = supervise.run(job_for(tells("pass")), choose("bubblewrap")[0], lambda _: None)
        assert report.status == "infra"
        assert "cgroup.procs" in report.message


class TestTrial:
    """What is used, and what `doctor` says, was tried with a process."""

    def test_where_it_works_the_version_is_said(self, real):
        assert cgroup.in_words().startswith("a watchdog, and the kernel a tenth above it (control groups, version ")

    def test_a_group_that_can_be_made_but_holds_nobody_is_no_limit(self, only, tmp_path):
        only((tmp_path, V1))  # any folder takes these files, and does nothing
        assert cgroup.in_words() == "a watchdog; a control group can be made here, but no process comes into it"
        assert group_for(64) is None

    def test_a_group_that_refuses_processes_is_no_limit(self, only, tmp_path, monkeypatch):
        def refuse(group: Group, pid: int) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        only((tmp_path, V2))
        monkeypatch.setattr(Group, "take", refuse)
        assert cgroup.in_words() == (
            "a watchdog; a control group can be made here, but takes no process (Permission denied)"
        )
        assert group_for(64) is None

    def test_without_a_place_that_is_said(self, only):
        only()
        assert cgroup.in_words() == "a watchdog; no control group may be made here"

    def test_the_first_place_that_works_is_taken(self, real, only, tmp_path):
        only((tmp_path, V1), (real, V1))
        group = group_for(64)
        assert group.folder.parent == real
        group.remove()


class TestRemoval:
    """A group goes when its run is over, however slow the machine; and else with the next run."""

    def test_it_is_waited_for_as_long_as_the_kernel_is_busy(self, real, monkeypatch):
        """The last process of a run may need longer to leave than anybody expects: once it was given up after 50 ms."""
        group, busy = group_for(64), [True] * 30
        removed = Path.rmdir

        def slow(folder: Path) -> None:
            if busy:
                busy.pop()
                raise OSError(errno.EBUSY, "Device or resource busy")
            removed(folder)

        monkeypatch.setattr(Path, "rmdir", slow)
        group.remove()
        assert not group.folder.exists()

    def test_what_is_still_in_it_is_ended(self, real):
        """Without a sandbox, a daemon that left its parents is found by its group alone."""
        group = group_for(64)
        with subprocess.Popen(_STAYS, start_new_session=True) as process:
            group.take(process.pid)
            group.remove()
            assert process.wait(timeout=60) == -9
        assert not group.folder.exists()

    @pytest.mark.slow
    def test_a_daemon_of_a_run_without_a_sandbox_ends_with_the_run(self, real, job_for, tells):
        source = tells("subprocess.Popen(['/usr/bin/sleep', '601.5'], start_new_session=True)")
        assert supervise.run(job_for(source), choose("none")[0], lambda _: None).status == "done"
        assert not [one for one in psutil.process_iter(["cmdline"]) if "601.5" in (one.info["cmdline"] or [])]

    def test_it_is_not_waited_for_without_end(self, real, monkeypatch):
        monkeypatch.setattr(cgroup, "_REMOVAL_S", 0.05)
        monkeypatch.setattr(Group, "kill", lambda group: None)
        group = group_for(64)
        with subprocess.Popen(_STAYS) as process:
            group.take(process.pid)
            group.remove()
            assert group.folder.exists()
            process.kill()
        group_for(64).remove()  # the next run of this process sweeps it
        assert not group.folder.exists()

    def test_groups_of_graders_that_were_killed_are_swept(self, real):
        with subprocess.Popen(["/bin/true"]) as process:
            process.wait()
        here = cgroup.pid_namespace()
        left = real / f"tlcourse-{here}-{process.pid}-1"
        lives = real / f"tlcourse-{here}-{os.getppid()}-1"
        in_a_container = real / f"tlcourse-{here + 1}-{process.pid}-1"
        for folder in (left, lives, in_a_container):
            folder.mkdir()
        mine = group_for(64)
        group_for(64).remove()
        assert [folder.exists() for folder in (left, lives, in_a_container, mine.folder)] == [False, True, True, True]
        mine.remove()
        for folder in (lives, in_a_container):
            folder.rmdir()
