"""Profiles: how to reach a cluster, and what to ask of it. Types, reading them, and setting their fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tlcourse.config import add_profile, checked, parse_config, read_config, set_field
from tlcourse.errors import UsageError
from tlcourse.located import decode_each
from tlcourse.paths import config_file

Option = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.,:/@+=%-]+\Z", max_length=200)]
"""One word that is meant as an option: nothing that a shell or sbatch could read as more than one."""
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.,:/@+=%][A-Za-z0-9_.,:/@+=%-]*\Z", max_length=200)]
"""One word that cannot be read as an option. (`\\Z`: `$` would let a last line break pass.)"""
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z", max_length=100)]
FolderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./~$][A-Za-z0-9_./~${}-]*\Z")]
"""A path on the cluster, where `~` and $NAMES are read."""
Host = Annotated[str, Meta(pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9_:][A-Za-z0-9_.:-]*\Z", max_length=200)]
Package = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.<>=!~+,\[\]-]*\Z")]
READY = Path(__file__).with_name("ready.yaml")
RESERVED = ("local",)


class Container(Struct, frozen=True, forbid_unknown_fields=True):
    """An Apptainer or Singularity image that holds Python and torch."""

    image: Annotated[str, Meta(pattern=r"^[^-\n\0][^\n\0]*\Z")]
    binds: list[str] = []
    """As `--bind` takes them; the work folder is always bound."""
    command: Word = "singularity"
    options: list[Option] = []
    """Such as `--rocm` or `--nv`."""
    setup: list[str] = []
    """Shell lines inside the container, before Python starts."""


class Commands(Struct, frozen=True, forbid_unknown_fields=True):
    """How another scheduler than Slurm is asked: shell commands on the login node."""

    submit: str
    """Submits the file `$script`, and prints the job's number last: `qsub "$script" | cut -d. -f1`."""
    list: str
    """Prints the numbers of your jobs that wait or run, a line each: `bjobs -noheader -o jobid`."""
    cancel: str
    """Cancels the job `$job`: `bkill "$job"`."""
    header: tuple[str, ...] = ()
    """Lines for the top of the job's script, such as `#BSUB -q gpu`."""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """One place where solutions run. Without `host` it is the machine that tlcourse itself runs on: a login node."""

    host: Host | None = None
    ssh_config: str | None = None
    """Another file than ~/.ssh/config; a relative path is one beside the configuration file."""
    scheduler: Literal["slurm", "none"] | Commands = "slurm"
    """`none`: a machine with a queue of your own runs only, one in each place – with `gpus`, one on each card."""
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    gpus: Annotated[int, Meta(ge=0, le=64)] = 0
    gpu_type: Word | None = None
    gpu_option: Literal["gpus-per-node", "gpus", "gres", "none"] = "gpus-per-node"
    """How a job asks for them; `gres` on older sites; with `none`, `sbatch` holds the site's own option."""
    cpus: Annotated[int, Meta(ge=1, le=1024)] | None = None
    """Cores of one job; without it, the threads that a run asks for."""
    memory_mb: Annotated[int, Meta(ge=512)] | None = None
    """Of one job; without it, the exercise's limit and 1,536 MB for tlcourse itself."""
    memory: Literal["node", "cpu", "none"] = "node"
    """Whether it is asked for a node, for each core, or not at all, as some sites want it."""
    minutes: Annotated[int, Meta(ge=1)] | None = None
    """The longest that one job may take; without it, what the exercise's limit comes to."""
    at_once: Annotated[int, Meta(ge=1, le=1000)] = 8
    """Jobs of ours that run side by side."""
    chunk: Annotated[int, Meta(ge=1, le=1000)] = 4
    """Submissions of a batch that one job takes, one after another."""
    poll_s: Annotated[float, Meta(ge=0.5, le=600)] = 30.0
    """Seconds between two questions to Slurm, at least: events and results are looked for without asking it."""
    grace_s: Annotated[float, Meta(ge=0, le=3600)] = 300.0
    """Seconds after a job that ended well in which its results may still come through the file system."""
    places: Annotated[int, Meta(ge=1)] | None = None
    """Groups that the cluster has room for, where its people say so."""
    python: FolderName = "python3"
    packages: list[Package] | None = None
    """Make an environment from `python` once, and install these; without it `python` has all that is needed."""
    pip_options: list[Option] = []
    container: Container | None = None
    login_shell: bool = True
    """Start as a login does, which is where most sites define `module`."""
    setup: list[str] = []
    """Shell commands before everything else, such as `. /etc/profile`; the first that fails ends the job."""
    module_paths: list[FolderName] = []
    """For `module use`, before the modules are loaded."""
    modules: list[Word] = []
    environment: dict[Variable, str] = {}
    """For the job, and seen by the solution: put no secret here. $NAMES are read there, in the job."""
    sbatch: list[Option] = []
    """Further options of sbatch, such as --constraint=gpu."""
    work: FolderName = "~/.tlcourse-jobs"
    """A folder of the file system that login and compute nodes share; made with mode 0700."""


def load_profiles(path: Path | None = None) -> dict[str, Profile]:
    """The profiles of the configuration file; raises UsageError with `file:line: what was expected`."""
    path = path or config_file()
    return parse_profiles(read_config(path), path)


def parse_profiles(text: str, path: Path) -> dict[str, Profile]:
    """The profiles of a text; raises UsageError."""
    if not parse_config(text, path).profiles:
        return {}
    with checked(path):
        profiles = decode_each(text, "profiles", Profile, path)
    for name in RESERVED:
        if name in profiles:
            raise UsageError(f"{path}: a profile is called {name!r}, which means this machine.", remedy="rename it.")
    return profiles


def ready_profiles() -> dict[str, Profile]:
    """The profiles that come with tlcourse, to start from."""
    return parse_profiles(READY.read_text(encoding="utf-8"), READY)


def find_profile(name: str, profiles: dict[str, Profile] | None = None) -> Profile:
    """The profile called `name`; `slurm` is this machine as a login node, with what Slurm takes by default.

    Raises UsageError that names those there are.
    """
    profiles = load_profiles() if profiles is None else profiles
    if name in profiles:
        return profiles[name]
    if name == "slurm":
        return Profile()
    known = ", ".join(["local", "slurm", *profiles])
    ready = f" Ready to be taken over: {', '.join(ready_profiles())}." if not profiles else ""
    raise UsageError(
        f"{name!r} is not a place where solutions run.",
        cause=f"it is not a profile of {config_file()}. Known: {known}.{ready}",
        remedy=f"tlcourse config set {name if name in ready_profiles() else 'lumi'} KEY=VALUE makes a profile.",
    )


def set_values(text: str, name: str, values: Mapping[str, str], path: Path) -> str:
    """`text` with `values` (key or `container.key` → YAML) set in profile `name`, which is made where there is none.

    A new profile that has the name of a ready one starts as that. Raises UsageError where the outcome would not hold.
    """
    if name not in parse_profiles(text, path):
        text = add_profile(text, _ready_block(name) or f"\n  {name}:\n    at_once: 8\n")
        try:
            parse_profiles(text, path)
        except UsageError:
            raise UsageError(
                f"A profile cannot be added to {path}.",
                cause="the file is written in braces, or in more than one document.",
                remedy="write it as lines with indentation: tlcourse config show --ready shows how.",
            ) from None
    for key, value in values.items():
        text = _set_or_quote(text, ("profiles", name, *key.split(".")), value, path)
    return text


def _set_or_quote(text: str, keys: tuple[str, ...], value: str, path: Path) -> str:
    """As YAML first, so that `gpus=2` is a number; as a string where a string is expected (`account=462000000`)."""
    try:
        changed = set_field(text, keys, value or '""')
        parse_profiles(changed, path)
        return changed
    except (UsageError, ValueError) as error:
        changed = set_field(text, keys, json.dumps(value))
        try:
            parse_profiles(changed, path)
        except UsageError:
            what = error.what if isinstance(error, UsageError) else str(error)
            raise UsageError(
                f"{'.'.join(keys[2:])}={value} cannot be set: {what}",
                cause="the profile has no such field, or its values are of another kind.",
                remedy="tlcourse config show shows the fields; a list is written [a, b].",
            ) from None
        return changed


def _ready_block(name: str) -> str:
    """A ready profile as it is written, with the comment above it."""
    if name not in ready_profiles():
        return ""
    blocks = READY.read_text(encoding="utf-8").split("\n\n")
    block = next(block for block in blocks if f"\n  {name}:\n" in f"\n{block}\n")
    return f"\n{block.rstrip()}\n"
