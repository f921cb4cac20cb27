"""The *bubblewrap* sandbox: for each run namespaces of its own, a read-only system and a seccomp filter.

Started by root it becomes a spare uid first: with uid 0 outside, root's files in the binds would stay readable and
process limits would not count. The spare uid cannot pass a 0700 home, so what must be seen is shown to it in a private
mount namespace (`reach.py`).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tlcourse.course.spec import Limits
from tlcourse.sandbox import seccomp
from tlcourse.sandbox.base import Finding, SandboxedProcess, Start
from tlcourse.sandbox.bind_mounts import opened
from tlcourse.sandbox.interpreter import hidden_folders, hidden_programs, visible_folders, worker_command
from tlcourse.sandbox.limits import rlimits

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
    folders = {folder: folder for folder in visible_folders()}
    prefix: list[str] = []
    if os.geteuid() == 0:
        prefix = as_spare_uid(folders, start.inputs.parent)
        for path in (start.inputs, start.submission):
            give_to_spare_uid(path)
    filter_fd = _filter_descriptor(gpu=start.gpu)
    try:
        return SandboxedProcess(
            [*start.entering({}), *prefix, *_bubblewrap(start, folders, filter_fd), "--", *_limits(start), *inside],
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


def _bubblewrap(start: Start, folders: dict[Path, Path], filter_fd: int) -> list[str]:
    command = [*system_view(folders, start.limits.scratch_mb, start.devices), "--disable-userns"]
    command += ["--ro-bind", str(start.inputs), _INPUTS, "--ro-bind", str(start.submission), _SUBMISSION]
    command += ["--chdir", "/tmp", "--clearenv"]  # noqa: S108
    for name, value in start.env.items():
        command += ["--setenv", name, value]
    return [*command, "--seccomp", str(filter_fd), "--remount-ro", "/"]


def system_view(folders: Mapping[Path, Path], scratch_mb: int, devices: Sequence[str] = ()) -> list[str]:
    """bubblewrap's command line up to what a run adds: namespaces, the system, and `folders` (target → source).

    `devices`: the nodes that are shown beside the usual ones.
    """
    scratch = str(scratch_mb * 2**20)
    command = [
        tool("bwrap"),
        *"--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try".split(),
        *("--uid", _INSIDE_UID, "--gid", _INSIDE_UID, "--hostname", "sandbox"),
        *"--die-with-parent --new-session --cap-drop ALL".split(),
        *"--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib".split(),
        *("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *(("--symlink", "usr/lib64", "/lib64") if Path("/lib64").exists() else ()),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", scratch, "--perms", "1777", "--tmpfs", "/dev/shm"),  # noqa: S108 - the sandbox's own
        *(word for device in devices for word in ("--dev-bind", device, device)),
        *("--remount-ro", "/dev"),  # itself a tmpfs, and of any size; no node can be added after that
        *("--size", scratch, "--perms", "1777", "--tmpfs", "/tmp"),  # noqa: S108
    ]
    for target, source in folders.items():
        command += ["--ro-bind", str(source), str(target)]
    for program in hidden_programs():
        command += ["--ro-bind", "/dev/null", program]
    for folder in hidden_folders():
        command += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
    return command


def _limits(start: Start) -> list[str]:
    limits = rlimits(start.limits).items()
    return [tool("prlimit"), *(f"--{name.removeprefix('RLIMIT_').lower()}={value}" for name, value in limits), "--"]


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
