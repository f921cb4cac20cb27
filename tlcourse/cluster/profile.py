"""Profiles of the configuration file: how to reach a cluster, and what to ask of it. Types, and reading them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from tlcourse.course.located import decode, decode_each, read_text
from tlcourse.errors import ContentError, UsageError
from tlcourse.paths import config_file

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.,:/@+=%-]+$", max_length=200)]
"""One word of a Slurm option: nothing that a shell or sbatch could read as more than that."""
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
READY = Path(__file__).with_name("ready.yaml")
RESERVED = ("local",)
ThemeName = Literal["dark", "light", "high-contrast", "no-colour"]


class Container(Struct, frozen=True, forbid_unknown_fields=True):
    """An Apptainer or Singularity image that holds Python and torch."""

    image: Annotated[str, Meta(min_length=1)]
    binds: list[str] = []
    """As `--bind` takes them; the work folder is always bound."""
    command: Word = "singularity"
    options: list[Word] = []
    """Such as `--rocm` or `--nv`."""
    setup: list[str] = []
    """Shell lines inside the container, before Python starts."""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """One place where solutions run. Without `host` it is the machine that tlcourse itself runs on: a login node."""

    host: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.@:-]+$")] | None = None
    ssh_config: str | None = None
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    gpus: Annotated[int, Meta(ge=0, le=64)] = 0
    gpu_type: Word | None = None
    cpus: Annotated[int, Meta(ge=1, le=1024)] | None = None
    """Cores of one job; without it, the threads that a run asks for."""
    memory_mb: Annotated[int, Meta(ge=512)] | None = None
    """Of one job; without it, the exercise's limit and 1,536 MB for tlcourse itself."""
    minutes: Annotated[int, Meta(ge=1)] | None = None
    """The longest that one job may take; without it, what the exercise's limit comes to."""
    at_once: Annotated[int, Meta(ge=1, le=1000)] = 8
    """Jobs of ours that run side by side."""
    chunk: Annotated[int, Meta(ge=1, le=1000)] = 4
    """Submissions of a batch that one job takes, one after another."""
    poll_s: Annotated[float, Meta(ge=0.5, le=600)] = 30.0
    """Seconds between two questions to Slurm, at most: they come quickly while something happens."""
    grace_s: Annotated[float, Meta(ge=0, le=600)] = 10.0
    """Seconds after a job's end in which its results may still come through the file system."""
    places: Annotated[int, Meta(ge=1)] | None = None
    """Groups that the cluster has room for, where its people say so."""
    python: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./~${}-]+$")] = "python3"
    packages: list[Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.<>=!~+,\[\]-]+$")]] | None = None
    """Make an environment from `python` once, and install these; without it `python` has all that is needed."""
    pip_options: list[Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:/=+-]+$")]] = []
    container: Container | None = None
    modules: list[Word] = []
    setup: list[str] = []
    """Shell lines before Python starts."""
    environment: dict[Variable, str] = {}
    """For the job, and seen by the solution: put no secret here."""
    sbatch: list[Word] = []
    """Further options of sbatch, such as --constraint=gpu."""
    work: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./~${}-]+$")] = "~/.tlcourse-jobs"
    """A folder of the file system that login and compute nodes share; made with mode 0700."""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration file."""

    profiles: dict[Name, Profile] = {}
    keys: dict[str, str] = {}
    """Keys of the terminal app: from the name of a binding to the keys that do it, with commas between them."""
    theme: ThemeName | None = None
    """Of the terminal app."""


class _Names(Struct, forbid_unknown_fields=True):
    """The file's outermost shape."""

    profiles: dict[Name, Any] | None = None
    keys: dict[str, Annotated[str, Meta(min_length=1, max_length=80)]] | None = None
    theme: ThemeName | None = None


def config_path() -> Path:
    """The configuration file: TLCOURSE_CONFIG, else `config.yaml` in the system's folder for configuration."""
    return config_file()


def load_config(path: Path | None = None) -> Config:
    """The configuration, empty where there is no file; raises UsageError with `file:line: what was expected`."""
    path = path or config_path()
    return parse_config(read_config(path), path)


def parse_config(text: str, path: Path) -> Config:
    """The configuration of a text; raises UsageError."""
    try:
        if not text.strip():
            return Config()
        outer = decode(text, _Names, path)  # a name, or another field, that does not hold
        names = outer.profiles or {}
        profiles = decode_each(text, "profiles", Profile, path) if names else {}
    except ContentError as error:
        what = "\n".join(error.problems)
        examples = "tlcourse config show --ready prints examples."
        if ": theme:" in what:
            examples = f"a theme is one of {', '.join(get_args(ThemeName))}."
        raise UsageError(
            what,
            cause="the configuration file does not say what is expected there.",
            remedy=f"mend the named line of {path}; {examples}",
        ) from None
    for name in RESERVED:
        if name in profiles:
            raise UsageError(f"{path}: a profile is called {name!r}, which means this machine.", remedy="rename it.")
    return Config(profiles, outer.keys or {}, outer.theme)


def read_config(path: Path) -> str:
    """The file's text, empty where there is none; raises UsageError."""
    try:
        if not path.exists():
            return ""
        return read_text(path)
    except ContentError as error:
        raise UsageError("\n".join(error.problems), remedy=f"mend {path}, or set TLCOURSE_CONFIG.") from None


def ready_profiles() -> dict[str, Profile]:
    """The profiles that come with tlcourse, to start from."""
    return parse_config(READY.read_text(encoding="utf-8"), READY).profiles


def find_profile(name: str, config: Config | None = None) -> Profile:
    """The profile called `name`; `slurm` is this machine as a login node, with what Slurm takes by default.

    Raises UsageError that names those there are.
    """
    profiles = (config or load_config()).profiles
    if name in profiles:
        return profiles[name]
    if name == "slurm":
        return Profile()
    known = ", ".join(["local", "slurm", *profiles])
    ready = f" Ready to be taken over: {', '.join(ready_profiles())}." if not profiles else ""
    raise UsageError(
        f"{name!r} is not a place where solutions run.",
        cause=f"it is no profile of {config_path()}. Known: {known}.{ready}",
        remedy=f"tlcourse config set {name if name in ready_profiles() else 'lumi'} KEY=VALUE makes a profile.",
    )
