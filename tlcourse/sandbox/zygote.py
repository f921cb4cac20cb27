"""The fork server's parent: it has imported what every submission imports, and forks a child for each run.

It runs in the outer sandbox, holds no label, no secret and no solution, and stays as it was after its imports: one
thread, no parallel operation (a forked child of libgomp's threads hangs), no CUDA, and nothing read from a run. Of a
request it sees the name of a folder and some descriptors; what is in them only the child sees.

Three processes make a run: the *monitor* in the parent's PID namespace, which tells the exit status; *init*, pid 1 of
the run's own; and the *worker*, which runs the same `worker.process` as in bubblewrap.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import msgspec

from tlcourse.sandbox import namespaces
from tlcourse.sandbox.fork_server_process import (
    GO,
    HERE,
    MAX_MESSAGE,
    RUNNING,
    SETUP_FAILED,
    SPOOL,
    STATUS,
    Ready,
    Request,
)
from tlcourse.sandbox.interpreter import WORKER

_MAX_DESCRIPTORS = 16
_SYSTEM_FILES = ("/etc/ld.so.cache",)


def main(argv: list[str]) -> int:
    """`zygote CONTROL_FD VIEW`, a `view.View` as JSON: serve requests until the supervisor has gone."""
    control = socket.socket(fileno=int(argv[0]))
    files = {path: Path(path).read_bytes() for path in _SYSTEM_FILES if Path(path).exists()}
    view = msgspec.structs.replace(msgspec.json.decode(argv[1], type=namespaces.View), files=files)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries monitors
    namespaces.set_dumpable(False)
    _import_everything()
    control.send(msgspec.json.encode(_ready()))
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, _MAX_DESCRIPTORS)
        if not data:
            return 0
        if os.fork() == 0:
            _monitor(msgspec.json.decode(data, type=Request), descriptors, view)
        for descriptor in descriptors:
            os.close(descriptor)


def _import_everything() -> None:
    """What costs seconds and is the same for all; nothing that starts a thread."""
    gc.disable()  # nearly all that these imports make stays: looking through it again and again is a sixth of them
    import safetensors.torch  # noqa: F401
    import torch
    import torch.utils.data
    import torchvision
    import torchvision.models
    import torchvision.transforms.v2  # noqa: F401

    for name in (
        WORKER,
        "tlcourse.execution.worker.main",
        "tlcourse.execution.worker.calls",
    ):  # which the first imports once it has looked at a solution
        importlib.import_module(name)

    torch.set_num_threads(1)
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])  # the first optimiser imports torch._dynamo: two seconds
    gc.collect()
    gc.freeze()  # a child's collector would write to, and so copy, every page of these objects
    gc.enable()


def _ready() -> Ready:
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    shared_writable = sum(1 for line in maps if line.split(maxsplit=2)[1][1::2] == "ws")
    return Ready(threads=len(list(Path("/proc/self/task").iterdir())), shared_writable=shared_writable)


def _monitor(request: Request, descriptors: list[int], view: namespaces.View) -> NoReturn:
    """Outside the run's PID namespace: make it, wait for its end, tell the status."""
    run = descriptors[0]
    try:
        namespaces.die_with_parent(signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _close_all_but(descriptors)
        namespaces.enter_namespaces()
        init = os.fork()
        if init == 0:
            _init(request, descriptors, view)
        _close_all_but([run])
        _, status = os.waitpid(init, 0)
        os.write(run, STATUS.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    except BaseException:
        _give_up(descriptors)


def _init(request: Request, descriptors: list[int], view: namespaces.View) -> NoReturn:
    """Pid 1: build the root, start the worker, bury orphans, and end with the worker: the kernel then ends the rest."""
    run = descriptors[0]
    try:
        namespaces.die_with_parent(signal.SIGKILL)
        os.setsid()
        os.write(run, HERE)
        if os.read(run, len(GO)) != GO:
            os._exit(SETUP_FAILED)
        namespaces.enter_root(view, f"{SPOOL}/{request.folder}", request.scratch_bytes)
        namespaces.drop_privileges()
        worker = os.fork()
        if worker == 0:
            _worker(request, run, descriptors[1:])
        _close_all_but([])
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == worker:
                code = os.waitstatus_to_exitcode(status)
                os._exit(128 - code if code < 0 else code)
    except BaseException:
        _give_up(descriptors)


def _worker(request: Request, run: int, descriptors: list[int]) -> NoReturn:
    """The same as a worker in bubblewrap, from here on: descriptors, environment, limits, then `worker.process`."""
    try:
        namespaces.set_dumpable(True)
        own = max([2, *request.numbers]) + 1
        _place([*descriptors, run], [0, 1, *request.numbers, own])
        namespaces.limit(request.limits)
        os.environ.clear()
        os.environ.update(request.env)
        os.environ["PWD"] = "/tmp"  # noqa: S105, S108 - the sandbox's own; as bubblewrap does
        os.chdir("/tmp")  # noqa: S108
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(own, RUNNING)
        os.close(own)
        if request.program:
            os.execv(request.program[0], request.program)  # noqa: S606
    except BaseException:
        _give_up([0, 1, 1])
    importlib.import_module(WORKER).leave(["/inputs", "/submission", *request.arguments])
    raise AssertionError("the worker ends its process")


def _place(descriptors: list[int], numbers: list[int]) -> None:
    """Give each descriptor its number, stderr that of stdout, and close all others."""
    import fcntl

    above = max([2, *descriptors, *numbers]) + 1
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, above) for descriptor in descriptors]
    for descriptor, number in zip(high, numbers, strict=True):
        os.dup2(descriptor, number)
    os.dup2(1, 2)
    _close_all_but([0, 1, 2, *numbers])
    # made anew: what the parent's streams know about its own descriptors is not true of these
    for name, number, mode, buffering in (("stdin", 0, "r", -1), ("stdout", 1, "w", -1), ("stderr", 2, "w", 1)):
        old = getattr(sys, name)
        stream = open(number, mode, buffering, old.encoding, old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


_HIGHEST = 65_536  # no code of a submission has run here yet, which could have opened one above


def _close_all_but(kept: list[int]) -> None:
    """By ranges, and without opening anything: the list in /proc would take the number of one that was closed behind
    its object's back, and a run ends unseen where the collector then closes that number again.

    The range is bounded: Pythons that are built for old kernels close one by one, up to a container's limit.
    """
    begin = 0
    for descriptor in sorted(set(kept)):
        if begin < descriptor:  # os.closerange(0, 0) closes everything: cpython takes its end for -1
            os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, min(os.sysconf("SC_OPEN_MAX"), _HIGHEST))


def _give_up(descriptors: list[int]) -> NoReturn:
    """Say why in the run's log: no worker has started, so the supervisor takes it for what it is, an internal error."""
    with contextlib.suppress(OSError):
        os.write(descriptors[2], traceback.format_exc().encode())
    os._exit(SETUP_FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
