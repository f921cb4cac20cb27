"""Student code apart from everything that it must not see. The kinds of sandbox by name: the one list of them."""

from __future__ import annotations

KINDS = ("bubblewrap", "fork-server", "landlock", "none")
NAMES = ("auto", *KINDS)
"""What may be asked for; `auto` is the strongest that this machine can build."""
FOR_BATCHES = ("auto", "bubblewrap", "fork-server", "none")
"""What a batch may ask for: other people's code needs namespaces, or somebody's word that it is trusted."""


def in_words(kind: str) -> str:
    """`in a fork-server sandbox`, `without a sandbox`."""
    return "without a sandbox" if kind == "none" else f"in a {kind} sandbox"
