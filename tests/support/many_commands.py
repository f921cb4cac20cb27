"""Many commands of `tlcourse` in one process: each is forked from it, so that nothing is imported twice.

    python many_commands.py [darwin|win32] <COMMANDS >OUTCOMES

COMMANDS is a JSON list of lists of arguments. OUTCOMES is a list of [exit status, stdout, stderr]. With the name of
another system, tlcourse (and nothing else in the process) finds itself there: `sys.platform`, and what Python's own
library has not on that system.
"""

from __future__ import annotations

import builtins
import importlib
import json
import os
import sys
import tempfile
import traceback
from types import ModuleType
from typing import Any

SHARED = (
    "tlcourse.cli.batch_display",
    "tlcourse.grading.author_check",
    "tlcourse.grading.batch.run",
    "tlcourse.grading.remote_grading",
    "tlcourse.grading.solutions_check",
    "tlcourse.presenting.machine",
    "tlcourse.presenting.report.report_files",
    "tlcourse.student.record",
)
"""What many of them import when they are given."""


_NOT_ON_MACOS = {
    "os": "sched_getaffinity sched_setaffinity pidfd_open memfd_create unshare setns eventfd O_TMPFILE O_PATH "
    "posix_fallocate getresuid setresuid getxattr".split(),
}
_NOT_ON_WINDOWS = {
    "os": [
        *_NOT_ON_MACOS["os"],
        *"fork forkpty getuid geteuid getgid getegid getgroups getpgid setpgid getsid setsid killpg nice".split(),
        *"getpriority setpriority PRIO_PROCESS chown lchown fchown fchmod chroot mkfifo mknod statvfs fstatvfs".split(),
        *"uname getloadavg openpty ttyname sync O_NOFOLLOW O_DIRECTORY O_CLOEXEC O_NONBLOCK O_SYNC WNOHANG".split(),
        *"wait4 register_at_fork posix_spawn sendfile confstr sysconf initgroups ctermid setuid setgid".split(),
    ],
    "signal": "SIGHUP SIGKILL SIGALRM SIGXCPU SIGCHLD SIGSTOP SIGCONT SIGUSR1 SIGUSR2 SIGPIPE SIGWINCH SIGQUIT "
    "pthread_sigmask sigwait alarm setitimer".split(),
    "select": ["epoll", "poll"],
    "socket": ["AF_UNIX"],
    "time": ["tzset"],
}
_NO_MODULES = {
    "darwin": set[str](),
    "win32": set("fcntl resource pwd grp termios tty pty curses readline syslog".split()),
}


class _Elsewhere(ModuleType):
    """A module as tlcourse finds it on the other system; what is set on it is set on the module itself."""

    def __init__(self, real: ModuleType, gone: set[str], other: dict[str, Any]) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _gone=gone, _other=other)

    def __getattr__(self, name: str) -> Any:
        if name in self._gone:
            raise AttributeError(f"module {self._real.__name__!r} has no attribute {name!r} on this system")
        return self._other[name] if name in self._other else getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)


def move_to(system: str) -> None:
    """From now on, whatever tlcourse imports is that system's."""
    gone: dict[str, list[str]] = {"sys": [], "platform": []}
    gone |= _NOT_ON_MACOS if system == "darwin" else _NOT_ON_WINDOWS
    other = {
        "sys": {"platform": system},
        "platform": {"system": lambda: {"darwin": "Darwin", "win32": "Windows"}[system]},
    }
    there = {
        name: _Elsewhere(importlib.import_module(name), set(names), other.get(name, {})) for name, names in gone.items()
    }
    real_import = builtins.__import__

    def imported(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002
        who = (globals or {}).get("__name__", "")
        if level or not who.startswith("tlcourse"):
            return real_import(name, globals, locals, fromlist, level)
        if name in _NO_MODULES[system]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        found = real_import(name, globals, locals, fromlist, level)
        return there.get(name, found)

    builtins.__import__ = imported


def outcome(arguments: list[str]) -> list[Any]:
    """What a command prints, and how it ends; a traceback of what is no SystemExit is in its stderr."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        child = os.fork()
        if child == 0:
            status = 99
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(out.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                sys.argv = ["tlcourse", *arguments]
                importlib.import_module("tlcourse.cli.main").main()
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 98
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        errors.seek(0)
        return [os.waitstatus_to_exitcode(status), out.read(), errors.read()]


if __name__ == "__main__":
    if sys.argv[1:]:
        move_to(sys.argv[1])
    from tlcourse.cli.main import COMMANDS

    for module in (*(f"tlcourse.cli.{one.module}" for one in COMMANDS), *SHARED):
        importlib.import_module(module)
    json.dump([outcome(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
