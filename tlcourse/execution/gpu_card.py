"""A card, as a run is shown it; and the rule by which a list of cards in the environment is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct


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
