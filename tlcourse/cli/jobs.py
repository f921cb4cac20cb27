"""`tlcourse jobs`: runs on clusters, found again whenever one looks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Events, Json, Plain
from tlcourse.errors import TlcourseError, UsageError
from tlcourse.text import typed

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.remote_grading import JobRow, RunStore, SavedRun
    from tlcourse.grading.result import Result

app = typer.Typer(help="Runs on clusters.", no_args_is_help=True)
RunNumber = Annotated[str, typer.Argument(metavar="RUN", help="Its number in `tlcourse jobs list`, or: last")]


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Those that ended long ago too.")] = False,
    kept: Annotated[bool, typer.Option("--kept", help="What is known here; no cluster is asked.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Say how every run stands; those that have ended are fetched and marked now."""
    from tlcourse.cli.grade import run_store
    from tlcourse.grading.remote_grading import job_row

    known = run_store()
    shown = [one for one in known.all() if all_ or one.state == "open" or time.time() - one.created < 14 * 86400]
    rows = [job_row(one) for one in shown] if kept else known.ask(shown, lambda one: _collect(known, one))
    if json:
        out.document({"schema": 1, "jobs": rows})
        return
    if not rows:
        out.say("No run was sent to a cluster. Send one: tlcourse grade ex2 --on PROFILE")
    for row in rows:
        out.say(_line(row, plain=plain))


@app.command("tail")
def tail(run: RunNumber = "last", json: Json = False, plain: Plain = False, events: Events = False) -> None:
    """Follow a run to its end, from its beginning; then its verdict. ctrl-c leaves it running."""
    from tlcourse.cli.grade import EXIT_CODES, attend, run_store
    from tlcourse.cli.verdict import Live, lines

    kept = run_store()
    one = kept.find(run)
    exercise = _exercise(one)
    result = kept.result(one)
    if result is None:
        _refuse_ended(one)
        live = Live(plain=plain)
        with kept.watched(one) as free:
            if not free:
                raise _followed(one)
            try:
                result = attend(kept, one, exercise, out.event if events else live.show, asks=False)
            finally:
                live.clear()
        _record(one, result)
    if events:
        out.event({"v": 1, "type": "verdict", "result": result})
        raise typer.Exit(EXIT_CODES[result.outcome])
    if json:
        out.document(result)
    for line in lines(exercise, result, plain=plain, scored=one.scored):
        (out.note if json else out.say)(line)
    raise typer.Exit(EXIT_CODES[result.outcome])


@app.command("cancel")
def cancel(run: RunNumber, json: Json = False, plain: Plain = False) -> None:
    """Cancel a run: its jobs end, and nothing is counted."""
    from tlcourse.cli.grade import run_store
    from tlcourse.grading.remote_grading import job_row

    kept = run_store()
    one = kept.find(run)
    if one.state == "open":
        kept.cancel(one)
    if json:
        out.document({"schema": 1, "job": job_row(one)})
    else:
        out.say(_line(job_row(one), plain=plain))


def _collect(kept: RunStore, one: SavedRun) -> str:
    """Record its verdict, where it has ended; else say why there is none yet."""
    try:
        result = kept.collect(one, _exercise(one))
    except TlcourseError as error:  # its course is gone, or does not hold any more
        return error.what
    if isinstance(result, str):
        return result
    _record(one, result)
    return ""


def _record(one: SavedRun, result: Result) -> None:
    """A verdict that comes late counts as one that came at once."""
    from tlcourse.cli.grade import record

    if one.scored:
        record(result, Path(one.course) if one.course else None)


def _exercise(one: SavedRun) -> LoadedExercise:
    from tlcourse.course.loader import load_course

    return load_course(Path(one.course) if one.course else None).exercise(one.exercise)


def _refuse_ended(one: SavedRun) -> None:
    if one.state != "open":
        raise UsageError(
            f"Run {one.id} {'was cancelled' if one.state == 'cancelled' else 'failed'}, and has no verdict.",
            cause=one.said,
            remedy=f"send it again: tlcourse grade {one.exercise} {typed(one.path)} --on {one.profile}",
        )


def _followed(one: SavedRun) -> UsageError:
    return UsageError(
        f"Run {one.id} is already being followed.", cause="another tlcourse does so.", remedy="tlcourse jobs list"
    )


def _line(row: JobRow, *, plain: bool) -> str:
    from tlcourse.text import harmless

    if row.state == "ended":
        state = f"{row.outcome}, {row.points:g} of {row.max_points:g} points"
        state = state if row.command == "grade" else "runs" if row.outcome in ("ran", "pass") else row.outcome
    else:
        state = row.status.slurm.lower() if row.status and row.state == "open" else row.state
    said = "; ".join(part for part in (row.said, *((row.status.said, row.status.crowd) if row.status else ())) if part)
    path = harmless(row.path).replace("\n", " ")
    head = [row.run, row.exercise, row.on, state, path]
    text = "\t".join(head) if plain else f"{row.run:>4}  {row.exercise:<6} {row.on:<12} {state:<24} {path}"
    return text + (f"{chr(9) if plain else '  – '}{said}" if said else "")
