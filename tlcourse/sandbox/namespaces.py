"""Namespaces: what a freshly forked child does to itself, by system calls alone, before it runs anything foreign.

The order matters. Namespaces first, while it may; then a root of its own, made of what the outer sandbox shows
read-only and of empty bounded folders; then `pivot_root`, after which the outer root is gone; then every privilege is
dropped, and the seccomp filter closes the calls that were needed so far. One thread, Linux only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tlcourse.sandbox import seccomp

UID = 1000
NEW_ROOT = "/newroot"
"""An empty folder of the outer sandbox, over which a child mounts its own root."""

_NAMESPACES = 0x10000000 | 0x20000 | 0x20000000 | 0x40000000 | 0x8000000 | 0x4000000
"""CLONE_NEWUSER, NEWNS, NEWPID, NEWNET, NEWIPC, NEWUTS"""
_CGROUP_NAMESPACE = 0x2000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_SIOCSIFFLAGS, _IFF_UP_RUNNING = 0x8914, 0x1 | 0x40
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int = 0) -> None:
    """prctl(2) with one argument; raises OSError."""
    none = ctypes.c_ulong(0)
    _checked(_libc.prctl(option, ctypes.c_ulong(argument), none, none, none), f"prctl {option}")


def die_with_parent(signal: int) -> None:
    """Have the kernel send `signal` to this process when its parent ends."""
    prctl(_PR_SET_PDEATHSIG, signal)


def set_dumpable(flag: bool) -> None:
    """Whether processes of the same user may look into this one, and own its files in /proc."""
    prctl(_PR_SET_DUMPABLE, int(flag))


def enter_namespaces() -> None:
    """New user, mount, PID (for the next child), network, IPC and UTS namespaces; raises OSError."""
    uid, gid = os.getuid(), os.getgid()
    set_dumpable(True)  # else these files of /proc belong to root
    _checked(_libc.unshare(_NAMESPACES), "unshare")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{UID} {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{UID} {gid} 1", encoding="ascii")
    set_dumpable(False)


class View(Struct, frozen=True):
    """What every run sees of the machine, under the names that it has there; see `view.View`."""

    mounts: tuple[tuple[str, bool], ...]
    links: Mapping[str, str]
    files: Mapping[str, bytes] = {}
    """Single files are written anew: one that was replaced since bubblewrap started can no longer be mounted."""


def enter_root(view: View, run: str, scratch_bytes: int) -> None:
    """A root of this process's own; afterwards nothing else of the file system can be named. To be called as pid 1.

    What `view` shows is shown as it is, read-only; `run` holds `inputs` and `submission`, shown as /inputs and
    /submission; /tmp and /dev/shm are new, and hold at most `scratch_bytes` each. Control groups are seen from the
    run's own, which the supervisor has moved it to by now.
    """
    _checked(_libc.unshare(_CGROUP_NAMESPACE), "unshare")
    _mount(None, "/", None, _REC | _PRIVATE)
    _mount("tmpfs", NEW_ROOT, "tmpfs", _NOSUID | _NODEV, "size=4m,mode=755")
    scratch = f"size={scratch_bytes},mode=1777"
    for name in ("/tmp", "/dev/shm"):  # noqa: S108 - this root's own; before the binds, which may lie below /tmp
        _make_folder(name)
        _mount("tmpfs", NEW_ROOT + name, "tmpfs", _NOSUID | _NODEV, scratch)
    for path, shown in view.mounts:
        if shown:
            _bind_read_only(path, path)
        else:
            _mount("tmpfs", NEW_ROOT + path, "tmpfs", _NOSUID | _NODEV, "size=1m,mode=755")
    for name in ("inputs", "submission"):
        _bind_read_only(f"{run}/{name}", f"/{name}")
    for path, shown in view.mounts:
        if not shown:
            _mount(None, NEW_ROOT + path, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)
    for name, target in view.links.items():
        _make_folder(os.path.dirname(name))  # noqa: PTH120
        os.symlink(target, NEW_ROOT + name)  # noqa: PTH211
    for name, content in view.files.items():
        _make_folder(os.path.dirname(name))  # noqa: PTH120
        Path(NEW_ROOT + name).write_bytes(content)
    for name in os.listdir("/"):  # noqa: PTH208 - names only
        if os.path.islink(f"/{name}"):  # noqa: PTH114 - bin, lib, lib64
            os.symlink(os.readlink(f"/{name}"), f"{NEW_ROOT}/{name}")  # noqa: PTH115, PTH211
    _make_devices()
    _make_folder("/proc")
    _mount("proc", f"{NEW_ROOT}/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    os.chdir(NEW_ROOT)
    _checked(_libc.pivot_root(b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _DETACH), "umount the outer root")
    os.chdir("/")
    _mount(None, "/", None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)
    _raise_loopback()
    socket.sethostname("sandbox")


def drop_privileges() -> None:
    """No capability now or later, no gain by exec, and the same seccomp filter as in a bubblewrap sandbox."""
    capability = 0
    while _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) == 0:
        capability += 1
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    program = seccomp.program()
    if program is None:
        raise OSError("no seccomp filter is known for this kind of processor")
    seccomp.enter(program)


def limit(limits: Mapping[str, int]) -> None:
    """Limits of each process, as in bubblewrap; and the first to be ended where the machine runs out of memory."""
    for name, value in limits.items():
        what = getattr(resource, name)
        hard = resource.getrlimit(what)[1]
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (bounded, bounded))
    Path("/proc/self/oom_score_adj").write_text("900", encoding="ascii")


def _make_devices() -> None:
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"/dev/{name}")
    _make_folder("/dev/pts")  # and no terminal in it: the machine has a fixed number of them
    for name, target in _LINKS.items():
        os.symlink(target, f"{NEW_ROOT}/dev/{name}")  # noqa: PTH211


def _bind_read_only(source: str, target: str) -> None:
    _bind(source, target)
    if not os.statvfs(NEW_ROOT + target).f_flag & os.ST_RDONLY:
        raise PermissionError(f"{source} is not read-only in the outer sandbox")


def _bind(source: str, target: str) -> None:
    """Show `source` of the outer sandbox as `target`, with its flags there and with what is mounted below it."""
    if os.path.isdir(source):  # noqa: PTH112
        _make_folder(target)
    else:
        _make_folder(os.path.dirname(target))  # noqa: PTH120
        Path(NEW_ROOT + target).touch()
    _mount(source, NEW_ROOT + target, None, _BIND | _REC)


def _make_folder(name: str) -> None:
    Path(NEW_ROOT + name).mkdir(parents=True, exist_ok=True)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = (None if text is None else os.fsencode(text) for text in (source, target, kind))
    options = None if data is None else data.encode()
    _checked(_libc.mount(*encoded, ctypes.c_ulong(flags), options), f"mount {source or 'flags'} on {target}")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP_RUNNING))


def _checked(returned: int, what: str) -> None:
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
