"""The options that commands share, one by one and in groups. What is heavy is imported by the command.

A group is a type whose fields are options. A command takes it as one parameter; `expanded` makes of it the options that
Typer knows, and `main.py` calls it for every command:

    def grade(exercise: ExerciseName, how: RunOptions) -> None: ...
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tlcourse.sandbox import NAMES

if TYPE_CHECKING:
    from tlcourse.grading.options import Options


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Options that go together; each field is an `Annotated` type of this module, with its default."""


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """A command as Typer takes it: in the place of each group stand its fields, and every command has `-v`.

    One that takes a course has `--trust-course` too, and asks about the course before it does anything.
    """
    if hasattr(command, "groups"):
        return command
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Group]] = {}
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind = parameter.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            groups[parameter.name] = kind
            parameters += [
                _keyword(field.name, field.type, inspect.Parameter.empty if field.required else field.default)
                for field in msgspec.structs.fields(kind)
            ]
        else:
            parameters.append(_keyword(parameter.name, kind, parameter.default))
    parameters.append(_keyword("verbose", Verbose, False))
    names = {parameter.name for parameter in parameters}
    if asks := "course" in names and "trust_course" not in names:
        parameters.append(_keyword("trust_course", TrustCourse, False))

    @wraps(command)
    def call(*, verbose: bool, **given: Any) -> None:
        if verbose:
            from tlcourse import logs

            logs.start()
        if asks:
            agree_to(given["course"], given.pop("trust_course"))
        for name, kind in groups.items():
            given[name] = kind(**{field: given.pop(field) for field in kind.__struct_fields__})
        command(**given)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.groups = groups  # type: ignore[attr-defined]
    return call


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _device(name: str) -> str:
    """`auto`, `cpu`, `mps`, `cuda`, or `cuda:N`."""
    from tlcourse.errors import UsageError

    kind, colon, number = name.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise UsageError(
            f"{name!r} is not a device.",
            cause="a spelling mistake.",
            remedy="use one of: auto, cpu, cuda, cuda:0, cuda:1, mps.",
        )
    return name


def agree_to(course: Path | None, trust: bool) -> None:
    """Ask, once for each course, whether its programs may run as who gives the command; `trust` agrees beforehand.

    Raises UsageError where the answer is no, or there is nobody to ask, UnableError where it cannot be written down.
    """
    if course is None:
        return
    from tlcourse.course import trust as agreements
    from tlcourse.errors import UnableError

    if agreements.is_agreed(course):
        return
    if not trust:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise agreements.not_agreed(course)
        typer.echo(agreements.question(course), err=True)
        try:
            agreed = typer.confirm("Do you trust who wrote it?", err=True)
        except typer.Abort:  # which Typer makes of Ctrl-C, and ends with the status of a grading that was not passed
            raise KeyboardInterrupt from None
        if not agreed:
            raise agreements.not_agreed(course)
    try:
        agreements.agree(course)
    except UnableError:
        if not trust:  # who said it on the command line need not have it written down
            raise


def one_of(names: Sequence[str], what: str) -> Callable[[str], str]:
    """A callback that lets these names pass, and says all of them where another was given."""

    def checked(name: str) -> str:
        if name not in names:
            from tlcourse.errors import UsageError
            from tlcourse.text import misspelt

            raise UsageError(
                f"There is no {what} {name!r}.", cause=misspelt(name, names), remedy=f"use one of: {', '.join(names)}."
            )
        return name

    return checked


class Variant(StrEnum):
    """Which data."""

    AUTO = "auto"
    MINI = "mini"
    FULL = "full"


Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else.")]
Plain = Annotated[bool, typer.Option("--plain", help="One fact a line: no colour, no symbols.")]
CourseFolder = Annotated[
    Path | None,
    typer.Option("--course", metavar="DIR", help="Another course than the bundled one: its graders run as you."),
]
TrustCourse = Annotated[
    bool,
    typer.Option("--trust-course", envvar="TLCOURSE_TRUST_COURSE", help="Do not ask: who wrote the course is trusted."),
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
    str,
    typer.Option(
        "--sandbox",
        metavar="|".join(NAMES),
        callback=one_of(NAMES, "sandbox"),
        help="auto: the strongest sandbox of this machine. none: your own code only.",
    ),
]
VariantName = Annotated[Variant, typer.Option("--variant", help="mini: synthetic data. full: real data.")]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="The seed of the data (default: the public one, which everybody has)."),
]
Threads = Annotated[
    int, typer.Option("--threads", min=1, max=256, help="Torch threads. They can change the last bits.")
]
TimeLimit = Annotated[
    float | None, typer.Option("--seconds", min=1, help="Stop the run after this long, by the clock.")
]
Where = Annotated[
    str, typer.Option("--on", metavar="WHERE", help="Where the solution runs: local, slurm, or a profile.")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Log what is decided and why, to stderr.")]
Events = Annotated[bool, typer.Option("--events", hidden=True, help="JSON lines for the terminal app.")]


class RunOptions(Group, frozen=True, kw_only=True):
    """How and where one solution runs."""

    device: DeviceName = "auto"
    sandbox_kind: SandboxName = "auto"
    variant: VariantName = Variant.AUTO
    seed: Seed = None
    threads: Threads = 2
    seconds: TimeLimit = None
    on: Where = "local"
    course: CourseFolder = None

    def chosen(self) -> Options:
        """What a grading is told; raises UsageError where there is no such backend."""
        from tlcourse.grading.options import PUBLIC_SEED, Options

        if self.on != "local":
            from tlcourse.cluster.profile import find_profile

            find_profile(self.on)  # before anything else is done
        return Options(
            variant=self.variant.value,
            sandbox_kind=self.sandbox_kind,
            device=self.device,
            threads=self.threads,
            seed=PUBLIC_SEED if self.seed is None else self.seed,
            seed_source="public" if self.seed is None else "given",
            wall_time_s=self.seconds,
            where=self.on,
        )


class Printing(Group, frozen=True, kw_only=True):
    """What is printed, and for whom."""

    json: Json = False
    plain: Plain = False
    events: Events = False
