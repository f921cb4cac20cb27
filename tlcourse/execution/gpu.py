"""Which card a run is shown, by which device nodes, and that it is the only run there.

NVIDIA's cards are counted in the order of their PCI addresses, as `nvidia-smi` does; a run sees its own card alone, and
knows it as `cuda:0`. Untried on hardware so far: the tests use a copy of such a machine's folders.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.execution.job import Brief

_WAIT_S = 0.5
_LOCKS = Path("/tmp")  # noqa: S108 - one place for all users, whatever their TMPDIR is
WAITING = {"v": 1, "type": "log", "text": "[waiting: another run uses the card]\n"}
_NVIDIA_ALL = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
_FIRST_RENDERER = 128


class Card(Struct, frozen=True):
    """One card: what it is called here, and the nodes that a run needs to use it."""

    name: str
    nodes: tuple[str, ...]


def cards(root: Path = Path("/"), env: Mapping[str, str] | None = None) -> list[Card]:
    """The cards of this machine that torch would count, in its order; a job's share where a scheduler names one."""
    nvidia = sorted((root / "dev").glob("nvidia[0-9]*"), key=lambda node: int(node.name.removeprefix("nvidia")))
    common = tuple(str(root / "dev" / name) for name in _NVIDIA_ALL if (root / "dev" / name).exists())
    minors = _minors_by_address(root) or [int(node.name.removeprefix("nvidia")) for node in nvidia]
    found = [
        Card(f"nvidia{minor}", (str(root / "dev" / f"nvidia{minor}"), *common))
        for minor in minors
        if (root / "dev" / f"nvidia{minor}").exists()
    ]
    if not found and (root / "dev/kfd").exists():
        renderers = sorted((root / "dev/dri").glob("renderD*"), key=lambda node: int(node.name[7:]))
        kfd = str(root / "dev/kfd")
        found = [Card(f"amd{int(node.name[7:]) - _FIRST_RENDERER}", (kfd, str(node))) for node in renderers]
    return _share(found, os.environ if env is None else env)


def _minors_by_address(root: Path) -> list[int]:
    """The number of each NVIDIA card's node, in the order of their addresses."""
    found = []
    for about in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        match = re.search(r"Device Minor:\s*(\d+)", about.read_text(encoding="utf-8", errors="replace"))
        if match:
            found.append(int(match[1]))
    return found


def _share(found: list[Card], env: Mapping[str, str]) -> list[Card]:
    """Those that CUDA_VISIBLE_DEVICES (or ROCm's name for it) lists, where it lists numbers."""
    listed = env.get("CUDA_VISIBLE_DEVICES", env.get("HIP_VISIBLE_DEVICES"))
    if listed is None or (listed and not re.fullmatch(r"\d+(,\d+)*", listed)):
        return found
    numbers = [int(number) for number in listed.split(",") if number]
    return [found[number] for number in numbers if number < len(found)]


def card_of(device: str, root: Path = Path("/"), env: Mapping[str, str] | None = None) -> Card | None:
    """The card that a run on `device` uses: the first for `auto` and `cuda`; None for the CPU, or where none is."""
    if sys.platform != "linux" or device.startswith(("cpu", "mps")):
        return None
    number = int(device.partition(":")[2] or 0)
    found = cards(root, env)
    return found[number] if number < len(found) else None


def shown(brief: Brief, card: Card | None, wall: str) -> Brief:
    """The brief of a run that is shown one card: behind a wall that is the first there, whatever its number is here."""
    if card is None or wall == "none" or ":" not in brief.device:
        return brief
    return replace(brief, device="cuda:0")


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
