"""The top process of a run in the landlock sandbox: it takes rights away from the worker, and ends all that it started.

There is no PID namespace to end daemons with. So this process is the one that orphans of the run are given to (a
"subreaper"): whatever a submission forks stays below it, and is killed when the worker ends, when the grader asks
(SIGTERM), or when the grader is killed. The worker cannot signal it: its Landlock domain, another user's number, or the
seccomp filter forbids.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from tlcourse.sandbox import landlock, seccomp

_PR_SET_PDEATHSIG, _PR_SET_SUBREAPER, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 1, 36, 38, 22, 2
_ASKED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_SWEEP_S = 20.0
_SETUP_FAILED = 125


def main(argv: list[str]) -> NoReturn:
    """`reaper PLAN`, a JSON document that `landlock_sandbox.py` makes: start the worker, wait, leave nothing behind."""
    plan: dict[str, Any] = json.loads(argv[0])
    prctl(_PR_SET_SUBREAPER, 1)
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *_ASKED})
    if os.getppid() != plan["grader"]:
        os._exit(_SETUP_FAILED)
    worker = os.fork()
    if worker == 0:
        _become_worker(plan)
    for descriptor in (0, *plan["descriptors"]):  # the pipes must be at their end when the worker is
        os.close(descriptor)
    code = _wait(worker)
    sweep()
    if plan["uid"]:
        _end_user(plan["uid"])
    os._exit(code)


def _wait(worker: int) -> int:
    """The worker's exit status as a shell gives it; when asked to end, that of SIGTERM."""
    while True:
        asked = signal.sigwait({signal.SIGCHLD, *_ASKED})
        if asked != signal.SIGCHLD:
            return 128 + signal.SIGTERM
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == worker:
                    code = os.waitstatus_to_exitcode(ended[1])
                    return 128 - code if code < 0 else code


def sweep() -> None:
    """SIGKILL to everything below this process until nothing is left.

    Who forks and leaves is given to this process at once, so that to look again is to find the newest.
    """
    end = time.monotonic() + _SWEEP_S
    while (below := _below(os.getpid())) and time.monotonic() < end:
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _end_user(uid: int) -> None:
    """SIGKILL to whatever a user's number that is this run's own still has: all at once, which no fork outruns."""
    child = os.fork()
    if child == 0:
        os.setresuid(uid, uid, uid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)


def _below(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="ascii").split():
                found += [int(child), *_below(int(child))]
    return found


def _become_worker(plan: dict[str, Any]) -> NoReturn:
    """Limits, another user where root may choose one, then the two filters, then the worker's program."""
    try:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        for name, value in plan["limits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        if plan["uid"]:
            os.setgroups([])
            os.setresgid(plan["uid"], plan["uid"], plan["uid"])
            os.setresuid(plan["uid"], plan["uid"], plan["uid"])
        os.chdir(plan["scratch"])
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
        own = {f"/proc/self/{name}": landlock.READ for name in plan["own"]}
        landlock.enter({**landlock.without(plan["shown"], plan["hidden"]), **plan["rights"], **own}.items())
        program = seccomp.program(namespaces=False, signals=landlock.abilities().signals)
        assert program is not None, "the probe has seen that there is one"
        seccomp.enter(program)
        os.execve(plan["command"][0], plan["command"], plan["env"])  # noqa: S606
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(_SETUP_FAILED)


def prctl(option: int, argument: int) -> None:
    """prctl(2) with one argument; raises OSError."""
    none = ctypes.c_ulong(0)
    if ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(argument), none, none, none) < 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")
