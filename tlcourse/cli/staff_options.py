"""Options that the staff's commands share, and what they mean."""

from __future__ import annotations

import getpass
import signal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.batch.setup import DataSeed


class BatchSandboxKind(StrEnum):
    """Which sandbox stands around each submission."""

    AUTO = "auto"
    FORK_SERVER = "fork-server"
    BUBBLEWRAP = "bubblewrap"
    NONE = "none"


GradebookFile = Annotated[
    Path | None,
    typer.Option("--gradebook", metavar="FILE", help="Default: TLCOURSE_GRADEBOOK, or your own in the data folder."),
]
RosterFile = Annotated[Path | None, typer.Option("--roster", metavar="FILE", help="The class list, as exported.")]
GroupsFile = Annotated[Path | None, typer.Option("--groups", metavar="FILE", help="The groups, as exported.")]
SecretFile = Annotated[
    Path | None,
    typer.Option("--secret", metavar="FILE", help="Hidden data come from it. Default: TLCOURSE_SECRET, or your own."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, max=1024, help="Submissions side by side; default: every core.")
]
Who = Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who does this; default: your user name.")]
BatchWhere = Annotated[
    str | None,
    typer.Option("--on", metavar="WHERE", help="local, slurm, or a profile; default: local, or where it was begun."),
]
BatchSandboxName = Annotated[
    BatchSandboxKind,
    typer.Option("--sandbox", help="auto: fork-server, else bubblewrap. A batch refuses to run without a sandbox."),
]
Trust = Annotated[
    bool, typer.Option("--i-trust-these-submissions", help="Run them even where this machine cannot sandbox anything.")
]


def data_seed_for(exercise: LoadedExercise, secret: Path | None, seed: int | None) -> DataSeed:
    """The seed of a batch; a first batch makes the user's own secret, and says so."""
    from tlcourse.grading.batch.setup import seed_from
    from tlcourse.grading.secret import new_secret, read_secret
    from tlcourse.paths import secret_file

    if seed is not None:
        return seed_from(exercise.about.id, None, seed)
    material = read_secret(secret)
    if material is None:
        own = secret_file()
        if not own.exists():
            new_secret(own)
            out.note(f"Made a secret: {own}. Hidden data are drawn from it. Keep it: marks are repeated only with it.")
        material = read_secret(own)
    return seed_from(exercise.about.id, material, None)


def user() -> str:
    """Who gives the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "unknown"


def end_runs_when_ended() -> None:
    """SIGTERM, and SIGHUP of a lost terminal, end the submissions' processes first."""
    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
