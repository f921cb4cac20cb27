"""AMD's cards: in the order of the kernel's topology, as ROCm counts them, and what its variables leave of them.

ROCR_VISIBLE_DEVICES chooses among all cards; HIP_VISIBLE_DEVICES, or CUDA_VISIBLE_DEVICES in its place, among those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tlcourse.execution.gpu_card import Card, listed

_FIRST_RENDERER = 128


def cards(root: Path, env: Mapping[str, str]) -> list[Card]:
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
