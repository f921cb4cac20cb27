"""`multiprocessing` without /dev/shm: locks made of pipes, tensors sent by value, loaders that load by themselves.

For a sandbox that has no /dev/shm of a run's own. What processes share, forked children inherit: a semaphore is a pipe
that holds a byte for each one who may pass, and `tensor.share_memory_()` moves a tensor to pages that have no name, so
that no other run can open them. Therefore all processes are forked here, those too that are to be spawned.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import io
import mmap
import multiprocessing
import multiprocessing.context
import os
import select
import sys
import threading
import time
from multiprocessing.reduction import ForkingPickler
from typing import Any

import torch
from torch.utils.data import DataLoader

_RECURSIVE = 0
_MOST = 32768
"""Bytes that a pipe surely takes; a semaphore for more, such as a queue's that has no bound, lets everybody pass."""


class PipeSemaphore:
    """What `_multiprocessing.SemLock` is to `multiprocessing.synchronize`, between forked processes."""

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        self.kind, self.maxvalue, self.name = kind, maxvalue, None
        self._open = value > _MOST
        self.handle, self._back = os.pipe()
        os.set_blocking(self.handle, False)
        os.write(self._back, b"." * (0 if self._open else value))
        self._held = 0
        self._holder = 0

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take one; false where none came in time."""
        if self.kind == _RECURSIVE and self._is_mine():
            self._held += 1
            return True
        until = None if timeout is None else time.monotonic() + max(0.0, timeout)
        while not self._open:
            with contextlib.suppress(BlockingIOError):
                os.read(self.handle, 1)
                break
            left = None if until is None else until - time.monotonic()
            if not block or (left is not None and left <= 0):
                return False
            poller = select.poll()
            poller.register(self.handle, select.POLLIN)
            poller.poll(None if left is None else left * 1000)
        self._held += 1
        self._holder = threading.get_ident()
        return True

    def release(self) -> None:
        """Give one back."""
        if self.kind == _RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._held > 1:
                self._held -= 1
                return
        elif not self._open and self._get_value() >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self._held -= 1
        if not self._open:
            os.write(self._back, b".")

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _count(self) -> int:
        return self._held

    def _is_mine(self) -> bool:
        return self._held > 0 and self._holder == threading.get_ident()

    def _get_value(self) -> int:
        import array
        import fcntl
        import termios

        waiting = array.array("i", [0])
        fcntl.ioctl(self.handle, termios.FIONREAD, waiting)
        return self.maxvalue if self._open else waiting[0]

    def _is_zero(self) -> bool:
        return self._get_value() == 0

    def _after_fork(self) -> None:
        self._held = 0

    def __del__(self) -> None:
        for descriptor in (self.handle, self._back):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def install_where_needed() -> None:
    """Where no lock can be made that processes share: these locks, tensors by value, memory that children inherit,
    forked processes for spawned ones, and loaders without workers."""
    try:
        multiprocessing.Lock()
    except OSError:
        importlib.import_module("_multiprocessing").__dict__["SemLock"] = PipeSemaphore
        for kind in (torch.Tensor, torch.nn.Parameter):
            ForkingPickler.register(kind, _by_value)
        _share_without_names()
        contexts: dict[str, Any] = multiprocessing.context.__dict__["_concrete_contexts"]
        contexts.update({name: _ForkingContext(name) for name in ("spawn", "forkserver")})
        _load_without_workers()


def _by_value(tensor: torch.Tensor) -> tuple[Any, tuple[bytes]]:
    stream = io.BytesIO()
    torch.save(tensor, stream)
    return _from_bytes, (stream.getvalue(),)


def _from_bytes(data: bytes) -> Any:
    return torch.load(io.BytesIO(data), weights_only=True)


def _share_without_names() -> None:
    """`tensor.share_memory_()` and `module.share_memory()`. Other tensors on the same storage stay where they are."""
    shared: set[int] = set()

    def share(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.device.type == "cpu" and tensor.numel() and not is_shared(tensor):
            storage = tensor.untyped_storage()
            pages = torch.frombuffer(mmap.mmap(-1, storage.nbytes()), dtype=torch.uint8).untyped_storage()
            pages.copy_(storage)
            shared.add(pages.data_ptr())
            place = (tensor.storage_offset(), tensor.size(), tensor.stride())
            tensor.data = torch.empty(0, dtype=tensor.dtype).set_(pages, *place)
        return tensor

    def is_shared(tensor: torch.Tensor) -> bool:
        return tensor.device.type != "cpu" or tensor.untyped_storage().data_ptr() in shared

    for name, function in (("share_memory_", share), ("is_shared", is_shared)):
        setattr(torch.Tensor, name, function)


class _ForkedProcess(multiprocessing.context.ForkProcess):
    """In place of a spawned one. Threads of torch's do not survive a fork: it has one, or would wait for them."""

    def _bootstrap(self, *arguments: Any, **named: Any) -> Any:
        torch.set_num_threads(1)
        return super()._bootstrap(*arguments, **named)  # type: ignore[misc]


class _ForkingContext(multiprocessing.context.BaseContext):
    Process = _ForkedProcess

    def __init__(self, name: str) -> None:
        self._name = name


def _load_without_workers() -> None:
    """A `DataLoader` with worker processes loads in this one, and says so once: its workers need shared memory."""
    init = DataLoader.__init__
    told: list[bool] = []

    @functools.wraps(init)
    def load_here(self: Any, *args: Any, **kwargs: Any) -> None:
        given = inspect.signature(init).bind(self, *args, **kwargs).arguments
        if given.get("num_workers", 0):
            for name in ("prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout"):
                given.pop(name, None)
            given["num_workers"] = 0
            if not told:
                told.append(True)
                sys.stderr.write(
                    "Notice: this sandbox has no shared memory; DataLoader loads by itself, as with num_workers=0.\n"
                )
        init(**given)

    DataLoader.__init__ = load_here
