"""Student code apart from everything that it must not see. The kinds of sandbox by name: the one list of them."""

from __future__ import annotations

KINDS = ("bubblewrap", "fork-server", "landlock", "none")
NAMES = ("auto", *KINDS)
"""What may be asked for; `auto` is the strongest that this machine can build."""
FOR_BATCHES = NAMES
"""What a batch may ask for. `auto` takes one with namespaces, or none: the others are somebody's decision."""
LANDLOCK_IN_A_BATCH = (
    "In the landlock sandbox a hand-in cannot read another one's files or reach the network, but they share one user: "
    "it sees the command lines and the load of what runs beside it. Each gets a job of its own and its own order of "
    "test inputs, so that predictions cannot be handed on."
)


def in_words(kind: str) -> str:
    """`in a fork-server sandbox`, `without a sandbox`."""
    return "without a sandbox" if kind == "none" else f"in a {kind} sandbox"
