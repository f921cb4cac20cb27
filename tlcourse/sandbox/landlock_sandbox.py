"""The *landlock* sandbox: Landlock and seccomp, for machines that forbid user namespaces. Weaker, and it says so.

A run keeps the machine's view of processes, network and mounts, and is refused what it would do with them. What that
cannot stop is listed in docs/security.md, and tried in tests/attacks/.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import pwd
import resource
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from tlcourse.course.spec import Limits
from tlcourse.errors import UnableError
from tlcourse.sandbox import landlock, seccomp
from tlcourse.sandbox.base import Finding, SandboxedProcess, Start
from tlcourse.sandbox.bubblewrap import tool
from tlcourse.sandbox.interpreter import PACKAGE, isolated_command, opened, python, worker_command
from tlcourse.sandbox.limits import rlimits
from tlcourse.sandbox.view import WORKER_FILES, machine_view

NOTICE = (
    "Ran in the landlock sandbox (Landlock + seccomp, no namespaces): a hostile submission could see which files and "
    "processes exist on this machine; docs/security.md lists what else it cannot stop."
)
_FIRST_UID, _UIDS = 64200, 200
_SYSTEM = ("/etc/ld.so.cache", "/proc/cpuinfo", "/proc/meminfo")
_OLDER_SYSTEM = ("/lib", "/lib64", "/bin")
"""Links into /usr on most machines: then they are shown, and covered, with it."""
_OWN = ("status", "stat", "statm", "maps", "smaps", "fd", "task", "limits")
"""Of /proc/self; not `net`, which is the machine's."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_END_S = 30.0


class LandlockSandbox:
    """Landlock + seccomp around each run, below a reaper that leaves nothing behind."""

    name = "landlock"

    def start(self, start: Start) -> LandlockProcess:
        """Start the worker below its reaper."""
        if start.gpu:
            raise UnableError("The landlock sandbox shows no GPU.", remedy="say --device cpu, or see tlcourse doctor")
        # what is hidden of this package can neither be opened nor listed there: links to what is not, in its form
        own = start.inputs.parent / "package"
        for name in WORKER_FILES:
            link = own / PACKAGE.name / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(PACKAGE / name)
        for made in (own, *own.rglob("*")):
            if not made.is_symlink():
                made.chmod(0o755)  # whatever the umask takes away
        return _launch(start, worker_command([str(start.inputs), str(start.submission), *start.arguments], own))


class LandlockProcess(SandboxedProcess):
    """The reaper of a run."""

    uid_held: IO[bytes] | None = None

    def end_all(self) -> None:
        """Have the reaper end the run; killing the reaper itself would set orphans free."""
        with contextlib.suppress(ProcessLookupError):
            self.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(_END_S)
        if self.uid_held is not None:
            self.uid_held.close()


def _launch(start: Start, command: Sequence[str]) -> LandlockProcess:
    base = start.inputs.parent
    scratch = base / "scratch"
    scratch.mkdir()
    uid, held, prefix = 0, None, []
    if os.geteuid() == 0:
        uid, held = _spare_uid()
        prefix = opened([*machine_view().folders(), base], tool("unshare"))
        base.chmod(0o711)
        for folder in (start.inputs, start.submission, scratch):
            for path in (folder, *folder.rglob("*")):
                os.chown(path, uid, uid, follow_symlinks=False)
    plan = _plan(start, command, scratch, uid)
    env = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONDONTWRITEBYTECODE": "1"}
    reaper = isolated_command("tlcourse.sandbox.reaper", "main", [json.dumps(plan)])
    try:
        process = LandlockProcess(
            [*start.entering(env), *prefix, *reaper],
            stdin=start.stdin,
            stdout=start.output,
            stderr=start.output,
            cwd="/",
            env=env,
            pass_fds=start.pass_fds,
            start_new_session=True,
        )
    except BaseException:
        if held is not None:
            held.close()
        raise
    process.scratch, process.uid_held = scratch, held
    return process


def _plan(start: Start, command: Sequence[str], scratch: Path, uid: int) -> dict[str, Any]:
    """All that the reaper must know."""
    limits, folder = rlimits(start.limits), str(scratch)
    if not uid:  # without a user of its own, this user's other threads count among the run's
        limits["RLIMIT_NPROC"] += _own_tasks()
    shown = [*_SYSTEM, *(name for name in _OLDER_SYSTEM if not Path(name).is_symlink())]
    shown += map(str, (start.inputs, start.submission, start.inputs.parent / "package"))
    shown += [path for path, is_shown in machine_view().mounts if is_shown]
    rights = {f"/dev/{name}": landlock.DEVICE for name in _DEVICES} | {folder: landlock.SCRATCH}
    return {
        "grader": os.getpid(),
        "uid": uid,
        "scratch": folder,
        "rights": rights,
        "shown": [path for path in shown if Path(path).exists()],
        "hidden": [path for path, is_shown in machine_view().mounts if not is_shown],
        "own": _OWN,
        "descriptors": start.pass_fds,
        "limits": {name: _bounded(getattr(resource, name), value) for name, value in limits.items()},
        "env": {**start.env, "HOME": folder, "TMPDIR": folder, "PWD": folder},
        "command": list(command),
    }


def _bounded(what: int, value: int) -> int:
    hard = resource.getrlimit(what)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _own_tasks() -> int:
    """Threads of this user: without a user namespace of its own, a run's count among them."""
    uid, count = os.geteuid(), 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == uid:
                count += process.num_threads()
    return count


def _spare_uid() -> tuple[int, IO[bytes]]:
    """A number that is nobody's on this machine, and that no other run has now; it is held until the file is closed.

    Whatever has the number of a run when it ends is ended with it: so a user of the machine, or one of a directory
    service whose processes run here, must never have it. The locks are files that root alone can reach.
    """
    folder, taken = _folder_of_locks(), _uids_of_processes()
    for uid in range(_FIRST_UID, _FIRST_UID + _UIDS):
        if uid in taken or _is_somebody(uid):
            continue
        held = (folder / f"uid-{uid}").open("ab")
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return uid, held
        held.close()
    raise OSError(f"{_UIDS} runs hold every spare user")


def _folder_of_locks() -> Path:
    """A folder of root's own; raises OSError where somebody else has made one of that name."""
    error: OSError | None = None
    for folder in (Path("/run/tlcourse"), Path(tempfile.gettempdir(), "tlcourse-users")):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            info = folder.lstat()
            if stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o077:
                return folder
            raise PermissionError(f"{folder} is not this user's own")
        except OSError as found:
            error = found
    assert error is not None
    raise error


def _uids_of_processes() -> set[int]:
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                found.add(process.stat().st_uid)
    return found


def _is_somebody(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


@functools.cache
def probe() -> Finding:
    """Whether the worker's Python starts in this sandbox here: it is tried."""
    if not landlock.abilities().version:
        return Finding(
            LandlockSandbox.name,
            False,
            "this kernel has no Landlock, or it is not switched on",
            "Linux 5.13 or later, with landlock in the kernel's lsm= list",
        )
    if seccomp.program() is None:
        return Finding(LandlockSandbox.name, False, "no seccomp filter is known for this kind of processor")
    with tempfile.TemporaryDirectory(prefix="tlcourse-probe-") as folder, tempfile.TemporaryFile() as said:
        inputs, submission = Path(folder, "inputs"), Path(folder, "submission")
        inputs.mkdir()
        submission.mkdir()
        start = Start((), inputs, submission, Limits(), {}, (), subprocess.DEVNULL, said.fileno())
        try:
            process = _launch(start, [python(), "-I", "-c", "pass"])
            code = process.wait(60)
            process.end_all()
        except (OSError, subprocess.TimeoutExpired) as error:
            return Finding(LandlockSandbox.name, False, f"the landlock sandbox cannot be built: {error}")
        if code != 0:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines() or [f"exit status {code}"]
            return Finding(LandlockSandbox.name, False, f"Python does not start behind it: {lines[-1][:200]}")
    version = landlock.abilities().version
    limits = "" if landlock.abilities().signals else ", of a version that does not bound signals: those are refused"
    return Finding(
        LandlockSandbox.name,
        True,
        f"Landlock (version {version}{limits}) + seccomp; docs/security.md lists its gaps",
    )
