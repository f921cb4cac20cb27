"""Cards: which there are, as torch would count them, which of them a run is shown, and that it is the only run there.

A run sees its own card alone, and knows it as `cuda:0`.

NVIDIA's come in the order of their PCI addresses, as `nvidia-smi` counts them, and the share that a list leaves. A card
may be divided into slices (MIG): who may use one is decided by further nodes, which the driver lists in
/proc/driver/nvidia/capabilities (NVIDIA, "MIG User Guide", device nodes and capabilities). The one to divide cards and
the one to watch them all are never shown.

AMD's come in the order of the kernel's topology, as ROCm counts them. ROCR_VISIBLE_DEVICES chooses among all cards;
HIP_VISIBLE_DEVICES, or CUDA_VISIBLE_DEVICES in its place, among those.

Experimental: tested on copies of such machines' folders, not yet on hardware (docs/decisions/228).
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.spec import TaskSpec

_FOR_ALL = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
_ASKED_S = 20
_OLD_SLICE = re.compile(r"MIG-(GPU-[0-9a-f-]+)/(\d+)/(\d+)")
_ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}

_FIRST_RENDERER = 128


class Card(Struct, frozen=True):
    """One card, or one slice of a card that is divided."""

    name: str
    """What it is called here: its lock bears that name."""
    nodes: tuple[str, ...]
    """The device nodes that a run needs to use it."""
    visible: Mapping[str, str] = {}
    """The variables by which its driver shows a process this card alone, where the process could open others."""
    is_slice: bool = False
    """Whether its nodes alone do not say which: the run is told by `visible`."""


def listed(value: str, named: Callable[[str], Card | None]) -> list[Card]:
    """The cards that a list names. As for CUDA, what follows an entry that names none, or one again, is not seen."""
    found: list[Card] = []
    for entry in value.split(","):
        card = named(entry.strip())
        if card is None or card in found:
            break
        found.append(card)
    return found


class _Gpu(Struct, frozen=True):
    minor: int
    uuid: str = ""


def ask_driver() -> str:
    """What `nvidia-smi -L` prints: cards and slices with their ids. Empty where there is no such tool."""
    return _asked()


@functools.cache
def _asked() -> str:
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_ASKED_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def nvidia_cards(root: Path, env: Mapping[str, str], ask: Callable[[], str] = ask_driver) -> list[Card]:
    """The cards that torch would count, in its order. Entries of the list may be numbers, or ids of cards or slices."""
    gpus = _gpus(root)
    value = env.get("CUDA_VISIBLE_DEVICES")
    if value is None or not gpus:
        return [_whole(root, gpu, number) for number, gpu in enumerate(gpus)]

    def named(entry: str) -> Card | None:
        if re.fullmatch(r"[0-9]+", entry):
            return _whole(root, gpus[int(entry)], int(entry)) if int(entry) < len(gpus) else None
        if entry.startswith("GPU-"):
            return _by_id(root, gpus, entry, ask)
        if entry.startswith("MIG-"):
            return _slice(root, gpus, entry, ask)
        return None

    return listed(value, named)


def _gpus(root: Path) -> list[_Gpu]:
    """Those with a node here, in the order of their addresses; where the driver tells none, of their nodes."""
    found = []
    for about in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        text = about.read_text(encoding="utf-8", errors="replace")
        minor = re.search(r"Device Minor:\s*(\d+)", text)
        uuid = re.search(r"GPU UUID:\s*(GPU-[0-9a-fA-F-]+)", text)
        if minor:
            found.append(_Gpu(int(minor[1]), uuid[1] if uuid else ""))
    if not found:
        nodes = (root / "dev").glob("nvidia[0-9]*")
        found = [_Gpu(number) for number in sorted(int(node.name.removeprefix("nvidia")) for node in nodes)]
    return [gpu for gpu in found if (root / f"dev/nvidia{gpu.minor}").exists()]


def _whole(root: Path, gpu: _Gpu, number: int) -> Card:
    visible = {"CUDA_VISIBLE_DEVICES": gpu.uuid or str(number), **_ORDER}
    return Card(f"nvidia{gpu.minor}", (*_nodes(root, gpu), *_capabilities(root, gpu)), visible)


def _by_id(root: Path, gpus: list[_Gpu], entry: str, ask: Callable[[], str]) -> Card | None:
    """A card by its id, or the beginning of it, which CUDA accepts where it is one card's alone."""
    uuids = [gpu.uuid for gpu in gpus]
    if not all(uuids):
        told = re.findall(r"^GPU \d+:.*\(UUID: (GPU-[0-9a-fA-F-]+)\)", ask(), re.MULTILINE)
        uuids = told if len(told) == len(gpus) else uuids
    fits = [number for number, uuid in enumerate(uuids) if uuid.startswith(entry)]
    return _whole(root, _Gpu(gpus[fits[0]].minor, uuids[fits[0]]), fits[0]) if len(fits) == 1 else None


def _slice(root: Path, gpus: list[_Gpu], entry: str, ask: Callable[[], str]) -> Card | None:
    """A slice by its id. Older ids say where it lies; of a newer one the nodes of all slices of its card are shown."""
    if old := _OLD_SLICE.fullmatch(entry):
        card = _by_id(root, gpus, old[1], ask)
        instance, compute = old[2], old[3]
    else:
        card = _owner(root, gpus, entry, ask)
        instance = compute = "*"
    if card is None:
        return None
    gpu = _Gpu(int(card.name.removeprefix("nvidia")))
    nodes = (*_nodes(root, gpu), *_capabilities(root, gpu, instance, compute))
    name = re.sub(r"[^0-9A-Za-z]+", "-", entry)
    return Card(f"{card.name}-{name}", nodes, {"CUDA_VISIBLE_DEVICES": entry, **_ORDER}, is_slice=True)


def _owner(root: Path, gpus: list[_Gpu], entry: str, ask: Callable[[], str]) -> Card | None:
    """The card that a slice is of: the only one that has slices, or as the driver says."""
    divided = [number for number, gpu in enumerate(gpus) if _capabilities(root, gpu)]
    if len(divided) == 1:
        return _whole(root, gpus[divided[0]], divided[0])
    above = ""
    for line in ask().splitlines():
        if uuid := re.search(r"\(UUID: ([^()]+)\)", line):
            if uuid[1].startswith("GPU-"):
                above = uuid[1]
            elif uuid[1] == entry:
                return _by_id(root, gpus, above, ask)
    return None


def _nodes(root: Path, gpu: _Gpu) -> tuple[str, ...]:
    common = (str(root / "dev" / name) for name in _FOR_ALL if (root / "dev" / name).exists())
    return str(root / f"dev/nvidia{gpu.minor}"), *common


def _capabilities(root: Path, gpu: _Gpu, instance: str = "*", compute: str = "*") -> tuple[str, ...]:
    """The nodes that allow the use of slices; none where the card is not divided."""
    above = root / f"proc/driver/nvidia/capabilities/gpu{gpu.minor}/mig"
    nodes = []
    for pattern in (f"gi{instance}/access", f"gi{instance}/ci{compute}/access"):
        for about in sorted(above.glob(pattern)):
            number = re.search(r"DeviceFileMinor:\s*(\d+)", about.read_text(encoding="utf-8", errors="replace"))
            if number and (node := root / f"dev/nvidia-caps/nvidia-cap{number[1]}").exists():
                nodes.append(str(node))
    return tuple(nodes)


def amd_cards(root: Path, env: Mapping[str, str]) -> list[Card]:
    """The cards that torch would count, in its order."""
    if not (root / "dev/kfd").exists():
        return []
    found = _among(_all(root), env.get("ROCR_VISIBLE_DEVICES"))
    by_number = {str(number): card for number, (card, _) in enumerate(found)}
    value = env.get("HIP_VISIBLE_DEVICES", env.get("CUDA_VISIBLE_DEVICES"))
    return list(by_number.values()) if value is None else listed(value, by_number.get)


def _all(root: Path) -> list[tuple[Card, str]]:
    """Every card with its id, "" where the kernel tells none."""
    found = []
    for number, (renderer, uuid) in enumerate(_by_topology(root) or _by_nodes(root)):
        nodes = (str(root / "dev/kfd"), str(root / f"dev/dri/renderD{renderer}"))
        visible = {"ROCR_VISIBLE_DEVICES": str(number)}
        found.append((Card(f"amd{renderer - _FIRST_RENDERER}", nodes, visible), uuid))
    return [(card, uuid) for card, uuid in found if Path(card.nodes[1]).exists()]


def _by_topology(root: Path) -> list[tuple[int, str]]:
    found = []
    nodes = (root / "sys/class/kfd/kfd/topology/nodes").glob("[0-9]*/properties")
    for about in sorted(nodes, key=lambda file: int(file.parent.name)):
        try:
            text = about.read_text(encoding="ascii")
        except OSError:  # not this user's to see
            continue
        renderer = re.search(r"^drm_render_minor (\d+)$", text, re.MULTILINE)
        uuid = re.search(r"^unique_id (\d+)$", text, re.MULTILINE)
        if renderer and int(renderer[1]) >= _FIRST_RENDERER:  # a processor has none
            found.append((int(renderer[1]), f"GPU-{int(uuid[1]):x}" if uuid and int(uuid[1]) else ""))
    return found


def _by_nodes(root: Path) -> list[tuple[int, str]]:
    return [(number, "") for number in sorted(int(node.name[7:]) for node in (root / "dev/dri").glob("renderD*"))]


def _among(found: list[tuple[Card, str]], value: str | None) -> list[tuple[Card, str]]:
    if value is None:
        return found
    uuids = {card.name: uuid for card, uuid in found}
    by_name = {str(number): card for number, (card, _) in enumerate(found)}
    by_name |= {uuid: card for card, uuid in found if uuid}
    return [(card, uuids[card.name]) for card in listed(value, by_name.get)]


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
