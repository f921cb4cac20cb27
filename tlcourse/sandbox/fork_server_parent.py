"""The supervisor's side of one fork server: starting it in the outer sandbox, asking it for runs, ending it."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tlcourse.sandbox.base import Start
from tlcourse.sandbox.bubblewrap import as_spare_uid, give_to_spare_uid, system_view
from tlcourse.sandbox.fork_server_process import (
    SPOOL,
    ForkServerProcess,
    Ready,
    Request,
    StartError,
    credentials_wanted,
    receive,
)
from tlcourse.sandbox.interpreter import PACKAGE, isolated_command, worker_environment
from tlcourse.sandbox.limits import rlimits
from tlcourse.sandbox.namespaces import NEW_ROOT
from tlcourse.sandbox.process_tree import proportional_mb
from tlcourse.sandbox.view import machine_view
from tlcourse.storage import new_folder

_READY_S = 180.0
_OWN_SCRATCH_MB = 16


class ForkServerParent:
    """A zygote behind bubblewrap, for runs side by side, which begin and end in any thread.

    It serves when `await_ready` has returned; `take_one_more` comes before each `start`.
    """

    def __init__(self) -> None:
        """Start it; raises OSError."""
        self.runs = 0
        self.failed = False
        self._busy = 0
        self._lock = threading.Lock()
        self._retired = False
        self._folder = new_folder("server")
        self._spool = self._folder / "spool"
        self._spool.mkdir()
        self._spool.chmod(0o711)  # whatever the umask takes away
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            credentials_wanted(self._control)
            with theirs, self._said().open("wb") as said:
                self._process = _launch(
                    self._command(theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    cwd="/",
                    env={},
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
        except BaseException:
            self._control.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _said(self) -> Path:
        return self._folder / "said"

    def _command(self, control: int) -> list[str]:
        view = machine_view()
        prefix: list[str] = []
        if os.geteuid() == 0:
            prefix = as_spare_uid([*view.folders(), self._spool], self._folder)
        own = (str(PACKAGE / "sandbox"), True)  # the parent's alone: a run sees what `view` shows
        command = [*prefix, *system_view(replace(view, mounts=(*view.mounts, own)), _OWN_SCRATCH_MB)]
        command += ["--ro-bind", str(self._spool), SPOOL, "--dir", NEW_ROOT, "--chdir", "/", "--clearenv"]
        for name, value in worker_environment(threads=1).items():
            command += ["--setenv", name, value]
        zygote = isolated_command("tlcourse.sandbox.zygote", "main", [str(control), msgspec.json.encode(view).decode()])
        return [*command, "--remount-ro", "/", "--", *zygote]

    def await_ready(self) -> None:
        """Until it has imported everything; raises StartError with what it said, and it is gone."""
        try:
            self._await_ready()
        except BaseException:
            self.close()
            raise

    def give_up(self) -> None:
        """End it, for another thread than the one that waits for it, which then knows at once."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._process.kill()

    def _await_ready(self) -> None:
        try:
            data, self.pid = receive(self._control, _READY_S)
            ready = msgspec.json.decode(data, type=Ready)
        except (OSError, msgspec.DecodeError) as error:
            said = self._said().read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise StartError(f"the fork server did not start: {said[-1][:300] if said else error}") from error
        if ready.threads != 1 or ready.shared_writable:
            raise StartError(f"the fork server is not fit to be forked: {ready}")
        self._memory_mb = self.memory_mb()

    def memory_mb(self) -> float:
        """Its proportional memory; 0 where the kernel will not tell."""
        return proportional_mb([self.pid]) or 0.0

    def grown_mb(self) -> float:
        """What it grew by since it was ready."""
        return self.memory_mb() - self._memory_mb

    def is_alive(self) -> bool:
        """Whether it can serve another run."""
        return self._process.poll() is None

    def start(self, start: Start, program: Sequence[str] = ()) -> ForkServerProcess:
        """Fork a child for a run; raises StartError. The run's folders are taken over."""
        name = secrets.token_hex(16)
        folder = self._spool / name
        theirs = ((start.inputs, folder / "inputs"), (start.submission, folder / "submission"))
        try:
            folder.mkdir()
            folder.chmod(0o711)
            for source, inside in theirs:
                if os.geteuid() == 0:
                    give_to_spare_uid(source)
                source.rename(inside)
            asked = self._ask(start_request(start, name, program), start)
            return ForkServerProcess(asked, lambda failed: self._ended(folder, failed=failed), start.group)
        except OSError as error:
            for source, inside in theirs:
                if inside.exists():
                    inside.rename(source)  # for another try
            self._ended(folder, failed=True)
            raise StartError(str(error)) from error

    def take_one_more(self) -> None:
        """It will be asked for one more run, and ends after that at the soonest."""
        with self._lock:
            self.runs += 1
            self._busy += 1

    def _ask(self, request: Request, start: Start) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        credentials_wanted(ours)
        try:
            with theirs:
                descriptors = [theirs.fileno(), start.stdin, start.output, *start.pass_fds]
                socket.send_fds(self._control, [msgspec.json.encode(request)], descriptors)
        except BaseException:
            ours.close()
            raise
        return ours

    def _ended(self, folder: Path, *, failed: bool) -> str:
        """A run is over: its folder goes. Returns why this parent cannot have seen it through, or "".

        `failed`: it brought no worker forth.
        """
        shutil.rmtree(folder, ignore_errors=True)
        with self._lock:
            self.failed = self.failed or failed
            self._busy -= 1
            over = self._retired and not self._busy
        why = "" if self.is_alive() else "the fork server was killed while it served this run"
        if over:
            self.close()
        return why

    def retire(self) -> None:
        """No further run: end now, or when the last run has ended."""
        with self._lock:
            self._retired = True
            over = not self._busy
        if over:
            self.close()

    def close(self) -> None:
        """End it, and every run that it still serves."""
        self._control.close()
        self._process.kill()  # bubblewrap's end is that of its PID namespace
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            if self._process.returncode is None:
                self.close()


def start_request(start: Start, folder: str, program: Sequence[str]) -> Request:
    return Request(
        folder=folder,
        arguments=list(start.arguments),
        numbers=list(start.pass_fds),
        env=start.env,
        limits=rlimits(start.limits),
        scratch_bytes=start.limits.scratch_mb * 2**20,
        program=list(program),
    )


def _launch(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """`subprocess.Popen(command, **options)`, started by a thread that lives as long as this process.

    `--die-with-parent` (PR_SET_PDEATHSIG) means the *thread* that started a process. A parent outlives the thread that
    happened to need it first, so that thread must not be the one to start it.
    """
    return _thread(os.getpid()).submit(_popen, command, options).result()


def _popen(command: Sequence[str], options: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, **options)


@functools.cache
def _thread(process: int) -> ThreadPoolExecutor:
    """One a process: a forked copy of this one has the object, but not its thread."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="tlcourse-launcher")
