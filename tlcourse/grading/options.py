"""What a grading is told beside the hand-in: which data and seed, where, on what, for how long."""

from __future__ import annotations

from msgspec import Struct

PUBLIC_SEED = 20260
"""Of the data that everybody has."""


class Options(Struct, frozen=True):
    """How to run a submission."""

    variant: str = "auto"
    sandbox_kind: str = "auto"
    device: str = "auto"
    threads: int = 2
    seed: int = PUBLIC_SEED
    seed_source: str = "public"
    run_key: str = ""
    """What runs are told is derived from it (`secret.run_key`); empty where the seed is public, and hides nothing."""
    wall_time_s: float | None = None
    where: str = "local"
