"""Which card a run is shown, and that it is the only run there: it sees its own card alone, and knows it as `cuda:0`.

Experimental: the tests use a copy of such a machine's folders; no run has used hardware yet (docs/decisions/228).
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from tlcourse.course.spec import TaskSpec
from tlcourse.execution.gpu_cards import Card, amd_cards, nvidia_cards

_WAIT_S = 0.5
_LOCKS = Path("/tmp")  # noqa: S108 - one place for all users, whatever their TMPDIR is
WAITING = {"v": 1, "type": "log", "text": "[waiting: another run uses the card]\n"}
_CHOOSE = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


def cards(root: Path = Path("/"), env: Mapping[str, str] | None = None) -> list[Card]:
    """The cards of this machine that torch would count, in its order; a job's share where a scheduler names one."""
    env = os.environ if env is None else env
    return nvidia_cards(root, env) or amd_cards(root, env)


def card_of(device: str, root: Path = Path("/"), env: Mapping[str, str] | None = None) -> Card | None:
    """The card that a run on `device` uses: the first for `auto` and `cuda`; None for the CPU, or where none is."""
    if sys.platform != "linux" or device.startswith(("cpu", "mps")):
        return None
    number = int(device.partition(":")[2] or 0)
    found = cards(root, env)
    return found[number] if number < len(found) else None


def uses_gpu(device: str) -> bool:
    """Whether a run on `device` would be shown a card of this machine."""
    if device.startswith("cpu") or not sys.platform.startswith("linux"):
        return False
    return device != "auto" or bool(cards())


def shown(task_spec: TaskSpec, card: Card | None) -> TaskSpec:
    """The spec of a run that is shown one card: it is the first there, whatever its number is here."""
    if card is None or ":" not in task_spec.device:
        return task_spec
    return replace(task_spec, device="cuda:0")


def environment(card: Card | None, sandbox: str, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables by which a run finds its card and no other.

    In a sandbox the nodes say it, but for a slice of a card. Without one every node is there, so that the driver is
    told; where there is no card for this run, it is told what this process was told.
    """
    if card is not None:
        return dict(card.visible) if card.is_slice or sandbox == "none" else {}
    env = os.environ if env is None else env
    return {name: env[name] for name in _CHOOSE if name in env} if sandbox == "none" else {}


@contextlib.contextmanager
def alone_on(card: Card | None, waiting: Callable[[], None], folder: Path = _LOCKS) -> Iterator[None]:
    """Hold a card until the run is over: no two runs of this machine, whoever started them, share one.

    `waiting` is called once, before waiting for another run. The lock ends with the process that holds it.
    """
    if card is None:
        yield
        return
    descriptor = _open_lock(folder / f"tlcourse-{card.name}.lock")
    try:
        told = False
        while not _try_lock(descriptor):
            if not told:
                waiting()
            told = True
            time.sleep(_WAIT_S)
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    """The lock file, which any user of this machine may have made; a link is not followed."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT, 0o644)
        with contextlib.suppress(PermissionError):  # another user made it just now
            path.chmod(0o644)
        return descriptor


def _try_lock(descriptor: int) -> bool:
    import fcntl  # not on Windows, where no card is ever locked

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
