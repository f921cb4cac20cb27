"""`tlcourse groups`: whether the groups are as the course wants them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Json, Plain
from tlcourse.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlcourse.grading.lms.groups import GroupProblem, Groups
    from tlcourse.grading.lms.roster import Roster

app = typer.Typer(help="Who hands in together.", no_args_is_help=True, rich_markup_mode=None)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Groups, as exported by the platform, or a CSV.")],
    roster: Annotated[
        Path | None, typer.Option("--roster", metavar="FILE", help="The class list: who is missing, who is unknown.")
    ] = None,
    category: Annotated[
        str, typer.Option("--category", metavar="NAME", help="Which set of groups, where the file has several.")
    ] = "",
    smallest: Annotated[int, typer.Option("--smallest", min=1, help="Fewer need a recorded exception.")] = 2,
    largest: Annotated[int, typer.Option("--largest", min=1, help="More are never allowed.")] = 4,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Two to four a group, one with a recorded exception, nobody twice, nobody missing. Exit code 1 says otherwise."""
    from tlcourse.grading.lms.groups import check_groups, read_groups
    from tlcourse.grading.lms.roster import read_roster

    people = read_roster(roster) if roster else None
    groups = read_groups(file, people, category=category)
    problems = check_groups(groups, people, smallest=smallest, largest=largest)
    if json:
        out.document(
            {
                "schema": 1,
                "groups": groups.groups,
                "problems": problems,
                "roster": people is not None,
                "ok": not problems,
            }
        )
    for line in _lines(groups, people, problems, plain=plain):
        (out.note if json else out.say)(line)
    raise typer.Exit(ExitCode.NOT_PASSED if problems else ExitCode.OK)


def _lines(groups: Groups, roster: Roster | None, problems: list[GroupProblem], *, plain: bool) -> Iterator[str]:
    from tlcourse.grading.lms.roster import visible

    names = {person.id: person.name for person in roster.people} if roster else {}
    twice = {person for problem in problems if problem.kind == "twice" for person in problem.people}
    said = {problem.group for problem in problems} | {g.name for g in groups.groups if twice & set(g.members)}
    width = min(max((len(visible(group.name)) for group in groups.groups), default=0), 30)
    for group in groups.groups:
        members = ", ".join(visible(names.get(member, member)) for member in group.members)
        note = f"  (exception: {visible(group.exception)})" if group.exception else ""
        if plain:
            state = "problem" if group.name in said else "fine"
            yield f"group: {visible(group.name)}: {state}: {len(group.members)}: {members}{note}"
        else:
            sign = out.paint("✗", "red", plain=False) if group.name in said else out.paint("✓", "green", plain=False)
            yield f"{sign} {visible(group.name):<{width}}  {len(group.members)}  {members}{note}"
    if problems and not plain:
        yield ""
    for problem in problems:
        yield f"problem: {problem.kind}: {problem.message}" if plain else f"  {problem.message}"
    total = sum(len(group.members) for group in groups.groups)
    verdict = f"{len(problems)} problem{'s' * (len(problems) != 1)}" if problems else "no problems"
    yield f"{len(groups.groups)} groups, {total} places, {verdict}."
    if roster is None:
        yield "Without --roster FILE nobody can be found missing or unknown."
