"""A seccomp filter as a BPF program: what training code never needs, and a sandbox must not allow.

A deny list, because torch and CUDA use several hundred calls that change with their versions; the
namespaces are the sandbox, this filter closes the kernel doors that are known to lead through it.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000
_LOAD, _AND, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARG0, _ARG1, _ARG2 = 0, 4, 16, 24, 32
_CLONE_NEW = 0x7E020080  # every CLONE_NEW* flag
_CLONE_FILES, _CLONE_THREAD = 0x400, 0x10000
_CLOSE_RANGE_UNSHARE = 2
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_F_SETLEASE, _F_NOTIFY = 1024, 1026
_F_SETFL, _F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _O_ASYNC = 4, 8, 10, 15, 0x2000
_FIOASYNC, _FIOSETOWN, _SIOCSPGRP = 0x5452, 0x8901, 0x8902
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCK_TYPE, _SOCK_STREAM, _SOCK_DGRAM = 0xF, 1, 2
_NETLINK_ROUTE, _TCP, _UDP = 0, 6, 17

# Generic numbers (aarch64 and every newer architecture), and those of x86-64.
_COMMON = dict(
    pidfd_getfd=438, open_tree=428, move_mount=429, fsopen=430, fsconfig=431, fsmount=432, fspick=433,
    mount_setattr=442, open_tree_attr=467, memfd_secret=447, quotactl_fd=443, cachestat=451,
    io_uring_setup=425, io_uring_enter=426, io_uring_register=427,
)  # fmt: skip
_X86_64 = dict(
    ptrace=101, process_vm_readv=310, process_vm_writev=311, kcmp=312, bpf=321, perf_event_open=298,
    userfaultfd=323, add_key=248, request_key=249, keyctl=250, mount=165, umount2=166, pivot_root=155,
    unshare=272, setns=308, kexec_load=246, kexec_file_load=320, init_module=175, finit_module=313,
    delete_module=176, swapon=167, swapoff=168, reboot=169, acct=163, quotactl=179, chroot=161, syslog=103,
    open_by_handle_at=304, name_to_handle_at=303, personality=135, memfd_create=319,
    shmget=29, semget=64, msgget=68, mq_open=240, io_setup=206, vmsplice=278, modify_ldt=154,
    inotify_init=253, inotify_init1=294, fanotify_init=300, **_COMMON,
)  # fmt: skip
_AARCH64 = dict(
    ptrace=117, process_vm_readv=270, process_vm_writev=271, kcmp=272, bpf=280, perf_event_open=241,
    userfaultfd=282, add_key=217, request_key=218, keyctl=219, mount=40, umount2=39, pivot_root=41,
    unshare=97, setns=268, kexec_load=104, kexec_file_load=294, init_module=105, finit_module=273,
    delete_module=106, swapon=224, swapoff=225, reboot=142, acct=89, quotactl=60, chroot=51, syslog=116,
    open_by_handle_at=265, name_to_handle_at=264, personality=92, memfd_create=279,
    shmget=194, semget=190, msgget=186, mq_open=180, io_setup=0, vmsplice=75,
    inotify_init1=26, fanotify_init=262, **_COMMON,
)  # fmt: skip
_MACHINES = {
    "x86_64": (
        0xC000003E,
        _X86_64,
        {"clone": 56, "ioctl": 16, "socket": 41, "socketpair": 53, "fcntl": 72},
    ),
    "aarch64": (
        0xC00000B7,
        _AARCH64,
        {"clone": 220, "ioctl": 29, "socket": 198, "socketpair": 199, "fcntl": 25},
    ),
}
_CLONE3, _CLOSE_RANGE = 435, 436
# What namespaces make harmless, and must be refused where there are none: the network, what Landlock does not know of
# files (owners, modes, times, attributes), and what reaches other processes of the same user.
_LANDLOCK_COMMON = dict(
    pidfd_send_signal=424, process_madvise=440, process_mrelease=448, fchmodat2=452, setxattrat=463,
    removexattrat=466, file_setattr=469,
)  # fmt: skip
_WEAK_X86_64 = dict(
    socket=41, socketpair=53, connect=42, bind=49, listen=50, accept=43, accept4=288,
    chmod=90, fchmod=91, fchmodat=268, chown=92, fchown=93, lchown=94, fchownat=260,
    utime=132, utimes=235, futimesat=261, utimensat=280, truncate=76,
    setxattr=188, lsetxattr=189, fsetxattr=190, removexattr=197, lremovexattr=198, fremovexattr=199,
    mq_unlink=241,
    setpriority=141, sched_setparam=142, sched_setscheduler=144, sched_setattr=314, sched_setaffinity=203,
    ioprio_set=251, migrate_pages=256, move_pages=279, setrlimit=160,
)  # fmt: skip
_WEAK_AARCH64 = dict(
    socket=198, socketpair=199, connect=203, bind=200, listen=201, accept=202, accept4=242,
    fchmod=52, fchmodat=53, fchown=55, fchownat=54, utimensat=88, truncate=45,
    setxattr=5, lsetxattr=6, fsetxattr=7, removexattr=14, lremovexattr=15, fremovexattr=16,
    mq_unlink=181,
    setpriority=140, sched_setparam=118, sched_setscheduler=119, sched_setattr=274, sched_setaffinity=122,
    ioprio_set=30, migrate_pages=238, move_pages=239, setrlimit=164,
)  # fmt: skip
_SIGNALS = {
    "x86_64": dict(kill=62, tkill=200, tgkill=234, rt_sigqueueinfo=129, rt_tgsigqueueinfo=297),
    "aarch64": dict(kill=129, tkill=130, tgkill=131, rt_sigqueueinfo=138, rt_tgsigqueueinfo=240),
}
_LANDLOCK = {"x86_64": (_WEAK_X86_64, 302), "aarch64": (_WEAK_AARCH64, 261)}
"""The calls, and the number of prlimit64, which is refused for every process but the caller."""


def numbers(machine: str) -> dict[str, int]:
    """Name → number of every call that any filter for `machine` speaks of: refused, or looked at."""
    _, denied, looked_at = _MACHINES[machine]
    without, prlimit = _LANDLOCK[machine]
    also = {"clone3": _CLONE3, "close_range": _CLOSE_RANGE, "prlimit64": prlimit}
    return {**denied, **looked_at, **_LANDLOCK_COMMON, **without, **_SIGNALS[machine], **also}


def program(
    machine: str | None = None, *, gpu: bool = False, namespaces: bool = True, signals: bool = True
) -> bytes | None:
    """The filter for `machine` (default: this one) as an array of `struct sock_filter`; None where it is not known.

    Memory files are refused, because their pages are nobody's until somebody maps them, and so escape the watchdog;
    with `gpu` they are allowed, because drivers use them. Notices about files are refused because a file that is shown
    is the machine's, whoever opens it; contexts for asynchronous files because the machine has a fixed number of them.
    `namespaces=False` is for a run without: it may have no signal sent by the kernel (SIGIO), whose receiver it would
    choose. Without `signals`, nothing bounds whom such a run may signal, so that it may signal nobody.
    """
    machine = machine or platform.machine()
    known = _MACHINES.get(machine)
    if known is None:
        return None
    arch, denied, numbers = known
    if gpu:
        denied = {name: number for name, number in denied.items() if name != "memfd_create"}
    if not namespaces:
        denied = {**denied, **_LANDLOCK_COMMON, **_LANDLOCK[machine][0], **({} if signals else _SIGNALS[machine])}
    code = [_op(_LOAD, _ARCH), _op(_JEQ, arch, 1, 0), _op(_RETURN, _KILL), _op(_LOAD, _NR)]
    if arch == 0xC000003E:  # the x32 calls would pass under other numbers
        code += [_op(_JGE, 0x40000000, 0, 1), _op(_RETURN, _KILL)]
    for number in sorted(denied.values()):
        code += [_op(_JEQ, number, 0, 1), _op(_RETURN, _ERRNO | errno.EPERM)]
    # clone3's flags lie in memory, out of a filter's sight: "not there" makes libc fall back to clone
    code += [_op(_JEQ, _CLONE3, 0, 1), _op(_RETURN, _ERRNO | errno.ENOSYS)]
    # a thread with descriptors of its own could hold what no look at its process shows
    code += _when(
        numbers["clone"],
        [
            *(_op(_LOAD, _ARG0), _op(_JSET, _CLONE_NEW, 2, 0)),
            *(_op(_JSET, _CLONE_THREAD, 0, 2), _op(_JSET, _CLONE_FILES, 1, 0), _deny()),
        ],
    )
    code += _when(_CLOSE_RANGE, [_op(_LOAD, _ARG2), _op(_JSET, _CLOSE_RANGE_UNSHARE, 0, 1), _deny()])
    # without namespaces, what has a signal sent by the kernel (SIGIO) could reach whom the run may not signal itself
    of_others = () if namespaces else (_FIOASYNC, _FIOSETOWN, _SIOCSPGRP)
    code += _when(numbers["ioctl"], [_op(_LOAD, _ARG1), *_deny_any(_TIOCSTI, _TIOCLINUX, *of_others)])
    # a lease or a notice on a file that is shown is one on the machine's: it tells who else opens it
    of_others = () if namespaces else (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX)
    asynchronous = [_op(_JEQ, _F_SETFL, 0, 3), _op(_LOAD, _ARG2), _op(_JSET, _O_ASYNC, 0, 1), _deny()]
    code += _when(
        numbers["fcntl"],
        [
            *(_op(_LOAD, _ARG1), *_deny_any(_F_SETLEASE, _F_NOTIFY, *of_others)),
            *([] if namespaces else asynchronous),
        ],
    )
    code += _when(numbers["socket"], _sockets())
    code += _when(numbers["socketpair"], [_op(_LOAD, _ARG0), _op(_JEQ, _AF_UNIX, 1, 0), _deny()])
    if not namespaces:
        code += _when(_LANDLOCK[machine][1], [_op(_LOAD, _ARG0), _op(_JEQ, 0, 1, 0), _deny()])
    code.append(_op(_RETURN, _ALLOW))
    return b"".join(code)


def enter(code: bytes) -> None:
    """Have this thread, and all that it starts, pass through the filter from now on; no_new_privs is set."""
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(filter_), 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, k)


def _deny() -> bytes:
    return _op(_RETURN, _ERRNO | errno.EPERM)


def _deny_any(*values: int) -> list[bytes]:
    """Deny where what was loaded is one of `values`."""
    jumps = [_op(_JEQ, value, len(values) - 1 - i, 1 if i == len(values) - 1 else 0) for i, value in enumerate(values)]
    return [*jumps, _deny()]


def _sockets() -> list[bytes]:
    """Of socket(2): unix sockets, TCP and UDP, and netlink's routes, which getaddrinfo asks.

    All others are refused before the kernel looks for a module that knows them.
    """
    allow = _op(_RETURN, _ALLOW)
    stream = [_op(_LOAD, _ARG2), _op(_JEQ, 0, 1, 0), _op(_JEQ, _TCP, 0, 1), allow, _deny()]
    datagram = [_op(_LOAD, _ARG2), _op(_JEQ, 0, 1, 0), _op(_JEQ, _UDP, 0, 1), allow, _deny()]
    return [
        *(_op(_LOAD, _ARG0), _op(_JEQ, _AF_UNIX, 0, 1), allow),
        *(_op(_JEQ, _AF_NETLINK, 0, 4), _op(_LOAD, _ARG2), _op(_JEQ, _NETLINK_ROUTE, 0, 1), allow, _deny()),
        *(_op(_JEQ, _AF_INET, 2, 0), _op(_JEQ, _AF_INET6, 1, 0), _deny()),
        *(_op(_LOAD, _ARG1), _op(_AND, _SOCK_TYPE)),
        *(_op(_JEQ, _SOCK_STREAM, 0, len(stream)), *stream),
        *(_op(_JEQ, _SOCK_DGRAM, 0, len(datagram)), *datagram),
        _deny(),
    ]


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """`body` decides about call `number` alone: it denies, or falls through to allow."""
    return [_op(_JEQ, number, 0, len(body) + 1), *body, _op(_RETURN, _ALLOW)]
