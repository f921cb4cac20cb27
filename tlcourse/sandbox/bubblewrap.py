"""The *bubblewrap* sandbox: for each run namespaces of its own, a read-only system and a seccomp filter.

Started by root it becomes a spare uid first: with uid 0 outside, root's files in the binds would stay readable and
process limits would not count. The spare uid cannot pass a 0700 home, so what must be seen is shown to it in a private
mount namespace (`interpreter.py`).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tlcourse.course.spec import Limits
from tlcourse.sandbox import seccomp
from tlcourse.sandbox.base import Finding, SandboxedProcess, Start
from tlcourse.sandbox.interpreter import hidden_programs, opened, python, worker_command
from tlcourse.sandbox.limits import rlimits
from tlcourse.sandbox.view import View, machine_view

_INIT = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
libc.signal(2, ctypes.c_void_p(1))  # SIGINT is ignored
run = os.fork()
if run == 0:
    for number in (2, 13, 25):  # SIGPIPE and SIGXFSZ are ignored by Python
        libc.signal(number, None)
    os.execv(sys.argv[1], sys.argv[1:])
for number in map(int, os.listdir("/proc/self/fd")):
    try:
        os.close(number)
    except OSError:  # that of the list
        pass
while True:
    pid, status = os.wait()
    if pid == run:
        code = os.waitstatus_to_exitcode(status)
        os._exit(128 - code if code < 0 else code)
"""
"""Process 1 of a run: it is not dumpable, so that a submission can neither look into it nor write to its memory, as it
could with bubblewrap's own. It starts the rest, buries orphans, and ends with the worker.

Descriptors are closed by their list: Pythons that are built for old kernels close a range one by one, and where the
limit is a thousand million, as in containers, that took a minute of the run's CPU time."""
SPARE_UID = 65534
_INSIDE_UID = "1000"
_INPUTS, _SUBMISSION = "/inputs", "/submission"


class BubblewrapSandbox:
    """bubblewrap + seccomp, one for each run."""

    name = "bubblewrap"

    def start(self, start: Start) -> SandboxedProcess:
        """Start the worker; SIGKILL of the returned process ends its PID namespace, and so all that it started."""
        return _launch(start, worker_command([_INPUTS, _SUBMISSION, *start.arguments]))


def _launch(start: Start, inside: list[str]) -> SandboxedProcess:
    view = machine_view()
    prefix: list[str] = []
    if os.geteuid() == 0:
        prefix = as_spare_uid(view.folders(), start.inputs.parent)
        for path in (start.inputs, start.submission):
            give_to_spare_uid(path)
    filter_fd = _filter_descriptor(gpu=start.gpu)
    try:
        return SandboxedProcess(
            [*start.entering({}), *prefix, *_bubblewrap(start, view, filter_fd), "--", *_first(start), *inside],
            stdin=start.stdin,
            stdout=start.output,
            stderr=start.output,
            cwd="/",
            env={},  # bubblewrap's own environment can be read inside, as that of its pid 1
            pass_fds=(*start.pass_fds, filter_fd),
            start_new_session=True,
        )
    finally:
        os.close(filter_fd)


def _bubblewrap(start: Start, view: View, filter_fd: int) -> list[str]:
    command = [*system_view(view, start.limits.scratch_mb, start.devices), "--disable-userns"]
    command += ["--as-pid-1", "--ro-bind", str(start.inputs), _INPUTS, "--ro-bind", str(start.submission), _SUBMISSION]
    command += ["--chdir", "/tmp", "--clearenv"]  # noqa: S108
    for name, value in start.env.items():
        command += ["--setenv", name, value]
    return [*command, "--seccomp", str(filter_fd), "--remount-ro", "/"]


def system_view(view: View, scratch_mb: int, devices: Sequence[str] = ()) -> list[str]:
    """bubblewrap's command line up to what a run adds: namespaces, the system, and what `view` shows of this machine.

    `devices`: the nodes that are shown beside the usual ones.
    """
    scratch = str(scratch_mb * 2**20)
    command = [
        tool("bwrap"),
        *"--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try".split(),
        *("--uid", _INSIDE_UID, "--gid", _INSIDE_UID, "--hostname", "sandbox"),
        *"--die-with-parent --new-session --cap-drop ALL".split(),
        *"--symlink usr/bin /bin --symlink usr/lib /lib".split(),
        *("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *(("--symlink", "usr/lib64", "/lib64") if Path("/lib64").exists() else ()),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", scratch, "--perms", "1777", "--tmpfs", "/dev/shm"),  # noqa: S108 - the sandbox's own
        *(word for device in devices for word in ("--dev-bind", device, device)),
        *("--tmpfs", "/dev/pts", "--remount-ro", "/dev/pts"),  # the machine has a fixed number of terminals
        *("--remount-ro", "/dev"),  # itself a tmpfs, and of any size; no node can be added after that
        *("--size", scratch, "--perms", "1777", "--tmpfs", "/tmp"),  # noqa: S108
    ]
    for path, shown in view.mounts:
        command += ["--ro-bind", path, path] if shown else ["--tmpfs", path]
    for name, target in view.links.items():
        command += ["--symlink", target, name]
    for program in hidden_programs():
        command += ["--ro-bind", "/dev/null", program]
    for path, shown in view.mounts:
        command += [] if shown else ["--remount-ro", path]
    return command


def _first(start: Start) -> list[str]:
    """What comes before the worker's command: process 1, and the limits of each process below it."""
    limits = rlimits(start.limits).items()
    init = [python(), "-I", "-S", "-c", _INIT]
    return [
        *init,
        tool("prlimit"),
        *(f"--{name.removeprefix('RLIMIT_').lower()}={value}" for name, value in limits),
        "--",
    ]


def as_spare_uid(folders: Iterable[Path], base: Path) -> list[str]:
    """A command prefix, for root: become the spare uid, where it can reach `folders` and the run's folder `base`."""
    base.chmod(0o711)
    become = [f"--reuid={SPARE_UID}", f"--regid={SPARE_UID}", "--clear-groups", "--"]
    return [*opened([*folders, base], tool("unshare")), tool("setpriv"), *become]


def give_to_spare_uid(folder: Path) -> None:
    """The spare uid reads its inputs, and nobody else on this machine does."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, SPARE_UID, SPARE_UID, follow_symlinks=False)


def _filter_descriptor(*, gpu: bool) -> int:
    program = seccomp.program(gpu=gpu)
    if program is None:
        raise OSError("no seccomp filter is known for this kind of processor")
    descriptor = os.memfd_create("seccomp", 0)
    os.write(descriptor, program)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def tool(name: str) -> str:
    """The absolute path of a system tool: bubblewrap starts with an empty PATH."""
    return shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin") or name


@functools.cache
def probe() -> Finding:
    """Whether a worker's Python starts in this sandbox here: it is tried, not guessed."""
    if shutil.which("bwrap") is None:
        return Finding(
            BubblewrapSandbox.name, False, "bubblewrap is not installed", "install it: sudo apt-get install bubblewrap"
        )
    if seccomp.program() is None:
        return Finding(BubblewrapSandbox.name, False, "no seccomp filter is known for this kind of processor")
    with tempfile.TemporaryDirectory(prefix="tlcourse-probe-") as folder:
        inputs, submission = Path(folder, "inputs"), Path(folder, "submission")
        inputs.mkdir()
        submission.mkdir()
        start = Start((), inputs, submission, Limits(), {}, (), subprocess.DEVNULL, subprocess.PIPE)
        return _try(start)


def _try(start: Start) -> Finding:
    """Start the sandbox as a run does, with `true` in the worker's place."""
    try:
        process = _launch(start, ["/usr/bin/true"])
        said_bytes, _ = process.communicate(timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(BubblewrapSandbox.name, False, f"bubblewrap does not start: {error}")
    if process.returncode == 0:
        return Finding(BubblewrapSandbox.name, True, "bubblewrap + seccomp, one for each run")
    said = said_bytes.decode(errors="replace").strip().splitlines() or ["no message"]
    return Finding(
        BubblewrapSandbox.name,
        False,
        f"bubblewrap does not work here: {said[-1][:200]}",
        "allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1 "
        "kernel.apparmor_restrict_unprivileged_userns=0",
    )
