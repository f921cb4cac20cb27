"""`tlcourse data`: the real files that some exercises and labs can use in place of synthetic data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Json, Plain
from tlcourse.errors import ExitCode, UnableError

if TYPE_CHECKING:
    from tlcourse.data.real.files import Verified

app = typer.Typer(help="Real data: what is here, getting it, checking it.", no_args_is_help=True, rich_markup_mode=None)
SetName = Annotated[str, typer.Argument(metavar="NAME", help="For example hymenoptera; see: tlcourse data list")]


@app.command("list")
def list_data(json: Json = False, plain: Plain = False) -> None:
    """Which real data the course can use, and where they lie on this machine."""
    from tlcourse.data.real import sets

    found = sets.listed()
    if json:
        out.document({"schema": 1, "looked_in": sets.looked_in(), "data": found})
        return
    for one in found:
        mark = ("here:" if one.where else "missing:") if plain else ("✓ here   " if one.where else "– missing")
        out.say(f"{mark} {one.name}: {one.title}" + (f"; used by {one.used_by}" if one.used_by else ""))
        out.say(f"{'source:' if plain else '          by'} {one.source}")
        if one.where:
            out.say(f"{'where:' if plain else '         '} {one.where}{f': {one.detail}' if one.detail else ''}")
        else:
            out.say(f"{'remedy:' if plain else '          to get it:'} {one.get}")


@app.command("get")
def get(
    name: SetName,
    network: Annotated[
        str | None, typer.Argument(metavar="[NETWORK]", help="With pretrained: a torchvision name, such as resnet18.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="PATH", help="An archive, a folder or a file instead of the network."),
    ] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Put real data into your data folder; they are verified on their way."""
    from tlcourse.data.real import sets

    path = sets.get(name, network, source, out.note)
    if json:
        out.document({"schema": 1, "name": name, "path": str(path)})
        return
    out.say(f"{'path: ' if plain else 'Verified, and put into '}{path}")


@app.command("verify")
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this one; default: all that are here.")
    ] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Read the real data that are here, and compare them with what they should be."""
    from tlcourse.data.real import sets

    found: list[Verified] = []
    unable: list[UnableError] = []
    for which in [name] if name else [one.name for one in sets.SETS]:
        try:
            found += sets.verify(which)
        except UnableError as error:  # weights are read by torch, which a light installation has not
            unable.append(error)
    if not found and not unable:
        raise UnableError(
            "There are no real data to verify.",
            cause=f"none are in {' or '.join(sets.looked_in())}.",
            remedy="tlcourse data get hymenoptera – or name their folder: export TLCOURSE_DATA=FOLDER",
        )
    sound = all(not one.problems for one in found)
    if json:
        left_out = [missing.what for missing in unable]
        out.document({"schema": 1, "sound": sound, "data": found, "not_read": left_out})
    else:
        for one in found:
            mark = (
                ("sound:" if not one.problems else "damaged:")
                if plain
                else ("✓ sound" if not one.problems else "✗ damaged")
            )
            out.say(f"{mark} {one.name} in {one.where}")
            for problem in one.problems[:10]:
                out.say(f"{'problem: ' if plain else '          '}{problem}")
            if len(one.problems) > 10:
                out.say(f"{'problem: ' if plain else '          '}… and {len(one.problems) - 10} more")
    for missing in unable:
        out.complain(missing, document=False)
    if unable:
        raise typer.Exit(ExitCode.UNABLE)
    if not sound:
        out.note("tlcourse: damaged files are not used. Fix: tlcourse data get NAME")
        raise typer.Exit(ExitCode.UNABLE)
