"""The options that commands share. Importing this costs nothing but Typer: what is heavy is imported by the command."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


def _device(name: str) -> str:
    """`auto`, `cpu`, `mps`, `cuda`, or `cuda:N`."""
    from tlcourse.errors import UsageError

    kind, colon, number = name.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise UsageError(
            f"{name!r} is no device.",
            cause="a spelling mistake.",
            remedy="use one of: auto, cpu, cuda, cuda:0, cuda:1, mps.",
        )
    return name


class SandboxKind(StrEnum):
    """Which sandbox stands around the solution."""

    AUTO = "auto"
    BUBBLEWRAP = "bubblewrap"
    FORK_SERVER = "fork-server"
    LANDLOCK = "landlock"
    NONE = "none"


class Variant(StrEnum):
    """Which data."""

    AUTO = "auto"
    MINI = "mini"
    FULL = "full"


Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else.")]
Plain = Annotated[bool, typer.Option("--plain", help="One fact a line: no colour, no symbols.")]
CourseFolder = Annotated[
    Path | None, typer.Option("--course", metavar="DIR", help="Another course than the bundled one.")
]
ExerciseName = Annotated[str, typer.Argument(metavar="EXERCISE", help="Such as ex2; see: tlcourse exercise list")]
SolutionPath = Annotated[
    Path | None,
    typer.Argument(
        metavar="[PATH]",
        help="A .py, a .ipynb, a folder or a ZIP. Without it: solution.py here, or in a folder named as the exercise.",
    ),
]
DeviceName = Annotated[
    str, typer.Option("--device", metavar="auto|cpu|cuda[:N]|mps", callback=_device, help="Where to train.")
]
SandboxName = Annotated[
    SandboxKind,
    typer.Option("--sandbox", help="auto: the strongest sandbox of this machine. none: your own code only."),
]
VariantName = Annotated[Variant, typer.Option("--variant", help="mini: synthetic data. full: real data.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="The seed of the data (default: the public one).")]
Threads = Annotated[
    int, typer.Option("--threads", min=1, max=256, help="Torch threads. They can change the last bits.")
]
TimeLimit = Annotated[float | None, typer.Option("--seconds", min=1, help="Stop the run after this long.")]
Where = Annotated[
    str, typer.Option("--on", metavar="WHERE", help="Where the solution runs: local, slurm, or a profile.")
]
Events = Annotated[bool, typer.Option("--events", hidden=True, help="JSON lines for the terminal app.")]
