"""Where runs happen: this machine, a profile of the configuration, or the Slurm of a login node."""

from __future__ import annotations

import shutil

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import TlcourseError
from tlcourse.execution.cluster.profile import Profile, find_profile, load_config

LOCAL = "local"


def known() -> list[str]:
    """The names that `--on` takes here, this machine first. Raises TlcourseError where they cannot be read."""
    names = [LOCAL, *load_config().profiles]
    return [*names, "slurm"] if shutil.which("sbatch") and "slurm" not in names else names


def after(place: str) -> str:
    """The next of them. Raises TlcourseError."""
    names = known()
    return names[(names.index(place) + 1) % len(names)] if place in names else LOCAL


def in_words(place: str, exercise: LoadedExercise) -> str:
    """What a run there may take, before it starts: `on this machine; it may take 300 s and 4 GB`."""
    limits = exercise.about.limits
    if place == LOCAL:
        return f"on this machine; it may take {limits.wall_s:g} s and {limits.memory_mb / 1024:g} GB"
    try:
        profile = find_profile(place)
    except TlcourseError as error:
        return f"on {place}, which cannot be used: {error.what}"
    return f"on {place} ({_asks(profile, limits.memory_mb)}); its time there counts against {_whom(profile)}"


def _asks(profile: Profile, memory_mb: int) -> str:
    asked = [profile.host or "this machine's Slurm"]
    if profile.partition:
        asked.append(f"partition {profile.partition}")
    if profile.gpus:
        asked.append(f"{profile.gpus} GPU{'s' if profile.gpus > 1 else ''}")
    asked.append(f"{(profile.memory_mb or memory_mb + 1536) / 1024:g} GB")
    if profile.minutes:
        asked.append(f"at most {profile.minutes} min")
    return ", ".join(asked)


def _whom(profile: Profile) -> str:
    return f"account {profile.account}" if profile.account else "your account"
